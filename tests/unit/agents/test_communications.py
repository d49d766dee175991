"""Customers are told of each change once, in their language, at their hours."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from storecrew.agents.communications import customer_communications
from storecrew.agents.communications.settings import CommunicationsSettings
from storecrew.agents.communications.wording import OrderFacts, OrderNews, about_order
from storecrew.domain.control.events import RunRequested
from storecrew.domain.control.proposals import Outcome, Proposal, Result, Verdict
from storecrew.domain.errors import Deferred
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import Product
from storecrew.domain.shop.customers import BackInStock, Customer
from storecrew.domain.shop.messages import SendMessage
from storecrew.domain.shop.orders import (
    Order,
    OrderApproved,
    OrderCancelled,
    OrderFulfilled,
    OrderLine,
    OrderPlaced,
    OrderStatus,
    ShippingDelayed,
)
from storecrew.domain.shop.payments import OrderRefunded, PaymentReceived
from storecrew.domain.shop.purchasing import PurchaseOrderDelayed
from storecrew.domain.shop.returns import OrderReturned
from storecrew.domain.undo import opposite
from storecrew.policy import PolicyFacts as PolicyFacts, PolicySettings
from storecrew.policy.content import content
from storecrew.policy.rules.messages import is_quiet
from storecrew.testing.fake_store import FakeStore
from storecrew.testing.run_agent import NOON, run_agent

EUR = "EUR"
PRICE = Money.of("12.45", EUR)


def order(number=7, status=OrderStatus.RECEIVED, customer="anna", **more) -> Order:
    lines = (OrderLine(sku="tea", quantity=2, unit_price=PRICE),)
    values = {"total": PRICE * 2, "paid": Money.of(0, EUR), "placed_at": NOON, "updated_at": NOON}
    return Order(id=number, status=status, lines=lines, customer=customer, **{**values, **more})


def shop(*orders: Order, **more) -> FakeStore:
    return FakeStore(
        product_list=[Product(sku="tea", name="Green tea", price=PRICE)],
        order_list=list(orders),
        people=[
            Customer(id="anna", name="Anna", email="anna@customer.example"),
            Customer(id="ben", name="Ben", email="ben@customer.example", locale="de-AT"),
            Customer(id="chloe", name="Chloé", email="chloe@customer.example", locale="fr"),
            Customer(id="nomail", name="Nora"),
        ],
        **more,
    )


async def told(events, view, **more) -> list[SendMessage]:
    found = await run_agent(customer_communications, events, view, **more)
    assert all(isinstance(each, Proposal) for each in found)
    return [each.action for each in found]


def placed(number=7):
    return OrderPlaced(order_id=number, total=PRICE * 2, customer="anna")


async def test_r119_one_message_per_transition_and_customer():
    view = shop(order(status=OrderStatus.AWAITING_PAYMENT))
    (first,) = await told([OrderApproved(order_id=7)], view)
    view.told = {"anna": [first.topic]}
    again = await told([OrderApproved(order_id=7)], view)
    view.order_list = [order(status=OrderStatus.AWAITING_DELIVERY)]
    (next_one,) = await told([OrderFulfilled(order_id=7)], view)

    assert (first.customer, first.purpose, first.topic) == ("anna", "service", "order:7:approved")
    assert again == []
    assert next_one.topic == "order:7:shipped"


async def test_of_several_changes_at_once_only_the_newest_is_told():
    paid = order(status=OrderStatus.AWAITING_PAYMENT, paid=PRICE * 2, payments=1)
    events = [placed(), OrderApproved(order_id=7), PaymentReceived(order_id=7, amount=PRICE * 2)]
    (message,) = await told(events, shop(paid))

    assert message.topic == "order:7:paid"


@pytest.mark.parametrize(
    ("status", "news"),
    [
        (OrderStatus.RECEIVED, "placed"),
        (OrderStatus.AWAITING_DELIVERY, "shipped"),
        (OrderStatus.DELIVERED, "delivered"),
        (OrderStatus.CANCELLED, "cancelled"),
        (OrderStatus.RETURNED, "returned"),
    ],
)
async def test_each_state_has_its_message(status, news):
    (message,) = await told([placed()], shop(order(status=status)))
    assert message.topic == f"order:7:{news}"
    assert "7" in message.title


async def test_r133_message_without_llm_says_the_facts_of_the_order_in_the_customers_language():
    orders = [
        order(number, OrderStatus.AWAITING_DELIVERY, customer)
        for number, customer in ((1, "anna"), (2, "ben"), (3, "chloe"))
    ]
    events = [OrderFulfilled(order_id=n) for n in (1, 2, 3)]
    english, german, french = await told(events, shop(*orders))

    assert english.title == "Your order 1 is on its way"
    assert english.body.startswith("Hello Anna,\n\n")
    assert "2 × Green tea\nTotal: 24.90 EUR" in english.body
    assert german.title == "Ihre Bestellung 2 ist unterwegs"
    assert "Guten Tag Ben," in german.body
    assert "Summe: 24,90 EUR" in german.body
    assert french.title == "Votre commande 3 est en route"
    assert "Bonjour Chloé," in french.body


async def test_r133_message_without_llm_names_what_was_paid_back():
    returned = order(status=OrderStatus.RETURNED)
    (message,) = await told([OrderReturned(order_id=7, amount=PRICE)], shop(returned))
    assert "Paid back: 12.45 EUR" in message.body

    (more,) = await told([OrderRefunded(order_id=7, amount=PRICE)], shop(returned))
    assert more.topic == "order:7:refunded"


async def test_r134_shipping_delay_sends_one_message():
    late = ShippingDelayed(order_id=7, reason="snow", expected_at=datetime(2026, 3, 9, tzinfo=UTC))
    view = shop(order(status=OrderStatus.AWAITING_DELIVERY))
    (message,) = await told([late, late], view)
    view.told = {"anna": [message.topic]}

    assert await told([late], view) == []
    assert message.topic == "order:7:late:2026-03-09"
    assert "09 March 2026" in message.body
    assert "snow" not in message.body  # a carrier's words are for the owner
    (later,) = await told([replace(late, expected_at=datetime(2026, 3, 12, tzinfo=UTC))], view)
    assert later.topic == "order:7:late:2026-03-12"


async def test_a_parcel_that_has_arrived_is_not_late():
    view = shop(order(status=OrderStatus.DELIVERED))
    assert await told([ShippingDelayed(order_id=7)], view) == []
    assert await told([ShippingDelayed(order_id=99)], view) == []


async def test_a_late_supplier_is_told_once_to_those_whose_orders_hold_the_product():
    delay = PurchaseOrderDelayed(
        sku="tea", purchase_id=3, previous=NOON, due_at=NOON + timedelta(days=5)
    )
    view = shop(order(1), order(2, OrderStatus.AWAITING_DELIVERY), order(3, OrderStatus.DELIVERED))
    (message,) = await told([delay, delay], view)
    view.told = {"anna": [message.topic]}

    assert message.topic == "order:1:delayed:tea"
    assert "Green tea" in message.body
    assert await told([delay], view) == []
    hours = replace(delay, due_at=NOON + timedelta(hours=5))
    assert await told([hours], shop(order(1))) == []


async def test_who_asked_for_it_is_told_once_that_a_product_is_back():
    view = shop(waiting={"tea": ["anna", "ben", "nomail", "stranger"]})
    found = await told([BackInStock(sku="tea"), BackInStock(sku="tea")], view)

    assert [(m.customer, m.topic) for m in found] == [
        ("anna", "back:tea:2026-03-02"),
        ("ben", "back:tea:2026-03-02"),
    ]
    assert found[1].title == "Green tea ist wieder da"
    view.told = {m.customer: [m.topic] for m in found}
    assert await told([BackInStock(sku="tea")], view) == []


async def test_nobody_is_written_to_without_an_address_or_after_a_complaint():
    view = shop(
        order(1, customer="nomail"),
        order(2, customer=None),
        order(3, customer="stranger"),
        order(4, customer="ben"),
        addresses={"ben@customer.example": "complained"},
    )
    assert await told([placed(n) for n in range(1, 5)], view) == []


async def test_old_and_imported_orders_are_no_news():
    old = order(1, updated_at=NOON - timedelta(days=4))
    view = shop(old, order(2, imported=True))
    assert await told([placed(1), placed(2), placed(99)], view) == []


async def test_in_quiet_hours_it_waits_for_the_morning_and_then_tells_how_things_stand():
    night = datetime(2026, 3, 2, 23, tzinfo=UTC)
    view = shop(order(updated_at=night))
    with pytest.raises(Deferred) as waits:
        await told([placed()], view, now=night)

    assert waits.value.until == datetime(2026, 3, 3, 8, tzinfo=UTC)


async def test_the_shops_own_quiet_hours_are_kept():
    evening = {"quiet_from": "12:30", "quiet_until": time(13, 0), "zone": "Europe/Berlin"}
    assert await told([placed()], shop(order()), settings=evening)  # 13:00 in Berlin
    with pytest.raises(Deferred) as waits:
        await told([placed()], shop(order()), settings=evening, now=NOON - timedelta(minutes=10))
    assert waits.value.until == NOON


@given(st.times(), st.times(), st.timedeltas(timedelta(-9999), timedelta(9999)))
def test_quiet_hours_are_those_of_the_policy_and_end_outside_of_them(start, end, away):
    moment = NOON + away
    over = CommunicationsSettings(quiet_from=start, quiet_until=end).end_of_quiet_hours(moment)

    assert (over == moment) is not is_quiet(moment.time(), start, end)
    assert not is_quiet(over.time(), start, end)
    assert timedelta(0) <= over - moment <= timedelta(days=1)


@given(
    news=st.sampled_from(OrderNews),
    name=st.text(max_size=50),
    product=st.text(max_size=50),
    locale=st.sampled_from(["en", "de", "fr", "xx", "", "de_CH"]),
    cents=st.integers(0, 10**9),
)
def test_any_names_make_a_message_without_open_placeholders_of_ours(
    news, name, product, locale, cents
):
    facts = OrderFacts(
        name=name,
        number=7,
        items=[(1, product)] * 40,
        total=Money(Decimal(cents) / 100, EUR),
        product=product,
        day=NOON.date(),
    )
    title, body = about_order(news, facts, locale)
    assert title
    assert "\n" not in title
    for word in ("{number}", "{total}", "{day}", "{amount}"):
        assert word not in (title + body).replace(product, "").replace(name, "")


@pytest.mark.parametrize("news", OrderNews)
@pytest.mark.parametrize("locale", ["en", "de", "fr"])
def test_our_own_words_pass_the_content_filter(news, locale):
    facts = OrderFacts(
        name="Chloé", number=7, items=[(2, "Thé vert 100 g")], total=PRICE, product="Thé vert"
    )
    title, body = about_order(news, facts, locale)
    action = SendMessage(customer="chloe", purpose="service", title=title, body=body)
    opinion = content(
        Proposal(action=action, reason="test"),
        PolicyFacts(now=NOON, currency=EUR),
        PolicySettings(),
    )
    assert opinion.verdict is Verdict.ALLOW


def test_a_message_cannot_be_called_back():
    sent = SendMessage(customer="anna", purpose="service", title="x", body="y")
    outcome = Outcome(key="k", result=Result.APPLIED)
    assert opposite(sent, outcome) == "a message cannot be called back"


async def test_a_cancelled_order_is_told_as_cancelled_whatever_came_before():
    view = shop(order(status=OrderStatus.CANCELLED))
    (message,) = await told([placed(), OrderCancelled(order_id=7, reason="sold out")], view)
    assert message.topic == "order:7:cancelled"


async def test_who_asks_for_a_run_at_night_is_not_kept_waiting_for_nothing():
    night = datetime(2026, 3, 2, 23, tzinfo=UTC)
    asked = RunRequested(agent="customer_communications", by="person:owner")
    assert await told([asked], shop(order()), now=night) == []
