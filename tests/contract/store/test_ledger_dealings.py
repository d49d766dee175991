"""Campaigns, tickets, wishes, holds and payments set aside, as the ledger keeps them."""

from datetime import timedelta

import pytest
from ledger_shop import Shop, euro, lines

from storecrew.domain.shop.catalog import SuggestProduct, TrackCompetitorPage
from storecrew.domain.shop.customers import (
    BackInStock,
    Customer,
    RecordCustomerActivity,
    SetConsent,
    SubscribeBackInStock,
    UpsertCustomer,
)
from storecrew.domain.shop.inventory import AdjustStock
from storecrew.domain.shop.messages import MessageQueued, SendMessage, SuppressAddress
from storecrew.domain.shop.orders import (
    CancelOrder,
    FulfilOrder,
    HoldOrder,
    OrderStatus,
    PlaceOrder,
    ReleaseOrder,
)
from storecrew.domain.shop.payments import AuthorizePayment, CapturePayment, SetPaymentMethod
from storecrew.domain.shop.promotions import (
    CampaignStarted,
    EndDiscount,
    OfferBundle,
    SetRecommendations,
    StartCampaign,
    WithdrawBundle,
)
from storecrew.domain.shop.purchasing import (
    CreatePurchaseOrder,
    DelayPurchaseOrder,
    PurchaseOrderDelayed,
    ReceivePurchaseOrder,
)
from storecrew.domain.shop.support import (
    CloseTicket,
    EscalateTicket,
    OpenTicket,
    RateTicket,
    ReplyToTicket,
    TicketStatus,
)

WEEK = timedelta(weeks=1)


@pytest.fixture
async def peopled(shop: Shop) -> Shop:
    """A shop with stock, ann who agrees to marketing, bob who does not, and cleo who does."""
    await shop.stocked(A=5, B=5)
    await shop.store.put_customers(
        [
            Customer(id="ann", name="Ann", email="ann@example.com", marketing_consent=True),
            Customer(id="bob", name="Bob", email="bob@example.com"),
            Customer(id="cleo", name="Cleo", marketing_consent=True),
        ]
    )
    return shop


def campaign(shop: Shop, *recipients: str, holdout: tuple[str, ...] = ()) -> StartCampaign:
    return StartCampaign(
        name="spring", segment="everybody", title="Hello", body="Dear customer",
        recipients=recipients, holdout=holdout, ends_at=shop.clock.now() + WEEK,
    )  # fmt: skip


async def events(shop: Shop, kind: type) -> list:
    return [p.event for _, p in await shop.store.outbox(0) if isinstance(p.event, kind)]


async def test_r135_opt_out_wins_over_a_campaign_that_was_decided_before(peopled: Shop):
    await peopled.done(SetConsent(customer="ann", marketing=False))
    outcome = await peopled.done(campaign(peopled, "ann", "bob", holdout=("cleo",)))
    assert outcome.after == {"queued": 0, "holdout": 1, "left_out": 2}
    (kept,) = await peopled.store.campaigns()
    assert (kept.recipients, kept.holdout) == ((), ("cleo",))
    assert await peopled.store.messages_sent(["ann", "bob"], kept.started_at) == {
        "ann": 0,
        "bob": 0,
    }


async def test_a_campaign_queues_one_message_each_and_happens_once(peopled: Shop):
    await peopled.done(campaign(peopled, "ann", "cleo"))
    again = await peopled.refused(campaign(peopled, "ann"))
    assert again.code == "already_open"
    since = peopled.clock.now() - WEEK
    sent = await peopled.store.messages_sent(["ann", "cleo"], since)
    assert sent == {"ann": 1, "cleo": 1}
    (told,) = await events(peopled, CampaignStarted)
    assert (told.recipients, told.holdout) == (2, 0)


@pytest.mark.parametrize("recipients", [(), ("ann", "ann"), ("ann", "cleo")])
async def test_a_campaign_names_somebody_and_nobody_twice(peopled: Shop, recipients):
    await peopled.refused(campaign(peopled, *recipients, holdout=("cleo", "cleo")))
    assert await peopled.store.campaigns() == []


async def test_r119_a_topic_is_told_once_to_each_customer(peopled: Shop):
    words = {"purpose": "service", "title": "Sent", "body": "On its way", "topic": "order:1:sent"}
    await peopled.done(SendMessage(customer="ann", **words))
    again = await peopled.refused(SendMessage(customer="ann", **words))
    assert again.code == "already_sent"
    await peopled.done(SendMessage(customer="bob", **words))
    untold = {**words, "topic": ""}
    await peopled.done(SendMessage(customer="ann", **untold))
    await peopled.done(SendMessage(customer="ann", **untold))
    assert len(await events(peopled, MessageQueued)) == 4


async def test_a_ticket_goes_from_question_to_answer_and_back(peopled: Shop):
    asked = OpenTicket(ticket_id="t", text="Where is it?", customer="ann", order_id=7)
    await peopled.done(asked)
    stale = ReplyToTicket(ticket_id="t", text="Here.", expected_text="Who are you?")
    assert (await peopled.refused(stale)).code == "stale"
    answer = ReplyToTicket(ticket_id="t", text="Here.", expected_text="Where is it?")
    await peopled.done(answer)
    assert (await peopled.refused(answer)).code == "stale"
    await peopled.done(RateTicket(ticket_id="t", rating=5))
    found = await peopled.store.ticket("t")
    assert (found.status, found.replies, found.rating) == ("answered", ("Here.",), 5)
    await peopled.done(OpenTicket(ticket_id="t", text="And when?", customer="ann"))
    found = await peopled.store.ticket("t")
    assert (found.status, found.text, found.order_id) == ("open", "And when?", 7)
    await peopled.done(EscalateTicket(ticket_id="t", reason="unsure"))
    assert await peopled.store.tickets(status=TicketStatus.OPEN) == []
    (escalated,) = await peopled.store.tickets(status=TicketStatus.ESCALATED)
    assert escalated.id == "t"
    await peopled.done(ReplyToTicket(ticket_id="t", text="Tomorrow."))
    assert len(await events(peopled, MessageQueued)) == 2


@pytest.mark.parametrize(
    "action",
    [
        OpenTicket(ticket_id="", text="?"),
        OpenTicket(ticket_id="x", text="  "),
        OpenTicket(ticket_id="x", text="?", customer="ghost"),
        OpenTicket(ticket_id="x", text="?", order_id=2**70),
        OpenTicket(ticket_id="x", text="?", channel="pigeon"),
        ReplyToTicket(ticket_id="ghost", text="!"),
        EscalateTicket(ticket_id="ghost", reason="?"),
        CloseTicket(ticket_id="ghost"),
        RateTicket(ticket_id="ghost", rating=3),
        RateTicket(ticket_id="ghost", rating=6),
        SetConsent(customer="ghost", marketing=True),
        UpsertCustomer(customer=" ", name="N"),
        UpsertCustomer(customer="n", name="N", email="no address"),
        UpsertCustomer(customer="n", name="N", locale="klingon"),
        SuppressAddress(address="nowhere", reason="gone"),
        SubscribeBackInStock(customer="ghost", sku="A"),
        SubscribeBackInStock(customer="ann", sku="ghost"),
        RecordCustomerActivity(customer="ann", kind="sang", sku="A"),
        RecordCustomerActivity(customer="ann", kind="viewed"),
        RecordCustomerActivity(customer="ann", kind="searched"),
        SetRecommendations(place="cellar", skus=("A",)),
        SetRecommendations(place="home", skus=("ghost",)),
        SetRecommendations(place="home", skus=("A", "A")),
        OfferBundle(name="one", skus=("A",), price=euro(5)),
        WithdrawBundle(name="ghost"),
        EndDiscount(code="ghost"),
        TrackCompetitorPage(sku="A", competitor="them", url="file:///etc/passwd"),
        SuggestProduct(name=" ", reason="r", source="s"),
        SetPaymentMethod(method="", enabled=True),
        HoldOrder(order_id=99, reason="odd"),
        ReleaseOrder(order_id=99),
        AuthorizePayment(order_id=99, reference="r", amount=euro(1)),
    ],
    ids=repr,
)
async def test_what_makes_no_sense_is_refused_and_leaves_no_trace(peopled: Shop, action):
    before = await peopled.facts()
    await peopled.refused(action)
    assert await peopled.facts() == before


async def test_a_customer_is_entered_changed_and_keeps_the_consent_given(peopled: Shop):
    await peopled.done(UpsertCustomer(customer="dan", name="Dan"))
    assert not (await peopled.store.customer("dan")).marketing_consent
    await peopled.done(UpsertCustomer(customer="ann", name="Anna", locale="de"))
    found = await peopled.store.customer("ann")
    assert (found.name, found.email, found.locale) == ("Anna", "ann@example.com", "de")
    assert found.marketing_consent
    await peopled.done(UpsertCustomer(customer="ann", email=""))
    found = await peopled.store.customer("ann")
    assert (found.name, found.email, found.locale) == ("Anna", None, "de")
    await peopled.refused(UpsertCustomer(customer="new"))


async def test_another_customers_ticket_is_not_written_on(peopled: Shop):
    await peopled.done(OpenTicket(ticket_id="t", text="?", customer="ann"))
    await peopled.refused(OpenTicket(ticket_id="t", text="!", customer="bob"))
    assert (await peopled.store.ticket("t")).text == "?"


async def test_who_waits_for_a_product_is_named_once_it_is_back(peopled: Shop):
    order = await peopled.placed(A=5)
    await peopled.done(SubscribeBackInStock(customer="ann", sku="A"))
    await peopled.done(SubscribeBackInStock(customer="ann", sku="A"))
    assert await events(peopled, BackInStock) == []
    await peopled.done(CancelOrder(order_id=order))
    assert await events(peopled, BackInStock) == [BackInStock(sku="A")]
    assert await peopled.store.back_in_stock_subscribers("A") == ["ann"]
    words = {"purpose": "service", "title": "Back", "body": "It is back"}
    await peopled.done(SendMessage(customer="ann", topic="back:A:2026-03-02", **words))
    assert await peopled.store.back_in_stock_subscribers("A") == []
    await peopled.done(AdjustStock(sku="A", change=1, reason="found"))
    assert len(await events(peopled, BackInStock)) == 1


async def test_a_held_order_waits_whoever_wants_it_to_go_on(peopled: Shop):
    number = await peopled.order_at(OrderStatus.AWAITING_PAYMENT, paid=False, A=1)
    await peopled.done(HoldOrder(order_id=number, reason="unusual"))
    pay = CapturePayment(order_id=number, reference="r")
    by_agent = await peopled.do(pay, actor="agent:order_management")
    assert by_agent.code == "held"
    await peopled.done(CapturePayment(order_id=number, reference="r2"))
    assert (await peopled.refused(FulfilOrder(order_id=number))).code == "held"
    assert (await peopled.store.order(number)).held == "unusual"
    await peopled.done(ReleaseOrder(order_id=number))
    await peopled.done(FulfilOrder(order_id=number))
    assert (await peopled.refused(HoldOrder(order_id=number, reason="late"))).code == (
        "illegal_move"
    )


async def test_a_payment_is_set_aside_once_and_then_captured(peopled: Shop):
    number = await peopled.order_at(OrderStatus.AWAITING_PAYMENT, paid=False, A=1)
    aside = AuthorizePayment(order_id=number, reference="auth", amount=euro(10), method="card")
    await peopled.done(aside)
    assert (await peopled.refused(aside)).code == "duplicate_reference"
    (kept,) = await peopled.store.authorizations([number])
    assert (kept.amount, kept.captured) == (euro(10), False)
    await peopled.done(CapturePayment(order_id=number, reference="auth", amount=kept.amount))
    (kept,) = await peopled.store.authorizations([number])
    assert kept.captured
    assert await peopled.store.payment_methods() == {"card": True}
    await peopled.done(SetPaymentMethod(method="card", enabled=False))
    assert await peopled.store.payment_methods() == {"card": False}


async def test_spending_counts_what_was_not_called_off(peopled: Shop):
    start = peopled.clock.now()
    for quantity in (1, 2):
        await peopled.done(PlaceOrder(lines=lines(A=quantity), customer="ann"))
    gone = await peopled.done(PlaceOrder(lines=lines(A=1), customer="bob"))
    await peopled.done(CancelOrder(order_id=gone.detail["order_id"]))
    found = await peopled.store.customer_spend(start, start + WEEK)
    assert {who: (each.orders, each.value) for who, each in found.items()} == {"ann": (2, euro(30))}
    assert await peopled.store.customer_spend(start + WEEK, start + 2 * WEEK) == {}


async def test_what_customers_do_is_kept_in_order(peopled: Shop):
    start = peopled.clock.now()
    for act in (
        RecordCustomerActivity(customer="ann", kind="viewed", sku="A"),
        RecordCustomerActivity(customer="ann", kind="searched", text="blue lamp"),
    ):
        await peopled.done(act)
        peopled.clock.advance(minutes=1)
    assert [(x.kind, x.sku, x.text) for x in await peopled.store.customer_activity(start)] == [
        ("viewed", "A", ""),
        ("searched", "", "blue lamp"),
    ]
    assert [x.kind for x in await peopled.store.customer_activity(start, limit=1)] == ["searched"]


async def test_a_late_supplier_moves_the_day_and_says_so(peopled: Shop):
    bought = await peopled.done(CreatePurchaseOrder(sku="A", quantity=5))
    number = bought.detail["purchase_id"]
    later = peopled.clock.now() + 3 * WEEK
    await peopled.done(DelayPurchaseOrder(purchase_id=number, due_at=later))
    (purchase,) = await peopled.store.purchase_orders()
    assert purchase.due_at == later
    (told,) = await events(peopled, PurchaseOrderDelayed)
    assert (told.sku, told.due_at) == ("A", later)
    await peopled.done(ReceivePurchaseOrder(purchase_id=number))
    await peopled.refused(DelayPurchaseOrder(purchase_id=number, due_at=later + WEEK))


async def test_an_address_is_suppressed_however_it_is_written(peopled: Shop):
    await peopled.done(SuppressAddress(address=" Gone@Example.com ", reason="no mailbox"))
    await peopled.done(SuppressAddress(address="gone@example.com", reason="again"))
    found = await peopled.store.suppressed(["GONE@example.com", "ann@example.com"])
    assert found == {"GONE@example.com": "no mailbox"}
