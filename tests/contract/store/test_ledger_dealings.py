"""Campaigns, tickets, wishes, holds and payments set aside, as the ledger keeps them."""

from datetime import timedelta

import pytest
from ledger_shop import Shop, euro, lines

from storecrew.domain import actions as a
from storecrew.domain import care as k
from storecrew.domain import events as e
from storecrew.domain import selling as s
from storecrew.domain.commerce import Customer
from storecrew.domain.orders import Status
from storecrew.domain.selling_events import CampaignStarted

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


def campaign(shop: Shop, *recipients: str, holdout: tuple[str, ...] = ()) -> s.StartCampaign:
    return s.StartCampaign(
        name="spring", segment="everybody", title="Hello", body="Dear customer",
        recipients=recipients, holdout=holdout, ends_at=shop.clock.now() + WEEK,
    )  # fmt: skip


async def events(shop: Shop, kind: type) -> list:
    return [p.event for _, p in await shop.store.outbox(0) if isinstance(p.event, kind)]


async def test_r135_opt_out_wins_over_a_campaign_that_was_decided_before(peopled: Shop):
    await peopled.done(k.SetConsent(customer="ann", marketing=False))
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
    await peopled.done(a.SendMessage(customer="ann", **words))
    again = await peopled.refused(a.SendMessage(customer="ann", **words))
    assert again.code == "already_sent"
    await peopled.done(a.SendMessage(customer="bob", **words))
    untold = {**words, "topic": ""}
    await peopled.done(a.SendMessage(customer="ann", **untold))
    await peopled.done(a.SendMessage(customer="ann", **untold))
    assert len(await events(peopled, e.MessageQueued)) == 4


async def test_a_ticket_goes_from_question_to_answer_and_back(peopled: Shop):
    asked = k.OpenTicket(ticket_id="t", text="Where is it?", customer="ann", order_id=7)
    await peopled.done(asked)
    stale = k.ReplyToTicket(ticket_id="t", text="Here.", expect="Who are you?")
    assert (await peopled.refused(stale)).code == "stale"
    answer = k.ReplyToTicket(ticket_id="t", text="Here.", expect="Where is it?")
    await peopled.done(answer)
    assert (await peopled.refused(answer)).code == "stale"
    await peopled.done(k.RateTicket(ticket_id="t", rating=5))
    found = await peopled.store.ticket("t")
    assert (found.status, found.replies, found.rating) == ("answered", ("Here.",), 5)
    await peopled.done(k.OpenTicket(ticket_id="t", text="And when?", customer="ann"))
    found = await peopled.store.ticket("t")
    assert (found.status, found.text, found.order_id) == ("open", "And when?", 7)
    await peopled.done(k.EscalateTicket(ticket_id="t", reason="unsure"))
    assert await peopled.store.tickets(status=k.TicketStatus.OPEN) == []
    (escalated,) = await peopled.store.tickets(status=k.TicketStatus.ESCALATED)
    assert escalated.id == "t"
    await peopled.done(k.ReplyToTicket(ticket_id="t", text="Tomorrow."))
    assert len(await events(peopled, e.MessageQueued)) == 2


@pytest.mark.parametrize(
    "action",
    [
        k.OpenTicket(ticket_id="", text="?"),
        k.OpenTicket(ticket_id="x", text="  "),
        k.OpenTicket(ticket_id="x", text="?", customer="ghost"),
        k.OpenTicket(ticket_id="x", text="?", order_id=2**70),
        k.OpenTicket(ticket_id="x", text="?", channel="pigeon"),
        k.ReplyToTicket(ticket_id="ghost", text="!"),
        k.EscalateTicket(ticket_id="ghost", reason="?"),
        k.CloseTicket(ticket_id="ghost"),
        k.RateTicket(ticket_id="ghost", rating=3),
        k.RateTicket(ticket_id="ghost", rating=6),
        k.SetConsent(customer="ghost", marketing=True),
        k.PutCustomer(customer=" ", name="N"),
        k.PutCustomer(customer="n", name="N", email="no address"),
        k.PutCustomer(customer="n", name="N", locale="klingon"),
        k.SuppressAddress(address="nowhere", reason="gone"),
        k.WatchStock(customer="ghost", sku="A"),
        k.WatchStock(customer="ann", sku="ghost"),
        s.RecordAct(customer="ann", kind="sang", sku="A"),
        s.RecordAct(customer="ann", kind="viewed"),
        s.RecordAct(customer="ann", kind="searched"),
        s.SetRecommendations(place="cellar", skus=("A",)),
        s.SetRecommendations(place="home", skus=("ghost",)),
        s.SetRecommendations(place="home", skus=("A", "A")),
        s.OfferBundle(name="one", skus=("A",), price=euro(5)),
        s.WithdrawBundle(name="ghost"),
        s.EndDiscount(code="ghost"),
        s.WatchRival(sku="A", rival="them", url="file:///etc/passwd"),
        s.SuggestProduct(name=" ", reason="r", source="s"),
        a.SetPaymentMethod(method="", enabled=True),
        a.HoldOrder(order_id=99, reason="odd"),
        a.ReleaseOrder(order_id=99),
        a.AuthorizePayment(order_id=99, reference="r", amount=euro(1)),
    ],
    ids=repr,
)
async def test_what_makes_no_sense_is_refused_and_leaves_no_trace(peopled: Shop, action):
    before = await peopled.facts()
    await peopled.refused(action)
    assert await peopled.facts() == before


async def test_a_customer_is_entered_changed_and_keeps_the_consent_given(peopled: Shop):
    await peopled.done(k.PutCustomer(customer="dan", name="Dan"))
    assert not (await peopled.store.customer("dan")).marketing_consent
    await peopled.done(k.PutCustomer(customer="ann", name="Anna", locale="de"))
    found = await peopled.store.customer("ann")
    assert (found.name, found.email, found.locale) == ("Anna", None, "de")
    assert found.marketing_consent


async def test_another_customers_ticket_is_not_written_on(peopled: Shop):
    await peopled.done(k.OpenTicket(ticket_id="t", text="?", customer="ann"))
    await peopled.refused(k.OpenTicket(ticket_id="t", text="!", customer="bob"))
    assert (await peopled.store.ticket("t")).text == "?"


async def test_who_waits_for_a_product_is_named_once_it_is_back(peopled: Shop):
    order = await peopled.placed(A=5)
    await peopled.done(k.WatchStock(customer="ann", sku="A"))
    await peopled.done(k.WatchStock(customer="ann", sku="A"))
    assert await events(peopled, e.BackInStock) == []
    await peopled.done(a.CancelOrder(order_id=order))
    assert await events(peopled, e.BackInStock) == [e.BackInStock(sku="A")]
    assert await peopled.store.waiting_for("A") == ["ann"]
    words = {"purpose": "service", "title": "Back", "body": "It is back"}
    await peopled.done(a.SendMessage(customer="ann", topic="back:A:2026-03-02", **words))
    assert await peopled.store.waiting_for("A") == []
    await peopled.done(a.AdjustStock(sku="A", change=1, reason="found"))
    assert len(await events(peopled, e.BackInStock)) == 1


async def test_a_held_order_waits_whoever_wants_it_to_go_on(peopled: Shop):
    number = await peopled.order_at(Status.AWAITING_PAYMENT, paid=False, A=1)
    await peopled.done(a.HoldOrder(order_id=number, reason="unusual"))
    pay = a.CapturePayment(order_id=number, reference="r")
    by_agent = await peopled.do(pay, actor="agent:order_management")
    assert by_agent.code == "held"
    await peopled.done(a.CapturePayment(order_id=number, reference="r2"))
    assert (await peopled.refused(a.FulfilOrder(order_id=number))).code == "held"
    assert (await peopled.store.order(number)).held == "unusual"
    await peopled.done(a.ReleaseOrder(order_id=number))
    await peopled.done(a.FulfilOrder(order_id=number))
    assert (await peopled.refused(a.HoldOrder(order_id=number, reason="late"))).code == (
        "illegal_move"
    )


async def test_a_payment_is_set_aside_once_and_then_captured(peopled: Shop):
    number = await peopled.order_at(Status.AWAITING_PAYMENT, paid=False, A=1)
    aside = a.AuthorizePayment(order_id=number, reference="auth", amount=euro(10), method="card")
    await peopled.done(aside)
    assert (await peopled.refused(aside)).code == "duplicate_reference"
    (kept,) = await peopled.store.authorizations([number])
    assert (kept.amount, kept.captured) == (euro(10), False)
    await peopled.done(a.CapturePayment(order_id=number, reference="auth", amount=kept.amount))
    (kept,) = await peopled.store.authorizations([number])
    assert kept.captured
    assert await peopled.store.payment_methods() == {"card": True}
    await peopled.done(a.SetPaymentMethod(method="card", enabled=False))
    assert await peopled.store.payment_methods() == {"card": False}


async def test_spending_counts_what_was_not_called_off(peopled: Shop):
    start = peopled.clock.now()
    for quantity in (1, 2):
        await peopled.done(a.PlaceOrder(lines=lines(A=quantity), customer="ann"))
    gone = await peopled.done(a.PlaceOrder(lines=lines(A=1), customer="bob"))
    await peopled.done(a.CancelOrder(order_id=gone.detail["order_id"]))
    found = await peopled.store.spending(start, start + WEEK)
    assert {who: (each.orders, each.value) for who, each in found.items()} == {"ann": (2, euro(30))}
    assert await peopled.store.spending(start + WEEK, start + 2 * WEEK) == {}


async def test_what_customers_do_is_kept_in_order(peopled: Shop):
    start = peopled.clock.now()
    for act in (
        s.RecordAct(customer="ann", kind="viewed", sku="A"),
        s.RecordAct(customer="ann", kind="searched", text="blue lamp"),
    ):
        await peopled.done(act)
        peopled.clock.advance(minutes=1)
    assert [(x.kind, x.sku, x.text) for x in await peopled.store.acts(start)] == [
        ("viewed", "A", ""),
        ("searched", "", "blue lamp"),
    ]
    assert [x.kind for x in await peopled.store.acts(start, limit=1)] == ["searched"]


async def test_a_late_supplier_moves_the_day_and_says_so(peopled: Shop):
    bought = await peopled.done(a.Reorder(sku="A", quantity=5))
    number = bought.detail["purchase_id"]
    later = peopled.clock.now() + 3 * WEEK
    await peopled.done(a.DelayPurchase(purchase_id=number, due_at=later))
    (purchase,) = await peopled.store.purchases()
    assert purchase.due_at == later
    (told,) = await events(peopled, e.PurchaseDelayed)
    assert (told.sku, told.due_at) == ("A", later)
    await peopled.done(a.ReceivePurchase(purchase_id=number))
    await peopled.refused(a.DelayPurchase(purchase_id=number, due_at=later + WEEK))


async def test_an_address_is_suppressed_however_it_is_written(peopled: Shop):
    await peopled.done(k.SuppressAddress(address=" Gone@Example.com ", reason="no mailbox"))
    await peopled.done(k.SuppressAddress(address="gone@example.com", reason="again"))
    found = await peopled.store.suppressed(["GONE@example.com", "ann@example.com"])
    assert found == {"GONE@example.com": "no mailbox"}
