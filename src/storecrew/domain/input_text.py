"""The check of text that comes from outside, and the forms in which it is kept and shown.

Text that cannot be encoded (half of a surrogate pair) or stored (NUL) fails late, in a database
or a log, where the request that brought it is long gone; so each entry point checks it here.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from storecrew.domain.errors import InvalidInput

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""Control characters except tab and line ends, halves of surrogate pairs, and non-characters."""
_ESCAPED_CONTROL = re.compile(r"(?<!\\)(?:\\\\)*\\(?:u00[01]|[bf])")
"""A control character as JSON writes it."""
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_JOINERS = "\u200c\u200d"
"""Joiners, which some scripts and emoji need."""


def text_problem(text: str) -> str | None:
    """Return why the text must not be taken; None for text that may."""
    found = _FORBIDDEN.search(text)
    if found is None:
        return None
    number = ord(found[0])
    what = "half of a surrogate pair" if 0xD800 <= number <= 0xDFFF else "a control character"
    return f"character {found.start() + 1} (U+{number:04X}) is {what}; remove it"


def check_text(field: str, text: str) -> str:
    """Return the text, or raise `InvalidInput` naming the field."""
    if problem := text_problem(text):
        raise InvalidInput(field, problem)
    return text


def check_encoded(json_text: str) -> None:
    """Check all text of a JSON document at once; raise `InvalidInput` without saying where."""
    if problem := text_problem(json_text):
        raise InvalidInput("text", problem)
    if _ESCAPED_CONTROL.search(json_text):
        raise InvalidInput("text", "holds a control character; remove it")


def check_texts(data: Any, field: str = "", *, max_depth: int = 100) -> None:
    """Check each text in a value of JSON, keys included; raise `InvalidInput` naming the field."""
    pending: list[tuple[Any, str, int]] = [(data, field, 0)]
    while pending:
        value, name, depth = pending.pop()
        if depth > max_depth:
            raise InvalidInput(field or "body", f"nests deeper than {max_depth} levels")
        if isinstance(value, str):
            check_text(name or "body", value)
        elif isinstance(value, Mapping):
            pending += _entries(value.items(), name, depth)
        elif isinstance(value, list | tuple):
            pending += _entries(enumerate(value), name, depth)


def _entries(items: Iterable[tuple[Any, Any]], name: str, depth: int) -> list[tuple[Any, str, int]]:
    found = []
    for key, value in items:
        label = check_text(name or "body", key) if isinstance(key, str) else str(key)
        found.append((value, f"{name}.{label}" if name else label, depth + 1))
    return found


def clean(text: str) -> str:
    """Return the text without what must not be taken and without characters that are not seen."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    ")
    return "".join(char for char in text if char == "\n" or not _is_hidden(char))


def one_line(text: str, longest: int = 200) -> str:
    """Return the text as one line, without hidden characters, not longer than this."""
    line = " ".join(clean(text[: 10 * longest]).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def printable(text: str, keep: str = "\n\t") -> str:
    """Return the text as a terminal may print it: what it would obey is shown as an escape."""
    if text.isprintable():
        return text
    return "".join(
        char if char in keep or not _is_hidden(char) else _escaped(char) for char in text
    )


def _escaped(char: str) -> str:
    number = ord(char)
    if char in _NAMED:
        return _NAMED[char]
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _is_hidden(char: str) -> bool:
    """Tell whether a character is a control, unassigned, or changes how its neighbours are read."""
    if char in _JOINERS:
        return False
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
