"""The owner's own phrases: what customers write, under the intent that each shows."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from storecrew.app.yaml_files import read_yaml
from storecrew.domain.errors import InvalidSettings

_SHAPE = TypeAdapter(dict[str, list[str]])
_LONGEST = 2_000
"""Characters of one phrase: a long letter."""


def read_phrases(file: Path) -> Mapping[str, Sequence[str]]:
    """Return the phrases of a YAML file that lists them under each intent.

    Raises `InvalidSettings` with every problem found.
    """
    try:
        found = _SHAPE.validate_python(read_yaml(file))
    except ValidationError as error:
        problems = [f"{file}: {_place(e['loc'])}: {e['msg']}" for e in error.errors()]
        raise InvalidSettings(problems) from error
    odd = [
        f"{file}: {intent}: a phrase must have 1 to {_LONGEST} characters"
        for intent, phrases in found.items()
        if any(not 0 < len(phrase.strip()) <= _LONGEST for phrase in phrases)
    ]
    if odd:
        raise InvalidSettings(odd)
    return found


def _place(parts: Sequence[int | str]) -> str:
    return " → ".join(map(str, parts))
