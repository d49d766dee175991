"""The rules for what the crew does to the plane itself."""

from storecrew.domain.operations import (
    CloseIncident,
    DelegateWork,
    OpenIncident,
    PauseAgent,
    RestartService,
    ResumeAgent,
    RevertProposal,
)
from storecrew.domain.proposals import Proposal
from storecrew.policy.facts import Facts
from storecrew.policy.opinions import Opinion, Rule, allow, ask, deny, limit
from storecrew.policy.settings import PolicySettings

RESOLVER = "anomaly_resolver"
"""Who looks after the others: nobody pauses it but a person."""
FLOW = "flow"
"""Tag of agents without which orders stand still."""


def restarts(proposal: Proposal, facts: Facts, settings: PolicySettings) -> Opinion | None:
    """Ask about a service that was restarted often today: another restart will not mend it."""
    if not isinstance(proposal.action, RestartService):
        return None
    done, most = facts.plane.restarts.get(proposal.action.service, 0), settings.restarts_per_day
    text = f"{done} restarts within a day; the limit is {most}"
    return limit("restarts", text) if done >= most else allow("restarts", text)


def pausing(proposal: Proposal, facts: Facts, settings: PolicySettings) -> Opinion | None:
    """Let no agent stand still on whom orders depend, unless a person says so."""
    action = proposal.action
    if not isinstance(action, PauseAgent | ResumeAgent):
        return None
    tags = facts.plane.agents.get(action.agent)
    if tags is None:
        return deny("pausing", f"there is no agent {action.agent!r}")
    if isinstance(action, ResumeAgent):
        return ask("pausing", "somebody paused it; whether it may go on is theirs to say")
    if action.agent == RESOLVER:
        return deny("pausing", "it looks after the others; only a person pauses it, by hand")
    if FLOW in tags:
        return limit("pausing", "orders stand still without it")
    return allow("pausing", "no order depends on it, and a person can resume it")


def reverting(proposal: Proposal, facts: Facts, settings: PolicySettings) -> Opinion | None:
    """Ask before an earlier effect is taken back."""
    if isinstance(proposal.action, RevertProposal):
        return ask("reverting", "it takes back what was decided before")
    return None


def telling(proposal: Proposal, facts: Facts, settings: PolicySettings) -> Opinion | None:
    """Allow to call a person, and to say that a trouble is over."""
    if isinstance(proposal.action, OpenIncident | CloseIncident):
        return allow("telling", "it changes nothing in the shop")
    return None


def delegating(proposal: Proposal, facts: Facts, settings: PolicySettings) -> Opinion | None:
    """Allow work to be given to who is on duty: what comes of it is judged by itself."""
    action = proposal.action
    if not isinstance(action, DelegateWork):
        return None
    if action.agent not in facts.plane.agents:
        return deny("delegating", f"there is no agent {action.agent!r}")
    if action.due_at <= facts.now:
        return deny("delegating", "it should have been done before now")
    return allow("delegating", "each thing the agent then proposes is judged by itself")


OPERATIONS: tuple[Rule, ...] = (restarts, pausing, reverting, telling, delegating)
