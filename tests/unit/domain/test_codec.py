"""Domain values to JSON and back."""

import json
from array import array
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from storecrew.domain.actions import Action, Command
from storecrew.domain.codec import (
    ACTIONS,
    EVENTS,
    decode,
    decode_action,
    decode_event,
    encode,
    read_event,
)
from storecrew.domain.control.events import ClockTicked, ExternalEventReceived, RunRequested
from storecrew.domain.control.proposals import Decision, Effect, Proposal, Verdict
from storecrew.domain.errors import InvalidInput
from storecrew.domain.events import Event
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import SetPrice
from storecrew.domain.shop.inventory import (
    SetStock,
    StockChanged,
    StockCount,
    StockLevel,
    StockRanLow,
)
from storecrew.domain.shop.messages import MessageQueued
from storecrew.domain.shop.orders import (
    DailySales,
    Line,
    Lines,
    Order,
    OrderLine,
    OrderPlaced,
    OrderStatus,
    PlaceOrder,
)
from storecrew.domain.shop.payments import Refund
from storecrew.domain.shop.purchasing import PurchaseOrderCreated

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
ONE = Money.of("1.20", "EUR")


@pytest.mark.parametrize("kind", [k for k in ACTIONS.values() if k is not Action])
@given(data=st.data())
def test_every_action_survives_the_way_to_json_and_back(kind: type[Action], data: st.DataObject):
    st.register_type_strategy(Money, st.builds(Money.from_minor, st.integers(0), st.just("EUR")))
    st.register_type_strategy(datetime, st.datetimes(timezones=st.just(UTC)))
    st.register_type_strategy(Decimal, st.decimals(allow_nan=False, allow_infinity=False))
    anything = st.dictionaries(st.text(), st.none() | st.integers() | st.text())
    st.register_type_strategy(Mapping, anything)
    action = data.draw(st.builds(kind))

    assert decode_action(json.loads(json.dumps(encode(action)))) == action
    assert action.subject.count(":") >= 1


@pytest.mark.parametrize(
    "event",
    [
        OrderPlaced(order_id=1, total=ONE, customer="ann"),
        StockChanged(sku="A", warehouse="main", change=-1, on_hand=2, reason="x"),
        PurchaseOrderCreated(sku="A", purchase_id=1, quantity=2, due_at=NOW),
        ExternalEventReceived(event_type="x", data={"a": [1, {"b": None}]}),
        ClockTicked(agent="pricing", due=NOW),
        StockRanLow(sku="A", warehouse="m", position=1, reorder_point=2, daily_demand=0.5),
        MessageQueued(customer="ann", purpose="service"),
    ],
)
def test_events_survive_the_way_to_json_and_back(event: Event):
    assert decode_event(json.loads(json.dumps(encode(event)))) == event
    assert type(event.subject) is str


def test_values_inside_values_are_encoded():
    proposal = Proposal(
        action=SetStock(levels=(StockCount(sku="A", on_hand=1),)),
        reason="counted",
        evidence={"cover": 1.5},
        effect=Effect(low=ONE, expected=ONE, high=ONE),
        assumptions=("lead time",),
    )

    assert decode(Proposal, json.loads(json.dumps(encode(proposal)))) == proposal
    assert encode({1: Decimal("1.50"), "s": OrderStatus.RECEIVED, "d": date(2026, 1, 2)}) == {
        "1": "1.50",
        "s": "received",
        "d": "2026-01-02",
    }
    assert encode(DailySales(date(2026, 1, 2), {"A": array("q", [1, 2])}))["units"] == {"A": [1, 2]}


def test_a_verdict_is_a_word():
    decision = Decision(verdict=Verdict.ASK, reason="new", rule="silence")

    assert encode(decision)["verdict"] == "ask"
    assert decode(Decision, encode(decision)) == decision


@pytest.mark.parametrize(
    ("kind", "data", "field"),
    [
        (Decision, {"verdict": 1, "reason": "-", "rule": "-"}, "verdict"),
        (Line, {"sku": "A", "quantity": "1"}, "quantity"),
        (Line, {"sku": "A", "quantity": True}, "quantity"),
        (Line, {"sku": "A"}, "quantity"),
        (Line, {"sku": "A", "quantity": 1, "x": 1}, "x"),
        (Line, [], "Line"),
        (SetPrice, {"sku": "A", "price": 5}, "price"),
        (SetPrice, {"sku": "A", "price": {"amount": 1.5, "currency": "EUR"}}, "price"),
        (SetPrice, {"sku": "A", "price": {"amount": "x", "currency": "EUR"}}, "price"),
        (SetPrice, {"sku": "A", "price": {"amount": True, "currency": "EUR"}}, "price"),
        (SetPrice, {"sku": "A", "price": {"amount": "1", "currency": 7}}, "price.currency"),
        (PlaceOrder, {"lines": "A"}, "lines"),
        (PlaceOrder, {"lines": [{"sku": "A", "quantity": 1}, 7]}, "lines.1"),
        (
            PurchaseOrderCreated,
            {"sku": "A", "purchase_id": 1, "quantity": 1, "due_at": 7},
            "due_at",
        ),
        (
            PurchaseOrderCreated,
            {"sku": "A", "purchase_id": 1, "quantity": 1, "due_at": "2026-01-01T00:00:00"},
            "due_at",
        ),
        (ExternalEventReceived, {"event_type": "x", "data": []}, "data"),
        (
            StockRanLow,
            {
                "sku": "A",
                "warehouse": "m",
                "position": 1,
                "reorder_point": 2,
                "daily_demand": "much",
            },
            "daily_demand",
        ),
    ],
)
def test_wrong_json_is_refused_by_the_name_of_its_field(kind: type, data: object, field: str):
    with pytest.raises(InvalidInput) as refused:
        decode(kind, data)

    assert refused.value.field.startswith(field)


@pytest.mark.parametrize("data", [None, [], {}, {"type": "Dance"}, {"type": ["x"]}, {"type": 7}])
def test_json_that_names_no_known_type_is_refused(data: object):
    with pytest.raises(InvalidInput):
        decode_action(data)
    with pytest.raises(InvalidInput):
        decode_event(data)


def test_scalars_are_checked_and_enums_known():
    assert decode(
        Command, encode(Command(key="k", action=Refund(order_id=1), actor="x"))
    ) == Command(key="k", action=Refund(order_id=1), actor="x")
    assert decode(OrderStatus, "received") is OrderStatus.RECEIVED
    with pytest.raises(InvalidInput):
        decode(OrderStatus, "lost")
    assert decode(date, "2026-01-02") == date(2026, 1, 2)
    with pytest.raises(InvalidInput):
        decode(date, "tomorrow")
    assert decode(Decimal, "1.5") == Decimal("1.5")
    for endless in ("Infinity", "-inf", "NaN", "sNaN"):
        with pytest.raises(InvalidInput):
            decode(Decimal, endless)


def test_every_kind_of_event_and_action_is_known():
    assert {"OrderPlaced", "ClockTicked"} <= EVENTS.keys()
    assert {"PlaceOrder", "SendMessage"} <= ACTIONS.keys()


def test_what_names_no_subject_says_so():
    with pytest.raises(TypeError):
        assert Action().subject
    assert Event().subject == ""
    assert SetStock(levels=()).subject == "product:"


def test_values_derive_what_they_say():
    assert StockLevel(sku="A", warehouse="m", on_hand=5, reserved=2).available == 3
    twice = (Line(sku="B", quantity=1), Line(sku="A", quantity=1), Line(sku="B", quantity=2))
    assert [(line.sku, line.quantity) for line in Lines.merge_lines(twice).items] == [
        ("A", 1),
        ("B", 3),
    ]
    assert DailySales(date(2026, 1, 1)).days == 0
    order = Order(
        id=1,
        status=OrderStatus.RECEIVED,
        lines=(OrderLine(sku="A", quantity=1, unit_price=ONE),),
        total=ONE,
        paid=Money.of(0, "EUR"),
        placed_at=NOW,
        updated_at=NOW,
    )
    assert not order.is_paid


def test_a_mapping_that_one_reader_changed_is_whole_for_the_next() -> None:
    text = json.dumps(encode(RunRequested(agent="pricing", by="owner", parameters={"sku": "A"})))

    dict.update(read_event(text).parameters, sku="B")  # type: ignore[attr-defined]

    assert read_event(text) == RunRequested(agent="pricing", by="owner", parameters={"sku": "A"})
