"""What is wrong with settings, a sentence per key."""

import re
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from storecrew.domain.suggestions import suggestion

LIST, MAPPING = "(list of names)", "(mapping)"
"""The two ways to write `agents`; never part of a key."""


def problems_of(error: ValidationError, settings: type[BaseModel]) -> list[str]:
    """Return a sentence for each value of the settings that is wrong, with its key."""
    found = error.errors(include_url=False)
    return list(dict.fromkeys(_problem(each, settings) for each in found))


def _problem(found: Any, settings: type[BaseModel]) -> str:
    path = [str(part) for part in found["loc"] if part not in (LIST, MAPPING, "[key]")]
    if found["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return f"{'.'.join(path)}: is not a setting; {_advice(path, settings)}"
    message = found["msg"].removeprefix("Input ").removeprefix("Value error, ")
    if inner := re.match(r"(\w+): ", message):  # a section that checks itself names the key
        return f"{'.'.join([*path, inner[1]])}: {message[inner.end() :]}"
    is_secret = not _SECRET.isdisjoint(path)
    shown = "" if is_secret else f" (it is {repr(found['input'])[:_SHOWN]})"
    return f"{'.'.join(path)}: {message}{shown}"


_SHOWN = 200
"""Characters of a wrong value that a message repeats."""


_SECRET = frozenset({"api_key", "url", "urls", "sentry_dsn", "webhooks", "password"})
"""Keys whose value is not repeated in a message."""


def _advice(path: list[str], settings: type[BaseModel]) -> str:
    known = _known_keys(path[:-1], settings)
    return suggestion(path[-1], known, f"known here are {', '.join(known)}")


def _known_keys(path: list[str], settings: type[BaseModel]) -> list[str]:
    """Return the keys that may stand under this path of the settings."""
    here: Any = settings
    for part in path:
        fields = getattr(here, "model_fields", None)
        here = fields[part].annotation if fields else get_args(here)[-1]  # a mapping's values
    return list(getattr(here, "model_fields", None) or here.__dataclass_fields__)
