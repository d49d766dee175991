"""Rules on purchase orders: the budget per day."""

from storecrew.domain.control.proposals import Proposal
from storecrew.domain.money import Money
from storecrew.domain.shop.purchasing import CreatePurchaseOrder
from storecrew.policy.facts import PolicyFacts, budget_spend
from storecrew.policy.rule_result import (
    RuleResult,
    allow,
    deny,
    require_approval,
)
from storecrew.policy.settings import PolicySettings


def purchase_budget(
    proposal: Proposal, facts: PolicyFacts, settings: PolicySettings
) -> RuleResult | None:
    """Ask about a purchase that the day's budget does not cover."""
    action = proposal.action
    if not isinstance(action, CreatePurchaseOrder):
        return None
    cost = budget_spend(action, facts.product)
    if cost is None:
        return require_approval(
            "purchase_budget", "the product's cost is unknown, so its price is too"
        )
    if action.quantity <= 0:
        return deny("purchase_budget", f"{action.quantity} is not a quantity to buy")
    spent = facts.spent_today or Money.of(0, facts.currency)
    budget = Money(settings.purchase_budget_per_day, facts.currency)
    if cost.currency != budget.currency:
        return deny("purchase_budget", f"{cost.currency} is not the shop's {budget.currency}")
    text = f"{cost.rounded()} on top of {spent.rounded()} today; the budget is {budget}"
    within = spent + cost <= budget
    return allow("purchase_budget", text) if within else require_approval("purchase_budget", text)


def postponed_purchase(
    proposal: Proposal, facts: PolicyFacts, settings: PolicySettings
) -> str | None:
    """Return why a purchase is not even asked about today, None where it is.

    Each day a person is asked about purchases for as much as the day's budget covers, in the order
    in which they are proposed, and about one that costs more than the budget by itself. The rest
    is only listed.
    """
    cost = budget_spend(proposal.action, facts.product)
    asked = facts.asked_today or Money.of(0, facts.currency)
    if cost is None or not asked.amount:
        return None
    spent = facts.spent_today or Money.of(0, facts.currency)
    budget = Money(settings.purchase_budget_per_day, facts.currency)
    if cost.currency != facts.currency or spent + asked + cost <= budget:
        return None
    return (
        f"{cost.rounded()} on top of {spent.rounded()} spent and {asked.rounded()} asked about "
        f"today; the budget is {budget}"
    )
