"""Rules on discounts, bundles, recommendations and campaigns."""

from decimal import Decimal

from storecrew.domain.control.proposals import Proposal
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import (
    RecordCompetitorPrice,
    SuggestProduct,
    TrackCompetitorPage,
    WithdrawCompetitorPrice,
)
from storecrew.domain.shop.promotions import (
    CreateDiscount,
    EndDiscount,
    OfferBundle,
    SetRecommendations,
    StartCampaign,
    WithdrawBundle,
)
from storecrew.policy.facts import PolicyFacts
from storecrew.policy.floor import floor_breach
from storecrew.policy.rule_result import RuleResult, allow, deny, require_approval
from storecrew.policy.settings import PolicySettings

_WHOLE = Decimal(100)


def discount(proposal: Proposal, facts: PolicyFacts, settings: PolicySettings) -> RuleResult | None:
    """Forbid a discount below the margin floor; ask about one that is large or long."""
    action = proposal.action
    if not isinstance(action, CreateDiscount):
        return None
    products = [facts.products.get(sku) for sku in action.skus]
    if not products or None in products:
        return deny("discount", "it is on a product that the shop does not have")
    if not action.percent.is_finite() or not Decimal(0) < action.percent < _WHOLE:
        return deny("discount", f"{action.percent} % is no discount")
    if breach := floor_breach(action, facts, settings):
        return deny("discount", breach)
    if any(product is None or product.cost is None for product in products):
        return require_approval(
            "discount", "the cost of a product is unknown, so its margin is too"
        )
    days = (action.ends_at - action.starts_at).total_seconds() / 86_400
    share = action.percent / _WHOLE
    if share > settings.discount_limit or days > settings.discount_days:
        text = f"{action.percent} % for {days:.0f} days; the limits are "
        return require_approval(
            "discount", text + f"{settings.discount_limit:.0%} and {settings.discount_days} days"
        )
    return allow("discount", f"{action.percent} % leaves every product its margin")


def personal_offers(
    proposal: Proposal, facts: PolicyFacts, settings: PolicySettings
) -> RuleResult | None:
    """Forbid prices that differ by customer unless the owner allows them."""
    action = proposal.action
    if not isinstance(action, CreateDiscount) or not action.customers:
        return None
    if not settings.personal_offers:
        return deny("personal_offers", "the owner does not allow prices that differ by customer")
    return allow("personal_offers", "the owner allows personal offers within the limits")


def bundle(proposal: Proposal, facts: PolicyFacts, settings: PolicySettings) -> RuleResult | None:
    """Forbid a bundle below the margin floor, or dearer than its parts."""
    action = proposal.action
    if not isinstance(action, OfferBundle):
        return None
    products = [facts.products[sku] for sku in action.skus if sku in facts.products]
    if len(products) < max(2, len(action.skus)):
        return deny("bundle", "it needs two products that the shop has")
    if any(p.price.currency != action.price.currency for p in products):
        return deny("bundle", f"{action.price.currency} is not the shop's currency")
    apart = Money(sum(p.price.amount for p in products) + Decimal(0), action.price.currency)
    if action.price > apart or action.price.amount <= 0:
        return deny("bundle", f"{action.price} is not less than the {apart} of its parts")
    if any(p.cost is None for p in products):
        return require_approval("bundle", "the cost of a product is unknown, so the margin is too")
    if breach := floor_breach(action, facts, settings):
        return deny("bundle", breach)
    share = 1 - action.price.amount / apart.amount
    text = f"{share:.0%} less than its parts; the limit is {settings.discount_limit:.0%}"
    return (
        require_approval("bundle", text)
        if share > settings.discount_limit
        else allow("bundle", text)
    )


def campaign(proposal: Proposal, facts: PolicyFacts, settings: PolicySettings) -> RuleResult | None:
    """Forbid a campaign to anybody who did not agree or got enough; ask about a large one."""
    action = proposal.action
    if not isinstance(action, StartCampaign):
        return None
    if facts.reach is None or not action.recipients:
        return deny("campaign", "nobody is written to")
    if facts.reach.unknown or facts.reach.without_consent:
        count = facts.reach.unknown + facts.reach.without_consent
        return deny("campaign", f"{count} of its recipients did not agree to marketing")
    if facts.reach.over_frequency_cap:
        return deny(
            "campaign", f"{facts.reach.over_frequency_cap} of its recipients got enough this week"
        )
    count = len(action.recipients)
    text = f"{count} recipients, all of whom agreed; the limit is {settings.campaign_recipients}"
    within = count <= settings.campaign_recipients
    return allow("campaign", text) if within else require_approval("campaign", text)


def storefront(
    proposal: Proposal, facts: PolicyFacts, settings: PolicySettings
) -> RuleResult | None:
    """Allow what changes no price and sends no message: recommendations, and ending an offer."""
    if isinstance(proposal.action, RecordCompetitorPrice | WithdrawCompetitorPrice):
        return allow("storefront", "what a rival was seen asking is noted as it was seen")
    if isinstance(proposal.action, SetRecommendations | SuggestProduct | TrackCompetitorPage):
        return allow("storefront", "it changes what is shown or looked up, no price and no stock")
    if isinstance(proposal.action, EndDiscount | WithdrawBundle):
        return allow("storefront", "it ends an offer; orders placed with it stay")
    return None
