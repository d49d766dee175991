"""Undoing a business effect: the opposite action, or the reason why there is none."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from storecrew.domain import codec
from storecrew.domain.actions import Action
from storecrew.domain.control.agents import PauseAgent, ResumeAgent
from storecrew.domain.control.proposals import Outcome
from storecrew.domain.control.traces import ProposalHistory
from storecrew.domain.errors import NotUndoable
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import (
    SetCost,
    SetPrice,
    TrackCompetitorPage,
    UntrackCompetitorPage,
)
from storecrew.domain.shop.inventory import AdjustStock, SetStock, StockCount, TransferStock
from storecrew.domain.shop.orders import (
    ApproveOrder,
    CancelOrder,
    HoldOrder,
    PlaceOrder,
    ReleaseOrder,
)
from storecrew.domain.shop.payments import SetPaymentMethod
from storecrew.domain.shop.promotions import (
    CreateDiscount,
    EndDiscount,
    OfferBundle,
    SetRecommendations,
    WithdrawBundle,
)
from storecrew.domain.shop.purchasing import (
    CancelPurchaseOrder,
    CreatePurchaseOrder,
    DelayPurchaseOrder,
)

_Opposite = Callable[[Any, Outcome], Action | None]

_FINAL = {
    "CapturePayment": "money received is paid back with a refund, not undone",
    "FulfilOrder": "the goods have left; accept a return instead",
    "CompleteDelivery": "the goods have arrived; accept a return instead",
    "AcceptReturn": "the customer has the money back",
    "Refund": "the customer has the money back",
    "CancelOrder": "the customer was told; place the order again",
    "CancelPurchaseOrder": "the supplier was told; order again",
    "ReceivePurchaseOrder": "the goods are on the shelf; adjust the stock instead",
    "SendMessage": "a message cannot be called back",
    "UpsertProduct": "the product may have been ordered since; change it again instead",
    "RecordCompetitorPrice": "what was seen was seen",
    "WithdrawCompetitorPrice": "the next look at the page records what it shows",
    "AuthorizePayment": "the provider set the money aside; capture it or let it lapse",
    "EndDiscount": "customers were told; create another discount instead",
    "StartCampaign": "messages to customers cannot be called back",
    "SuggestProduct": "an idea on a list changes nothing in the shop",
    "RecordCustomerActivity": "what was seen was seen",
    "OpenTicket": "the customer asked; answer or close the ticket",
    "ReplyToTicket": "a message cannot be called back",
    "EscalateTicket": "a person has it now; answer or close the ticket",
    "CloseTicket": "the customer opens it again by writing",
    "RateTicket": "the customer's opinion is the customer's",
    "UpsertCustomer": "the customer may have ordered since; change it again instead",
    "SetConsent": "only the customer can take that back",
    "LiftSuppression": "what came back will come back again; suppress the address by hand",
    "SuppressAddress": "mail to it came back; ask the customer for another address",
    "SubscribeBackInStock": "the customer asked to be told, and is told once",
    "RestartService": "the process of before is gone; stop the service instead",
    "RevertProposal": "do what was reverted again instead",
    "OpenIncident": "somebody was told; close the incident instead",
    "CloseIncident": "open another incident if the trouble is back",
    "AssignTask": "the work has begun; undo what came of it instead",
}


def compensation(story: ProposalHistory) -> Action:
    """Return the action that takes back what a proposal did; raises `NotUndoable`."""
    proposal = story.filed.id
    if story.outcome is None:
        raise NotUndoable(proposal, "nothing was done")
    done = story.filed.proposal.action
    if story.approval is not None and story.approval.changed is not None:
        done = story.approval.changed
    back = opposite(done, story.outcome)
    if isinstance(back, str):
        raise NotUndoable(proposal, back)
    return back


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
    return SetPrice(sku=action.sku, price=price, expected_price=action.price) if price else None


def _cost_back(action: SetCost, outcome: Outcome) -> Action | None:
    before = outcome.before.get("cost")
    return SetCost(sku=action.sku, cost=codec.decode(Money, before)) if before else None


def _purchase_off(action: CreatePurchaseOrder, outcome: Outcome) -> Action | None:
    purchase = _number(outcome, "purchase_id")
    return CancelPurchaseOrder(purchase_id=purchase) if purchase else None


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
    levels = codec.decode(tuple[StockCount, ...], before)
    return SetStock(levels=levels, reason=f"undone: {action.reason}")


def _discount_off(action: CreateDiscount, outcome: Outcome) -> Action:
    return EndDiscount(code=action.code)


def _bundle_back(action: OfferBundle | WithdrawBundle, outcome: Outcome) -> Action:
    before = outcome.before.get("bundle")
    if not before:
        return WithdrawBundle(name=action.name)
    price = codec.decode(Money, before["price"])
    return OfferBundle(name=action.name, skus=tuple(before["skus"]), price=price)


def _window_back(action: SetRecommendations, outcome: Outcome) -> Action:
    return SetRecommendations(place=action.place, skus=tuple(outcome.before.get("skus", ())))


def _page_back(
    action: TrackCompetitorPage | UntrackCompetitorPage, outcome: Outcome
) -> Action | None:
    """Track the page of before again, where there was one."""
    url = outcome.before.get("url")
    sku, competitor = action.sku, action.competitor
    return TrackCompetitorPage(sku=sku, competitor=competitor, url=url) if url else None


def _hold_off(action: HoldOrder, outcome: Outcome) -> Action:
    return ReleaseOrder(order_id=action.order_id)


def _hold_again(action: ReleaseOrder, outcome: Outcome) -> Action | None:
    reason = outcome.before.get("held")
    return HoldOrder(order_id=action.order_id, reason=reason) if reason else None


def _method_back(action: SetPaymentMethod, outcome: Outcome) -> Action:
    enabled = bool(outcome.before.get("enabled", True))
    return SetPaymentMethod(method=action.method, enabled=enabled)


def _due_back(action: DelayPurchaseOrder, outcome: Outcome) -> Action | None:
    due = outcome.before.get("due_at")
    purchase = action.purchase_id
    return (
        DelayPurchaseOrder(purchase_id=purchase, due_at=datetime.fromisoformat(due))
        if due
        else None
    )


def _resume(action: PauseAgent, outcome: Outcome) -> Action:
    return ResumeAgent(agent=action.agent)


def _pause(action: ResumeAgent, outcome: Outcome) -> Action:
    return PauseAgent(agent=action.agent)


def _number(outcome: Outcome, name: str) -> int | None:
    places: tuple[Mapping[str, Any], ...] = (outcome.detail, outcome.after)
    return next((place[name] for place in places if isinstance(place.get(name), int)), None)


_OPPOSITES: dict[str, _Opposite] = {
    "SetPrice": _price_back,
    "SetCost": _cost_back,
    "CreatePurchaseOrder": _purchase_off,
    "PlaceOrder": _order_off,
    "ApproveOrder": _order_off,
    "TransferStock": _transfer_back,
    "AdjustStock": _adjust_back,
    "SetStock": _levels_back,
    "CreateDiscount": _discount_off,
    "OfferBundle": _bundle_back,
    "WithdrawBundle": _bundle_back,
    "SetRecommendations": _window_back,
    "TrackCompetitorPage": _page_back,
    "UntrackCompetitorPage": _page_back,
    "HoldOrder": _hold_off,
    "ReleaseOrder": _hold_again,
    "SetPaymentMethod": _method_back,
    "DelayPurchaseOrder": _due_back,
    "PauseAgent": _resume,
    "ResumeAgent": _pause,
}
