"""Rows of the ledger while a transaction works on them: locked, changed in memory, written once."""

from dataclasses import dataclass, field

from storecrew.domain.shop.orders import OrderStatus


@dataclass(slots=True)
class ProductRow:
    """A product."""

    sku: str
    name: str
    price: int
    cost: int | None = None
    supplier: str | None = None
    pack_size: int = 1
    stocked: bool = True
    assumed: frozenset[str] = frozenset()
    retired: bool = False
    stored: bool = True


@dataclass(slots=True)
class StockRow:
    """A product's units in one warehouse."""

    product: str
    warehouse: str
    on_hand: int = 0
    reserved: int = 0
    stored: bool = True
    previous: int = 0
    """Units available when the transaction began."""

    @property
    def available(self) -> int:
        """Units that can still be promised."""
        return self.on_hand - self.reserved


@dataclass(slots=True)
class Allocation:
    """Units of one product from one warehouse."""

    product: str
    warehouse: str
    quantity: int


@dataclass(slots=True)
class OrderItemRow:
    """One line of an order."""

    product: str
    quantity: int
    price: int


@dataclass(slots=True)
class OrderRow:
    """An order; its lines and picks are there when the action at hand needs them."""

    id: int
    status: OrderStatus
    total: int
    paid: int
    details: str = ""
    imported: bool = False
    reserved: list[Allocation] = field(default_factory=list[Allocation])
    lines: list[OrderItemRow] = field(default_factory=list[OrderItemRow])
    fulfilled: list[Allocation] = field(default_factory=list[Allocation])
    returned: dict[str, int] = field(default_factory=dict[str, int])
    """Units taken back already, per product."""
    payments: int = 0
    """Payments recorded."""
    held: str = ""
    """Why a person has to look first."""


@dataclass(slots=True)
class PurchaseOrderRow:
    """A purchase order."""

    id: int
    product: str
    warehouse: str
    quantity: int
    status: str
    received: int | None = None
