"""Rules on prices: the margin floor and the largest change per day."""

from storecrew.domain.control.proposals import Proposal
from storecrew.domain.shop.catalog import SetCost, SetPrice, UpsertProduct, floor_price
from storecrew.policy.facts import PolicyFacts
from storecrew.policy.floor import floor_breach
from storecrew.policy.rule_result import (
    RuleResult,
    allow,
    deny,
    require_approval,
)
from storecrew.policy.settings import PolicySettings

_UNKNOWN_COST = "the product's cost is unknown, so its margin is too"


def margin_floor(
    proposal: Proposal, facts: PolicyFacts, settings: PolicySettings
) -> RuleResult | None:
    """Forbid a price below the margin floor, for every actor; ask where the cost is unknown."""
    action, product = proposal.action, facts.product
    if isinstance(action, SetCost):
        return require_approval("margin_floor", "a cost moves the floor of the product's price")
    if not isinstance(action, SetPrice | UpsertProduct):
        return None
    if bad := _bad_price(action, facts) or floor_breach(action, facts, settings):
        return deny("margin_floor", bad)
    if isinstance(action, UpsertProduct):
        return require_approval("margin_floor", "a person looks at what a product is and costs")
    if product is None or product.cost is None:
        return require_approval("margin_floor", _UNKNOWN_COST)
    floor = floor_price(product.cost, settings.margin_floor).rounded_up()
    return allow("margin_floor", f"{action.price} is at or above the floor {floor}")


def _bad_price(action: SetPrice | UpsertProduct, facts: PolicyFacts) -> str | None:
    if facts.product is None and isinstance(action, SetPrice):
        return f"there is no product {action.sku!r}"
    if action.price.currency != facts.currency:
        return f"{action.price.currency} is not the shop's {facts.currency}"
    return f"{action.price} is not a price" if action.price.amount <= 0 else None


def price_change(
    proposal: Proposal, facts: PolicyFacts, settings: PolicySettings
) -> RuleResult | None:
    """Ask about a price that moves further within 24 hours than the limit."""
    if not isinstance(proposal.action, SetPrice) or facts.price_a_day_ago is None:
        return None
    price, before = proposal.action.price, facts.price_a_day_ago
    if before.amount <= 0 or price.currency != before.currency:
        return require_approval("price_change", "there is no earlier price to compare with")
    change = price.amount / before.amount - 1
    most = settings.price_change_per_day
    text = f"{change:+.1%} against {before} a day ago; the limit is {most:.0%}"
    return (
        require_approval("price_change", text)
        if abs(change) > most
        else allow("price_change", text)
    )
