"""Response models: the codec writes what a handler returns, FastAPI describes its type."""

import dataclasses
from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import Enum
from functools import cache
from types import GenericAlias, UnionType
from typing import (
    Annotated,
    Any,
    Generic,
    Literal,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from fastapi import Response
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, TypeAdapter
from pydantic_core.core_schema import (
    CoreSchema,
    any_schema,
    definitions_schema,
    plain_serializer_function_ser_schema,
)
from typing_extensions import TypedDict, is_typeddict

from storecrew.domain.actions import Action
from storecrew.domain.codec import encode
from storecrew.domain.events import Event

T = TypeVar("T")


class ListResponse(TypedDict, Generic[T]):
    """A whole list."""

    items: Sequence[T]
    total: int


class PageResponse(TypedDict, Generic[T]):
    """One page of a list."""

    items: Sequence[T]
    page: int
    per_page: int
    total: int
    pages: int


class Tagged(TypedDict):
    """An action or an event: the name of its type, with its fields beside it."""

    type: str


def text(media_type: str) -> dict[int | str, dict[str, Any]]:
    """Describe an answer that is text of this kind."""
    return {200: {"content": {media_type: {"schema": {"type": "string"}}}}}


@dataclasses.dataclass(frozen=True)
class ResponseModel:
    """The type of what a handler returns: the codec writes the value, FastAPI describes the type.

    Nothing is validated: the type checker has compared the handler with its type.
    """

    kind: Any

    def __get_pydantic_core_schema__(self, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        """Encode any value with the codec."""
        return any_schema(serialization=plain_serializer_function_ser_schema(encode))

    def __get_pydantic_json_schema__(
        self, _: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Describe the type, not before the document is asked for: that takes a while."""
        schema = TypeAdapter(encoded(self.kind)).core_schema
        return handler(definitions_schema(schema, []))  # so that it becomes a named component


def response_model(kind: Any) -> Any:
    """Return the response model for this type; None where the handler builds the response."""
    is_response = isinstance(kind, type) and issubclass(kind, Response)
    return None if kind is None or is_response else Annotated[Any, ResponseModel(kind)]


@cache
def encoded(kind: Any) -> Any:
    """Return the type of what the codec makes of a value of this type: every field is there."""
    if arguments := get_args(kind):
        return _generic(get_origin(kind), tuple(encoded(each) for each in arguments))
    if is_typeddict(kind):
        return _record(kind, list(get_type_hints(kind)))
    if not isinstance(kind, type) or kind is Any:
        return kind
    if issubclass(kind, Decimal):
        return str
    if issubclass(kind, Enum):
        return Literal[tuple(encode(member) for member in kind)]
    if issubclass(kind, Action | Event):
        return Tagged
    if dataclasses.is_dataclass(kind):
        return _record(kind, [field.name for field in dataclasses.fields(kind)])
    return kind


def _generic(origin: Any, arguments: tuple[Any, ...]) -> Any:
    if origin in (Union, UnionType):
        return Union[arguments]  # noqa: UP007 - of as many as there are
    if origin is Literal or is_typeddict(origin):
        return origin[arguments]
    if issubclass(origin, Mapping):
        return GenericAlias(dict, arguments)
    if issubclass(origin, tuple) and arguments[-1] is not Ellipsis:
        return GenericAlias(tuple, arguments)
    return GenericAlias(list, arguments[:1])


def _record(kind: type, names: list[str]) -> Any:
    hints = get_type_hints(kind)
    found = cast("Any", TypedDict)(kind.__name__, {name: encoded(hints[name]) for name in names})
    found.__doc__, found.__module__ = (kind.__doc__ or "").partition("\n")[0], kind.__module__
    return found
