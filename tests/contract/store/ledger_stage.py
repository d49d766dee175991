"""A shop in which every action has something to act on."""

from datetime import timedelta
from decimal import Decimal

from ledger_shop import Shop, euro, lines

from storecrew.domain import actions as a
from storecrew.domain import care as k
from storecrew.domain import selling as s
from storecrew.domain.actions import Action, Level
from storecrew.domain.codec import ACTIONS
from storecrew.domain.operations import Operation
from storecrew.domain.orders import Status


async def stage(shop: Shop) -> dict[str, Action]:
    """Prepare the shop and return, by name, an action of each kind that will be applied."""
    await shop.peopled()
    await shop.stocked(A=100, B=100)
    at = shop.order_at
    received = await at(Status.RECEIVED, A=1)
    unpaid = await at(Status.AWAITING_PAYMENT, paid=False, A=1)
    paid = await at(Status.AWAITING_PAYMENT, A=1)
    shipped = await at(Status.AWAITING_DELIVERY, A=1)
    delivered = await at(Status.DELIVERED, A=1)
    returned = await at(Status.DELIVERED, A=2)
    await shop.done(a.AcceptReturn(order_id=returned, lines=lines(A=1)))
    cancelled = await at(Status.RECEIVED, B=1)
    bought = await shop.done(a.Reorder(sku="B", quantity=5))
    called_off = await shop.done(a.Reorder(sku="B", quantity=5, warehouse="north"))
    words = {"title": "Hello", "body": "Dear customer"}
    every = [
        a.SetPrice(sku="A", price=euro(11)),
        a.SetCost(sku="A", cost=euro(5)),
        a.PutProduct(sku="C", name="Cup", price=euro(1)),
        a.RecordRivalPrice(sku="A", rival="them", price=euro(9)),
        a.SetStock(levels=(Level(sku="A", on_hand=90),)),
        a.AdjustStock(sku="A", change=1, reason="found"),
        a.TransferStock(sku="A", source="main", target="north", quantity=1),
        a.Reorder(sku="A", quantity=5),
        a.CancelPurchase(purchase_id=called_off.detail["purchase_id"]),
        a.ReceivePurchase(purchase_id=bought.detail["purchase_id"]),
        a.PlaceOrder(lines=lines(A=1)),
        a.ApproveOrder(order_id=received),
        a.CapturePayment(order_id=unpaid, reference="stage"),
        a.FulfilOrder(order_id=paid),
        a.CompleteDelivery(order_id=shipped),
        a.CancelOrder(order_id=cancelled),
        a.AcceptReturn(order_id=delivered),
        a.Refund(order_id=returned),
        a.SendMessage(customer="ann", purpose="marketing", **words),
    ]
    every += await _dealings(shop, waiting=await at(Status.RECEIVED, A=1))
    return {type(action).__name__: action for action in every}


async def _dealings(shop: Shop, waiting: int) -> list[Action]:
    """Prepare offers, tickets and payments, and return an action of each kind of them."""
    now = shop.clock.now()
    held = await shop.order_at(Status.RECEIVED, A=1)
    await shop.done(a.HoldOrder(order_id=held, reason="odd"))
    bought = await shop.done(a.Reorder(sku="B", quantity=5, warehouse="south"))
    sale = {"percent": Decimal(10), "skus": ("A",), "starts_at": now, "ends_at": now + _WEEK}
    await shop.done(s.CreateDiscount(code="OLD", **sale))
    await shop.done(s.OfferBundle(name="set", skus=("A", "B"), price=euro(15)))
    for ticket in ("asked", "odd", "done", "rated"):
        await shop.done(k.OpenTicket(ticket_id=ticket, text="Where is it?", customer="ann"))
    campaign = {"segment": "all", "title": "Hello", "body": "Dear customer", "ends_at": now + _WEEK}
    return [
        a.DelayPurchase(purchase_id=bought.detail["purchase_id"], due_at=now + 2 * _WEEK),
        a.AuthorizePayment(order_id=waiting, reference="set aside", amount=euro(10)),
        a.SetPaymentMethod(method="card", enabled=False),
        a.HoldOrder(order_id=waiting, reason="unusual"),
        a.ReleaseOrder(order_id=held),
        s.CreateDiscount(code="NEW", **sale),
        s.EndDiscount(code="OLD"),
        s.OfferBundle(name="pair", skus=("A", "B"), price=euro(16)),
        s.WithdrawBundle(name="set"),
        s.SetRecommendations(place="product:A", skus=("B",)),
        s.StartCampaign(name="spring", recipients=("ann",), **campaign),
        s.SuggestProduct(name="solar lamp", reason="searched for", source="own search"),
        s.WatchRival(sku="A", rival="them", url="https://them.example/a"),
        s.RecordAct(customer="ann", kind="viewed", sku="A"),
        k.OpenTicket(ticket_id="new", text="How much is it?", customer="ann"),
        k.ReplyToTicket(ticket_id="asked", text="On its way."),
        k.EscalateTicket(ticket_id="odd", reason="unsure"),
        k.CloseTicket(ticket_id="done"),
        k.RateTicket(ticket_id="rated", rating=4),
        k.SetConsent(customer="ann", marketing=False),
        k.PutCustomer(customer="new", name="New", email="new@example.com"),
        k.SuppressAddress(address="gone@example.com", reason="no such mailbox"),
        k.WatchStock(customer="ann", sku="A"),
    ]


_WEEK = timedelta(weeks=1)
KINDS = sorted(name for name, kind in ACTIONS.items() if not issubclass(kind, Operation))
"""What a store does; the rest is done to the plane."""
