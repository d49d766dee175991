"""Rules on prices: the margin floor and the largest change per day."""

from storecrew.domain.control.proposals import Proposal
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import SetPrice, floor_price
from storecrew.policy.facts import PolicyFacts
from storecrew.policy.rule_result import (
    RuleResult,
    allow,
    ask,
    deny,
    require_approval,
)
from storecrew.policy.settings import PolicySettings


def margin_floor(
    proposal: Proposal, facts: PolicyFacts, settings: PolicySettings
) -> RuleResult | None:
    """Forbid a price below the margin floor, for every actor."""
    if not isinstance(proposal.action, SetPrice):
        return None
    price, product = proposal.action.price, facts.product
    if product is None:
        return deny("margin_floor", f"there is no product {proposal.action.sku!r}")
    if price.currency != product.price.currency:
        return deny("margin_floor", f"{price.currency} is not the shop's {product.price.currency}")
    if price.amount <= 0:
        return deny("margin_floor", f"{price} is not a price")
    if product.cost is None:
        return ask("margin_floor", "the product's cost is unknown, so its margin is too")
    floor = floor_price(product.cost, settings.margin_floor)
    if price < floor:
        return deny("margin_floor", f"{price} is below the floor {floor.rounded()}")
    discounted = Money(price.amount * (1 - facts.discounted), price.currency)
    if discounted < floor and price < product.price:
        share = f"{facts.discounted:.0%}"
        return deny("margin_floor", f"with {share} discount it is below {floor.rounded()}")
    return allow("margin_floor", f"{price} is at or above the floor {floor.rounded()}")


def price_change(
    proposal: Proposal, facts: PolicyFacts, settings: PolicySettings
) -> RuleResult | None:
    """Ask about a price that moves further within 24 hours than the limit."""
    if not isinstance(proposal.action, SetPrice) or facts.price_a_day_ago is None:
        return None
    price, before = proposal.action.price, facts.price_a_day_ago
    if before.amount <= 0 or price.currency != before.currency:
        return ask("price_change", "there is no earlier price to compare with")
    change = price.amount / before.amount - 1
    most = settings.price_change_per_day
    text = f"{change:+.1%} against {before} a day ago; the limit is {most:.0%}"
    return (
        require_approval("price_change", text)
        if abs(change) > most
        else allow("price_change", text)
    )
