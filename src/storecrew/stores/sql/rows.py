"""Rows of the ledger while a transaction works on them: locked, changed in memory, written once."""

from dataclasses import dataclass, field

from storecrew.domain.orders import Status


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
    stored: bool = True


@dataclass(slots=True)
class Shelf:
    """A product's units in one warehouse."""

    product: str
    warehouse: str
    on_hand: int = 0
    reserved: int = 0
    stored: bool = True
    was: int = 0
    """Units available when the transaction began."""

    @property
    def available(self) -> int:
        """Units that can still be promised."""
        return self.on_hand - self.reserved


@dataclass(slots=True)
class Pick:
    """Units of one product from one warehouse."""

    product: str
    warehouse: str
    quantity: int


@dataclass(slots=True)
class Sold:
    """One line of an order."""

    product: str
    quantity: int
    price: int


@dataclass(slots=True)
class OrderRow:
    """An order; its lines and picks are there when the action at hand needs them."""

    id: int
    status: Status
    total: int
    paid: int
    details: str = ""
    imported: bool = False
    reserved: list[Pick] = field(default_factory=list[Pick])
    lines: list[Sold] = field(default_factory=list[Sold])
    fulfilled: list[Pick] = field(default_factory=list[Pick])
    returned: dict[str, int] = field(default_factory=dict[str, int])
    """Units taken back already, per product."""
    payments: int = 0
    """Payments recorded."""
    held: str = ""
    """Why a person has to look first."""


@dataclass(slots=True)
class PurchaseRow:
    """A purchase order."""

    id: int
    product: str
    warehouse: str
    quantity: int
    status: str
    received: int | None = None
