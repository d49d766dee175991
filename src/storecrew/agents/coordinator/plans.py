"""Who does what for which goal, and why today: pure functions of a goal and of the shop."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import Product
from storecrew.domain.shop.inventory import StockLevel
from storecrew.domain.shop.orders import DailySales

GOALS = ("profit", "growth", "clear_stock", "service")
_DAYS_LEFT = 90.0
"""Stock that lasts longer at the pace of the last weeks is too much."""
WEEKS = 4
_WORTH_CLEARING = 100
"""Money tied up, in the shop's currency, under which clearing the shelf is nobody's work."""


@dataclass(frozen=True, kw_only=True)
class ShopState:
    """What the plan rests on."""

    open_tickets: int
    waiting_orders: int
    """Received and not approved, or paid and not sent."""
    slow: Sequence[str]
    """Products whose stock lasts far too long, the most money first."""
    tied_up: Money
    """What lies in them, at cost."""
    sold_out: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class PlannedTask:
    """One piece of work."""

    agent: str
    task: str
    why: str
    hours: int
    """Until when it should be done."""
    cost: str
    """What it may cost at most, in words."""
    parameters: Mapping[str, object]


def stock_of(
    products: Sequence[Product], levels: Sequence[StockLevel], sales: DailySales, currency: str
) -> tuple[list[str], Money, list[str]]:
    """Return what lies too long (the most money first), its cost, and what is sold out."""
    units: dict[str, int] = {}
    for level in levels:
        units[level.sku] = units.get(level.sku, 0) + level.available
    days = max(1, sales.days)
    slow: list[tuple[Money, str]] = []
    sold_out: list[str] = []
    for product in products:
        sold = sum(sales.units.get(product.sku, ()))
        left = units.get(product.sku, 0)
        if product.stocked and left <= 0 and sold:
            sold_out.append(product.sku)
        if product.cost is not None and left > 0 and left * days > sold * _DAYS_LEFT:
            slow.append((product.cost * left, product.sku))
    slow.sort(key=lambda pair: (-pair[0].amount, pair[1]))
    total = sum((cost for cost, _ in slow), Money.of(0, currency))
    return [sku for _, sku in slow], total, sold_out


def works(goal: str, shop: ShopState, named: int = 20) -> list[PlannedTask]:
    """Return the work that the goal and the shop's state call for, the most pressing first."""
    found: list[PlannedTask] = []
    if shop.open_tickets and goal == "service":
        found.append(_tickets(shop))
    if shop.waiting_orders and goal == "service":
        found.append(_orders(shop))
    if shop.sold_out and goal in ("growth", "service", "profit"):
        found.append(_refill(shop, named))
    if shop.slow and goal in ("clear_stock", "profit"):
        found += _clear(shop, named, both=goal == "clear_stock")
    if goal == "growth":
        found.append(_win(shop))
    return found


def _tickets(shop: ShopState) -> PlannedTask:
    return PlannedTask(
        agent="customer_support",
        task="answer open tickets",
        why=f"{shop.open_tickets} customers wait for an answer",
        hours=4,
        cost="refunds within the terms",
        parameters={"tickets": shop.open_tickets},
    )


def _orders(shop: ShopState) -> PlannedTask:
    return PlannedTask(
        agent="order_management",
        task="look at waiting orders",
        why=f"{shop.waiting_orders} orders stand still",
        hours=4,
        cost="nothing",
        parameters={"orders": shop.waiting_orders},
    )


def _refill(shop: ShopState, named: int) -> PlannedTask:
    return PlannedTask(
        agent="inventory",
        task="refill what is sold out",
        why=f"{len(shop.sold_out)} products that sell are sold out",
        hours=12,
        cost="the day's budget for purchases",
        parameters={"skus": list(shop.sold_out[:named])},
    )


def _clear(shop: ShopState, named: int, *, both: bool) -> list[PlannedTask]:
    if shop.tied_up.amount < _WORTH_CLEARING:
        return []
    why = f"{shop.tied_up.rounded()} lie in {len(shop.slow)} products that last over 90 days"
    skus = {"skus": list(shop.slow[:named])}
    price = PlannedTask(
        agent="pricing_optimizer",
        task="find prices that clear the shelf",
        why=why,
        hours=24,
        cost="margin down to the floor",
        parameters=skus,
    )
    offer = PlannedTask(
        agent="marketing_automation",
        task="offer what lies too long",
        why=why,
        hours=24,
        cost="discounts within the limit",
        parameters=skus,
    )
    return [price, offer] if both else [price]


def _win(shop: ShopState) -> PlannedTask:
    return PlannedTask(
        agent="marketing_automation",
        task="win customers back",
        why="the goal is growth",
        hours=24,
        cost="one campaign with a holdout",
        parameters={},
    )


def due(now: datetime, work: PlannedTask) -> datetime:
    """Return until when the work should be done, to the hour."""
    whole = now.replace(minute=0, second=0, microsecond=0)
    return whole + timedelta(hours=work.hours + 1)
