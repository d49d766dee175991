"""What an agent used up on a day, and standing still when that is all it may."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.database import to_db_time
from storecrew.domain.control.agents import Budget, BusinessDay, Suspension, Usage
from storecrew.domain.control.proposals import Verdict
from storecrew.domain.ports.journal import ClaimSpec
from storecrew.journal import audit
from storecrew.journal.rows import control_row
from storecrew.journal.schema.agents import agent_suspensions
from storecrew.journal.schema.journal import audit as audit_table, decisions, proposals, runs

_NONE = Budget()
_RUNS = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(runs.c.tokens), 0)).where(
    runs.c.agent == sa.bindparam("agent"), runs.c.created_at >= sa.bindparam("began")
)
_CASH_OUT = (
    sa.select(sa.func.coalesce(sa.func.sum(decisions.c.cash_out), 0))
    .select_from(decisions)
    .join(proposals, proposals.c.id == decisions.c.proposal_id)
    .where(
        decisions.c.day == sa.bindparam("day"),
        decisions.c.cash_out != 0,
        decisions.c.verdict == Verdict.ALLOW,
        proposals.c.agent == sa.bindparam("agent"),
    )
)


def used(connection: Connection, agent: str, day: BusinessDay) -> Usage:
    """Return what the agent used up on this day, counted from its runs and decisions."""
    count, tokens = connection.execute(
        _RUNS, {"agent": agent, "began": to_db_time(day.began)}
    ).one()
    return Usage(runs=count, tokens=int(tokens), money=cash_out(connection, agent, day.name))


def cash_out(connection: Connection, agent: str, day: str) -> int:
    """Return how much money the agent was allowed to move on this day, in minor units."""
    return int(connection.execute(_CASH_OUT, {"agent": agent, "day": day}).scalar_one())


def is_spent(connection: Connection, spec: ClaimSpec, day: BusinessDay, now: datetime) -> bool:
    """Tell whether the agent may begin no run any more today; the first time it is audited."""
    if spec.budget == _NONE:
        return False
    part = used(connection, spec.agent, day).exhausted(spec.budget)
    if not part:
        return False
    of_agent = sa.and_(
        agent_suspensions.c.agent == spec.agent, agent_suspensions.c.why == Suspension.SPENT
    )
    known = connection.execute(sa.select(agent_suspensions.c.day).where(of_agent)).scalar()
    if known != day.name:
        connection.execute(sa.delete(agent_suspensions).where(of_agent))
        row = {"agent": spec.agent, "why": Suspension.SPENT, "day": day.name, "part": part}
        connection.execute(sa.insert(agent_suspensions), row)
        _audit_once(connection, spec.agent, part, day, now)
    return True


def _audit_once(
    connection: Connection, agent: str, part: str, day: BusinessDay, now: datetime
) -> None:
    """Tell the audit of a day on which a budget was spent; after a restart it is found again."""
    subject = f"spent/{agent}/{day.name}"
    mentions = sa.and_(audit_table.c.kind == "control", audit_table.c.subject == subject)
    if connection.execute(sa.select(audit_table.c.seq).where(mentions)).scalar() is not None:
        return
    reason = f"the budget of {part} is spent until the shop's midnight"
    action = {"type": "halt_agent", "agent": agent}
    audit.append(connection, [control_row(subject, action, actor="system", reason=reason, now=now)])
