"""Carries out a batch of keyed actions on the ledger, in one transaction."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from storecrew.domain import actions as a
from storecrew.domain import care as k
from storecrew.domain import selling as s
from storecrew.domain.actions import Action, Keyed
from storecrew.domain.errors import KeyReused
from storecrew.domain.proposals import Outcome
from storecrew.stores.sql import (
    care,
    catalogue,
    keys,
    messages,
    orders,
    payments,
    purchasing,
    returns,
    selling,
    stock,
)
from storecrew.stores.sql import tables as t
from storecrew.stores.sql.answers import Answer, refused
from storecrew.stores.sql.load import load
from storecrew.stores.sql.unit import Unit, dumps

Perform = Callable[[Unit, Any], Answer]

PERFORM: dict[type[Action], Perform] = {
    a.SetPrice: catalogue.set_price,
    a.SetCost: catalogue.set_cost,
    a.PutProduct: catalogue.put_product,
    a.RecordRivalPrice: catalogue.record_rival_price,
    a.SetStock: stock.set_stock,
    a.AdjustStock: stock.adjust_stock,
    a.TransferStock: stock.transfer_stock,
    a.Reorder: purchasing.reorder,
    a.CancelPurchase: purchasing.cancel_purchase,
    a.ReceivePurchase: purchasing.receive_purchase,
    a.PlaceOrder: orders.place_order,
    a.ApproveOrder: orders.approve_order,
    a.CapturePayment: orders.capture_payment,
    a.FulfilOrder: orders.fulfil_order,
    a.CompleteDelivery: orders.complete_delivery,
    a.CancelOrder: orders.cancel_order,
    a.AcceptReturn: returns.accept_return,
    a.Refund: returns.refund,
    a.SendMessage: messages.send_message,
    a.DelayPurchase: purchasing.delay_purchase,
    a.AuthorizePayment: payments.authorize_payment,
    a.SetPaymentMethod: payments.set_payment_method,
    a.HoldOrder: payments.hold_order,
    a.ReleaseOrder: payments.release_order,
    s.CreateDiscount: selling.create_discount,
    s.EndDiscount: selling.end_discount,
    s.OfferBundle: selling.offer_bundle,
    s.WithdrawBundle: selling.withdraw_bundle,
    s.SetRecommendations: selling.set_recommendations,
    s.StartCampaign: selling.start_campaign,
    s.SuggestProduct: selling.suggest_product,
    s.WatchRival: selling.watch_rival,
    s.RecordAct: selling.record_act,
    k.OpenTicket: care.open_ticket,
    k.ReplyToTicket: care.reply_to_ticket,
    k.EscalateTicket: care.escalate_ticket,
    k.CloseTicket: care.close_ticket,
    k.RateTicket: care.rate_ticket,
    k.PutCustomer: care.put_customer,
    k.SetConsent: care.set_consent,
    k.SuppressAddress: care.suppress_address,
    k.WatchStock: care.watch_stock,
}
"""Every action, and the function that checks and performs it."""


def apply_batch(
    connection: Connection, batch: Sequence[Keyed], *, now: datetime, currency: str
) -> list[Outcome]:
    """Return each action's outcome: the first one ever recorded under its key.

    Effects, keys and facts are written together at the end. A key used before for another
    action raises `KeyReused`, and nothing of the batch happens.
    """
    prints = [keys.fingerprint(keyed) for keyed in batch]
    known = keys.seen(connection, {keyed.key for keyed in batch})
    unit = Unit(connection, now, currency)
    load(unit, [keyed.action for keyed in batch if keyed.key not in known])
    outcomes: list[Outcome] = []
    for keyed, print_ in zip(batch, prints, strict=True):
        if keyed.key not in known:
            known[keyed.key] = print_, _perform(unit, keyed, print_)
        first_print, answer = known[keyed.key]
        if first_print != print_:
            raise KeyReused(keyed.key)
        outcomes.append(answer.under(keyed.key))
    unit.flush()
    return outcomes


def _perform(unit: Unit, keyed: Keyed, print_: str) -> Answer:
    unit.key, unit.actor = keyed.key, keyed.actor
    perform = PERFORM.get(type(keyed.action), _unsupported)
    answer = perform(unit, keyed.action)
    row = {"key": keyed.key, "fingerprint": print_, "applied": answer.code == ""}
    unit.add(t.effects, {**row, "outcome": dumps(answer.to_json()), "at": unit.now})
    return answer


def _unsupported(_unit: Unit, action: Action) -> Answer:
    return refused("unsupported", f"this store cannot do {type(action).__name__}")
