"""Rules on services: restarts per day."""

from storecrew.domain.control.proposals import Proposal
from storecrew.domain.control.services import RestartService
from storecrew.policy.facts import PolicyFacts
from storecrew.policy.rule_result import RuleResult, allow, require_approval
from storecrew.policy.settings import PolicySettings


def service_restarts(
    proposal: Proposal, facts: PolicyFacts, settings: PolicySettings
) -> RuleResult | None:
    """Ask about a service that was restarted often today: another restart will not mend it."""
    if not isinstance(proposal.action, RestartService):
        return None
    done, most = facts.plane.restarts.get(proposal.action.service, 0), settings.restarts_per_day
    text = f"{done} restarts within a day; the limit is {most}"
    return (
        require_approval("service_restarts", text)
        if done >= most
        else allow("service_restarts", text)
    )
