"""Rules on orders: value limits, legal transitions, holds."""

from storecrew.domain.control.proposals import Proposal
from storecrew.domain.shop.orders import (
    ApproveOrder,
    CompleteDelivery,
    FulfilOrder,
    HoldOrder,
    PlaceOrder,
    ReleaseOrder,
)
from storecrew.domain.shop.payments import CapturePayment
from storecrew.policy.facts import PolicyFacts
from storecrew.policy.rule_result import (
    RuleResult,
    allow,
    deny,
    require_approval,
    within_limit,
)
from storecrew.policy.settings import PolicySettings


def order_value(
    proposal: Proposal, facts: PolicyFacts, settings: PolicySettings
) -> RuleResult | None:
    """Ask a person to approve an order above the limit, or with a line that has no price."""
    if not isinstance(proposal.action, ApproveOrder | CapturePayment):
        return None
    if facts.order is None:
        return deny("order_value", f"there is no order {proposal.action.order_id}")
    if unpriced := [line.sku for line in facts.order.lines if line.unit_price.amount <= 0]:
        return require_approval("order_value", f"{unpriced[0]!r} has no price in this order")
    return within_limit("order_value", facts.order.total, settings.order_value_limit)


def order_flow(
    proposal: Proposal, facts: PolicyFacts, settings: PolicySettings
) -> RuleResult | None:
    """Allow the steps of an order whose conditions the store itself enforces."""
    if isinstance(proposal.action, PlaceOrder | FulfilOrder | CompleteDelivery):
        return allow("order_flow", "the store checks stock, payment and state")
    return None


def order_holds(
    proposal: Proposal, facts: PolicyFacts, settings: PolicySettings
) -> RuleResult | None:
    """Allow an order to be held; only a person lets it go on."""
    action = proposal.action
    if not isinstance(action, HoldOrder | ReleaseOrder):
        return None
    if facts.order is None:
        return deny("order_holds", f"there is no order {action.order_id}")
    if isinstance(action, ReleaseOrder):
        return require_approval("order_holds", "a person looks at a held order before it goes on")
    return allow("order_holds", "the order waits for a person; nothing else changes")
