"""Rules on agents: assumptions, daily budgets, pauses and delegated tasks."""

from storecrew.domain.control.agents import AssignTask, PauseAgent, ResumeAgent
from storecrew.domain.control.proposals import Proposal
from storecrew.domain.shop.catalog import SetPrice
from storecrew.domain.shop.purchasing import CreatePurchaseOrder
from storecrew.policy.facts import PolicyFacts, cash_out
from storecrew.policy.rule_result import (
    RuleResult,
    allow,
    ask,
    deny,
    require_approval,
)
from storecrew.policy.settings import PolicySettings

RESOLVER = "anomaly_resolver"
"""Who looks after the others: nobody pauses it but a person."""


FLOW = "flow"
"""Tag of agents without which orders stand still."""


def agent_pauses(
    proposal: Proposal, facts: PolicyFacts, settings: PolicySettings
) -> RuleResult | None:
    """Let no agent stand still on whom orders depend, unless a person says so."""
    action = proposal.action
    if not isinstance(action, PauseAgent | ResumeAgent):
        return None
    tags = facts.plane.agents.get(action.agent)
    if tags is None:
        return deny("agent_pauses", f"there is no agent {action.agent!r}")
    if isinstance(action, ResumeAgent):
        return ask("agent_pauses", "somebody paused it; whether it may go on is theirs to say")
    if action.agent == RESOLVER:
        return deny("agent_pauses", "it looks after the others; only a person pauses it, by hand")
    if FLOW in tags:
        return require_approval("agent_pauses", "orders stand still without it")
    return allow("agent_pauses", "no order depends on it, and a person can resume it")


def delegation(
    proposal: Proposal, facts: PolicyFacts, settings: PolicySettings
) -> RuleResult | None:
    """Allow work to be given to who is on duty: what comes of it is judged by itself."""
    action = proposal.action
    if not isinstance(action, AssignTask):
        return None
    if action.agent not in facts.plane.agents:
        return deny("delegation", f"there is no agent {action.agent!r}")
    if action.due_at <= facts.now:
        return deny("delegation", "it should have been done before now")
    return allow("delegation", "each thing the agent then proposes is judged by itself")


def assumptions(
    proposal: Proposal, facts: PolicyFacts, settings: PolicySettings
) -> RuleResult | None:
    """Ask about money spent on assumed numbers."""
    if proposal.assumptions and isinstance(proposal.action, SetPrice | CreatePurchaseOrder):
        named = ", ".join(proposal.assumptions)
        return ask("assumptions", f"rests on values that nobody recorded: {named}")
    return None


def agent_budget(
    proposal: Proposal, facts: PolicyFacts, settings: PolicySettings
) -> RuleResult | None:
    """Ask about money that the agent's own budget of the day does not cover."""
    moved = cash_out(proposal.action, facts)
    if facts.money_left is None or moved is None or moved <= facts.money_left:
        return None
    left = facts.money_left.rounded()
    return require_approval(
        "agent_budget", f"{moved.rounded()} is more than the {left} left of its day"
    )
