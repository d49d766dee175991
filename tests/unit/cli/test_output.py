"""The one place that prints shows what a terminal would obey, in every form of output."""

import json

import pytest
import typer

from storecrew.cli.output import fail, print_text, show_fields, show_json, show_result, show_table

ATTACK = "Oak lamp\x1b]2;owned\x07\x1b[2J\x9b31m\u202egnp.exe\ud83d"
OBEYED = ("\x1b", "\x07", "\x9b", "\u202e", "\ud83d")


def shown_by(way: str) -> None:
    match way:
        case "text":
            print_text(ATTACK)
        case "fields":
            show_fields({"name": ATTACK})
        case "result":
            show_result(False, {}, ATTACK)
        case "table":
            show_table(ATTACK, ("name",), [(ATTACK,)])
        case "empty table":
            show_table(ATTACK, ("name",), [])
        case "json":
            show_json({"name": ATTACK})
        case "error":
            with pytest.raises(typer.Exit):
                fail(ATTACK)


@pytest.mark.parametrize(
    "way", ["text", "fields", "result", "table", "empty table", "json", "error"]
)
def test_no_form_of_output_prints_what_a_terminal_obeys(way, capsys):
    shown_by(way)
    out = "".join(capsys.readouterr())
    assert "Oak" in out
    assert not any(char in out for char in OBEYED)


def test_json_reads_back_as_it_was(capsys):
    show_json({"name": ATTACK})
    assert json.loads(capsys.readouterr().out) == {"name": ATTACK}
