"""The resolver finds faults soon, mends what a rule can, and calls a person for the rest."""

from array import array
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from random import Random

import pytest
from sample_values import eur, product, view

from storecrew.agents.resolver import anomaly_resolver
from storecrew.agents.resolver.anomaly_detection import detect_anomalies
from storecrew.agents.resolver.payments import METRIC, chance_of
from storecrew.agents.resolver.root_causes import root_causes
from storecrew.agents.resolver.settings import ResolverSettings
from storecrew.domain.control.agents import PauseAgent
from storecrew.domain.control.events import ClockTicked, RunRequested, StoredEvent
from storecrew.domain.control.incidents import AnomalyDetected, OpenIncident
from storecrew.domain.control.integrity import IntegrityCheckFailed
from storecrew.domain.control.proposals import Proposal
from storecrew.domain.control.runs import RunFailed
from storecrew.domain.control.services import RestartService, ServiceFailed
from storecrew.domain.errors import InvalidSettings
from storecrew.domain.events import Event
from storecrew.domain.shop.catalog import ObservationRejected, PriceChange, SetPrice
from storecrew.domain.shop.inventory import StockLevel
from storecrew.domain.shop.orders import DailySales, HourlySales
from storecrew.domain.shop.payments import (
    PaymentAuthorized,
    PaymentFailed,
    PaymentMethodChanged,
    PaymentReceived,
    SetPaymentMethod,
)
from storecrew.sdk.settings import parse_settings
from storecrew.testing.run_agent import NOON, run_agent

BOTH = {"card": True, "paypal": True}


@dataclass
class FakePast:
    """A journal of a test's own."""

    recorded: list[StoredEvent] = field(default_factory=list[StoredEvent])
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    def add(self, event: Event, *, minutes: float = 0, times: int = 1) -> "FakePast":
        for _ in range(times):
            n = next(self.numbers)
            at = NOON - timedelta(minutes=minutes)
            row = StoredEvent(seq=n, event=event, source="t", external_id=str(n), at=at)
            self.recorded.append(row)
        self.recorded.sort(key=lambda row: row.at)
        return self

    async def events(
        self, kinds: Collection[type[Event]], since: datetime
    ) -> Sequence[StoredEvent]:
        wanted = tuple(kinds)
        return [row for row in self.recorded if row.at >= since and isinstance(row.event, wanted)]


def failed(method: str = "card") -> PaymentFailed:
    return PaymentFailed(order_id=1, method=method, reason="provider: no answer")


def aside(method: str) -> PaymentAuthorized:
    return PaymentAuthorized(order_id=1, reference="r", amount=eur(1), method=method)


async def said(
    events: Event | list[Event], past: FakePast | None = None, **more: object
) -> list[Proposal | Event]:
    store = view(**{"methods": BOTH} | more)
    return await run_agent(anomaly_resolver, events, store, history=past or FakePast())


def actions(found: list[Proposal | Event]) -> list[type]:
    return [type(each.action) if isinstance(each, Proposal) else type(each) for each in found]


# --- payments -------------------------------------------------------------------------------


async def test_r139_anomaly_detects_injected_fault_of_a_way_to_pay() -> None:
    past = FakePast().add(failed(), minutes=0.5, times=5).add(aside("paypal"), minutes=2, times=9)
    found = await said(failed(), past)
    told, wish, call = found
    assert isinstance(told, AnomalyDetected)
    assert told.metric == METRIC + "card"
    assert isinstance(wish, Proposal)
    assert wish.action == SetPaymentMethod(method="card", enabled=False)
    assert wish.evidence["failed"] == 5
    assert wish.evidence["payments"] == 5
    assert wish.evidence["provider_says"] == "provider: no answer"
    assert isinstance(call, Proposal)
    assert isinstance(call.action, OpenIncident)
    assert call.action.plan == ({"type": "SetPaymentMethod", "method": "card", "enabled": False},)


@pytest.mark.parametrize(("failures", "worked"), [(1, 0), (4, 0), (5, 40), (6, 100), (9, 150)])
async def test_bad_luck_is_no_fault(failures: int, worked: int) -> None:
    past = FakePast().add(failed(), minutes=1, times=failures)
    past.add(aside("card"), minutes=5, times=worked)
    assert await said(failed(), past) == []


async def test_where_nobody_says_how_it_was_paid_all_may_have_been_paid_so() -> None:
    received = PaymentReceived(order_id=1, amount=eur(1))
    busy = FakePast().add(failed(), minutes=1, times=6).add(received, minutes=3, times=200)
    assert await said(failed(), busy) == []
    quiet = FakePast().add(failed(), minutes=1, times=6).add(received, minutes=3, times=2)
    assert SetPaymentMethod in actions(await said(failed(), quiet))


async def test_an_old_fault_is_not_counted() -> None:
    past = FakePast().add(failed(), minutes=61, times=50).add(failed(), minutes=1, times=4)
    assert await said(failed(), past) == []


async def test_the_last_way_to_pay_is_left_and_a_person_called() -> None:
    past = FakePast().add(failed(), minutes=1, times=9)
    for methods in ({"card": True}, {"card": True, "paypal": False}, {}):
        found = await said(failed(), past, methods=methods)
        assert actions(found) == [AnomalyDetected, OpenIncident]


async def test_a_fault_is_told_once_and_left_alone_while_switched_off() -> None:
    past = FakePast().add(failed(), minutes=1, times=9)
    off = {"card": False, "paypal": True}
    assert await said(failed(), past, methods=off) == []
    past.add(AnomalyDetected(metric=METRIC + "card", observed=1, expected=0.05), minutes=5)
    assert await said(failed(), past) == []


def tick(minute: int = 45) -> ClockTicked:
    return ClockTicked(agent="anomaly_resolver", due=NOON.replace(minute=minute))


def switched(enabled: bool) -> PaymentMethodChanged:
    return PaymentMethodChanged(method="card", enabled=enabled)


FAULT = AnomalyDetected(metric=METRIC + "card", observed=1, expected=0.05)


@pytest.mark.parametrize(("minutes", "tried"), [(29, False), (31, True)])
async def test_what_was_switched_off_is_tried_again(minutes: float, tried: bool) -> None:
    past = FakePast().add(FAULT, minutes=minutes + 1).add(switched(False), minutes=minutes)
    found = await said(tick(), past, methods={"card": False, "paypal": True})
    wished = [each.action for each in found if isinstance(each, Proposal)]
    assert wished == ([SetPaymentMethod(method="card", enabled=True)] if tried else [])


async def test_a_second_fault_waits_twice_as_long() -> None:
    past = FakePast().add(FAULT, minutes=120).add(switched(False), minutes=119)
    past.add(switched(True), minutes=80).add(FAULT, minutes=50).add(switched(False), minutes=49)
    off = {"card": False, "paypal": True}
    assert await said(tick(), past, methods=off) == []
    later = FakePast().add(FAULT, minutes=140).add(switched(False), minutes=139)
    later.add(switched(True), minutes=90).add(FAULT, minutes=70).add(switched(False), minutes=61)
    assert actions(await said(tick(), later, methods=off)) == [SetPaymentMethod]


async def test_what_the_owner_switched_off_stays_off() -> None:
    off = {"card": False, "paypal": True}
    assert await said(tick(), FakePast().add(switched(False), minutes=90), methods=off) == []
    mended = FakePast().add(FAULT, minutes=300).add(switched(False), minutes=299)
    mended.add(switched(True), minutes=200).add(switched(False), minutes=100)
    assert await said(tick(), mended, methods=off) == []


def test_the_chance_of_many_failures_falls() -> None:
    chances = [chance_of(failures, 10, 0.05) for failures in range(11)]
    assert chances[0] == pytest.approx(1.0)
    assert chances == sorted(chances, reverse=True)
    assert chance_of(5, 5, 0.05) < ResolverSettings().max_probability < chance_of(3, 5, 0.05)


# --- services, agents, books ----------------------------------------------------------------


async def test_a_service_is_restarted_until_that_helps_no_more() -> None:
    event = ServiceFailed(service="reviews", detail="it ended 3 times")
    past = FakePast().add(event, minutes=1)
    [found] = await said(event, past)
    assert isinstance(found, Proposal)
    assert found.action == RestartService(service="reviews")
    past.add(event, minutes=30, times=3)
    [call] = await said(event, past)
    assert isinstance(call, Proposal)
    assert isinstance(call.action, OpenIncident)
    assert call.action.cause == "it ended 3 times"


def run_failed(n: int, agent: str = "helper") -> RunFailed:
    return RunFailed(agent=agent, run=f"{agent}@{n}", reason="ValueError: no")


async def test_an_agent_that_fails_again_and_again_is_paused() -> None:
    past = FakePast().add(run_failed(1), minutes=200).add(run_failed(2), minutes=1)
    assert await said(run_failed(2), past) == []
    past.add(run_failed(3))
    assert actions(await said(run_failed(3), past)) == [PauseAgent, OpenIncident]


async def test_one_run_heard_of_twice_counts_once() -> None:
    past = FakePast().add(run_failed(1), minutes=1, times=5)
    assert await said(run_failed(1), past) == []


async def test_the_resolver_never_pauses_itself() -> None:
    own = [run_failed(n, "anomaly_resolver") for n in range(9)]
    past = FakePast()
    for event in own:
        past.add(event)
    assert await said([*own], past) == []


async def test_books_that_differ_are_a_persons() -> None:
    [found] = await said(IntegrityCheckFailed(count=3, first="stock mug: one too many"))
    assert isinstance(found, Proposal)
    assert isinstance(found.action, OpenIncident)
    assert found.action.observed == "3 lines differ"
    assert found.action.cause == "stock mug: one too many"


async def test_r142_unknown_anomaly_escalates_with_all_that_is_known() -> None:
    odd = AnomalyDetected(metric="checkout latency", observed=900, expected=120)
    [found] = await said(odd)
    assert isinstance(found, Proposal)
    action = found.action
    assert isinstance(action, OpenIncident)
    assert (action.observed, action.expected, action.cause) == ("900", "120", "unknown")
    assert action.plan == ()


async def test_what_it_told_itself_is_not_heard_again() -> None:
    assert await said(FAULT) == []


async def test_a_burst_of_odd_values_is_told_and_single_ones_are_not() -> None:
    odd = ObservationRejected(sku="P1", what="price of rival", value="0", reason="absurd")
    past = FakePast().add(odd, minutes=5, times=19)
    assert await said(odd, past) == []
    assert actions(await said(odd, past.add(odd))) == [OpenIncident]


# --- the rhythm of trade --------------------------------------------------------------------


def trade(
    fault: int = 0, *, factor: float = 0.0, seed: int = 1, weeks: int = 5
) -> list[HourlySales]:
    """Return weeks of hourly orders by a daily rhythm; the newest `fault` hours are changed."""
    random = Random(seed)
    hours = weeks * 168
    rows = []
    for n in range(hours):
        at = NOON - timedelta(hours=hours - n)
        mean = 2.0 + 6.0 * (9 <= at.hour <= 20)
        mean *= factor if n >= hours - fault else 1.0
        orders = sum(random.random() < mean / 40 for _ in range(40))
        value = eur(25 * orders)
        rows.append(HourlySales(hour=at, orders=orders, value=value, refunds=eur(orders % 2)))
    return rows


def test_quiet_weeks_raise_no_alarm() -> None:
    raised = [seed for seed in range(12) if detect_anomalies(trade(seed=seed), NOON)]
    assert raised == []


@pytest.mark.parametrize("factor", [0.0, 0.2, 4.0])
def test_r139_anomaly_detects_injected_fault_in_the_rhythm_of_orders(factor: float) -> None:
    found = {
        each.stream
        for hours in range(1, 7)
        for each in detect_anomalies(trade(hours, factor=factor), NOON)
    }
    assert "orders" in found


def test_a_young_or_tiny_shop_has_no_rhythm() -> None:
    assert detect_anomalies([], NOON) == []
    assert detect_anomalies(trade(6, weeks=1), NOON) == []


def sold(usual: dict[str, int], today: dict[str, int]) -> DailySales:
    first = NOON.date() - timedelta(weeks=8)
    units = {sku: array("q", [n] * 56 + [today.get(sku, n)]) for sku, n in usual.items()}
    return DailySales(first, units)


def test_the_product_whose_price_rose_is_the_first_suspect() -> None:
    usual = {"P1": 40, "P2": 30, "P3": 25, "P4": 50}
    change = PriceChange(sku="P1", previous=eur(10), price=eur(14), at=NOON)
    [found] = root_causes(sold(usual, {"P1": 3}), [change], [], fell=True)
    assert found.cause.part == "P1"
    assert "price 10.00 EUR to 14.00 EUR" in found.words
    assert root_causes(sold(usual, {"P1": 3}), [change], [], fell=False) == []


def test_a_shop_that_moved_as_a_whole_has_no_suspect() -> None:
    usual = {"P1": 40, "P2": 30, "P3": 25}
    assert root_causes(sold(usual, {"P1": 13, "P2": 10, "P3": 8}), [], [], fell=True) == []


async def test_orders_that_fell_after_a_price_rose_bring_it_back() -> None:
    for hours in range(1, 13):
        hourly = trade(hours, factor=0.1)
        if any(each.stream == "orders" for each in detect_anomalies(hourly, NOON)):
            break
    usual = {"P1": 40, "P2": 30, "P3": 25, "P4": 50}
    rows = sold(usual, {"P1": 2}).units
    days = [NOON.date() - timedelta(weeks=8) + timedelta(days=n) for n in range(57)]
    found = await said(
        RunRequested(agent="anomaly_resolver", by="person:me"),
        hours=hourly,
        product_list=[product(sku, sku, "14") for sku in usual],
        sales={sku: dict(zip(days, units, strict=True)) for sku, units in rows.items()},
        changes=[
            PriceChange(sku="P1", previous=eur(10), price=eur(14), at=NOON - timedelta(hours=9))
        ],
        levels=[StockLevel(sku=sku, warehouse="main", on_hand=9, reserved=0) for sku in usual],
    )
    wished = [each.action for each in found if isinstance(each, Proposal)]
    assert SetPrice(sku="P1", price=eur(10), expected_price=eur(14)) in wished
    [call] = [action for action in wished if isinstance(action, OpenIncident)][:1]
    assert call.plan[0]["type"] == "SetPrice"
    assert "P1" in call.cause


async def test_the_rhythm_is_looked_at_once_an_hour() -> None:
    store = view(hours=trade(6), methods=BOTH)
    read = []

    async def hours(since: datetime) -> Sequence[HourlySales]:
        read.append(since)
        return []

    store.hourly_sales = hours  # type: ignore[method-assign]
    await run_agent(anomaly_resolver, tick(15), store)
    await run_agent(anomaly_resolver, tick(45), store)
    assert len(read) == 1


@pytest.mark.parametrize("settings", [{"max_probability": 0}, {"payment_failures": "few"}])
def test_a_setting_that_is_no_threshold_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(InvalidSettings, match=next(iter(settings))):
        parse_settings(ResolverSettings, "anomaly_resolver", settings)
