"""Rules on opening and closing incidents."""

from storecrew.domain.control.incidents import CloseIncident, OpenIncident
from storecrew.domain.control.proposals import Proposal
from storecrew.policy.facts import PolicyFacts
from storecrew.policy.rule_result import RuleResult, allow
from storecrew.policy.settings import PolicySettings


def incident_reports(
    proposal: Proposal, facts: PolicyFacts, settings: PolicySettings
) -> RuleResult | None:
    """Allow to call a person, and to say that a trouble is over."""
    if isinstance(proposal.action, OpenIncident | CloseIncident):
        return allow("incident_reports", "it changes nothing in the shop")
    return None
