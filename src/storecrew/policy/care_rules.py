"""The rules of tickets, orders that wait for a person, and ways to pay."""

from storecrew.domain.actions import HoldOrder, ReleaseOrder, SetPaymentMethod
from storecrew.domain.care import EscalateTicket, ReplyToTicket
from storecrew.domain.proposals import Proposal
from storecrew.policy.facts import Facts
from storecrew.policy.opinions import Opinion, allow, deny, limit
from storecrew.policy.settings import PolicySettings


def tickets(proposal: Proposal, facts: Facts, settings: PolicySettings) -> Opinion | None:
    """Allow an answer to a customer who waits for one, and handing a question to a person."""
    action = proposal.action
    if isinstance(action, EscalateTicket):
        return allow("tickets", "a person decides")
    if not isinstance(action, ReplyToTicket):
        return None
    if facts.ticket is None:
        return deny("tickets", f"there is no ticket {action.ticket_id!r}")
    if action.expect != facts.ticket.text:
        return deny("tickets", "it does not answer the customer's newest words")
    return allow("tickets", "it answers the customer's newest words")


def holds(proposal: Proposal, facts: Facts, settings: PolicySettings) -> Opinion | None:
    """Allow an order to be held; only a person lets it go on."""
    action = proposal.action
    if not isinstance(action, HoldOrder | ReleaseOrder):
        return None
    if facts.order is None:
        return deny("holds", f"there is no order {action.order_id}")
    if isinstance(action, ReleaseOrder):
        return limit("holds", "a person looks at a held order before it goes on")
    return allow("holds", "the order waits for a person; nothing else changes")


def payment_methods(proposal: Proposal, facts: Facts, settings: PolicySettings) -> Opinion | None:
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
