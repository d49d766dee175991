"""The boundary of the JSON library: values of JSON that comes from outside."""

import json
from typing import Any, NoReturn

from storecrew.domain.errors import InvalidInput
from storecrew.domain.input_text import check_texts

MAX_DEPTH = 32
"""Lists and objects within each other: orders have three levels, no honest body has ten."""


def read_json(content: bytes | str, field: str = "body", *, max_depth: int = MAX_DEPTH) -> Any:
    """Return the value, or raise `InvalidInput` that names the field and what is wrong with it.

    Refused are NaN and infinities, deep nesting, a key that stands twice in an object, and text
    that cannot be stored or shown.
    """
    try:
        value = json.loads(content, parse_constant=_refuse, object_pairs_hook=_unique)
    except InvalidInput as error:
        raise InvalidInput(field, error.problem) from error
    except RecursionError as error:
        raise InvalidInput(field, f"nests deeper than {max_depth} levels") from error
    except Exception as error:
        raise InvalidInput(field, f"is not valid JSON{_where(error)}") from error
    check_texts(value, field, max_depth=max_depth)
    return value


def _where(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f": {error.msg} in line {error.lineno}, column {error.colno}"
    return ""


def _refuse(name: str) -> NoReturn:
    raise InvalidInput("", f"holds {name}, which is no number of JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object; a key that stands twice would hide a value."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidInput("", f"names {twice!r} twice")
    return found
