"""Undoing a business effect: the opposite action, or the reason why there is none."""

from collections.abc import Callable, Mapping
from typing import Any

from storecrew.domain import codec
from storecrew.domain.actions import (
    Action,
    AdjustStock,
    ApproveOrder,
    CancelOrder,
    CancelPurchase,
    Level,
    PlaceOrder,
    Reorder,
    SetCost,
    SetPrice,
    SetStock,
    TransferStock,
)
from storecrew.domain.money import Money
from storecrew.domain.proposals import Outcome

_Opposite = Callable[[Any, Outcome], Action | None]

_FINAL = {
    "CapturePayment": "money received is paid back with a refund, not undone",
    "FulfilOrder": "the goods have left; accept a return instead",
    "CompleteDelivery": "the goods have arrived; accept a return instead",
    "AcceptReturn": "the customer has the money back",
    "Refund": "the customer has the money back",
    "CancelOrder": "the customer was told; place the order again",
    "CancelPurchase": "the supplier was told; order again",
    "ReceivePurchase": "the goods are on the shelf; adjust the stock instead",
    "SendMessage": "a message cannot be called back",
    "PutProduct": "the product may have been ordered since; change it again instead",
    "RecordRivalPrice": "what was seen was seen",
}


def opposite(action: Action, outcome: Outcome) -> Action | str:
    """Return the action that takes the effect back, or a sentence on why there is none."""
    name = type(action).__name__
    if not outcome.applied:
        return "nothing was done"
    if name in _FINAL:
        return _FINAL[name]
    found = _OPPOSITES[name](action, outcome) if name in _OPPOSITES else None
    return found or "what was there before is not known"


def _price_back(action: SetPrice, outcome: Outcome) -> Action | None:
    before = outcome.before.get("price")
    price = codec.decode(Money, before) if before else None
    return SetPrice(sku=action.sku, price=price, expect=action.price) if price else None


def _cost_back(action: SetCost, outcome: Outcome) -> Action | None:
    before = outcome.before.get("cost")
    return SetCost(sku=action.sku, cost=codec.decode(Money, before)) if before else None


def _purchase_off(action: Reorder, outcome: Outcome) -> Action | None:
    purchase = _number(outcome, "purchase_id")
    return CancelPurchase(purchase_id=purchase) if purchase else None


def _order_off(action: PlaceOrder | ApproveOrder, outcome: Outcome) -> Action | None:
    order = getattr(action, "order_id", None) or _number(outcome, "order_id")
    return CancelOrder(order_id=order, reason="undone") if order else None


def _transfer_back(action: TransferStock, outcome: Outcome) -> Action:
    return TransferStock(
        sku=action.sku, source=action.target, target=action.source, quantity=action.quantity
    )


def _adjust_back(action: AdjustStock, outcome: Outcome) -> Action:
    reason = f"undone: {action.reason}"
    return AdjustStock(
        sku=action.sku, change=-action.change, reason=reason, warehouse=action.warehouse
    )


def _levels_back(action: SetStock, outcome: Outcome) -> Action | None:
    before = outcome.before.get("levels")
    if not isinstance(before, list | tuple) or not before:
        return None
    levels = codec.decode(tuple[Level, ...], before)
    return SetStock(levels=levels, reason=f"undone: {action.reason}")


def _number(outcome: Outcome, name: str) -> int | None:
    places: tuple[Mapping[str, Any], ...] = (outcome.detail, outcome.after)
    return next((place[name] for place in places if isinstance(place.get(name), int)), None)


_OPPOSITES: dict[str, _Opposite] = {
    "SetPrice": _price_back,
    "SetCost": _cost_back,
    "Reorder": _purchase_off,
    "PlaceOrder": _order_off,
    "ApproveOrder": _order_off,
    "TransferStock": _transfer_back,
    "AdjustStock": _adjust_back,
    "SetStock": _levels_back,
}
