"""One campaign a week at most, to those who agreed, with some left out, and only while it pays."""

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from sample_values import amount, eur, product

from storecrew.agents.marketing import marketing_automation
from storecrew.agents.marketing.expected import can_show, usual
from storecrew.agents.marketing.segments import lapsed, loyal, split_holdout
from storecrew.domain.control.events import ClockTicked
from storecrew.domain.control.proposals import Proposal
from storecrew.domain.errors import InvalidSettings
from storecrew.domain.events import Event
from storecrew.domain.shop.customers import Customer, CustomerSpend
from storecrew.domain.shop.inventory import StockLevel
from storecrew.domain.shop.promotions import (
    Campaign,
    CreateDiscount,
    Discount,
    DiscountCreated,
    StartCampaign,
)
from storecrew.models.lift import NormalBelief
from storecrew.testing.fake_store import FakeStore, SoldLine
from storecrew.testing.run_agent import NOON, run_agent

TICK = ClockTicked(agent="marketing_automation", due=NOON)
IDS = [f"C{n:03d}" for n in range(120)]


class Shop(FakeStore):
    """Knows when each customer bought: the fake answers every period alike."""

    orders: dict[str, list[tuple[datetime, int]]]  # type: ignore[assignment]

    async def customer_spend(self, first: datetime, last: datetime) -> Mapping[str, CustomerSpend]:
        found = {}
        for customer, bought in self.orders.items():
            here = [(at, value) for at, value in bought if first <= at < last]
            if here:
                value = eur(sum(value for _, value in here))
                found[customer] = CustomerSpend(
                    orders=len(here), value=value, last_at=max(at for at, _ in here)
                )
        return found


def ago(days: float) -> datetime:
    return NOON - timedelta(days=days)


def overdue(n: int) -> list[tuple[datetime, int]]:
    """Return orders of a customer who came every month and then stopped; some came back."""
    old = [(ago(330 - 30 * k), 40) for k in range(3)]
    return [*old, (ago(5), 60)] if n % 10 == 0 else old


def shop(**more: object) -> Shop:
    store = Shop(
        product_list=[product(name="Roof Box"), product("P2", name="Tow Bar", price="50")],
        levels=[
            StockLevel(sku=sku, warehouse="main", on_hand=60, reserved=0) for sku in ("P1", "P2")
        ],
        sales={
            sku: {NOON.date() - timedelta(days=n): 1 for n in range(1, 113)} for sku in ("P1", "P2")
        },
        people=[
            Customer(id=each, name=each, email=f"{each}@example.com", marketing_consent=True)
            for each in IDS
        ],
    )
    store.orders = {each: overdue(n) for n, each in enumerate(IDS)}
    for name, value in more.items():
        setattr(store, name, value)
    return store


async def said(store: FakeStore, event: Event = TICK, **settings: object) -> Sequence[object]:
    """Return what is said in a shop this small, given the time to find out what letters bring."""
    given = {"max_trials": 500, **settings}
    return await run_agent(marketing_automation, event, store, settings=given)


async def one(store: FakeStore, event: Event = TICK, **settings: object) -> Proposal:
    (found,) = await said(store, event, **settings)
    assert isinstance(found, Proposal)
    return found


async def test_lapsed_customers_get_one_letter_and_some_are_left_out() -> None:
    proposal = await one(shop())
    campaign = proposal.action
    assert isinstance(campaign, StartCampaign)
    assert campaign.name == "win-back 2026-W10"
    everybody = {*campaign.recipients, *campaign.holdout}
    assert len(everybody) == len(campaign.recipients) + len(campaign.holdout) == 108
    assert 0.08 <= len(campaign.holdout) / 108 <= 0.22
    assert "C000" not in everybody  # came back five days ago
    assert "{" not in campaign.body
    assert "Roof Box, 100.00 EUR" in campaign.body
    assert proposal.effect is not None
    assert proposal.effect.low < proposal.effect.expected < proposal.effect.high
    assert proposal.effect.expected > eur(0)
    assert "lift" in proposal.assumptions
    assert "15 %" in str(proposal.evidence["lift_rests_on"])


async def test_the_expected_gain_can_be_checked_from_the_evidence() -> None:
    proposal = await one(shop(), cost_per_message=0.02)
    known = proposal.evidence
    base = known["recipients"] * known["spend_without_a_letter"] * known["margin_of_sales"]  # type: ignore[operator]
    told = base * known["expected_lift"] - float(amount(known["cost_of_writing"]))
    assert proposal.effect is not None
    assert float(proposal.effect.expected.amount) == pytest.approx(told, rel=0.01, abs=0.1)
    assert known["cost_of_writing"] == f"{0.02 * known['recipients']:.2f} EUR"  # type: ignore[operator]


async def test_nobody_is_written_to_without_consent_address_or_too_often() -> None:
    people = [
        Customer(
            id=each,
            name=each,
            email=None if n < 5 else f"{each}@example.com",
            marketing_consent=n >= 10 or n < 5,
        )
        for n, each in enumerate(IDS)
    ]
    store = shop(
        people=people,
        sent={"C011": 2, "C012": 1},
        addresses={"C013@example.com": "it bounced"},
    )
    proposal = await one(store)
    campaign = proposal.action
    assert isinstance(campaign, StartCampaign)
    everybody = {*campaign.recipients, *campaign.holdout}
    assert everybody.isdisjoint({*IDS[:10], "C011", "C013"})
    assert "C012" in everybody
    known = proposal.evidence
    assert known["left_out_no_address"] == 5
    assert known["left_out_written_to_often_enough"] == 1
    assert known["left_out_address_takes_no_mail"] == 1


async def test_nothing_is_proposed_twice_a_week_or_to_a_handful() -> None:
    assert await said(FakeStore()) == []
    running = campaign("anything 1", ago(3))
    assert await said(shop(campaign_list=[running])) == []
    few = shop()
    few.orders = {each: overdue(1) for each in IDS[:40]}
    assert await said(few) == []
    silent = shop(people=[])
    assert await said(silent) == []


def campaign(
    name: str, started: datetime, recipients: list[str] = IDS[:90], holdout: list[str] = IDS[90:]
) -> Campaign:
    return Campaign(
        name=name,
        segment="",
        title="",
        started_at=started,
        ends_at=started + timedelta(days=14),
        recipients=tuple(recipients),
        holdout=tuple(holdout),
    )


async def test_what_was_measured_moves_what_is_expected() -> None:
    plain = await one(shop())
    store = shop(campaign_list=[campaign("win-back 2025-W50", ago(80))])
    for n, each in enumerate(IDS):
        if (n < 90 and n % 3 == 0) or (n >= 90 and n % 5 == 0):
            store.orders[each] = [*store.orders[each][:3], (ago(75), 50)]
    store.orders = {who: bought if n % 10 else [*bought, (ago(5), 60)]
                    for n, (who, bought) in enumerate(store.orders.items())}  # fmt: skip
    moved = await one(store)
    (row,) = moved.evidence["earlier_campaigns"]  # type: ignore[misc]
    assert row["order_rate_lift"] == pytest.approx(30 / 90 - 6 / 30, abs=1e-4)  # type: ignore[index]
    assert moved.evidence["expected_lift"] > plain.evidence["expected_lift"]  # type: ignore[operator]
    assert moved.assumptions == ()


async def test_a_kind_that_was_seen_to_harm_is_not_proposed_again() -> None:
    store = shop(campaign_list=[campaign("win-back 2025-W50", ago(80))])
    for each in IDS[90:]:
        store.orders[each] = [*store.orders[each], (ago(75), 50)]
    assert await said(store) == []


async def test_a_kind_that_twice_brought_about_nothing_is_not_proposed_again() -> None:
    past = [campaign("win-back 2025-W45", ago(110)), campaign("win-back 2025-W50", ago(80))]
    store = shop(campaign_list=past)
    for n, each in enumerate(IDS):
        if n % 3 == 0:
            store.orders[each] = [*store.orders[each], (ago(105), 50), (ago(75), 50)]
    assert await said(store) == []
    once = shop(campaign_list=past[1:])
    once.orders = store.orders
    assert await said(once) == []  # expects little by now
    assert await said(once, min_gain=0) != []


async def test_a_shop_that_could_not_find_out_whether_letters_pay_writes_none() -> None:
    assert await run_agent(marketing_automation, TICK, shop()) == []
    slow = steady(slow_shop())
    slow.orders = {who: bought for n, (who, bought) in enumerate(slow.orders.items()) if n % 7 == 0}
    assert await run_agent(marketing_automation, TICK, slow) == []
    assert await said(slow) != []
    people = [f"C{n:04d}" for n in range(5000)]
    large = shop(
        people=[
            Customer(id=each, name=each, email=f"{each}@example.com", marketing_consent=True)
            for each in people
        ]
    )
    large.orders = {each: overdue(n) for n, each in enumerate(people)}
    (found,) = await run_agent(marketing_automation, TICK, large)
    assert isinstance(found, Proposal)
    assert found.evidence["recipients"] < 2000  # type: ignore[operator]


def test_more_letters_or_more_readers_show_more() -> None:
    group = usual([str(n) for n in range(100)], {})
    assert group.doubt(85, 15) == math.inf
    bought = {
        str(n): CustomerSpend(orders=1, value=eur(20 + n % 5), last_at=NOON)
        for n in range(0, 100, 2)
    }
    group = usual([str(n) for n in range(100)], bought)
    assert group.doubt(85, 15) > group.doubt(850, 150) > group.doubt(1700, 300) > 0
    assert group.doubt(85, 0) == math.inf
    hoped = NormalBelief(mean=0.15, sd=0.15)
    assert not can_show(hoped, group.doubt(85, 15), 4)
    assert can_show(hoped, group.doubt(850, 150), 4)
    assert can_show(hoped, group.doubt(85, 15), 400)
    assert can_show(hoped, 0, 1)
    assert not can_show(hoped, 0, 0)  # a hope is no proof
    assert can_show(NormalBelief(mean=0.15, sd=0.05), math.inf, 0)
    assert not can_show(NormalBelief(mean=0.15, sd=0.05), math.inf, 0, needed=0.1)


async def test_nobody_is_in_two_campaigns_at_once_or_in_one_kind_twice_within_two_months() -> None:
    running = campaign("thanks 2026-W08", ago(10), IDS[:20], [])
    alike = campaign("win-back 2026-W04", ago(40), [], IDS[20:30])
    older = campaign("win-back 2025-W45", ago(110), IDS[30:40], [])
    proposal = await one(shop(campaign_list=[running, alike, older]))
    letter = proposal.action
    assert isinstance(letter, StartCampaign)
    everybody = {*letter.recipients, *letter.holdout}
    assert everybody.isdisjoint(IDS[:30])
    assert set(IDS[31:40]) <= everybody


def slow_shop(**more: object) -> Shop:
    """Return a shop with far too many roof boxes of a fat margin, bought by many."""
    lines = [
        SoldLine(order=n, sku="P1", day=date(2026, 2, 1), customer=each)
        for n, each in enumerate(IDS[:90])
    ]
    levels = [StockLevel(sku="P1", warehouse="main", on_hand=900, reserved=0)]
    boxes = [product(name="Roof Box", cost=eur(20))]
    return shop(**({"product_list": boxes, "levels": levels, "line_list": lines} | more))


async def test_what_is_overstocked_gets_a_code_first() -> None:
    proposal = await one(steady(slow_shop()))
    code = proposal.action
    assert isinstance(code, CreateDiscount)
    assert code.code == "CLEAR-P1-26W10"
    assert (code.skus, code.percent, code.customers) == (("P1",), Decimal(10), ())
    assert proposal.evidence["days_of_cover_p50"] > 90  # type: ignore[operator]
    assert proposal.evidence["price_with_code"] == "90.00 EUR"
    assert proposal.effect is not None
    assert proposal.effect.expected > eur(0)


async def test_a_code_keeps_the_margin_and_is_not_given_where_it_costs_more_than_it_brings() -> (
    None
):
    shelf = [StockLevel(sku="P1", warehouse="main", on_hand=150, reserved=0)]
    for cost in ("85", "80"):  # below the floor with a code; above it, but sells too little more
        boxes = [product(name="Roof Box", cost=eur(cost))]
        assert await said(steady(slow_shop(product_list=boxes, levels=shelf))) == []


def steady(store: Shop) -> Shop:
    """Return the shop with customers who came twice of late: neither overdue nor often."""
    store.orders = {who: [(ago(20), 30), (ago(5), 30 + n % 3)] for n, who in enumerate(IDS)}
    return store


def planned(code: str = "CLEAR-P1-26W10") -> tuple[DiscountCreated, Discount]:
    ends = NOON + timedelta(days=14)
    news = DiscountCreated(
        code=code, skus=("P1",), percent=Decimal(10), starts_at=NOON, ends_at=ends
    )
    discount = Discount(code=code, percent=Decimal(10), skus=("P1",), starts_at=NOON, ends_at=ends)
    return news, discount


async def test_a_code_is_told_of_once_it_is_there_and_no_sooner() -> None:
    news, discount = planned()
    assert await said(slow_shop(), news) == []
    proposal = await one(slow_shop(discount_list=[discount]), news)
    letter = proposal.action
    assert isinstance(letter, StartCampaign)
    assert letter.name == "clear P1 2026-W10"
    assert "CLEAR-P1-26W10" in letter.body
    assert "10 % cheaper" in letter.body
    assert "16.03.2026" in letter.body
    assert {*letter.recipients, *letter.holdout} == set(IDS[:90])


async def test_no_second_code_while_one_runs_and_no_letter_about_codes_of_others() -> None:
    _, discount = planned()
    assert await said(steady(slow_shop(discount_list=[discount]))) == []
    news, foreign = planned("EASTER")
    assert await said(slow_shop(discount_list=[foreign]), news) == []


def test_the_lot_is_steady_and_fair() -> None:
    written, left = split_holdout("a", IDS, 0.15)
    assert split_holdout("a", IDS[::-1], 0.15)[1] == left[::-1]
    assert split_holdout("b", IDS, 0.15)[1] != left
    assert sorted([*written, *left]) == IDS
    _, many = split_holdout("a", [str(n) for n in range(20_000)], 0.15)
    assert 0.14 < len(many) / 20_000 < 0.16


def test_rules_of_segments() -> None:
    bought = {
        "new": CustomerSpend(orders=1, value=eur(10), last_at=ago(300)),
        "late": CustomerSpend(orders=4, value=eur(10), last_at=ago(200)),
        "loyal": CustomerSpend(orders=12, value=eur(10), last_at=ago(20)),
    }
    assert list(lapsed(bought, NOON)) == ["late"]
    assert list(loyal(bought, NOON)) == ["loyal"]


@pytest.mark.parametrize(
    "wrong",
    [{"holdout": 0}, {"holdout": 0.5}, {"discount_percent": 100}, {"min_segment_size": 0},
     {"max_recipients": 1.5}, {"max_trials": 0}, {"window_days": "long"}, {"margin_floor": 1},
     {"cost_per_message": -1}],
)  # fmt: skip
async def test_settings_that_are_none_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidSettings, match=next(iter(wrong))):
        await run_agent(marketing_automation, TICK, shop(), settings=wrong)
