"""The simulated shop's result, counted from what happened. For reports; no agent sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from storecrew.stores.simulated.disruptions import COMPLAINT

PROMISE = timedelta(days=3)
"""An order is on time if the parcel is there within so long of the order."""
HOLDING_A_YEAR = Decimal("0.20")
"""Yearly cost of stock, as a share of its value at cost: capital, space, what goes stale."""


@dataclass
class OrderRecord:
    """One order, as far as money and time go. Amounts in minor units."""

    placed_at: datetime
    total: int
    cost: int
    delivered_at: datetime | None = None
    cancelled: bool = False
    returned: int = 0


@dataclass(frozen=True, kw_only=True)
class Totals:
    """The result of a period; amounts in minor units."""

    revenue: int
    """Orders placed in the period and not called off, less what was returned."""
    goods: int
    """What the units sold had cost."""
    holding: int
    lost: int
    """Value, at that day's price, of what customers wanted and the shelf did not have."""
    orders: int
    on_time: int
    """Of the orders not called off and placed long enough before the end to be due."""
    due: int
    cancelled: int
    returns: int
    complaints: int
    complaints_cost: int
    frauds: int
    """What was paid back for payments that were called back, fees included."""

    @property
    def margin(self) -> int:
        """Revenue less the cost of goods sold and the cost of holding stock."""
        return self.revenue - self.goods - self.holding

    @property
    def profit(self) -> int:
        """Margin less what complaints and called back payments cost."""
        return self.margin - self.complaints_cost - self.frauds


@dataclass
class Tally:
    """Keeps account of one simulated shop."""

    orders: dict[int, OrderRecord] = field(default_factory=dict[int, OrderRecord])
    lost: list[tuple[datetime, int]] = field(default_factory=list[tuple[datetime, int]])
    holding: list[tuple[datetime, int]] = field(default_factory=list[tuple[datetime, int]])
    complaints: list[datetime] = field(default_factory=list[datetime])
    frauds: list[tuple[datetime, int]] = field(default_factory=list[tuple[datetime, int]])

    def complain(self, at: datetime) -> None:
        """Note a complaint."""
        self.complaints.append(at)

    def defraud(self, at: datetime, value: int) -> None:
        """Note a payment that was called back."""
        self.frauds.append((at, value))

    def lose(self, at: datetime, value: int) -> None:
        """Record a sale that was lost."""
        if value > 0:
            self.lost.append((at, value))

    def hold(self, at: datetime, levels: Mapping[str, int], costs: Mapping[str, int]) -> None:
        """Charge one day of holding these units."""
        value = sum(units * costs.get(sku, 0) for sku, units in levels.items())
        self.holding.append((at, round(value * HOLDING_A_YEAR / 365)))

    def between(self, start: datetime, end: datetime) -> Totals:
        """Return the result of the orders placed from start until end."""
        placed = [o for o in self.orders.values() if start <= o.placed_at < end]
        kept = [o for o in placed if not o.cancelled]
        due = [o for o in kept if o.placed_at + PROMISE <= end]
        back = [o for o in kept if o.returned]
        complaints = sum(start <= at < end for at in self.complaints)
        return Totals(
            revenue=sum(o.total - o.returned for o in kept),
            goods=sum(o.cost if not o.returned else _cost_kept(o) for o in kept),
            holding=sum(charge for at, charge in self.holding if start <= at < end),
            lost=sum(value for at, value in self.lost if start <= at < end),
            orders=len(placed),
            on_time=sum(_in_time(o) for o in due),
            due=len(due),
            cancelled=len(placed) - len(kept),
            returns=len(back),
            complaints=complaints,
            complaints_cost=complaints * COMPLAINT,
            frauds=sum(value for at, value in self.frauds if start <= at < end),
        )


def _cost_kept(order: OrderRecord) -> int:
    """Return the cost of what the customer kept; returned units go back on the shelf."""
    kept = order.total - order.returned
    return round(order.cost * kept / order.total) if order.total else 0


def _in_time(order: OrderRecord) -> bool:
    at = order.delivered_at
    return at is not None and at <= order.placed_at + PROMISE
