"""The agents of the order flow propose the next step, and only the next."""

from dataclasses import replace

import pytest
from sample_values import order, product, view

from storecrew.agents.mail_interface import mail_interface
from storecrew.agents.order_management import order_management
from storecrew.agents.warehouse import warehouse
from storecrew.domain.control.proposals import Proposal
from storecrew.domain.events import Event
from storecrew.domain.shop.catalog import ObservationRejected
from storecrew.domain.shop.inventory import SetStock, StockCount, StockLevel, StockReported
from storecrew.domain.shop.messages import MailReceived
from storecrew.domain.shop.orders import (
    ApproveOrder,
    CompleteDelivery,
    DeliveryConfirmed,
    FulfilOrder,
    Line,
    OrderPlaced,
    OrderStatus,
    PlaceOrder,
)
from storecrew.domain.shop.payments import PaymentReceived
from storecrew.testing.run_agent import run_agent


def actions(found: list[Proposal | Event]) -> list[object]:
    return [each.action for each in found if isinstance(each, Proposal)]


async def test_a_mail_becomes_an_order() -> None:
    store = view(product_list=[product(), product("P2", "Floor Mats")])
    text = "roof box:2, P2:1"
    found = await run_agent(mail_interface, MailReceived(mail=text, customer="C1"), store)
    lines = (Line(sku="P1", quantity=2), Line(sku="P2", quantity=1))
    assert actions(found) == [PlaceOrder(lines=lines, customer="C1", order_text=text)]
    assert found[0].evidence == {"lines": 2, "units": 3, "value": "300.00 EUR"}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "Roof Box:-5",
        "Roof Box:1.5",
        "Roof Box:0",
        "Teapot:1",
        "Rооf Box:1",
        "x" * 5000,
    ],
)
async def test_an_unreadable_mail_is_shown_and_stops_no_other(text: str) -> None:
    mails = [MailReceived(mail=text), MailReceived(mail="Roof Box:1")]
    found = await run_agent(mail_interface, mails, view())
    assert isinstance(found[0], ObservationRejected)
    assert len(found[0].value) <= 200
    assert [type(each) for each in actions(found)] == [PlaceOrder]


async def test_a_stock_report_sets_all_its_levels() -> None:
    store = view(product_list=[product(), product("P2", "Floor Mats")])
    found = await run_agent(
        warehouse, StockReported(stock="Roof Box:12units, Floor Mats:5 units"), store
    )
    levels = (StockCount(sku="P1", on_hand=12), StockCount(sku="P2", on_hand=5))
    assert actions(found) == [SetStock(levels=levels, reason="reported")]
    assert found[0].evidence["difference"] == 7  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "text", ["", "Roof Box:ten units", "Teapot:5units", "Roof Box:1units, P1:2units"]
)
async def test_a_stock_report_with_one_bad_part_sets_nothing(text: str) -> None:
    found = await run_agent(warehouse, StockReported(stock=text), view())
    assert [type(each) for each in found] == [ObservationRejected]


async def test_a_received_order_is_approved_with_its_evidence() -> None:
    store = view(order_list=[order(1, OrderStatus.RECEIVED)])
    found = await run_agent(
        order_management, OrderPlaced(order_id=1, total=order(1, OrderStatus.RECEIVED).total), store
    )
    assert actions(found) == [ApproveOrder(order_id=1)]
    evidence = found[0].evidence  # type: ignore[union-attr]
    assert (evidence["total"], evidence["lines"], evidence["stock_check"]) == (
        "100.00 EUR",
        1,
        "reserved",
    )


@pytest.mark.parametrize("count", [1, 30])
async def test_only_orders_still_received_are_approved(count: int) -> None:
    orders = [
        replace(
            order(n, OrderStatus.RECEIVED if n % 2 else OrderStatus.CANCELLED), customer=f"C{n}"
        )
        for n in range(1, count + 1)
    ]
    events = [OrderPlaced(order_id=o.id, total=o.total) for o in [*orders, *orders]]
    unknown = OrderPlaced(order_id=999, total=orders[0].total)
    found = await run_agent(order_management, [*events, unknown], view(order_list=orders))
    assert actions(found) == [ApproveOrder(order_id=n) for n in range(1, count + 1, 2)]


async def test_an_order_for_more_than_the_shelf_holds_waits_for_a_person() -> None:
    short = [StockLevel(sku="P1", warehouse="main", on_hand=1, reserved=3)]
    store = view(levels=short, order_list=[order(1, OrderStatus.RECEIVED)])
    found = await run_agent(
        order_management, OrderPlaced(order_id=1, total=order(1, OrderStatus.RECEIVED).total), store
    )
    assert [type(each) for each in found] == [ObservationRejected]


def paid(number: int) -> PaymentReceived:
    return PaymentReceived(order_id=number, amount=order(number, OrderStatus.RECEIVED).total)


@pytest.mark.parametrize("count", [1, 30])
async def test_paid_orders_are_fulfilled_in_one_run(count: int) -> None:
    orders = [order(n, OrderStatus.AWAITING_PAYMENT, paid=True) for n in range(1, count + 1)]
    events = [paid(n) for n in range(1, count + 1)]
    found = await run_agent(order_management, events, view(order_list=orders))
    assert actions(found) == [FulfilOrder(order_id=n) for n in range(1, count + 1)]


async def test_an_unpaid_order_is_never_fulfilled() -> None:
    store = view(
        order_list=[order(1, OrderStatus.AWAITING_PAYMENT), order(2, OrderStatus.RECEIVED)]
    )
    assert await run_agent(order_management, [paid(1), paid(2)], store) == []


async def test_a_delivered_parcel_closes_its_order_once() -> None:
    store = view(order_list=[order(1, OrderStatus.AWAITING_DELIVERY, paid=True)])
    news = [DeliveryConfirmed(order_id=1), DeliveryConfirmed(order_id=1)]
    assert actions(await run_agent(order_management, news, store)) == [CompleteDelivery(order_id=1)]
    store.order_list = [order(1, OrderStatus.DELIVERED, paid=True)]
    assert await run_agent(order_management, news, store) == []


async def test_a_delivery_known_before_its_despatch_brings_both_steps() -> None:
    store = view(order_list=[order(1, OrderStatus.AWAITING_PAYMENT, paid=True)])
    found = await run_agent(order_management, [DeliveryConfirmed(order_id=1), paid(1)], store)
    assert actions(found) == [FulfilOrder(order_id=1), CompleteDelivery(order_id=1)]


async def test_a_delivery_of_what_was_never_sent_is_reported() -> None:
    store = view(order_list=[order(1, OrderStatus.RECEIVED)])
    news = [DeliveryConfirmed(order_id=1), DeliveryConfirmed(order_id=77)]
    found = await run_agent(order_management, news, store)
    assert [type(each) for each in found] == [ObservationRejected] * 2
