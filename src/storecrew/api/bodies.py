"""What requests of several subjects share: strict shapes, nothing extra, bounded in size."""

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from annotated_types import Ge, Le
from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from storecrew.domain.errors import InvalidInput
from storecrew.domain.money import Money, exponent
from storecrew.domain.shop.orders import MAX_QUANTITY

MAX_ID = 2**63 - 1
"""Largest order number a database can hold."""

Text = Annotated[str, StringConstraints(max_length=10_000, pattern=r"^[^\x00]*$")]
OfferName = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
Title = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00]*$"),
]
"""A name as people write it, without the blanks around it."""
Amount = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}(\.[0-9]{1,3})?$")]
"""An exact amount of money: digits in quotes."""
OrderId = Annotated[int, Ge(1), Le(MAX_ID)]
Quantity = Annotated[int, Ge(1), Le(MAX_QUANTITY)]
PageNumber = Annotated[int, Query(ge=1, le=1_000_000)]
PerPage = Annotated[int, Query(ge=1, le=200)]
Anyway = Annotated[bool, Field(description="Do it also below the margin floor.")]
Day = Annotated[str, Query(pattern=r"^\d{4}-\d{2}-\d{2}$")]
"""A day as 2026-11-30."""
Moment = Annotated[
    str, Query(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})$")
]
"""A moment with its zone, as 2026-11-30T08:00:00Z."""
Handler = TypeVar("Handler", bound=Callable[..., Any])
_examples: dict[Callable[..., Any], dict[str, Any]] = {}


class Strict(BaseModel):
    """A body that says what it means: no unknown fields, no text where a number stands."""

    model_config = ConfigDict(extra="forbid", strict=True)


def example(**body: Any) -> Callable[[Handler], Handler]:
    """Show this example of a body in the document of a handler's routes."""

    def declare(handler: Handler) -> Handler:
        _examples[handler] = body
        return handler

    return declare


def example_of(handler: Callable[..., Any]) -> dict[str, Any]:
    """Return what the document shows of a handler's example, nothing where it has none."""
    if handler not in _examples:
        return {}
    shown = {"examples": {"example": {"value": _examples[handler]}}}
    return {"requestBody": {"content": {"application/json": shown}}}


def money(field: str, text: str, currency: str) -> Money:
    """Return the amount, which has no more decimals than its currency has."""
    amount = Decimal(text)
    if amount != round(amount, exponent(currency)):
        raise InvalidInput(field, f"{text} has more decimals than {currency} has")
    return Money(amount, currency)


class ReasonRequest(Strict):
    """Why."""

    reason: Text = ""
