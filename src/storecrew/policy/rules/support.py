"""Rules on answers to tickets."""

from storecrew.domain.control.proposals import Proposal
from storecrew.domain.shop.support import EscalateTicket, ReplyToTicket
from storecrew.policy.facts import PolicyFacts
from storecrew.policy.rule_result import RuleResult, allow, deny
from storecrew.policy.settings import PolicySettings


def tickets(proposal: Proposal, facts: PolicyFacts, settings: PolicySettings) -> RuleResult | None:
    """Allow an answer to a customer who waits for one, and handing a question to a person."""
    action = proposal.action
    if isinstance(action, EscalateTicket):
        return allow("tickets", "a person decides")
    if not isinstance(action, ReplyToTicket):
        return None
    if facts.ticket is None:
        return deny("tickets", f"there is no ticket {action.ticket_id!r}")
    if action.expected_text != facts.ticket.text:
        return deny("tickets", "it does not answer the customer's newest words")
    return allow("tickets", "it answers the customer's newest words")
