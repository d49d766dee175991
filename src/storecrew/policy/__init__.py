"""Judging proposals: rules, autonomy, and how opinions combine. Pure functions."""

from storecrew.policy.explanation import Explanation, explain
from storecrew.policy.facts import (
    Audience,
    PlaneFacts,
    PolicyFacts,
    ReservedUnits,
    budget_spend,
    cash_out,
)
from storecrew.policy.floor import floor_breach
from storecrew.policy.policy import Policy
from storecrew.policy.settings import PolicySettings

__all__ = [
    "Audience",
    "Explanation",
    "PlaneFacts",
    "Policy",
    "PolicyFacts",
    "PolicySettings",
    "ReservedUnits",
    "budget_spend",
    "cash_out",
    "explain",
    "floor_breach",
]
