"""Stock per warehouse: levels, counts, adjustments, transfers, and what changed."""

from dataclasses import dataclass
from datetime import date, datetime

from storecrew.domain.actions import Action, ProductAction
from storecrew.domain.events import Event, ProductEvent

DEFAULT_WAREHOUSE = "main"


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
class StockMovement:
    """One entry of the stock ledger."""

    sku: str
    warehouse: str
    change: int
    on_hand: int
    """Units on hand after the change."""
    reason: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Shipment:
    """Units of a product that left one warehouse on one UTC day."""

    sku: str
    warehouse: str
    day: date
    quantity: int


@dataclass(frozen=True, kw_only=True)
class StockoutPeriod:
    """A span of UTC days, both included, over all of which none of a product was there."""

    sku: str
    first: date
    last: date


@dataclass(frozen=True, kw_only=True)
class StockCount:
    """How many units of a product are on hand in a warehouse."""

    sku: str
    on_hand: int
    warehouse: str = DEFAULT_WAREHOUSE


@dataclass(frozen=True, kw_only=True)
class SetStock(Action):
    """Set the counted levels, all or none; a level below what is reserved is refused."""

    levels: tuple[StockCount, ...]
    reason: str = "counted"

    @property
    def subject(self) -> str:
        """The first product."""
        return f"product:{self.levels[0].sku}" if self.levels else "product:"


@dataclass(frozen=True, kw_only=True)
class AdjustStock(ProductAction):
    """Add units found, or remove units lost (negative)."""

    change: int
    reason: str
    warehouse: str = DEFAULT_WAREHOUSE


@dataclass(frozen=True, kw_only=True)
class TransferStock(ProductAction):
    """Move available units from one warehouse to another."""

    source: str
    target: str
    quantity: int


@dataclass(frozen=True, kw_only=True)
class StockChanged(ProductEvent):
    """Units on hand changed in a warehouse."""

    warehouse: str
    change: int
    on_hand: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class StockRanLow(ProductEvent):
    """What is available and on its way no longer lasts until a new order would arrive."""

    warehouse: str
    position: int
    """Units available plus units on order."""
    reorder_point: int
    daily_demand: float
    """Expected units a day."""
    low: float | None = None
    """Units until a new order would arrive that are exceeded with a chance of nine in ten."""
    high: float | None = None
    """The same, with a chance of one in ten."""
    basis: str = ""
    """What the forecast rests on, in words."""
    error: float | None = None
    """How far forecasts of the product were off so far: Σ|sold − forecast| / Σ sold."""


@dataclass(frozen=True, kw_only=True)
class StockReported(Event):
    """A warehouse reported its levels, as `Name:quantity units, …`."""

    stock: str
