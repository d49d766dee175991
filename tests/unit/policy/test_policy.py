"""What the policy says of a proposal, and what it never says."""

import re
from datetime import UTC, datetime, time
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from storecrew.domain.control.proposals import Decision, Proposal, Verdict
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import Product, SetPrice, floor_price
from storecrew.domain.shop.customers import Customer
from storecrew.domain.shop.inventory import AdjustStock, TransferStock
from storecrew.domain.shop.messages import SendMessage
from storecrew.domain.shop.orders import ApproveOrder, FulfilOrder, Order, OrderStatus
from storecrew.domain.shop.purchasing import CreatePurchaseOrder
from storecrew.domain.shop.returns import AcceptReturn
from storecrew.policy import Policy, PolicyFacts, PolicySettings, budget_spend
from storecrew.policy.rule_result import RuleResult
from storecrew.policy.rules.messages import is_quiet

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LIMITS = PolicySettings(autonomy={"*.*": "limits"})


def euro(amount) -> Money:
    return Money.of(str(amount), "EUR")


def product(price=100, cost=50) -> Product:
    known = None if cost is None else euro(cost)
    return Product(sku="mug", name="Mug", price=euro(price), cost=known)


def facts(**changes) -> PolicyFacts:
    given_product = changes.pop("product", product())
    price = given_product.price if given_product else None
    values = {"now": NOON, "currency": "EUR", "product": given_product, "price_a_day_ago": price}
    return PolicyFacts(**(values | changes))


def order(total=100) -> Order:
    return Order(
        id=7,
        status=OrderStatus.RECEIVED,
        lines=(),
        total=euro(total),
        paid=euro(total),
        placed_at=NOON,
        updated_at=NOON,
    )


def wish(action, **more) -> Proposal:
    return Proposal(action=action, reason="test", **more)


def verdict(action, around=None, settings=LIMITS, **more) -> Verdict:
    return Policy(settings).judge(wish(action, **more), "agent", around or facts()).verdict


def price(amount, currency="EUR") -> SetPrice:
    return SetPrice(sku="mug", price=Money.of(str(amount), currency))


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (price("105"), Verdict.ALLOW),
        (price("110"), Verdict.ALLOW),
        (price("110.01"), Verdict.ASK),
        (price("89.99"), Verdict.ASK),
        (price("55.55"), Verdict.DENY),
        (price("0"), Verdict.DENY),
        (price("-1"), Verdict.DENY),
        (price("100", "USD"), Verdict.DENY),
    ],
)
def test_a_price_is_bounded_by_its_floor_and_its_daily_move(action, expected):
    assert verdict(action) is expected


def test_a_price_without_a_known_cost_is_a_question():
    assert verdict(price("101"), facts(product=product(cost=None))) is Verdict.ASK


def test_a_price_of_an_unknown_product_is_refused():
    assert verdict(price("101"), facts(product=None, price_a_day_ago=None)) is Verdict.DENY


def test_a_move_from_a_price_of_nothing_is_a_question():
    around = facts(product=product(price=0), price_a_day_ago=euro(0))
    assert verdict(price("101"), around) is Verdict.ASK


@pytest.mark.parametrize(
    ("quantity", "spent", "expected"),
    [(20, 0, Verdict.ALLOW), (21, 0, Verdict.ASK), (20, 1, Verdict.ASK), (0, 0, Verdict.DENY)],
)
def test_purchases_stop_at_the_days_budget(quantity, spent, expected):
    around = facts(spent_today=euro(spent))
    assert verdict(CreatePurchaseOrder(sku="mug", quantity=quantity), around) is expected


def test_a_purchase_at_an_unknown_cost_is_asked_even_of_the_most_trusted():
    auto = PolicySettings(autonomy={"*.*": "auto"})
    around = facts(product=product(cost=None))
    assert verdict(CreatePurchaseOrder(sku="mug", quantity=1), around, auto) is Verdict.ASK


def test_a_purchase_in_another_currency_is_refused():
    dollars = Product(sku="mug", name="Mug", price=Money.of(9, "USD"), cost=Money.of(5, "USD"))
    assert (
        verdict(CreatePurchaseOrder(sku="mug", quantity=1), facts(product=dollars)) is Verdict.DENY
    )


@pytest.mark.parametrize(("total", "expected"), [(500, Verdict.ALLOW), (501, Verdict.ASK)])
def test_large_orders_are_approved_by_a_person(total, expected):
    assert verdict(ApproveOrder(order_id=7), facts(order=order(total))) is expected


@pytest.mark.parametrize(("total", "expected"), [(100, Verdict.ALLOW), (101, Verdict.ASK)])
def test_large_refunds_are_decided_by_a_person(total, expected):
    assert verdict(AcceptReturn(order_id=7), facts(order=order(total))) is expected


@pytest.mark.parametrize("action", [ApproveOrder(order_id=7), AcceptReturn(order_id=7)])
def test_an_unknown_order_is_refused(action):
    assert verdict(action) is Verdict.DENY


@pytest.mark.parametrize(
    "action",
    [FulfilOrder(order_id=7), TransferStock(sku="mug", source="a", target="b", quantity=1)],
)
def test_what_the_store_checks_itself_is_allowed(action):
    assert verdict(action) is Verdict.ALLOW


def test_silence_asks():
    assert verdict(AdjustStock(sku="mug", change=1, reason="found")) is Verdict.ASK


def test_what_rests_on_assumptions_is_asked():
    proposal = wish(price("101"), assumptions=("cost", "supplier"))
    decision = Policy(LIMITS).judge(proposal, "agent", facts())
    assert decision.verdict is Verdict.ASK
    assert decision.reason.endswith("rests on values that nobody recorded: cost, supplier")


def message(purpose="marketing") -> SendMessage:
    return SendMessage(customer="c", purpose=purpose, title="Hello", body="…")


def person(consent=True) -> Customer:
    return Customer(id="c", name="C", marketing_consent=consent)


@pytest.mark.parametrize(
    ("action", "changes", "expected"),
    [
        (message(), {"customer": person()}, Verdict.ALLOW),
        (message(), {"customer": person(consent=False)}, Verdict.DENY),
        (message("service"), {"customer": person(consent=False)}, Verdict.ALLOW),
        (message("spam"), {"customer": person()}, Verdict.DENY),
        (message(), {"customer": None}, Verdict.DENY),
        (message(), {"customer": person(), "messages_this_week": 2}, Verdict.DENY),
        (message(), {"customer": person(), "now": NOON.replace(hour=23)}, Verdict.DENY),
    ],
)
def test_messages_need_consent_measure_and_daylight(action, changes, expected):
    assert verdict(action, facts(**changes)) is expected


@pytest.mark.parametrize(
    ("local", "start", "end", "quiet"),
    [
        (time(21), time(20), time(8), True),
        (time(7, 59), time(20), time(8), True),
        (time(8), time(20), time(8), False),
        (time(13), time(12), time(14), True),
        (time(12), time(12), time(14), True),
        (time(14), time(12), time(14), False),
        (time(9), time(8), time(8), False),
    ],
)
def test_quiet_hours_may_span_midnight(local, start, end, quiet):
    assert is_quiet(local, start, end) is quiet


@pytest.mark.parametrize(
    ("autonomy", "amount", "expected", "rule"),
    [
        ("watch", "101", Verdict.DENY, "watch"),
        ("watch", "120", Verdict.DENY, "watch"),
        ("watch", "1", Verdict.DENY, "margin_floor"),
        ("ask", "101", Verdict.ASK, "autonomy"),
        ("ask", "120", Verdict.ASK, "price_change"),
        ("limits", "101", Verdict.ALLOW, "margin_floor"),
        ("auto", "120", Verdict.ASK, "price_change"),
        ("auto", "1", Verdict.DENY, "margin_floor"),
    ],
)
def test_autonomy_bounds_what_is_done(autonomy, amount, expected, rule):
    settings = PolicySettings(autonomy={"agent.SetPrice": autonomy})
    decision = Policy(settings).judge(wish(price(amount)), "agent", facts())
    assert (decision.verdict, decision.rule) == (expected, rule)


def test_full_autonomy_turns_a_discretionary_question_into_a_yes():
    settings = PolicySettings(autonomy={"agent.*": "auto"})
    around = facts(order=order(9999))
    assert verdict(ApproveOrder(order_id=7), around, settings) is Verdict.ALLOW


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ({"agent.SetPrice": "auto", "agent.*": "watch", "*.*": "watch"}, "AUTO"),
        ({"agent.*": "limits", "*.SetPrice": "watch"}, "LIMITS"),
        ({"*.SetPrice": "watch", "*.*": "auto"}, "WATCH"),
        ({"*.*": "auto"}, "AUTO"),
        ({}, "ASK"),
    ],
)
def test_the_most_particular_line_of_autonomy_wins(lines, expected):
    policy = Policy(PolicySettings(autonomy=lines))
    assert policy.autonomy("agent", "SetPrice").name == expected


def test_a_person_may_go_beyond_limits_but_not_below_the_floor():
    policy = Policy(LIMITS)
    assert policy.confirm(wish(price("150")), "owner", facts()) == Decision(
        verdict=Verdict.ALLOW,
        reason="decided by a person; +50.0% against 100.00 EUR a day ago; the limit is 10%",
        rule="price_change",
        by="owner",
        policy_version=policy.version,
    )
    assert policy.confirm(wish(price("1")), "owner", facts()) == Decision(
        verdict=Verdict.DENY,
        reason="1.00 EUR is below the floor 55.56 EUR",
        rule="margin_floor",
        policy_version=policy.version,
    )


@pytest.mark.parametrize(
    ("autonomy", "amount", "reason"),
    [
        ("watch", "101", "only watching; would have been allowed: 101.00 EUR is at or above"),
        ("watch", "120", "only watching; would have been asked about: +20.0% against"),
        ("watch", "1", "1.00 EUR is below the floor"),
        ("ask", "101", "agent asks before each such action; 101.00 EUR is at or above"),
        ("ask", "120", "+20.0% against 100.00 EUR a day ago"),
        ("limits", "101", "101.00 EUR is at or above the floor"),
        ("auto", "120", "+20.0% against 100.00 EUR a day ago"),
    ],
)
def test_a_decision_says_why_in_the_words_of_its_rule(autonomy, amount, reason):
    policy = Policy(PolicySettings(autonomy={"agent.SetPrice": autonomy}))
    decision = policy.judge(wish(price(amount)), "agent", facts())
    assert decision.reason.startswith(reason)
    assert (decision.by, decision.policy_version) == ("policy", policy.version)


def test_full_autonomy_says_that_it_acted_alone():
    settings = PolicySettings(autonomy={"agent.*": "auto"})
    decision = Policy(settings).judge(
        wish(ApproveOrder(order_id=7)), "agent", facts(order=order(9999))
    )
    assert decision.rule == "autonomy"
    assert decision.reason == "agent may act alone; 9,999.00 EUR against a limit of 500 EUR"


def test_of_equal_results_the_binding_one_is_told_then_the_earliest():
    def says(name, verdict, *, binding=False):
        def rule(proposal, facts, settings):
            return RuleResult(verdict=verdict, reason="r", rule=name, binding=binding)

        return rule

    ask, deny = Verdict.ASK, Verdict.DENY
    for rules, first in (
        ([says("a", ask), says("b", ask), says("c", Verdict.ALLOW)], "a"),
        ([says("a", ask), says("b", ask, binding=True)], "b"),
        ([says("a", ask, binding=True), says("b", deny), says("c", deny)], "b"),
        ([], "silence"),
    ):
        decision = Policy(LIMITS, rules=rules).judge(wish(price("1")), "agent", facts())
        assert decision.rule == first


def test_the_version_changes_with_the_limits():
    other = PolicySettings(margin_floor=Decimal("0.2"), autonomy={"*.*": "limits"})
    assert Policy(LIMITS).version == Policy(LIMITS).version != Policy(other).version
    assert Policy(LIMITS, rules=()).version != Policy(LIMITS).version
    assert re.fullmatch("[0-9a-f]{12}", Policy(LIMITS).version)


def test_only_purchases_of_known_cost_spend():
    assert budget_spend(CreatePurchaseOrder(sku="mug", quantity=3), product()) == euro(150)
    assert budget_spend(CreatePurchaseOrder(sku="mug", quantity=3), product(cost=None)) is None
    assert budget_spend(price("1"), product()) is None


amounts = st.decimals(-1000, 100_000, places=2)


@given(
    new=amounts, old=st.decimals("0.01", 10_000, places=2), cost=st.decimals(0, 10_000, places=2)
)
def test_no_allowed_price_is_below_the_floor_or_moves_too_far(new, old, cost):
    shelf = product(price=old, cost=cost)
    for autonomy in ("watch", "ask", "limits", "auto"):
        settings = PolicySettings(autonomy={"*.*": autonomy})
        if verdict(price(new), facts(product=shelf), settings) is Verdict.ALLOW:
            assert euro(new) >= floor_price(euro(cost), settings.margin_floor)
            assert abs(new / old - 1) <= settings.price_change_per_day


@given(new=amounts, cost=st.decimals("0.01", 10_000, places=2))
def test_no_person_can_confirm_a_price_below_the_floor(new, cost):
    around = facts(product=product(cost=cost))
    if Policy(LIMITS).confirm(wish(price(new)), "owner", around).verdict is Verdict.ALLOW:
        assert euro(new) >= floor_price(euro(cost), LIMITS.margin_floor)
