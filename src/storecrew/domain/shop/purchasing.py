"""Suppliers and purchase orders."""

from dataclasses import dataclass
from datetime import datetime

from storecrew.domain.actions import Action, ProductAction
from storecrew.domain.events import ProductEvent
from storecrew.domain.money import Money
from storecrew.domain.shop.inventory import DEFAULT_WAREHOUSE


@dataclass(frozen=True, kw_only=True)
class Supplier:
    """A supplier."""

    id: str
    name: str
    lead_time_days: float
    lead_time_sd: float = 0.0


@dataclass(frozen=True, kw_only=True)
class PurchaseOrder:
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
class CreatePurchaseOrder(ProductAction):
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
class CancelPurchaseOrder(_OnPurchase):
    """Call off an open purchase order."""


@dataclass(frozen=True, kw_only=True)
class ReceivePurchaseOrder(_OnPurchase):
    """Put what a supplier delivered on the shelf; the whole order unless a quantity is given."""

    quantity: int | None = None


@dataclass(frozen=True, kw_only=True)
class DelayPurchaseOrder(_OnPurchase):
    """Record that an open purchase order arrives at another time than promised."""

    due_at: datetime


@dataclass(frozen=True, kw_only=True)
class PurchaseOrderCreated(ProductEvent):
    """Units were ordered from a supplier."""

    purchase_id: int
    quantity: int
    due_at: datetime


@dataclass(frozen=True, kw_only=True)
class PurchaseOrderReceived(ProductEvent):
    """A supplier's delivery was put on the shelf."""

    purchase_id: int
    quantity: int


@dataclass(frozen=True, kw_only=True)
class PurchaseOrderCancelled(ProductEvent):
    """A purchase order was called off."""

    purchase_id: int


@dataclass(frozen=True, kw_only=True)
class PurchaseOrderDelayed(ProductEvent):
    """A supplier will deliver at another time than promised."""

    purchase_id: int
    previous: datetime
    due_at: datetime
