"""Shapes of answers as JSON Schema: what the codec makes of a domain value, written down."""

import dataclasses
import types
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

from storecrew.domain.actions import Action
from storecrew.domain.codec import encode
from storecrew.domain.events import Event
from storecrew.domain.money import Money

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
FLAG: Schema = {"type": "boolean"}
OBJECT: Schema = {"type": "object"}
ANYTHING: Schema = {}
MOMENT: Schema = {"type": "string", "format": "date-time"}
_DAY: Schema = {"type": "string", "format": "date"}
_MONEY: Schema = {
    "type": "object",
    "properties": {"amount": TEXT, "currency": TEXT},
    "required": ["amount", "currency"],
}
_TYPED: Schema = {"type": "object", "properties": {"type": TEXT}, "required": ["type"]}
_PLAIN: dict[Any, Schema] = {
    str: TEXT,
    int: WHOLE,
    float: NUMBER,
    bool: FLAG,
    Any: ANYTHING,
    object: ANYTHING,
    datetime: MOMENT,
    date: _DAY,
    Decimal: TEXT,
    Money: _MONEY,
    type(None): {"type": "null"},
}


def fields(**shapes: Schema) -> Schema:
    """Return an object with these fields, and perhaps others."""
    return {"type": "object", "properties": shapes, "required": list(shapes)}


def const(value: str) -> Schema:
    """Return this word alone."""
    return {"type": "string", "const": value}


def optional(shape: Schema) -> Schema:
    """Return the shape, or null."""
    return {"anyOf": [shape, {"type": "null"}]}


def either(*shapes: Schema) -> Schema:
    """Return any of these."""
    return {"anyOf": list(shapes)}


def listing(shape: Schema) -> Schema:
    """Return a list."""
    return {"type": "array", "items": shape}


def mapping(shape: Schema) -> Schema:
    """Return an object whose every value has this shape."""
    return {"type": "object", "additionalProperties": shape}


class Shapes:
    """Describes domain types, each once, by reference."""

    def __init__(self) -> None:
        self.components: dict[str, Schema] = {}

    def of(self, kind: Any) -> Schema:
        """Return the shape in which the codec writes a value of this type."""
        if kind in _PLAIN:
            return _PLAIN[kind]
        origin, inner = get_origin(kind), get_args(kind)
        if origin is not None:
            return self._generic(origin, inner)
        if issubclass(kind, Enum):
            return {"type": "string", "enum": [encode(member) for member in kind]}
        if issubclass(kind, Action | Event):
            return _TYPED
        return self._record(kind)

    def _generic(self, origin: Any, inner: tuple[Any, ...]) -> Schema:
        if origin in (Union, types.UnionType):
            return either(*(self.of(each) for each in inner))
        if issubclass(origin, Mapping):
            return mapping(self.of(inner[1]))
        if issubclass(origin, Sequence | frozenset):
            return listing(self.of(inner[0]))
        return self.of(origin)

    def _record(self, kind: type) -> Schema:
        name = kind.__name__
        if name not in self.components:
            self.components[name] = {}  # so that it may speak of itself
            hints = get_type_hints(kind)
            shapes = {each.name: self.of(hints[each.name]) for each in dataclasses.fields(kind)}
            text = (kind.__doc__ or "").strip().partition("\n")[0]
            self.components[name] = {**fields(**shapes), "description": text}
        return {"$ref": f"#/components/schemas/{name}"}
