"""What the author of an agent imports."""

from storecrew.domain.money import Money
from storecrew.domain.proposals import Effect, Proposal
from storecrew.sdk.agent import Agent, Proposals, agent
from storecrew.sdk.context import Context
from storecrew.sdk.schedule import cron, every

__all__ = [
    "Agent",
    "Context",
    "Effect",
    "Money",
    "Proposal",
    "Proposals",
    "agent",
    "cron",
    "every",
]
