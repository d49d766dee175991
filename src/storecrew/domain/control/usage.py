"""What agents used of their budgets, and how much the journal holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from storecrew.domain.control.agents import Budget, Usage


@dataclass(frozen=True, kw_only=True)
class BudgetUse:
    """What an agent may use up on a day, and what it did."""

    budget: Budget
    used: Usage


@dataclass(frozen=True, kw_only=True)
class JournalCounts:
    """Counts out of the journal, all of one moment."""

    events: int
    """Events recorded since the beginning, also those forgotten since."""
    audited: int
    """Rows of the audit."""
    runs: Mapping[str, int]
    """Runs by status."""
    approvals: Mapping[str, int]
    """Questions by status."""
    outcomes: Mapping[str, int]
    """Proposals by what the store did with them."""
    budgets: Mapping[str, BudgetUse] = field(default_factory=dict[str, BudgetUse])
    """Agents that have a budget, by name."""
