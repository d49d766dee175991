"""Judging proposals: rules, autonomy, and how opinions combine. Pure functions."""
