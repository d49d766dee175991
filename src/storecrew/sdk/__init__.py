"""What the author of an agent or a service imports."""

from storecrew.domain.crew import Budget
from storecrew.domain.money import Money
from storecrew.domain.proposals import Effect, Proposal
from storecrew.sdk.agent import Agent, Proposals, agent
from storecrew.sdk.client import Client, RefusedByPlane, Unreachable
from storecrew.sdk.context import Context
from storecrew.sdk.schedule import cron, every
from storecrew.sdk.service import ServiceAgent

__all__ = [
    "Agent",
    "Budget",
    "Client",
    "Context",
    "Effect",
    "Money",
    "Proposal",
    "Proposals",
    "RefusedByPlane",
    "ServiceAgent",
    "Unreachable",
    "agent",
    "cron",
    "every",
]
