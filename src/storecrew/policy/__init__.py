"""Judging proposals: rules, autonomy, and how opinions combine. Pure functions."""

from storecrew.policy.explaining import Explanation, explain
from storecrew.policy.facts import Facts, PlaneFacts, Reach, moving, spending
from storecrew.policy.policy import Policy
from storecrew.policy.selling_rules import floor_price
from storecrew.policy.settings import PolicySettings

__all__ = [
    "Explanation",
    "Facts",
    "PlaneFacts",
    "Policy",
    "PolicySettings",
    "Reach",
    "explain",
    "floor_price",
    "moving",
    "spending",
]
