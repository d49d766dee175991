"""What stands where in the order flow, what is stuck, and what would help: pure functions."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from statistics import mean
from typing import Any

from storecrew.agents.oversight.settings import OversightSettings
from storecrew.domain.ports.store import StoreView
from storecrew.domain.shop.catalog import Product
from storecrew.domain.shop.inventory import StockLevel
from storecrew.domain.shop.orders import (
    Order,
    OrderBacklog,
    OrderQuery,
    OrderStatus,
    OrderTransition,
)

RECENT = 100
"""Averages are over so many of the newest orders."""
_NAMED = 20
"""At most so many products are named at once."""


@dataclass(frozen=True, kw_only=True)
class Insight:
    """A number that is beyond its threshold."""

    what: str
    """`approvals`, `payment`, `delivery`, `stock` or `prices`."""
    count: int
    threshold: int
    message: str


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """What would help, and the numbers it rests on."""

    title: str
    reason: str
    evidence: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Survey:
    """The order flow at one moment."""

    at: datetime
    status: str
    """`ok`, `attention` where an insight names a bottleneck, or `idle` with no order at all."""
    metrics: Mapping[str, Any]
    insights: tuple[Insight, ...] = ()
    recommendations: tuple[Recommendation, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ShopSnapshot:
    """What was read from the store for a survey."""

    counts: Mapping[OrderStatus, int]
    backlog: OrderBacklog
    recent: Sequence[Order] = ()
    moves: Sequence[OrderTransition] = ()
    levels: Sequence[StockLevel] = ()
    """Of products that are low or have no price, at least."""
    products: Mapping[str, Product] = field(default_factory=dict[str, Product])


async def survey(
    store: StoreView, now: datetime, settings: OversightSettings | None = None
) -> Survey:
    """Read the store and return metrics, bottlenecks and recommendations."""
    settings = settings or OversightSettings()
    recent = (await store.orders(OrderQuery(per_page=RECENT))).items
    skus = await store.skus_to_watch(below=settings.low_stock_units)
    snapshot = ShopSnapshot(
        counts=await store.order_counts(),
        backlog=await store.order_backlog(),
        recent=recent,
        moves=await store.order_transitions([order.id for order in recent]),
        levels=await store.stock(skus),
        products={product.sku: product for product in await store.products(skus)},
    )
    return judge(snapshot, now, settings)


def judge(seen: ShopSnapshot, now: datetime, settings: OversightSettings) -> Survey:
    """Return the survey of what was seen."""
    numbers = metrics(seen, now, settings)
    found = insights(numbers, settings)
    status = "attention" if found else ("ok" if numbers["total_orders"] else "idle")
    return Survey(
        at=now,
        status=status,
        metrics=numbers,
        insights=found,
        recommendations=recommendations(found, numbers),
    )


def metrics(seen: ShopSnapshot, now: datetime, settings: OversightSettings) -> dict[str, Any]:
    """Return order counts, what waits and for how long, low stock, and averages."""
    low = low_stock(seen.levels, seen.products, settings.low_stock_units)
    free = unpriced(seen.levels, seen.products)
    waits = {status.value: _hours_since(seen.backlog.since.get(status), now) for status in _WAITING}
    return {
        "orders": {status.value: seen.counts.get(status, 0) for status in OrderStatus},
        "total_orders": sum(seen.counts.values()),
        "pending_approvals": seen.counts.get(OrderStatus.RECEIVED, 0),
        "awaiting_payment": seen.counts.get(OrderStatus.AWAITING_PAYMENT, 0)
        + seen.counts.get(OrderStatus.APPROVED, 0),
        "paid_not_sent": seen.backlog.paid_not_sent,
        "awaiting_delivery": seen.counts.get(OrderStatus.AWAITING_DELIVERY, 0),
        "longest_wait_hours": waits,
        "low_stock_count": len(low),
        "low_stock": [{"sku": sku, "available": available} for sku, available in low[:_NAMED]],
        "unpriced_count": len(free),
        "unpriced": [{"sku": sku, "units": units} for sku, units in free[:_NAMED]],
        "average_order_value": _average_value(seen.recent),
        "average_hours_to_approval": _average_hours(seen.moves, OrderStatus.APPROVED),
        "average_hours_to_delivery": _average_hours(seen.moves, OrderStatus.DELIVERED),
    }


_WAITING = (OrderStatus.RECEIVED, OrderStatus.AWAITING_PAYMENT, OrderStatus.AWAITING_DELIVERY)


def low_stock(
    levels: Sequence[StockLevel], products: Mapping[str, Product], threshold: int
) -> list[tuple[str, int]]:
    """Return stocked products with fewer units available than the threshold, fewest first."""
    available: dict[str, int] = {}
    for level in levels:
        available[level.sku] = available.get(level.sku, 0) + level.available
    stocked = (sku for sku in available if sku not in products or products[sku].stocked)
    low = [(sku, available[sku]) for sku in stocked if available[sku] < threshold]
    return sorted(low, key=lambda each: (each[1], each[0]))


def unpriced(
    levels: Sequence[StockLevel], products: Mapping[str, Product]
) -> list[tuple[str, int]]:
    """Return products that have units to sell and no price, most units first."""
    available: Counter[str] = Counter()
    for level in levels:
        if level.sku in products and products[level.sku].price.amount <= 0:
            available[level.sku] += level.available
    free = [(sku, units) for sku, units in available.items() if units > 0]
    return sorted(free, key=lambda each: (-each[1], each[0]))


def insights(numbers: Mapping[str, Any], settings: OversightSettings) -> tuple[Insight, ...]:
    """Name each bottleneck: a count beyond its threshold."""
    waiting = (
        (
            "approvals",
            numbers["pending_approvals"],
            settings.max_pending_approvals,
            "wait for approval",
        ),
        ("payment", numbers["awaiting_payment"], settings.max_awaiting_payment, "wait for payment"),
        ("delivery", numbers["awaiting_delivery"], settings.max_in_delivery, "are on their way"),
    )
    found = [
        Insight(what=what, count=count, threshold=limit, message=f"{count} orders {words}")
        for what, count, limit, words in waiting
        if count > limit
    ]
    fewest = settings.low_stock_units
    if (low := numbers["low_stock_count"]) > 0:
        found.append(
            Insight(
                what="stock",
                count=low,
                threshold=fewest,
                message=f"{low} products have fewer than {fewest} units available",
            )
        )
    if (free := numbers["unpriced_count"]) > 0:
        message = f"{free} products have stock and no price: they sell for nothing"
        found.append(Insight(what="prices", count=free, threshold=0, message=message))
    return tuple(found)


_WAITS = {
    "approvals": (
        "Approve waiting orders",
        "Each hour without an answer loses customers.",
        OrderStatus.RECEIVED,
    ),
    "payment": (
        "Remind customers to pay",
        "Their units are reserved and sell to nobody else.",
        OrderStatus.AWAITING_PAYMENT,
    ),
    "delivery": (
        "Ask the carrier",
        "Customers wait for their parcels.",
        OrderStatus.AWAITING_DELIVERY,
    ),
}
_PRODUCTS = {
    "stock": (
        "Reorder what is about to sell out",
        "Sold out products earn nothing.",
        "low_stock",
    ),
    "prices": (
        "Set the prices that are missing",
        "Until then these products can be ordered for nothing.",
        "unpriced",
    ),
}
"""Per insight: what would help, why, and the metric that names the products."""


def recommendations(
    found: Sequence[Insight], numbers: Mapping[str, Any]
) -> tuple[Recommendation, ...]:
    """Return what would help against each bottleneck, most telling number first."""
    advice = []
    for insight in found:
        evidence: dict[str, Any] = {"count": insight.count, "threshold": insight.threshold}
        if insight.what in _WAITS:
            title, reason, status = _WAITS[insight.what]
            evidence["longest_wait_hours"] = numbers["longest_wait_hours"][status.value]
        else:
            title, reason, named = _PRODUCTS[insight.what]
            evidence["products"] = numbers[named]
        advice.append(Recommendation(title=title, reason=reason, evidence=evidence))
    if numbers["paid_not_sent"]:
        evidence = {"count": numbers["paid_not_sent"]}
        reason = "They are paid, and every unit is reserved."
        advice.append(Recommendation(title="Send paid orders", reason=reason, evidence=evidence))
    return tuple(advice)


def _hours_since(began: datetime | None, now: datetime) -> float:
    return 0.0 if began is None else round((now - began).total_seconds() / 3600, 1)


def _average_value(orders: Sequence[Order]) -> str | None:
    """Return the mean total of the orders in the currency that most of them use."""
    totals = [order.total for order in orders if order.status is not OrderStatus.CANCELLED]
    if not totals:
        return None
    currencies = [total.currency for total in totals]
    usual = max(sorted(set(currencies)), key=currencies.count)
    same = [total for total in totals if total.currency == usual]
    return str(sum(same[1:], same[0]) * (Decimal(1) / len(same)))


def _average_hours(moves: Sequence[OrderTransition], status: OrderStatus) -> float | None:
    """Return the mean hours from an order's receipt to its reaching this state."""
    began = {move.order_id: move.at for move in moves if move.previous is None}
    hours = [
        (move.at - began[move.order_id]).total_seconds() / 3600
        for move in moves
        if move.status is status and move.order_id in began
    ]
    return round(mean(hours), 1) if hours else None
