"""Which rows a batch of actions will touch: known before any of them is read or locked."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from storecrew.domain import actions as a
from storecrew.domain import care as k
from storecrew.domain.actions import Action


@dataclass
class Wanted:
    """Keys of what the actions name, by how it will be used."""

    orders: set[int] = field(default_factory=set[int])
    reserved: set[int] = field(default_factory=set[int])
    sold: set[int] = field(default_factory=set[int])
    paying: set[int] = field(default_factory=set[int])
    references: set[str] = field(default_factory=set[str])
    purchases: set[int] = field(default_factory=set[int])
    products: set[str] = field(default_factory=set[str])
    changed: set[str] = field(default_factory=set[str])
    names: set[str] = field(default_factory=set[str])
    stock: set[str] = field(default_factory=set[str])
    bought: set[str] = field(default_factory=set[str])
    watched: set[str] = field(default_factory=set[str])
    customers: set[str] = field(default_factory=set[str])


def wanted_by(actions: Iterable[Action]) -> Wanted:
    """Return the keys of everything that the actions name; unknown kinds name nothing."""
    wanted = Wanted()
    for action in actions:
        if (needs := _NEEDS.get(type(action))) is not None:
            needs(wanted, action)
    return wanted


def _changes_product(wanted: Wanted, action: Any) -> None:
    wanted.changed.add(action.sku)


def _observes(wanted: Wanted, action: a.RecordRivalPrice) -> None:
    wanted.products.add(action.sku)
    wanted.watched.add(action.sku)


def _counts(wanted: Wanted, action: a.SetStock) -> None:
    skus = {level.sku for level in action.levels}
    wanted.changed |= skus
    wanted.stock |= skus


def _moves_units(wanted: Wanted, action: Any) -> None:
    wanted.products.add(action.sku)
    wanted.stock.add(action.sku)


def _buys(wanted: Wanted, action: a.Reorder) -> None:
    wanted.products.add(action.sku)
    wanted.bought.add(action.sku)


def _settles_purchase(wanted: Wanted, action: Any) -> None:
    wanted.purchases.add(action.purchase_id)


def _orders(wanted: Wanted, action: a.PlaceOrder) -> None:
    names = {line.sku for line in action.lines}
    wanted.products |= names
    wanted.names |= names
    wanted.stock |= names


def _moves_order(wanted: Wanted, action: Any) -> None:
    wanted.orders.add(action.order_id)


def _pays(wanted: Wanted, action: a.CapturePayment) -> None:
    wanted.orders.add(action.order_id)
    wanted.paying.add(action.order_id)
    wanted.references.add(action.reference)


def _uses_reservation(wanted: Wanted, action: Any) -> None:
    wanted.orders.add(action.order_id)
    wanted.reserved.add(action.order_id)
    wanted.paying.add(action.order_id)


def _takes_back(wanted: Wanted, action: a.AcceptReturn) -> None:
    wanted.orders.add(action.order_id)
    wanted.sold.add(action.order_id)


def _writes_to(wanted: Wanted, action: Any) -> None:
    if action.customer is not None:
        wanted.customers.add(action.customer)


def _wishes(wanted: Wanted, action: k.WatchStock) -> None:
    wanted.customers.add(action.customer)
    wanted.products.add(action.sku)


_NEEDS: dict[type[Action], Callable[[Wanted, Any], None]] = {
    a.SetPrice: _changes_product,
    a.SetCost: _changes_product,
    a.PutProduct: _changes_product,
    a.RecordRivalPrice: _observes,
    a.SetStock: _counts,
    a.AdjustStock: _moves_units,
    a.TransferStock: _moves_units,
    a.Reorder: _buys,
    a.CancelPurchase: _settles_purchase,
    a.ReceivePurchase: _settles_purchase,
    a.PlaceOrder: _orders,
    a.ApproveOrder: _moves_order,
    a.CapturePayment: _pays,
    a.FulfilOrder: _uses_reservation,
    a.CompleteDelivery: _moves_order,
    a.CancelOrder: _uses_reservation,
    a.AcceptReturn: _takes_back,
    a.Refund: _moves_order,
    a.SendMessage: _writes_to,
    a.DelayPurchase: _settles_purchase,
    a.AuthorizePayment: _moves_order,
    a.HoldOrder: _moves_order,
    a.ReleaseOrder: _moves_order,
    k.OpenTicket: _writes_to,
    k.PutCustomer: _writes_to,
    k.SetConsent: _writes_to,
    k.WatchStock: _wishes,
}
