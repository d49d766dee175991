"""Commands to the store. Named in the imperative; applied at most once per key."""

from dataclasses import dataclass

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
class CancelPurchase(Action):
    """Call off an open purchase order."""

    purchase_id: int

    @property
    def subject(self) -> str:
        """The purchase order."""
        return f"purchase:{self.purchase_id}"


@dataclass(frozen=True, kw_only=True)
class ReceivePurchase(Action):
    """Put what a supplier delivered on the shelf; the whole order unless a quantity is given."""

    purchase_id: int
    quantity: int | None = None

    @property
    def subject(self) -> str:
        """The purchase order."""
        return f"purchase:{self.purchase_id}"


@dataclass(frozen=True, kw_only=True)
class PlaceOrder(Action):
    """Accept a customer's order: all lines reserved, or nothing."""

    lines: tuple[Line, ...]
    customer: str | None = None
    order_text: str = ""

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

    @property
    def subject(self) -> str:
        """The customer."""
        return f"customer:{self.customer}"


@dataclass(frozen=True, kw_only=True)
class Keyed:
    """An action and the key under which it happens at most once."""

    key: str
    action: Action
    actor: str
    """Who it is done for: `agent:<name>`, `person:<name>`, `shop`, `import`."""
