"""What makes an order look odd: pure functions, each signal with the figure it rests on.

A signal compares an order with the newest orders of the shop and with those of its customer. None
of them proves a fraud; each is a reason for a person to look before goods or money move.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from storecrew.agents.order_management.settings import OrderManagementSettings
from storecrew.domain.errors import InvalidInput
from storecrew.domain.shop.orders import Order, parse_order

_HOUR = timedelta(hours=1)
CHECKS = 5
"""Signals that are looked for."""


@dataclass(frozen=True, kw_only=True)
class Signal:
    """One thing about an order that is unlike the others."""

    name: str
    figure: str
    """What was seen."""
    usual: str
    """What it was compared with."""


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """What orders of this shop look like."""

    orders: int
    value: Decimal
    """Of the largest order."""
    units: int
    """Of the largest line."""


def usual(orders: Sequence[Order]) -> Baseline:
    """Return what these orders show to be usual."""
    return Baseline(
        orders=len(orders),
        value=max((order.total.amount for order in orders), default=Decimal(0)),
        units=max((line.quantity for o in orders for line in o.lines), default=0),
    )


def far_above(
    order: Order, shop: Baseline, own: Sequence[Order], settings: OrderManagementSettings
) -> Signal | None:
    """Signal a value far above the largest of the shop and of this customer."""
    times = Decimal(str(settings.max_ratio_to_largest))
    own_largest = max((each.total.amount for each in own), default=Decimal(0))
    if not own or shop.orders < settings.min_baseline_orders:
        return None
    if order.total.amount <= times * max(shop.value, own_largest):
        return None
    compared = f"largest of {shop.orders}: {shop.value}; the customer's: {own_largest}"
    return Signal(name="value far above the usual", figure=str(order.total), usual=compared)


def new_and_large(
    order: Order, shop: Baseline, own: Sequence[Order], settings: OrderManagementSettings
) -> Signal | None:
    """Signal a very large first order, or one of a customer without a name."""
    if own or shop.orders < settings.min_baseline_orders:
        return None
    if order.total.amount <= Decimal(str(settings.max_ratio_to_largest)) * shop.value:
        return None
    compared = f"no earlier order; largest of {shop.orders} others: {shop.value}"
    return Signal(name="very large first order", figure=str(order.total), usual=compared)


def many_units(order: Order, shop: Baseline, settings: OrderManagementSettings) -> Signal | None:
    """Signal a line of far more units than any before."""
    most = max((line.quantity for line in order.lines), default=0)
    limit = max(float(settings.min_unusual_units), settings.max_ratio_to_largest * shop.units)
    if shop.orders < settings.min_baseline_orders or most <= limit:
        return None
    compared = f"largest line of {shop.orders} orders: {shop.units} units"
    return Signal(name="quantity far above the usual", figure=f"{most} units", usual=compared)


def burst(
    order: Order, others: Sequence[Order], settings: OrderManagementSettings
) -> Signal | None:
    """Signal one of many orders that a customer placed within the hour before it."""
    if not order.customer:
        return None
    before = [
        each
        for each in others
        if each.customer == order.customer
        and each.id != order.id
        and timedelta(0) <= order.placed_at - each.placed_at <= _HOUR
        and (each.placed_at, each.id) < (order.placed_at, order.id)
    ]
    count = len(before) + 1
    if count <= settings.max_orders_per_hour:
        return None
    return Signal(
        name="many orders within an hour",
        figure=f"{count} orders",
        usual=f"at most {settings.max_orders_per_hour}",
    )


def mismatch(order: Order) -> Signal | None:
    """Signal an order whose written words ask for other units than its lines."""
    try:
        written = sum(each.quantity for each in parse_order(order.order_text))
    except InvalidInput:
        return None  # free words are no order to compare with
    units = sum(line.quantity for line in order.lines)
    if written == units:
        return None
    return Signal(
        name="lines differ from the written order",
        figure=f"{units} units",
        usual=f"{written} units written",
    )


def cheap_signals(
    order: Order, shop: Baseline, others: Sequence[Order], settings: OrderManagementSettings
) -> list[Signal]:
    """Return the signals that need nothing but the newest orders of the shop."""
    found = (many_units(order, shop, settings), burst(order, others, settings), mismatch(order))
    return [signal for signal in found if signal is not None]


def is_large(order: Order, shop: Baseline, settings: OrderManagementSettings) -> bool:
    """Tell whether the order is so large that its customer's own history has to be looked at."""
    limit = Decimal(str(settings.max_ratio_to_largest)) * shop.value
    return shop.orders >= settings.min_baseline_orders and order.total.amount > limit


def of_customer(
    order: Order, shop: Baseline, own: Sequence[Order], settings: OrderManagementSettings
) -> list[Signal]:
    """Return the signals that compare a large order with its customer's earlier ones."""
    found = (far_above(order, shop, own, settings), new_and_large(order, shop, own, settings))
    return [signal for signal in found if signal is not None]
