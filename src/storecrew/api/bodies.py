"""What a caller may send: strict shapes, nothing extra, bounded in size."""

from decimal import Decimal
from typing import Annotated, Any, Literal
from unicodedata import normalize

from annotated_types import Ge, Le
from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from storecrew.domain.actions import PutProduct
from storecrew.domain.commerce import Line
from storecrew.domain.errors import InvalidInput
from storecrew.domain.money import Money, exponent
from storecrew.domain.orders import MAX_LINES, MAX_QUANTITY, parse_order

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
Amount = Annotated[str, StringConstraints(pattern=r"^\d{1,12}(\.\d{1,3})?$")]
"""An exact amount of money: digits in quotes."""
OrderId = Annotated[int, Ge(1), Le(MAX_ID)]
PageNumber = Annotated[int, Query(ge=1, le=1_000_000)]
PerPage = Annotated[int, Query(ge=1, le=200)]


class Strict(BaseModel):
    """A body that says what it means: no unknown fields, no text where a number stands."""

    model_config = ConfigDict(extra="forbid", strict=True)


class LineBody(Strict):
    """So many units of one product, by SKU or name."""

    product: Name
    quantity: Annotated[int, Ge(1), Le(MAX_QUANTITY)]

    def line(self) -> Line:
        """Return it as the store takes it."""
        return Line(sku=normalize("NFC", self.product.strip()), quantity=self.quantity)


class MailBody(Strict):
    """An order as a customer writes it."""

    mail: Text
    customer: Name | None = None


class WarehouseBody(Strict):
    """Stock levels as a warehouse writes them."""

    stock: Text


class OrderRef(Strict):
    """Which order."""

    order_id: OrderId


class ApproveBody(OrderRef):
    """Which order, and its text where the caller wants it compared."""

    order: Text | None = None


class OrderBody(Strict):
    """An order: as text, or as lines."""

    text: Text | None = None
    lines: Annotated[list[LineBody], Field(min_length=1, max_length=MAX_LINES)] | None = None
    customer: Name | None = None
    code: OfferName = ""
    bundle: OfferName = ""

    @model_validator(mode="after")
    def _one_of_both(self) -> "OrderBody":
        if (self.text is None) == (self.lines is None):
            raise ValueError("give either text or lines")
        return self

    def order_lines(self) -> tuple[Line, ...]:
        """Return the lines as the store takes them."""
        if self.lines is not None:
            return tuple(line.line() for line in self.lines)
        return lines_of(self.text or "")


def lines_of(text: str) -> tuple[Line, ...]:
    """Read an order's text into lines; raises `InvalidInput` naming the bad part."""
    return tuple(Line(sku=each.name, quantity=each.quantity) for each in parse_order(text))


class PaymentBody(Strict):
    """A payment that came in."""

    reference: Name
    amount: Amount | None = None

    def money(self, currency: str) -> Money | None:
        """Return the amount in the shop's currency, or None where none was given."""
        return None if self.amount is None else _money("amount", self.amount, currency)


class AuthorizationBody(Strict):
    """A payment that a provider set aside."""

    reference: Name
    amount: Amount
    method: Name = "card"

    def money(self, currency: str) -> Money:
        """Return the amount in the shop's currency."""
        return _money("amount", self.amount, currency)


class MoneyBody(Strict):
    """An amount of money."""

    amount: Amount
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]

    def money(self, field: str, currency: str) -> Money:
        """Return it, which must be of the shop's currency."""
        if self.currency != currency:
            raise InvalidInput(f"{field}.currency", f"{self.currency} is not {currency}")
        return _money(f"{field}.amount", self.amount, currency)


class ProductBody(Strict):
    """What is known of a product; what is left out stays as it is."""

    name: Title
    price: MoneyBody
    cost: MoneyBody | None = None
    supplier: Title | None = None
    pack_size: Annotated[int, Ge(1), Le(MAX_QUANTITY)] | None = None
    stocked: bool | None = None

    def action(self, sku: str, currency: str) -> PutProduct:
        """Return it as the store takes it; a price is more than nothing."""
        price = self.price.money("price", currency)
        if price.amount == 0:
            raise InvalidInput("price.amount", "must be more than 0")
        return PutProduct(
            sku=sku,
            name=self.name,
            price=price,
            cost=self.cost.money("cost", currency) if self.cost else None,
            supplier=self.supplier,
            pack_size=self.pack_size,
            stocked=self.stocked,
        )


def _money(field: str, text: str, currency: str) -> Money:
    amount = Decimal(text)
    if amount != round(amount, exponent(currency)):
        raise InvalidInput(field, f"{text} has more decimals than {currency} has")
    return Money(amount, currency)


class ReasonBody(Strict):
    """Why."""

    reason: Text = ""


class DiscountBody(Strict):
    """A code that lowers prices from now on."""

    code: Name
    percent: Annotated[str, StringConstraints(pattern=r"^\d{1,2}(\.\d{1,2})?$")]
    """Per cent, in quotes."""
    products: Annotated[list[Name], Field(min_length=1, max_length=500)]
    days: Annotated[int, Ge(1), Le(366)]
    customers: Annotated[list[Name], Field(max_length=500)] = Field(default_factory=list[str])
    """Who may use it; empty is everybody."""


class BundleBody(Strict):
    """Products that cost less together."""

    name: Name
    products: Annotated[list[Name], Field(min_length=2, max_length=10)]
    price: Amount

    def money(self, currency: str) -> Money:
        """Return the price in the shop's currency."""
        return _money("price", self.price, currency)


class PlaceBody(Strict):
    """What is shown in a place of the shop, best first."""

    products: Annotated[list[Name], Field(max_length=50)]


class ActBody(Strict):
    """What a customer did in the shop's window."""

    customer: Name
    kind: Literal["viewed", "carted", "searched"]
    product: OfferName = ""
    text: Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00]*$")] = ""


class CustomerBody(Strict):
    """What is known of a customer."""

    name: Title
    email: Name | None = None
    locale: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")] = "en"


class ConsentBody(Strict):
    """Whether a customer agrees to marketing."""

    marketing: bool


class WishBody(Strict):
    """Who wants to be told when a product is back."""

    customer: Name
    product: Name


class ReceivedBody(Strict):
    """What a supplier delivered; everything unless a number is given."""

    quantity: Annotated[int, Ge(1), Le(MAX_QUANTITY)] | None = None


class DelayBody(Strict):
    """When a purchase arrives after all: a moment with its zone."""

    due_at: Annotated[str, StringConstraints(max_length=40)]


class EnabledBody(Strict):
    """Whether a way to pay is offered."""

    enabled: bool


class HoldBody(Strict):
    """Why a person has to look."""

    reason: Name


class ReturnBody(ReasonBody):
    """What comes back; no lines means everything."""

    lines: Annotated[list[LineBody], Field(max_length=MAX_LINES)] = Field(
        default_factory=list[LineBody]
    )


class StockBody(Strict):
    """A counted level."""

    on_hand: Annotated[int, Ge(0), Le(MAX_QUANTITY)]
    warehouse: Name | None = None


class DecisionBody(Strict):
    """A person's answer, with a changed action where they want another one."""

    note: Text = ""
    action: dict[str, Any] | None = None


class NoteBody(Strict):
    """Why not."""

    note: Text = ""


class EventBody(Strict):
    """Something that happened elsewhere."""

    event_type: Name
    id: Name | None = None
    data: dict[str, Any] = Field(default_factory=dict[str, Any])
    source: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.-]{0,63}$")] = "api"
