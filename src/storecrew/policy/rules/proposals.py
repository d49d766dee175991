"""Rules on undoing applied proposals."""

from storecrew.domain.control.proposals import Proposal, RevertProposal
from storecrew.policy.facts import PolicyFacts
from storecrew.policy.rule_result import RuleResult, ask
from storecrew.policy.settings import PolicySettings


def reverts(proposal: Proposal, facts: PolicyFacts, settings: PolicySettings) -> RuleResult | None:
    """Ask before an earlier effect is taken back."""
    if isinstance(proposal.action, RevertProposal):
        return ask("reverts", "it takes back what was decided before")
    return None
