"""Rules on orders: value limits, legal transitions, holds."""

from decimal import Decimal

from storecrew.domain.control.proposals import Proposal
from storecrew.domain.shop.orders import (
    ApproveOrder,
    CancelOrder,
    CompleteDelivery,
    FulfilOrder,
    HoldOrder,
    OrderStatus,
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


def order_expiry(
    proposal: Proposal, facts: PolicyFacts, settings: PolicySettings
) -> RuleResult | None:
    """Allow an unpaid order to be cancelled only while it waits for its customer."""
    if not isinstance(proposal.action, CancelOrder) or facts.order is None:
        return None
    order = facts.order
    if order.paid.amount > 0:
        return None  # money goes back, which has a rule of its own
    if order.status is OrderStatus.AWAITING_PAYMENT and not order.held:
        return allow("order_expiry", "nothing was paid, and the order waits for its customer")
    return require_approval("order_expiry", "the order waits for the shop, not for its customer")


def reservations(
    proposal: Proposal, facts: PolicyFacts, settings: PolicySettings
) -> RuleResult | None:
    """Ask a person where one customer would hold most of what is on the shelf."""
    if not isinstance(proposal.action, PlaceOrder):
        return None
    for sku, held in facts.reservations.items():
        most = max(Decimal(settings.reserved_units), settings.reserved_share * held.on_hand)
        if held.units > most:
            return require_approval(
                "reservations",
                f"the customer would hold {held.units} of {held.on_hand} units of {sku!r} unpaid; "
                f"alone {int(most)} may be",
            )
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
