"""The limits of what is offered to customers hold against any proposal."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from storecrew.domain.actions import Action
from storecrew.domain.control.proposals import Decision, Proposal, Verdict
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import Product, SetPrice, SuggestProduct, TrackCompetitorPage
from storecrew.domain.shop.orders import HoldOrder, Order, OrderStatus, ReleaseOrder
from storecrew.domain.shop.payments import SetPaymentMethod
from storecrew.domain.shop.promotions import (
    CreateDiscount,
    EndDiscount,
    OfferBundle,
    SetRecommendations,
    StartCampaign,
    WithdrawBundle,
)
from storecrew.domain.shop.support import EscalateTicket, ReplyToTicket, Ticket, TicketStatus
from storecrew.policy import Audience, Policy, PolicyFacts, PolicySettings

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
WEEK = timedelta(weeks=1)


def euro(amount: str | int) -> Money:
    return Money.of(amount, "EUR")


def product(sku: str, price: str | int = 10, cost: str | int | None = 6) -> Product:
    return Product(sku=sku, name=sku, price=euro(price), cost=None if cost is None else euro(cost))


SHELF = {each.sku: each for each in (product("a"), product("b"), product("free", cost=None))}


def facts(**known) -> PolicyFacts:
    return PolicyFacts(now=NOW, currency="EUR", **{"products": SHELF, **known})


def judge(action: Action, known: PolicyFacts | None = None, **limits) -> Decision:
    policy = Policy(PolicySettings(default_autonomy="auto", autonomy={}, **limits))
    return policy.judge(Proposal(action=action, reason="test"), "seller", known or facts())


def sale(percent: str | int, *skus: str, days: int = 7, **rest) -> CreateDiscount:
    ends = NOW + timedelta(days=days)
    return CreateDiscount(
        code="c", percent=Decimal(percent), skus=skus or ("a",), starts_at=NOW, ends_at=ends, **rest
    )


def test_a_discount_within_every_limit_is_allowed():
    assert judge(sale(20, "a", "b")).verdict is Verdict.ALLOW


@pytest.mark.parametrize(
    ("action", "verdict", "words"),
    [
        (sale(34), Verdict.DENY, "below its floor"),
        (sale(25), Verdict.ASK, "the limits are"),
        (sale(5, days=60), Verdict.ASK, "the limits are"),
        (sale(5, "free"), Verdict.ASK, "cost of a product is unknown"),
        (sale(5, "a", "ghost"), Verdict.DENY, "does not have"),
        (sale(0), Verdict.DENY, "no discount"),
        (sale(100), Verdict.DENY, "no discount"),
        (sale(-5), Verdict.DENY, "no discount"),
        (sale("NaN"), Verdict.DENY, "no discount"),
    ],
)
def test_a_discount_beyond_a_limit_is_not(action, verdict, words):
    decision = judge(action)
    assert decision.verdict is verdict
    assert words in decision.reason


@given(percent=st.decimals(-50, 150, places=2), cost=st.integers(0, 20), price=st.integers(1, 20))
def test_no_discount_takes_a_product_below_its_floor(percent, cost, price):
    shelf = {"a": product("a", price, cost)}
    decision = judge(sale(percent), facts(products=shelf), discount_limit=Decimal(1))
    if decision.verdict is Verdict.ALLOW:
        assert price * (1 - percent / 100) * (1 - Decimal("0.10")) >= Decimal(cost) * Decimal("0.9")
        assert price * (1 - percent / 100) >= Decimal(cost) / Decimal("0.9") - Decimal("1e-20")


def test_r126_personal_price_bounds_hold_and_it_is_off_by_default():
    personal = sale(10, customers=("ann",))
    assert judge(personal).rule == "personal_offers"
    assert judge(personal).verdict is Verdict.DENY
    assert judge(personal, personal_offers=True).verdict is Verdict.ALLOW
    assert judge(sale(34, customers=("ann",)), personal_offers=True).verdict is Verdict.DENY


def test_a_price_is_not_cut_below_its_floor_under_a_running_discount():
    cut = SetPrice(sku="a", price=euro("9.50"))
    known = {"product": SHELF["a"], "price_a_day_ago": euro(10)}
    assert judge(cut, facts(**known)).verdict is Verdict.ALLOW
    decision = judge(cut, facts(**known, discounted=Decimal("0.30")))
    assert decision.verdict is Verdict.DENY
    assert "with 30% discount" in decision.reason
    rise = SetPrice(sku="a", price=euro("10.50"))
    assert judge(rise, facts(**known, discounted=Decimal("0.40"))).verdict is Verdict.ALLOW


@pytest.mark.parametrize(
    ("price", "verdict"),
    [("18", Verdict.ALLOW), ("15", Verdict.ASK), ("13.33", Verdict.DENY), ("21", Verdict.DENY),
     ("0", Verdict.DENY), ("-3", Verdict.DENY)],
)  # fmt: skip
def test_r127_bundle_keeps_margin_in_the_policy(price, verdict):
    action = OfferBundle(name="set", skus=("a", "b"), price=euro(price))
    assert judge(action).verdict is verdict


def test_a_bundle_of_what_is_not_known_is_refused_or_asked_about():
    ghost = OfferBundle(name="set", skus=("a", "ghost"), price=euro(18))
    assert judge(ghost).verdict is Verdict.DENY
    free = OfferBundle(name="set", skus=("a", "free"), price=euro(18))
    assert judge(free).verdict is Verdict.ASK
    dollars = OfferBundle(name="set", skus=("a", "b"), price=Money.of(18, "USD"))
    assert judge(dollars).verdict is Verdict.DENY


def start(*recipients: str) -> StartCampaign:
    return StartCampaign(
        name="n", segment="all", title="t", body="b", recipients=recipients, ends_at=NOW + WEEK
    )


@pytest.mark.parametrize(
    ("reach", "verdict"),
    [
        (Audience(), Verdict.ALLOW),
        (Audience(without_consent=1), Verdict.DENY),
        (Audience(unknown=1), Verdict.DENY),
        (Audience(over_frequency_cap=1), Verdict.DENY),
        (None, Verdict.DENY),
    ],
)
def test_r135_a_campaign_reaches_only_who_agreed_and_is_not_tired(reach, verdict):
    assert judge(start("ann"), facts(reach=reach)).verdict is verdict


def test_a_campaign_to_many_is_asked_about_whatever_the_autonomy():
    many = start(*(f"c{n}" for n in range(11)))
    assert judge(many, facts(reach=Audience()), campaign_recipients=10).verdict is Verdict.ASK
    assert judge(many, facts(reach=Audience()), campaign_recipients=11).verdict is Verdict.ALLOW


def test_no_campaign_starts_at_night():
    night = PolicyFacts(now=NOW.replace(hour=3), currency="EUR", reach=Audience())
    assert judge(start("ann"), night).rule == "quiet_hours"


def ticket(text: str = "Where is it?") -> Ticket:
    return Ticket(id="t", status=TicketStatus.OPEN, text=text, opened_at=NOW, updated_at=NOW)


def test_an_answer_is_to_the_customers_newest_words():
    reply = ReplyToTicket(ticket_id="t", text="On its way.", expected_text="Where is it?")
    assert judge(reply, facts(ticket=ticket())).verdict is Verdict.ALLOW
    assert judge(reply, facts(ticket=ticket("Stop!"))).verdict is Verdict.DENY
    assert judge(reply, facts()).verdict is Verdict.DENY
    assert judge(EscalateTicket(ticket_id="t", reason="unsure")).verdict is Verdict.ALLOW


ORDER = Order(
    id=3, status=OrderStatus.RECEIVED, lines=(), total=euro(9), paid=euro(0), placed_at=NOW,
    updated_at=NOW,
)  # fmt: skip


def test_an_agent_may_hold_an_order_and_only_a_person_releases_it():
    assert judge(HoldOrder(order_id=3, reason="odd"), facts(order=ORDER)).verdict is Verdict.ALLOW
    release = judge(ReleaseOrder(order_id=3), facts(order=ORDER))
    assert release.verdict is Verdict.ASK
    assert judge(HoldOrder(order_id=9, reason="odd")).verdict is Verdict.DENY


def test_the_last_way_to_pay_is_never_switched_off():
    off = SetPaymentMethod(method="card", enabled=False)
    both, one = {"card": True, "bank": True}, {"card": True, "bank": False}
    assert judge(off, facts(payment_methods=both)).verdict is Verdict.ALLOW
    assert judge(off, facts(payment_methods=one)).verdict is Verdict.DENY
    assert judge(off, facts()).verdict is Verdict.DENY
    on = SetPaymentMethod(method="bank", enabled=True)
    assert judge(on, facts(payment_methods=one)).verdict is Verdict.ALLOW


@pytest.mark.parametrize(
    "action",
    [
        SetRecommendations(place="home", skus=("a",)),
        SuggestProduct(name="lamp", reason="searched for", source="own search"),
        TrackCompetitorPage(sku="a", competitor="them", url="https://them.example"),
        EndDiscount(code="c"),
        WithdrawBundle(name="set"),
    ],
    ids=lambda action: type(action).__name__,
)
def test_what_changes_no_price_is_allowed(action):
    assert judge(action).verdict is Verdict.ALLOW
