"""Commands to the store. Named in the imperative; applied at most once per key."""

from dataclasses import dataclass
from datetime import datetime

from storecrew.domain.commerce import DEFAULT_WAREHOUSE, Line
from storecrew.domain.money import Money


@dataclass(frozen=True, kw_only=True)
class Action:
    """A change to the store."""

    @property
    def subject(self) -> str:
        """What the action touches, as `kind:key`; actions on one subject are kept in order."""
        raise TypeError(f"{type(self).__name__} names no subject")


@dataclass(frozen=True, kw_only=True)
class _OnProduct(Action):
    sku: str

    @property
    def subject(self) -> str:
        """The product."""
        return f"product:{self.sku}"


@dataclass(frozen=True, kw_only=True)
class _OnOrder(Action):
    order_id: int

    @property
    def subject(self) -> str:
        """The order."""
        return f"order:{self.order_id}"


@dataclass(frozen=True, kw_only=True)
class SetPrice(_OnProduct):
    """Sell the product at this price from now on."""

    price: Money
    expect: Money | None = None
    """The price this was decided on; if it changed meanwhile the action is refused as stale."""


@dataclass(frozen=True, kw_only=True)
class SetCost(_OnProduct):
    """Record what a unit costs the shop from now on."""

    cost: Money


@dataclass(frozen=True, kw_only=True)
class PutProduct(_OnProduct):
    """Create the product, or change what is known of it. Leaves an existing price as it is.

    None leaves what is known; of a new product it means no cost, no supplier, packs of one unit,
    and goods that are stocked.
    """

    name: str
    price: Money
    cost: Money | None = None
    supplier: str | None = None
    pack_size: int | None = None
    stocked: bool | None = None
    """Cannot be changed later."""


@dataclass(frozen=True, kw_only=True)
class RecordRivalPrice(_OnProduct):
    """Record what a competitor was seen asking. An observation: any number is kept as seen."""

    rival: str
    price: Money


@dataclass(frozen=True, kw_only=True)
class Level:
    """How many units of a product are on hand in a warehouse."""

    sku: str
    on_hand: int
    warehouse: str = DEFAULT_WAREHOUSE


@dataclass(frozen=True, kw_only=True)
class SetStock(Action):
    """Set the counted levels, all or none; a level below what is reserved is refused."""

    levels: tuple[Level, ...]
    reason: str = "counted"

    @property
    def subject(self) -> str:
        """The first product."""
        return f"product:{self.levels[0].sku}" if self.levels else "product:"


@dataclass(frozen=True, kw_only=True)
class AdjustStock(_OnProduct):
    """Add units found, or remove units lost (negative)."""

    change: int
    reason: str
    warehouse: str = DEFAULT_WAREHOUSE


@dataclass(frozen=True, kw_only=True)
class TransferStock(_OnProduct):
    """Move available units from one warehouse to another."""

    source: str
    target: str
    quantity: int


@dataclass(frozen=True, kw_only=True)
class Reorder(_OnProduct):
    """Buy this many units from the product's supplier; one open purchase per product and place."""

    quantity: int
    warehouse: str = DEFAULT_WAREHOUSE


@dataclass(frozen=True, kw_only=True)
class _OnPurchase(Action):
    purchase_id: int

    @property
    def subject(self) -> str:
        """The purchase order."""
        return f"purchase:{self.purchase_id}"


@dataclass(frozen=True, kw_only=True)
class CancelPurchase(_OnPurchase):
    """Call off an open purchase order."""


@dataclass(frozen=True, kw_only=True)
class ReceivePurchase(_OnPurchase):
    """Put what a supplier delivered on the shelf; the whole order unless a quantity is given."""

    quantity: int | None = None


@dataclass(frozen=True, kw_only=True)
class DelayPurchase(_OnPurchase):
    """Record that an open purchase order arrives at another time than promised."""

    due_at: datetime


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
class ApproveOrder(_OnOrder):
    """Accept a received order; it then awaits payment."""


@dataclass(frozen=True, kw_only=True)
class CapturePayment(_OnOrder):
    """Record the full payment of an order, once per reference."""

    reference: str
    amount: Money | None = None
    """What was received; None means the order's total. Anything but the total is refused."""


@dataclass(frozen=True, kw_only=True)
class AuthorizePayment(_OnOrder):
    """Record that a provider set this amount aside for an order; it is captured later."""

    reference: str
    amount: Money
    method: str = "card"


@dataclass(frozen=True, kw_only=True)
class SetPaymentMethod(Action):
    """Offer a way to pay, or offer it no longer."""

    method: str
    enabled: bool

    @property
    def subject(self) -> str:
        """The way to pay."""
        return f"payment method:{self.method}"


@dataclass(frozen=True, kw_only=True)
class HoldOrder(_OnOrder):
    """Keep an open order from going on until a person has looked at it."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class ReleaseOrder(_OnOrder):
    """Let a held order go on."""


@dataclass(frozen=True, kw_only=True)
class FulfilOrder(_OnOrder):
    """Hand a paid order to the carrier: reserved units leave the shelf."""


@dataclass(frozen=True, kw_only=True)
class CompleteDelivery(_OnOrder):
    """Record that the customer has the parcel."""


@dataclass(frozen=True, kw_only=True)
class CancelOrder(_OnOrder):
    """Call an unfulfilled order off: reservation released, payment refunded."""

    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class AcceptReturn(_OnOrder):
    """Take a delivered order back: units restocked, value refunded. No lines means all."""

    lines: tuple[Line, ...] = ()
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Refund(_OnOrder):
    """Refund what is left of a returned order's payment."""

    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class SendMessage(Action):
    """Queue one message to a customer."""

    customer: str
    purpose: str
    """`service` (about an order) or `marketing` (needs consent)."""
    title: str
    body: str
    topic: str = ""
    """What it is about, such as `order:7:approved`: a customer is told of one topic once. Empty
    for what may be said again."""

    @property
    def subject(self) -> str:
        """The customer, and what is told: two topics are two questions to the owner."""
        return f"customer:{self.customer}" + (f":{self.topic}" if self.topic else "")


@dataclass(frozen=True, kw_only=True)
class Keyed:
    """An action and the key under which it happens at most once."""

    key: str
    action: Action
    actor: str
    """Who it is done for: `agent:<name>`, `person:<name>`, `shop`, `import`."""
