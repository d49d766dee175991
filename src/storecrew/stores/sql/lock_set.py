"""Which rows a batch of actions will touch: known before any of them is read or locked."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from storecrew.domain.actions import Action
from storecrew.domain.shop.catalog import (
    RecordCompetitorPrice,
    SetCost,
    SetPrice,
    UntrackCompetitorPage,
    UpsertProduct,
    WithdrawCompetitorPrice,
)
from storecrew.domain.shop.customers import SetConsent, SubscribeBackInStock, UpsertCustomer
from storecrew.domain.shop.inventory import AdjustStock, SetStock, TransferStock
from storecrew.domain.shop.messages import SendMessage
from storecrew.domain.shop.orders import (
    ApproveOrder,
    CancelOrder,
    CompleteDelivery,
    FulfilOrder,
    HoldOrder,
    PlaceOrder,
    ReleaseOrder,
)
from storecrew.domain.shop.payments import AuthorizePayment, CapturePayment, Refund
from storecrew.domain.shop.purchasing import (
    CancelPurchaseOrder,
    CreatePurchaseOrder,
    DelayPurchaseOrder,
    ReceivePurchaseOrder,
)
from storecrew.domain.shop.returns import AcceptReturn
from storecrew.domain.shop.support import OpenTicket


@dataclass
class LockSet:
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


def rows_needed_by(actions: Iterable[Action]) -> LockSet:
    """Return the keys of everything that the actions name; unknown kinds name nothing."""
    locks = LockSet()
    for action in actions:
        if (needs := _NEEDS.get(type(action))) is not None:
            needs(locks, action)
    return locks


def _changes_product(locks: LockSet, action: Any) -> None:
    locks.changed.add(action.sku)


def _observes(locks: LockSet, action: Any) -> None:
    locks.products.add(action.sku)
    locks.watched.add(action.sku)


def _counts(locks: LockSet, action: SetStock) -> None:
    skus = {level.sku for level in action.levels}
    locks.changed |= skus
    locks.stock |= skus


def _moves_units(locks: LockSet, action: Any) -> None:
    locks.products.add(action.sku)
    locks.stock.add(action.sku)


def _buys(locks: LockSet, action: CreatePurchaseOrder) -> None:
    locks.products.add(action.sku)
    locks.bought.add(action.sku)


def _settles_purchase(locks: LockSet, action: Any) -> None:
    locks.purchases.add(action.purchase_id)


def _orders(locks: LockSet, action: PlaceOrder) -> None:
    names = {line.sku for line in action.lines}
    locks.products |= names
    locks.names |= names
    locks.stock |= names


def _moves_order(locks: LockSet, action: Any) -> None:
    locks.orders.add(action.order_id)


def _pays(locks: LockSet, action: CapturePayment) -> None:
    locks.orders.add(action.order_id)
    locks.paying.add(action.order_id)
    locks.references.add(action.reference)


def _uses_reservation(locks: LockSet, action: Any) -> None:
    locks.orders.add(action.order_id)
    locks.reserved.add(action.order_id)
    locks.paying.add(action.order_id)


def _takes_back(locks: LockSet, action: AcceptReturn) -> None:
    locks.orders.add(action.order_id)
    locks.sold.add(action.order_id)


def _writes_to(locks: LockSet, action: Any) -> None:
    if action.customer is not None:
        locks.customers.add(action.customer)


def _subscribes(locks: LockSet, action: SubscribeBackInStock) -> None:
    locks.customers.add(action.customer)
    locks.products.add(action.sku)


_NEEDS: dict[type[Action], Callable[[LockSet, Any], None]] = {
    SetPrice: _changes_product,
    SetCost: _changes_product,
    UpsertProduct: _changes_product,
    RecordCompetitorPrice: _observes,
    WithdrawCompetitorPrice: _observes,
    UntrackCompetitorPage: _observes,
    SetStock: _counts,
    AdjustStock: _moves_units,
    TransferStock: _moves_units,
    CreatePurchaseOrder: _buys,
    CancelPurchaseOrder: _settles_purchase,
    ReceivePurchaseOrder: _settles_purchase,
    PlaceOrder: _orders,
    ApproveOrder: _moves_order,
    CapturePayment: _pays,
    FulfilOrder: _uses_reservation,
    CompleteDelivery: _moves_order,
    CancelOrder: _uses_reservation,
    AcceptReturn: _takes_back,
    Refund: _moves_order,
    SendMessage: _writes_to,
    DelayPurchaseOrder: _settles_purchase,
    AuthorizePayment: _moves_order,
    HoldOrder: _moves_order,
    ReleaseOrder: _moves_order,
    OpenTicket: _writes_to,
    UpsertCustomer: _writes_to,
    SetConsent: _writes_to,
    SubscribeBackInStock: _subscribes,
}
