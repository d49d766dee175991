"""Reports: campaigns are measured, price changes followed up, and gaps between groups flagged."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from storecrew.domain.control.proposals import Effect, Outcome, Proposal, ProposalRecord, Result
from storecrew.domain.control.traces import ProposalHistory
from storecrew.domain.errors import NotFound
from storecrew.domain.money import Money
from storecrew.domain.paging import Page
from storecrew.domain.shop.catalog import PriceChange, Product, SetPrice
from storecrew.domain.shop.customers import Customer, CustomerSpend
from storecrew.domain.shop.inventory import StockoutPeriod
from storecrew.domain.shop.promotions import Campaign, Discount
from storecrew.domain.shop.support import Ticket, TicketStatus
from storecrew.reports.campaign_lift import report, reports
from storecrew.reports.fairness import fairness_report
from storecrew.reports.price_impact import price_impact_report
from storecrew.testing.fake_store import FakeStore, SoldLine

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def eur(amount: float) -> Money:
    return Money.of(str(amount), "EUR")


def people(count: int = 400) -> list[Customer]:
    return [
        Customer(id=f"C{n}", name="", marketing_consent=True, locale="de" if n % 2 else "en")
        for n in range(count)
    ]


def bought(dearer: float = 1.0) -> list[SoldLine]:
    """Return two lines of each customer; Germans pay so many times as much."""
    return [
        SoldLine(
            order=n,
            sku=f"P{line}",
            day=NOW.date() - timedelta(days=1 + n % 90),
            customer=f"C{n}",
            price=(10 + n % 7) * (dearer if n % 2 else 1.0),
        )
        for n in range(400)
        for line in (1, 2)
    ]


def personal(only: str) -> Discount:
    return Discount(
        code="X",
        percent=10,  # type: ignore[arg-type]
        skus=("P1",),
        customers=tuple(each.id for each in people() if each.locale == only),
        starts_at=NOW - timedelta(days=10),
        ends_at=NOW,
    )


def tickets(liked_de: int) -> list[Ticket]:
    return [
        Ticket(
            id=str(n),
            status=TicketStatus.ANSWERED,
            text="?",
            customer=f"C{n}",
            opened_at=NOW - timedelta(days=5),
            updated_at=NOW,
            rating=5 if n % 2 == 0 or n % 100 < liked_de else 2,
        )
        for n in range(400)
    ]


async def gaps(store: FakeStore) -> set[tuple[str, str]]:
    found = await fairness_report(store, NOW)
    return {
        (finding.measure, each.group)
        for finding in found.findings
        for each in finding.groups
        if each.flagged
    }


async def test_r137_bias_report_flags_a_planted_gap() -> None:
    fair = FakeStore(people=people(), line_list=bought(), ticket_list=tickets(100))
    assert await gaps(fair) == set()
    dearer = FakeStore(people=people(), line_list=bought(1.12))
    assert await gaps(dearer) == {("price_paid", "de")}
    given = FakeStore(people=people(), line_list=bought(), discount_list=[personal("en")])
    assert await gaps(given) == {("personal_discounts", "de")}
    worse = FakeStore(people=people(), ticket_list=tickets(60))
    assert await gaps(worse) == {("answers_liked", "de")}


async def test_the_report_says_what_it_compared() -> None:
    found = await fairness_report(FakeStore(people=people(), line_list=bought(1.12)), NOW, days=90)
    assert found.first == NOW - timedelta(days=90)
    paid = next(f for f in found.findings if f.measure == "price_paid" and f.by == "language")
    assert paid.gap
    assert [finding.measure for finding in found.gaps] == ["price_paid"]
    de = next(each for each in paid.groups if each.group == "de")
    assert de.against == "en"
    assert de.ratio == pytest.approx(1.12, abs=0.03)
    empty = await fairness_report(FakeStore(), NOW)
    assert not empty.gaps


class Ordering(FakeStore):
    """Knows what customers spent."""

    spends: Mapping[str, float]

    async def customer_spend(self, first: datetime, last: datetime) -> Mapping[str, CustomerSpend]:
        return {
            who: CustomerSpend(orders=1, value=eur(value), last_at=last)
            for who, value in self.spends.items()
        }


def campaign(**more: Any) -> Campaign:
    given: dict[str, Any] = {
        "name": "win-back 2026-W08",
        "segment": "",
        "title": "Hello",
        "started_at": NOW - timedelta(days=20),
        "ends_at": NOW - timedelta(days=6),
        "recipients": tuple(f"R{n}" for n in range(200)),
        "holdout": tuple(f"H{n}" for n in range(40)),
    }
    return Campaign(**(given | more))


async def test_a_campaign_reports_its_lift_with_bounds() -> None:
    store = Ordering(campaign_list=[campaign()])
    store.spends = {f"R{n}": 50.0 for n in range(60)} | {f"H{n}": 50.0 for n in range(2)}
    found = await report(store, "win-back 2026-W08", NOW, "EUR")
    assert found.order_rate == 0.3
    assert found.order_rate_holdout == 0.05
    assert found.order_rate_lift is not None
    assert found.order_rate_lift.low is not None
    assert 0 < found.order_rate_lift.low < 0.25 == found.order_rate_lift.mean
    assert found.sold_more == pytest.approx(200 * (15 - 2.5))
    assert found.verdict == "surely sold more to those who were written to"
    assert found.over
    (listed,) = await reports(store, NOW, "EUR")
    assert listed == found
    with pytest.raises(NotFound):
        await report(store, "nothing", NOW, "EUR")


async def test_a_campaign_that_cannot_be_measured_says_so() -> None:
    store = Ordering(campaign_list=[campaign(holdout=()), campaign(holdout=("H1",))])
    store.spends = {}
    one, none = await reports(store, NOW, "EUR")
    assert none.order_rate_lift is None
    assert "nobody was left out" in none.verdict
    assert one.value_lift is not None
    assert one.value_lift.high is None
    assert one.verdict == "too early, or too small, to tell"


def story(days_ago: float, units: float, **more: Any) -> ProposalHistory:
    """Return a price cut from 10 to 9 that was expected to sell so many units a day."""
    proposal = Proposal(
        action=SetPrice(sku="P1", price=eur(9), expected_price=eur(10)),
        reason="",
        evidence={
            "daily_demand": 4.0,
            "curve": [{"price": 9.0, "units": units}, {"price": 10.0, "units": 4.0}],
        },
        effect=Effect(low=eur(1), expected=eur(10), high=eur(20)),
    )
    given: dict[str, Any] = {
        "filed": ProposalRecord(
            id="pricing@1/0", run="pricing@1", agent="pricing", proposal=proposal
        ),
        "at": NOW - timedelta(days=days_ago),
        "decision": None,
        "outcome": Outcome(key="k", result=Result.APPLIED),
        "approval": None,
    }
    return ProposalHistory(**(given | more))


class Journal(SimpleNamespace):
    async def proposals(
        self, *, page: int, per_page: int, run: str | None = None
    ) -> Page[ProposalHistory]:
        first = (page - 1) * per_page
        return Page(items=tuple(self.stories[first : first + per_page]), total=len(self.stories))


def sales(after: int, season: int = 1) -> dict[str, dict[Any, int]]:
    today = NOW.date()
    days = [today - timedelta(days=n) for n in range(1, 50)]
    changed = today - timedelta(days=20)
    return {
        "P1": {day: after if day > changed else 4 for day in days},
        "P2": {day: 10 * season if day > changed else 10 for day in days},
    }


def shop(after: int, **more: Any) -> FakeStore:
    product = Product(sku="P1", name="", price=eur(9), cost=eur(5))
    change = PriceChange(sku="P1", previous=eur(10), price=eur(9), at=NOW - timedelta(days=20))
    return FakeStore(product_list=[product], sales=sales(after), changes=[change], **more)


async def followed(store: FakeStore, *stories: ProposalHistory) -> Any:
    return await price_impact_report(store, Journal(stories=list(stories)), NOW, "EUR")  # type: ignore[arg-type]


async def test_a_price_change_is_held_against_what_was_expected() -> None:
    good = await followed(shop(after=5), story(20, units=5.0))
    (found,) = good.changes
    assert (found.units_before, found.units_after, found.ratio) == (4.0, 5.0, 1.25)
    assert found.expected_ratio == 1.25
    assert found.as_expected is True
    assert found.gain == eur((4 * 5 - 5 * 4) * 28)
    assert (good.as_expected, good.judged) == (1, 1)
    assert good.expected_gain == eur(10)
    assert good.gain == eur(0)
    bad = await followed(shop(after=2), story(20, units=8.0))
    assert bad.changes[0].as_expected is False
    assert (bad.as_expected, bad.judged) == (0, 1)


async def test_a_busy_season_is_not_taken_for_the_price() -> None:
    store = shop(after=8)
    store.sales = sales(8, season=2)
    (found,) = (await followed(store, story(20, units=4.0))).changes
    assert found.shop_ratio == 2.0
    assert found.ratio == 1.0
    assert found.as_expected is True


async def test_days_without_stock_and_later_changes_do_not_count() -> None:
    gone = StockoutPeriod(
        sku="P1",
        first=NOW.date() - timedelta(days=18),
        last=NOW.date() - timedelta(days=15),
    )
    again = PriceChange(sku="P1", previous=eur(9), price=eur(8), at=NOW - timedelta(days=12))
    store = shop(after=5, empty=[gone])
    store.changes.append(again)
    (found,) = (await followed(store, story(20, units=5.0))).changes
    assert found.days_after == 7 - 4
    assert found.days_before == 14


async def test_what_is_too_new_too_old_refused_or_no_price_is_not_followed_up() -> None:
    refused = Outcome(key="k", result=Result.REFUSED)
    stories = [
        story(3, 5.0),
        story(20, 5.0, outcome=refused),
        story(20, 5.0, outcome=None),
        story(200, 5.0),
    ]
    assert (await followed(shop(5), *stories)).changes == ()
    bare = story(20, 5.0)
    plain = replace(bare.filed.proposal, evidence={}, effect=None)
    (found,) = (
        await followed(shop(5), replace(bare, filed=replace(bare.filed, proposal=plain)))
    ).changes
    assert found.expected_ratio is None
    assert found.as_expected is None


async def test_a_person_who_said_yes_late_moves_the_moment() -> None:
    (found,) = (await followed(shop(5), story(22, units=5.0))).changes
    assert found.at == NOW - timedelta(days=20)
