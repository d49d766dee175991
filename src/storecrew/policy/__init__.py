"""Judging proposals: rules, autonomy, and how opinions combine. Pure functions."""

from storecrew.policy.facts import Facts, spending
from storecrew.policy.policy import Policy
from storecrew.policy.rules import floor_price
from storecrew.policy.settings import PolicySettings

__all__ = ["Facts", "Policy", "PolicySettings", "floor_price", "spending"]
