"""What the author of an agent or a service imports."""

from storecrew.domain.control.agents import Budget
from storecrew.domain.control.proposals import Effect, Proposal
from storecrew.domain.money import Money
from storecrew.sdk.agent import Agent, Proposals, agent
from storecrew.sdk.client import Client, RequestRejected, Unreachable
from storecrew.sdk.context import Context
from storecrew.sdk.schedule import cron, every
from storecrew.sdk.service import ServiceAgent
from storecrew.sdk.settings import AgentSettings

__all__ = [
    "Agent",
    "AgentSettings",
    "Budget",
    "Client",
    "Context",
    "Effect",
    "Money",
    "Proposal",
    "Proposals",
    "RequestRejected",
    "ServiceAgent",
    "Unreachable",
    "agent",
    "cron",
    "every",
]
