"""Text from outside is checked, cleaned and shown by one module."""

import json

import pytest
from hypothesis import given, strategies as st

from storecrew.domain.errors import InvalidInput
from storecrew.domain.input_text import (
    check_texts,
    clean,
    one_line,
    printable,
    text_problem,
)

ANY_TEXT = st.text(st.characters(codec=None, categories=None))
FORBIDDEN = ["\x00", "\x07", "\x1b", "\x7f", "\x85", "\x9b", "\ud83d", "\udc00", "\udfff", "\uffff"]


@pytest.mark.parametrize("char", FORBIDDEN)
def test_a_character_that_cannot_be_kept_or_shown_is_named(char):
    assert f"U+{ord(char):04X}" in str(text_problem(f"tea{char}"))
    with pytest.raises(InvalidInput, match=r"lines\.0\.name"):
        check_texts({"lines": [{"name": f"tea{char}"}]})
    with pytest.raises(InvalidInput):
        check_texts({f"tea{char}": 1})


@pytest.mark.parametrize(
    "text", ["", "Grüße", "line\nline\r\n\ttab", "😀👩\u200d👩", "نص", "\u00a0"]
)
def test_what_people_write_is_taken(text):
    assert text_problem(text) is None


@given(ANY_TEXT)
def test_what_is_taken_can_be_encoded_and_what_is_not_says_so(text):
    if text_problem(text) is None:
        assert json.loads(text_as := json.dumps(text)) == text
        assert text_as
        assert "\x00" not in text.encode().decode()


@given(ANY_TEXT)
def test_cleaned_text_is_text_that_is_taken(text):
    assert text_problem(clean(text)) is None
    assert "\n" not in one_line(text, 50)
    assert len(one_line(text, 50)) <= 50


@given(ANY_TEXT)
def test_printed_text_holds_nothing_that_a_terminal_obeys(text):
    shown = printable(text)
    assert json.loads(json.dumps(shown)) == shown
    assert len(shown.encode()) >= len(shown)
    assert not any(char < " " for char in shown if char not in "\n\t")
    assert not any("\x7f" <= char <= "\x9f" or "\u202a" <= char <= "\u202e" for char in shown)


def test_a_value_nested_without_end_is_refused():
    value: object = "x"
    for _ in range(200):
        value = [value]
    with pytest.raises(InvalidInput, match="nests deeper"):
        check_texts(value)


def test_an_escape_is_shown_as_it_would_be_written():
    assert printable("Oak\x1b]2;x\x07 lamp\u202e") == "Oak\\x1b]2;x\\x07 lamp\\u202e"
