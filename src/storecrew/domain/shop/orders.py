"""Orders: lines, states and transitions, the actions on them, and their events."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum

from storecrew.domain.actions import Action, OrderAction
from storecrew.domain.errors import InvalidInput
from storecrew.domain.events import OrderEvent
from storecrew.domain.money import Money


class OrderStatus(StrEnum):
    """Where an order stands."""

    RECEIVED = "received"
    APPROVED = "approved"
    AWAITING_PAYMENT = "awaiting_payment"
    AWAITING_DELIVERY = "awaiting_delivery"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    RETURNED = "returned"
    REFUNDED = "refunded"


TRANSITIONS: dict[OrderStatus | None, frozenset[OrderStatus]] = {
    None: frozenset({OrderStatus.RECEIVED}),
    OrderStatus.RECEIVED: frozenset({OrderStatus.APPROVED, OrderStatus.CANCELLED}),
    OrderStatus.APPROVED: frozenset({OrderStatus.AWAITING_PAYMENT, OrderStatus.CANCELLED}),
    OrderStatus.AWAITING_PAYMENT: frozenset({OrderStatus.AWAITING_DELIVERY, OrderStatus.CANCELLED}),
    OrderStatus.AWAITING_DELIVERY: frozenset({OrderStatus.DELIVERED}),
    OrderStatus.DELIVERED: frozenset({OrderStatus.RETURNED}),
    OrderStatus.CANCELLED: frozenset(),
    OrderStatus.RETURNED: frozenset({OrderStatus.REFUNDED}),
    OrderStatus.REFUNDED: frozenset(),
}
"""Every legal move; None is an order that does not exist yet."""


RESERVING = frozenset({OrderStatus.RECEIVED, OrderStatus.APPROVED, OrderStatus.AWAITING_PAYMENT})
"""States in which an order holds a reservation on stock."""


def is_legal(previous: OrderStatus | None, status: OrderStatus) -> bool:
    """Tell whether an order may go from one state to the other."""
    return status in TRANSITIONS[previous]


MAX_QUANTITY = 1_000_000


MAX_LINES = 500


MAX_NAME = 200
"""Characters of a product's name at most."""


_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
"""Categories of what no reader sees."""


_JOINERS = frozenset("\u200c\u200d")
"""They shape letters of Indic scripts and of Persian, and join emoji."""


_LOOK_ALIKE = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU"})


_WORD = re.compile(r"[^\W\d_]+")


_QUANTITY = re.compile(r"[0-9]{1,7}")


@dataclass(frozen=True)
class ParsedLine:
    """A product as a person wrote it, and how many."""

    name: str
    quantity: int


def parse_order(text: str) -> tuple[ParsedLine, ...]:
    """Read `Name:integer, …`; anything else raises `InvalidInput` naming the bad part.

    A name may hold commas: a part without a colon is the beginning of the next one's name.
    """
    return _parse(text, suffix="")


def parse_stock(text: str) -> tuple[ParsedLine, ...]:
    """Read a stock update: as an order, each number optionally followed by `units`."""
    return _parse(text, suffix="units")


def check_name(name: str) -> str:
    """Return the product name stripped and NFC-normalised, or raise `InvalidInput`.

    Any text of one line is a name, except a word that mixes letters of scripts that look alike
    (Unicode TR39): it is not what it seems to be.
    """
    name = unicodedata.normalize("NFC", name.strip())
    if not 1 <= len(name) <= MAX_NAME:
        raise InvalidInput("product", f"a name has 1 to {MAX_NAME} characters")
    for char in name:
        if unicodedata.category(char) in _UNSEEN and char not in _JOINERS:
            raise InvalidInput("product", f"{char!r} is not allowed in {name!r}")
    for word in _WORD.findall(name):
        if len(scripts := {script for char in word if (script := _script(char))}) > 1:
            listed = ", ".join(sorted(scripts))
            raise InvalidInput("product", f"{word!r} in {name!r} mixes scripts: {listed}")
    return name


def _script(char: str) -> str | None:
    """Return the script of a letter, if it is one of those whose letters look alike."""
    script = unicodedata.name(char, "").partition(" ")[0]
    return script if script in _LOOK_ALIKE else None


def _parse(text: str, *, suffix: str) -> tuple[ParsedLine, ...]:
    parts = text.split(",") if suffix else _parts(text)
    if len(parts) > MAX_LINES:
        raise InvalidInput("order", f"{len(parts)} lines; at most {MAX_LINES} are allowed")
    return tuple(_parse_line(part, suffix) for part in parts)


def _parts(text: str) -> list[str]:
    """Return `Name:number` parts; a piece without a colon begins the name of the next."""
    parts: list[str] = []
    begun: list[str] = []
    for piece in text.split(","):
        begun.append(piece)
        if ":" in piece or not piece.strip():
            parts.append(",".join(begun))
            begun = []
    return parts + begun


def _parse_line(part: str, suffix: str) -> ParsedLine:
    name, colon, number = part.rpartition(":")
    if not colon:
        raise InvalidInput("order", f"{part.strip()!r} is not of the form Name:quantity")
    number = number.strip()
    if suffix:
        number = number.removesuffix(suffix).rstrip()
    if not _QUANTITY.fullmatch(number):
        raise InvalidInput("quantity", f"{number!r} in {part.strip()!r} is not a whole number")
    return ParsedLine(check_name(name), check_quantity(int(number)))


def check_quantity(quantity: int) -> int:
    """Return the quantity if an order line may have it, or raise `InvalidInput`."""
    if not 1 <= quantity <= MAX_QUANTITY:
        raise InvalidInput("quantity", f"{quantity} is not between 1 and {MAX_QUANTITY}")
    return quantity


@dataclass(frozen=True, kw_only=True)
class Line:
    """So many units of one product."""

    sku: str
    quantity: int


@dataclass(frozen=True, kw_only=True)
class OrderLine:
    """A line as it was sold, at the price of that moment."""

    sku: str
    quantity: int
    unit_price: Money


@dataclass(frozen=True, kw_only=True)
class Order:
    """A customer's order and where it stands."""

    id: int
    status: OrderStatus
    lines: tuple[OrderLine, ...]
    total: Money
    paid: Money
    """Payments received less refunds made."""
    payments: int = 0
    """How many payments were received; one of nothing settles an order that costs nothing."""
    placed_at: datetime
    updated_at: datetime
    customer: str | None = None
    order_text: str = ""
    imported: bool = False
    """True for history that another system fulfilled."""
    held: str = ""
    """Why a person has to look before it goes on; empty where nobody has to."""
    returned: tuple[Line, ...] = ()
    """What came back, summed per product."""
    tracking: str = ""
    """The carrier's number of the parcel; empty before it is sent, or where none was given."""

    @property
    def is_paid(self) -> bool:
        """Whether the whole total has been received."""
        return self.paid >= self.total and (self.total.amount > 0 or self.payments > 0)


def purchase_counts(orders: Iterable[Order]) -> Mapping[str, tuple[float, int]]:
    """Return per SKU how often it was bought, and on which day last (UTC, as an ordinal).

    Cancelled orders do not count.
    """
    bought: dict[str, tuple[float, int]] = {}
    for order in orders:
        if order.status is OrderStatus.CANCELLED:
            continue
        day = order.placed_at.astimezone(UTC).toordinal()
        for line in order.lines:
            times, last = bought.get(line.sku, (0.0, day))
            bought[line.sku] = (times + 1, max(last, day))
    return bought


def orders_to_pack(orders: Iterable[Order]) -> list[Order]:
    """Return those that are paid, not held, and not sent, in the order given."""
    awaiting = OrderStatus.AWAITING_PAYMENT
    return [o for o in orders if o.status is awaiting and o.payments and not o.held]


@dataclass(frozen=True, kw_only=True)
class OrderQuery:
    """Which orders, newest first, and which page of them."""

    status: OrderStatus | None = None
    customer: str | None = None
    held: bool | None = None
    """Whether the order waits for a person to release it."""
    page: int = 1
    per_page: int = 50


@dataclass(frozen=True, kw_only=True)
class OrderPage:
    """One page of orders and how many there are in all."""

    items: tuple[Order, ...]
    total: int


@dataclass(frozen=True, kw_only=True)
class OrderBacklog:
    """What waits in the order flow."""

    since: Mapping[OrderStatus, datetime]
    """When the order that waits longest in a state came into it; states without are left out."""
    paid_not_sent: int
    """Orders that are paid and have not left the warehouse."""


@dataclass(frozen=True, kw_only=True)
class OrderTransition:
    """One recorded step of an order through its machine."""

    order_id: int
    previous: OrderStatus | None
    status: OrderStatus
    at: datetime
    actor: str


@dataclass(frozen=True)
class DailySales:
    """Units sold per product and day; days without sales are zero."""

    first: date
    """The day of the first column; days are UTC."""
    units: Mapping[str, Sequence[int]] = field(default_factory=dict[str, Sequence[int]])
    """Per SKU one row of whole units, all of the same length, oldest day first."""

    @property
    def days(self) -> int:
        """How many days each array covers."""
        return len(next(iter(self.units.values()), ()))


@dataclass(frozen=True, kw_only=True)
class Lines:
    """Order lines with the same product summed, in order of SKU."""

    items: tuple[Line, ...]

    @classmethod
    def merge_lines(cls, lines: Sequence[Line]) -> "Lines":
        """Add up lines for the same product, so that stock is checked as a sum."""
        total: dict[str, int] = {}
        for line in lines:
            total[line.sku] = total.get(line.sku, 0) + line.quantity
        return cls(items=tuple(Line(sku=s, quantity=q) for s, q in sorted(total.items())))


@dataclass(frozen=True, kw_only=True)
class HourlySales:
    """What one hour of trade brought; orders called off do not count."""

    hour: datetime
    """Its beginning, UTC."""
    orders: int
    value: Money
    refunds: Money
    """Paid back in that hour, whenever it was sold."""


@dataclass(frozen=True, kw_only=True)
class SoldLines:
    """Every product line that was ordered in a period, by columns of one length, oldest first."""

    orders: Sequence[int]
    customers: Sequence[str | None]
    skus: Sequence[str]
    days: Sequence[int]
    """Proleptic ordinals of the UTC days (`date.toordinal`)."""
    quantities: Sequence[int]
    prices: Sequence[float]
    """Paid a unit, in the shop's money."""


@dataclass(frozen=True, kw_only=True)
class PlaceOrder(Action):
    """Accept a customer's order: all lines reserved, or nothing."""

    lines: tuple[Line, ...]
    customer: str | None = None
    order_text: str = ""
    code: str = ""
    """A discount code that the customer gave."""
    bundle: str = ""
    """The bundle whose products the lines hold, for its price."""

    @property
    def subject(self) -> str:
        """The customer who orders."""
        return f"customer:{self.customer or ''}"


@dataclass(frozen=True, kw_only=True)
class ApproveOrder(OrderAction):
    """Accept a received order; it then awaits payment."""


@dataclass(frozen=True, kw_only=True)
class HoldOrder(OrderAction):
    """Keep an open order from going on until a person has looked at it."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class ReleaseOrder(OrderAction):
    """Let a held order go on."""


@dataclass(frozen=True, kw_only=True)
class FulfilOrder(OrderAction):
    """Hand a paid order to the carrier: reserved units leave the shelf."""

    tracking: str = ""
    """The carrier's number of the parcel, which the customer is told."""


@dataclass(frozen=True, kw_only=True)
class CompleteDelivery(OrderAction):
    """Record that the customer has the parcel."""


@dataclass(frozen=True, kw_only=True)
class CancelOrder(OrderAction):
    """Call an unfulfilled order off: reservation released, payment refunded."""

    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class OrderPlaced(OrderEvent):
    """An order was received and its units reserved."""

    total: Money
    customer: str | None = None


@dataclass(frozen=True, kw_only=True)
class OrderApproved(OrderEvent):
    """An order was approved and awaits payment."""


@dataclass(frozen=True, kw_only=True)
class OrderHeld(OrderEvent):
    """An order waits until a person has looked at it."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class OrderReleased(OrderEvent):
    """A held order goes on."""


@dataclass(frozen=True, kw_only=True)
class ShippingDelayed(OrderEvent):
    """The carrier says that a parcel will be late."""

    reason: str = ""
    expected_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class OrderFulfilled(OrderEvent):
    """An order left the warehouse."""


@dataclass(frozen=True, kw_only=True)
class OrderDelivered(OrderEvent):
    """An order reached its customer."""


@dataclass(frozen=True, kw_only=True)
class OrderCancelled(OrderEvent):
    """An order was called off before it left."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class DeliveryConfirmed(OrderEvent):
    """The carrier says that the parcel arrived."""
