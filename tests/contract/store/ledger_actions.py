"""A shop in which every action has something to act on."""

from datetime import timedelta
from decimal import Decimal

from ledger_shop import Shop, euro, lines

from storecrew.domain.actions import Action, ControlAction
from storecrew.domain.codec import ACTIONS
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
from storecrew.domain.shop.inventory import AdjustStock, SetStock, StockCount, TransferStock
from storecrew.domain.shop.messages import LiftSuppression, SendMessage, SuppressAddress
from storecrew.domain.shop.orders import (
    ApproveOrder,
    CancelOrder,
    CompleteDelivery,
    FulfilOrder,
    HoldOrder,
    OrderStatus,
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


async def prepare_actions(shop: Shop) -> dict[str, Action]:
    """Prepare the shop and return, by name, an action of each kind that will be applied."""
    await shop.peopled()
    await shop.stocked(A=100, B=100)
    at = shop.order_at
    received = await at(OrderStatus.RECEIVED, A=1)
    unpaid = await at(OrderStatus.AWAITING_PAYMENT, paid=False, A=1)
    paid = await at(OrderStatus.AWAITING_PAYMENT, A=1)
    shipped = await at(OrderStatus.AWAITING_DELIVERY, A=1)
    delivered = await at(OrderStatus.DELIVERED, A=1)
    returned = await at(OrderStatus.DELIVERED, A=2)
    await shop.done(AcceptReturn(order_id=returned, lines=lines(A=1)))
    cancelled = await at(OrderStatus.RECEIVED, B=1)
    bought = await shop.done(CreatePurchaseOrder(sku="B", quantity=5))
    called_off = await shop.done(CreatePurchaseOrder(sku="B", quantity=5, warehouse="north"))
    await shop.done(RecordCompetitorPrice(sku="B", competitor="them", price=euro(9)))
    await shop.done(TrackCompetitorPage(sku="B", competitor="them", url="https://them.example/b"))
    await shop.done(SuppressAddress(address="back@example.com", reason="was full"))
    words = {"title": "Hello", "body": "Dear customer"}
    every = [
        SetPrice(sku="A", price=euro(11)),
        SetCost(sku="A", cost=euro(5)),
        UpsertProduct(sku="C", name="Cup", price=euro(1)),
        RecordCompetitorPrice(sku="A", competitor="them", price=euro(9)),
        WithdrawCompetitorPrice(sku="B", competitor="them", reason="sold out there"),
        SetStock(levels=(StockCount(sku="A", on_hand=90),)),
        AdjustStock(sku="A", change=1, reason="found"),
        TransferStock(sku="A", source="main", target="north", quantity=1),
        CreatePurchaseOrder(sku="A", quantity=5),
        CancelPurchaseOrder(purchase_id=called_off.detail["purchase_id"]),
        ReceivePurchaseOrder(purchase_id=bought.detail["purchase_id"]),
        PlaceOrder(lines=lines(A=1)),
        ApproveOrder(order_id=received),
        CapturePayment(order_id=unpaid, reference="paid"),
        FulfilOrder(order_id=paid),
        CompleteDelivery(order_id=shipped),
        CancelOrder(order_id=cancelled),
        AcceptReturn(order_id=delivered),
        Refund(order_id=returned),
        SendMessage(customer="ann", purpose="marketing", **words),
    ]
    every += await _dealings(shop, waiting=await at(OrderStatus.RECEIVED, A=1))
    return {type(action).__name__: action for action in every}


async def _dealings(shop: Shop, waiting: int) -> list[Action]:
    """Prepare offers, tickets and payments, and return an action of each kind of them."""
    now = shop.clock.now()
    held = await shop.order_at(OrderStatus.RECEIVED, A=1)
    await shop.done(HoldOrder(order_id=held, reason="odd"))
    bought = await shop.done(CreatePurchaseOrder(sku="B", quantity=5, warehouse="south"))
    sale = {"percent": Decimal(10), "skus": ("A",), "starts_at": now, "ends_at": now + _WEEK}
    await shop.done(CreateDiscount(code="OLD", **sale))
    await shop.done(OfferBundle(name="set", skus=("A", "B"), price=euro(15)))
    for ticket in ("asked", "odd", "done", "rated"):
        await shop.done(OpenTicket(ticket_id=ticket, text="Where is it?", customer="ann"))
    campaign = {"segment": "all", "title": "Hello", "body": "Dear customer", "ends_at": now + _WEEK}
    return [
        DelayPurchaseOrder(purchase_id=bought.detail["purchase_id"], due_at=now + 2 * _WEEK),
        AuthorizePayment(order_id=waiting, reference="set aside", amount=euro(10)),
        SetPaymentMethod(method="card", enabled=False),
        HoldOrder(order_id=waiting, reason="unusual"),
        ReleaseOrder(order_id=held),
        CreateDiscount(code="NEW", **sale),
        EndDiscount(code="OLD"),
        OfferBundle(name="pair", skus=("A", "B"), price=euro(16)),
        WithdrawBundle(name="set"),
        SetRecommendations(place="product:A", skus=("B",)),
        StartCampaign(name="spring", recipients=("ann",), **campaign),
        SuggestProduct(name="solar lamp", reason="searched for", source="own search"),
        TrackCompetitorPage(sku="A", competitor="them", url="https://them.example/a"),
        UntrackCompetitorPage(sku="B", competitor="them"),
        RecordCustomerActivity(customer="ann", kind="viewed", sku="A"),
        OpenTicket(ticket_id="new", text="How much is it?", customer="ann"),
        ReplyToTicket(ticket_id="asked", text="On its way."),
        EscalateTicket(ticket_id="odd", reason="unsure"),
        CloseTicket(ticket_id="done"),
        RateTicket(ticket_id="rated", rating=4),
        SetConsent(customer="ann", marketing=False),
        UpsertCustomer(customer="new", name="New", email="new@example.com"),
        SuppressAddress(address="gone@example.com", reason="no such mailbox"),
        LiftSuppression(address="back@example.com"),
        SubscribeBackInStock(customer="ann", sku="A"),
    ]


_WEEK = timedelta(weeks=1)
KINDS = sorted(name for name, kind in ACTIONS.items() if not issubclass(kind, ControlAction))
"""What a store does; the rest is done to the plane."""
