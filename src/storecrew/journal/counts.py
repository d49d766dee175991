"""Counting what the journal holds, in one read."""

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.database import row_counts
from storecrew.domain.control.agents import Budget, BusinessDay
from storecrew.domain.control.usage import BudgetUse, JournalCounts
from storecrew.journal import budgets
from storecrew.journal.schema.journal import audit, events


def count_journal(
    connection: Connection, agents: Mapping[str, Budget], day: BusinessDay
) -> JournalCounts:
    """Return the counts of this moment, with what these agents used up on that day."""
    return JournalCounts(
        events=_newest(connection, events.c.seq),
        audited=_newest(connection, audit.c.seq),
        runs=row_counts(connection, "runs"),
        approvals=row_counts(connection, "approvals"),
        outcomes=row_counts(connection, "outcomes"),
        budgets={
            name: BudgetUse(budget=budget, used=budgets.used(connection, name, day))
            for name, budget in agents.items()
        },
    )


def _newest(connection: Connection, number: "sa.Column[int]") -> int:
    """Return the highest number, which is how many there were: none is ever left out."""
    return connection.execute(sa.select(sa.func.max(number))).scalar() or 0
