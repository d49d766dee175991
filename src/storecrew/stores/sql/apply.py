"""Carries out a batch of keyed actions on the ledger, in one transaction."""

from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from storecrew.domain.actions import Action, Command
from storecrew.domain.control.events import ActionApplied
from storecrew.domain.control.proposals import Outcome
from storecrew.domain.errors import KeyReused
from storecrew.domain.shop.catalog import (
    RecordCompetitorPrice,
    SetCost,
    SetPrice,
    SuggestProduct,
    TrackCompetitorPage,
    UntrackCompetitorPage,
    UpsertProduct,
    WithdrawCompetitorPrice,
)
from storecrew.domain.shop.customers import (
    RecordCustomerActivity,
    SetConsent,
    SubscribeBackInStock,
    UpsertCustomer,
)
from storecrew.domain.shop.inventory import AdjustStock, SetStock, TransferStock
from storecrew.domain.shop.messages import LiftSuppression, SendMessage, SuppressAddress
from storecrew.domain.shop.orders import (
    ApproveOrder,
    CancelOrder,
    CompleteDelivery,
    FulfilOrder,
    HoldOrder,
    PlaceOrder,
    ReleaseOrder,
)
from storecrew.domain.shop.payments import (
    AuthorizePayment,
    CapturePayment,
    Refund,
    SetPaymentMethod,
)
from storecrew.domain.shop.promotions import (
    CreateDiscount,
    EndDiscount,
    OfferBundle,
    SetRecommendations,
    StartCampaign,
    WithdrawBundle,
)
from storecrew.domain.shop.purchasing import (
    CancelPurchaseOrder,
    CreatePurchaseOrder,
    DelayPurchaseOrder,
    ReceivePurchaseOrder,
)
from storecrew.domain.shop.returns import AcceptReturn
from storecrew.domain.shop.support import (
    CloseTicket,
    EscalateTicket,
    OpenTicket,
    RateTicket,
    ReplyToTicket,
)
from storecrew.stores.sql import handlers, idempotency
from storecrew.stores.sql.handler_result import HandlerResult, refused
from storecrew.stores.sql.locking import load
from storecrew.stores.sql.schema import tables as t
from storecrew.stores.sql.unit_of_work import UnitOfWork, dumps

Handler = Callable[[UnitOfWork, Any], HandlerResult]

HANDLERS: dict[type[Action], Handler] = {
    SetPrice: handlers.catalog.set_price,
    SetCost: handlers.catalog.set_cost,
    UpsertProduct: handlers.catalog.upsert_product,
    RecordCompetitorPrice: handlers.catalog.record_competitor_price,
    SetStock: handlers.inventory.set_stock,
    AdjustStock: handlers.inventory.adjust_stock,
    TransferStock: handlers.inventory.transfer_stock,
    CreatePurchaseOrder: handlers.purchasing.create_purchase_order,
    CancelPurchaseOrder: handlers.purchasing.cancel_purchase_order,
    ReceivePurchaseOrder: handlers.purchasing.receive_purchase_order,
    PlaceOrder: handlers.orders.place_order,
    ApproveOrder: handlers.orders.approve_order,
    CapturePayment: handlers.payments.capture_payment,
    FulfilOrder: handlers.orders.fulfil_order,
    CompleteDelivery: handlers.orders.complete_delivery,
    CancelOrder: handlers.orders.cancel_order,
    AcceptReturn: handlers.returns.accept_return,
    Refund: handlers.payments.refund,
    SendMessage: handlers.messages.send_message,
    DelayPurchaseOrder: handlers.purchasing.delay_purchase_order,
    AuthorizePayment: handlers.payments.authorize_payment,
    SetPaymentMethod: handlers.payments.set_payment_method,
    HoldOrder: handlers.orders.hold_order,
    ReleaseOrder: handlers.orders.release_order,
    CreateDiscount: handlers.promotions.create_discount,
    EndDiscount: handlers.promotions.end_discount,
    OfferBundle: handlers.promotions.offer_bundle,
    WithdrawBundle: handlers.promotions.withdraw_bundle,
    SetRecommendations: handlers.promotions.set_recommendations,
    StartCampaign: handlers.promotions.start_campaign,
    SuggestProduct: handlers.catalog.suggest_product,
    TrackCompetitorPage: handlers.catalog.track_competitor_page,
    UntrackCompetitorPage: handlers.catalog.untrack_competitor_page,
    WithdrawCompetitorPrice: handlers.catalog.withdraw_competitor_price,
    RecordCustomerActivity: handlers.customers.record_customer_activity,
    OpenTicket: handlers.support.open_ticket,
    ReplyToTicket: handlers.support.reply_to_ticket,
    EscalateTicket: handlers.support.escalate_ticket,
    CloseTicket: handlers.support.close_ticket,
    RateTicket: handlers.support.rate_ticket,
    UpsertCustomer: handlers.customers.upsert_customer,
    SetConsent: handlers.customers.set_consent,
    SuppressAddress: handlers.messages.suppress_address,
    LiftSuppression: handlers.messages.lift_suppression,
    SubscribeBackInStock: handlers.customers.subscribe_back_in_stock,
}
"""Every action, and the function that checks and performs it."""


def apply_batch(
    connection: Connection, batch: Sequence[Command], *, now: datetime, currency: str
) -> list[Outcome]:
    """Return each action's outcome: the first one ever recorded under its key.

    Effects, keys and facts are written together at the end. A key used before for another
    action raises `KeyReused`, and nothing of the batch happens.
    """
    prints = [idempotency.fingerprint(keyed) for keyed in batch]
    known = idempotency.seen(connection, {keyed.key for keyed in batch})
    unit = UnitOfWork(connection, now, currency)
    load(unit, [keyed.action for keyed in batch if keyed.key not in known])
    outcomes: list[Outcome] = []
    for keyed, print_ in zip(batch, prints, strict=True):
        if keyed.key not in known:
            known[keyed.key] = print_, _handle(unit, keyed, print_)
        first_print, answer = known[keyed.key]
        if first_print != print_:
            raise KeyReused(keyed.key)
        outcomes.append(answer.to_outcome(keyed.key))
    unit.flush()
    return outcomes


def _handle(unit: UnitOfWork, keyed: Command, print_: str) -> HandlerResult:
    unit.key, unit.actor = keyed.key, keyed.actor
    perform = HANDLERS.get(type(keyed.action), _unsupported)
    published = unit.published
    answer = perform(unit, keyed.action)
    if answer.code == "" and unit.published == published and keyed.actor.startswith("person:"):
        unit.publish(_applied(keyed.action, answer))
    row = {"key": keyed.key, "fingerprint": print_, "applied": answer.code == ""}
    unit.add(t.applied_commands, {**row, "outcome": dumps(answer.to_json()), "at": unit.now})
    return answer


def _applied(action: Action, answer: HandlerResult) -> ActionApplied:
    """Return the event of an action that has none of its own."""
    before, after = answer.before, answer.after
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    given = {each.name for each in fields(action) if getattr(action, each.name) is not None}
    return ActionApplied(
        action=type(action).__name__, about=action.subject, changed=tuple(sorted(changed or given))
    )


def _unsupported(_unit: UnitOfWork, action: Action) -> HandlerResult:
    return refused("unsupported", f"this store cannot do {type(action).__name__}")
