"""What a store holds, as values: products, stock, customers, suppliers, sales."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from storecrew.domain.money import Money
from storecrew.domain.orders import Status

DEFAULT_WAREHOUSE = "main"


@dataclass(frozen=True, kw_only=True)
class Product:
    """One sellable item."""

    sku: str
    name: str
    price: Money
    cost: Money | None = None
    """What a unit costs the shop; None where nobody said."""
    supplier: str | None = None
    pack_size: int = 1
    """Units in the supplier's pack; orders are whole packs."""
    stocked: bool = True
    """False for services and charges, which have no stock."""
    assumed: tuple[str, ...] = ()
    """Names of the fields whose values are assumptions, not records."""


@dataclass(frozen=True, kw_only=True)
class StockLevel:
    """Units of one product in one warehouse."""

    sku: str
    warehouse: str
    on_hand: int
    reserved: int
    """Units promised to open orders, still on the shelf."""

    @property
    def available(self) -> int:
        """Units that can still be sold."""
        return self.on_hand - self.reserved


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
    status: Status
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

    @property
    def is_paid(self) -> bool:
        """Whether the whole total has been received."""
        return self.paid >= self.total and (self.total.amount > 0 or self.payments > 0)


@dataclass(frozen=True, kw_only=True)
class OrderQuery:
    """Which orders, newest first, and which page of them."""

    status: Status | None = None
    customer: str | None = None
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

    since: Mapping[Status, datetime]
    """When the order that waits longest in a state came into it; states without are left out."""
    paid_not_sent: int
    """Orders that are paid and have not left the warehouse."""


@dataclass(frozen=True, kw_only=True)
class OrderMove:
    """One recorded step of an order through its machine."""

    order_id: int
    previous: Status | None
    status: Status
    at: datetime
    actor: str


@dataclass(frozen=True, kw_only=True)
class Customer:
    """Somebody who buys."""

    id: str
    name: str
    email: str | None = None
    marketing_consent: bool = False
    locale: str = "en"


@dataclass(frozen=True, kw_only=True)
class Authorization:
    """A payment that a provider set aside for an order."""

    order_id: int
    reference: str
    amount: Money
    method: str
    at: datetime
    captured: bool


@dataclass(frozen=True, kw_only=True)
class Supplier:
    """Somebody we buy from."""

    id: str
    name: str
    lead_time_days: float
    lead_time_sd: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Purchase:
    """A purchase order to a supplier, for one product."""

    id: int
    sku: str
    supplier: str
    warehouse: str
    quantity: int
    unit_cost: Money
    status: str
    """`open`, `received` or `cancelled`."""
    ordered_at: datetime
    due_at: datetime


@dataclass(frozen=True, kw_only=True)
class RivalPrice:
    """What a competitor was last seen asking for our product. An observation, unchecked."""

    sku: str
    rival: str
    price: Money
    seen_at: datetime


@dataclass(frozen=True, kw_only=True)
class PriceChange:
    """A price as it was changed. The first entry of a product has no previous price."""

    sku: str
    previous: Money | None
    price: Money
    at: datetime


@dataclass(frozen=True, kw_only=True)
class StockMove:
    """One entry of the stock ledger."""

    sku: str
    warehouse: str
    change: int
    on_hand: int
    """Units on hand after the change."""
    reason: str
    at: datetime


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
class Discrepancy:
    """A line of the books that does not add up."""

    check: str
    subject: str
    problem: str


@dataclass(frozen=True, kw_only=True)
class Lines:
    """Order lines with the same product summed, in order of SKU."""

    items: tuple[Line, ...]

    @classmethod
    def summed(cls, lines: Sequence[Line]) -> "Lines":
        """Add up lines for the same product, so that stock is checked as a sum."""
        total: dict[str, int] = {}
        for line in lines:
            total[line.sku] = total.get(line.sku, 0) + line.quantity
        return cls(items=tuple(Line(sku=s, quantity=q) for s, q in sorted(total.items())))
