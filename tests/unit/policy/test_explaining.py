"""Why the policy decides as it does, and what another answer would take."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from storecrew.domain.control.proposals import Autonomy, Proposal, Verdict
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import Product, SetPrice
from storecrew.domain.shop.inventory import TransferStock
from storecrew.domain.shop.messages import SendMessage
from storecrew.domain.shop.purchasing import CreatePurchaseOrder
from storecrew.policy import Policy, PolicyFacts, PolicySettings, explain
from storecrew.policy.explanation import _REMEDIES
from storecrew.policy.rules import RULES
from storecrew.policy.settings import AutonomyWord

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MUG = Product(sku="mug", name="Mug", price=Money.of("10", "EUR"), cost=Money.of("5", "EUR"))
FACTS = PolicyFacts(now=NOON, currency="EUR", product=MUG, price_a_day_ago=MUG.price)


def priced(amount: str) -> Proposal:
    return Proposal(action=SetPrice(sku="mug", price=Money.of(amount, "EUR")), reason="it sells")


def limits(**settings) -> Policy:
    return Policy(PolicySettings(autonomy={"*.*": "limits"}, **settings))


def test_what_is_allowed_takes_nothing() -> None:
    found = explain(limits(), priced("10.50"), "pricing_optimizer", FACTS)

    assert found.decision.verdict is Verdict.ALLOW
    assert [opinion.rule for opinion in found.opinions] == ["margin_floor", "price_change"]
    assert (found.autonomy, found.line) == (Autonomy.LIMITS, 'policy.autonomy "*.*"')
    assert found.changes == ()


def test_an_agent_that_asks_names_the_line_that_would_let_it_act() -> None:
    found = explain(Policy(), priced("10.50"), "pricing_optimizer", FACTS)

    assert found.decision.verdict is Verdict.ASK
    assert found.line == "policy.default_autonomy"
    assert found.changes == (
        'policy.autonomy "pricing_optimizer.SetPrice": limits, in place of ask',
    )


@pytest.mark.parametrize(
    ("line", "autonomy"),
    [("pricing_optimizer.SetPrice", "limits"), ("pricing_optimizer.*", "limits"),
     ("*.SetPrice", "limits")],
)  # fmt: skip
def test_the_line_that_decides_is_named(line: str, autonomy: AutonomyWord) -> None:
    policy = Policy(PolicySettings(autonomy={line: autonomy, "*.*": "watch"}))
    found = explain(policy, priced("10.50"), "pricing_optimizer", FACTS)

    assert (found.autonomy, found.line) == (Autonomy.LIMITS, f'policy.autonomy "{line}"')
    assert found.changes == ()


def test_every_rule_in_the_way_is_named_with_its_setting() -> None:
    found = explain(limits(), priced("5.10"), "pricing_optimizer", FACTS)

    assert found.decision.verdict is Verdict.DENY
    assert [change.split(":")[0] for change in found.changes] == ["margin_floor", "price_change"]
    assert "policy.price_change_per_day" in found.changes[1]


def test_full_autonomy_still_meets_what_binds() -> None:
    auto = Policy(PolicySettings(autonomy={"*.*": "auto"}))
    order = Proposal(
        action=CreatePurchaseOrder(sku="mug", quantity=900, warehouse="main"), reason="low"
    )
    found = explain(auto, order, "inventory", FACTS)

    assert found.decision.verdict is Verdict.ASK
    assert [change.split(":")[0] for change in found.changes] == ["purchase_budget"]


def test_full_autonomy_needs_a_remedy_for_what_is_forbidden_or_binding() -> None:
    auto = Policy(PolicySettings(autonomy={"*.*": "auto"}))
    dollars = Proposal(action=SetPrice(sku="mug", price=Money.of("10", "USD")), reason="r")
    found = explain(auto, dollars, "pricing_optimizer", FACTS)

    assert [opinion.verdict for opinion in found.opinions] == [Verdict.DENY, Verdict.ASK]
    assert [change.split(":")[0] for change in found.changes] == ["margin_floor", "price_change"]


def test_what_no_rule_covers_says_so() -> None:
    found = explain(Policy(rules=()), priced("10"), "pricing_optimizer", FACTS)

    assert found.opinions == ()
    assert found.changes[-1] == "a rule that covers this action"
    watched = Policy(PolicySettings(autonomy={"*.*": "watch"}), rules=())
    found = explain(watched, priced("10"), "pricing_optimizer", FACTS)
    assert found.changes == (
        'policy.autonomy "pricing_optimizer.SetPrice": limits, in place of watch',
        "a rule that covers this action",
    )
    trusted = Policy(PolicySettings(autonomy={"*.*": "auto"}), rules=())
    assert explain(trusted, priced("10"), "pricing_optimizer", FACTS).changes == ()


@pytest.mark.parametrize("amount", ["1", "5.55", "5.56", "9", "9.01", "11", "11.01", "1000"])
@pytest.mark.parametrize("autonomy", ["watch", "ask", "limits", "auto"])
def test_an_explanation_is_of_the_decision_that_is_made(
    amount: str, autonomy: AutonomyWord
) -> None:
    policy = Policy(PolicySettings(autonomy={"*.*": autonomy}, margin_floor=Decimal("0.1")))
    found = explain(policy, priced(amount), "pricing_optimizer", FACTS)

    assert found.decision == policy.judge(priced(amount), "pricing_optimizer", FACTS)
    assert bool(found.changes) == (found.decision.verdict is not Verdict.ALLOW)


def test_every_rule_that_can_say_no_has_a_remedy() -> None:
    never = {"order_flow", "transfer", "storefront", "incident_reports"}
    assert {rule.__name__ for rule in RULES} - never | {"silence"} == _REMEDIES.keys()
    for action in (
        TransferStock(sku="mug", quantity=1, source="a", target="b"),
        SendMessage(customer="anna", purpose="service", title="Hello", body="World"),
    ):
        assert explain(limits(), Proposal(action=action, reason="r"), "a", FACTS).decision.reason
