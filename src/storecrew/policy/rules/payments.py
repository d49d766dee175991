"""Rules on payments: refunds and the ways to pay."""

from storecrew.domain.control.proposals import Proposal
from storecrew.domain.shop.orders import (
    CancelOrder,
)
from storecrew.domain.shop.payments import Refund, SetPaymentMethod
from storecrew.domain.shop.returns import AcceptReturn
from storecrew.policy.facts import PolicyFacts
from storecrew.policy.rule_result import (
    RuleResult,
    allow,
    deny,
    within_limit,
)
from storecrew.policy.settings import PolicySettings


def refund_value(
    proposal: Proposal, facts: PolicyFacts, settings: PolicySettings
) -> RuleResult | None:
    """Ask a person about money going back above the limit."""
    if not isinstance(proposal.action, AcceptReturn | CancelOrder | Refund):
        return None
    if facts.order is None:
        return deny("refund_value", f"there is no order {proposal.action.order_id}")
    return within_limit("refund_value", facts.order.paid, settings.refund_limit)


def payment_methods(
    proposal: Proposal, facts: PolicyFacts, settings: PolicySettings
) -> RuleResult | None:
    """Allow a way to pay to be switched off while another is left, and on again."""
    action = proposal.action
    if not isinstance(action, SetPaymentMethod):
        return None
    if action.method not in facts.payment_methods:
        return deny("payment_methods", f"there is no way to pay called {action.method!r}")
    others = [m for m, offered in facts.payment_methods.items() if offered and m != action.method]
    if not action.enabled and not others:
        return deny("payment_methods", "no other way to pay would be left")
    text = f"left are {', '.join(others)}" if not action.enabled else "it is offered again"
    return allow("payment_methods", text)
