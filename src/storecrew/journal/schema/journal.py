"""The journal's tables. Times are ISO text in UTC, values are JSON text."""

import sqlalchemy as sa

from storecrew.database import Counted, counts_table

metadata = sa.MetaData()
row_counts = counts_table(metadata)
COUNTED = (
    Counted("runs", part="agent", state="status"),
    Counted("proposals"),
    Counted("approvals", state="status"),
    Counted("outcomes", state="result"),
)
"""Tables of which it is known how many rows they have."""

Seq = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""A growing number; on SQLite the row's own id."""

events = sa.Table(
    "events",
    metadata,
    sa.Column("seq", Seq, primary_key=True, autoincrement=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("external_id", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.UniqueConstraint("source", "external_id", name="events_once"),
)

event_deliveries = sa.Table(
    "event_deliveries",
    metadata,
    sa.Column("event_seq", Seq, sa.ForeignKey("events.seq"), primary_key=True),
    sa.Column("agent", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("run_id", sa.Text),
    sa.Column("alone", sa.Boolean, nullable=False, default=False),
)
_pending = event_deliveries.c.run_id.is_(None)
sa.Index(
    "event_deliveries_pending",
    event_deliveries.c.agent,
    event_deliveries.c.event_seq,
    sqlite_where=_pending,
    postgresql_where=_pending,
)
sa.Index("event_deliveries_by_run", event_deliveries.c.run_id)

outbox_cursors = sa.Table(
    "outbox_cursors",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),
)

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("not_before", sa.Text),
    sa.Column("finished_at", sa.Text),
    sa.Column("error", sa.Text, nullable=False, default=""),
    sa.Column("proposals", sa.Integer),
    sa.Column("worker", sa.Text, nullable=False, server_default=""),
    sa.Column("tokens", sa.Integer, nullable=False, server_default="0"),
)
_newest = (runs.c.created_at.desc(), runs.c.id)
sa.Index("runs_by_status", runs.c.status, runs.c.agent, *_newest)
sa.Index("runs_by_status_and_time", runs.c.status, *_newest)
sa.Index("runs_by_time", *_newest)
sa.Index("runs_by_agent", runs.c.agent, *_newest)

proposals = sa.Table(
    "proposals",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("run_id", sa.Text, sa.ForeignKey("runs.id"), nullable=False),
    sa.Column("n", sa.Integer, nullable=False),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
)
sa.Index("proposals_by_run", proposals.c.run_id, proposals.c.n)
sa.Index("proposals_by_time", proposals.c.at.desc(), proposals.c.run_id, proposals.c.n)

decisions = sa.Table(
    "decisions",
    metadata,
    sa.Column("proposal_id", sa.Text, sa.ForeignKey("proposals.id"), primary_key=True),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("verdict", sa.Integer, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("day", sa.Text, nullable=False),
    sa.Column("budget_spend", sa.BigInteger, nullable=False, default=0),
    sa.Column("cash_out", sa.BigInteger, nullable=False, server_default="0"),
)
_spending = decisions.c.budget_spend != 0
sa.Index("decisions_spending", decisions.c.day, sqlite_where=_spending, postgresql_where=_spending)
_moving = decisions.c.cash_out != 0
sa.Index("decisions_moving", decisions.c.day, sqlite_where=_moving, postgresql_where=_moving)

approvals = sa.Table(
    "approvals",
    metadata,
    sa.Column("proposal_id", sa.Text, sa.ForeignKey("proposals.id"), primary_key=True),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("asked_at", sa.Text, nullable=False),
    sa.Column("expires_at", sa.Text, nullable=False),
    sa.Column("decided_at", sa.Text),
    sa.Column("decided_by", sa.Text, nullable=False, default=""),
    sa.Column("note", sa.Text, nullable=False, default=""),
    sa.Column("changed", sa.Text),
    sa.Column("cash_out", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("benefit", sa.BigInteger),
)
_waiting = approvals.c.status == sa.literal_column("'waiting'")
sa.Index(
    "approvals_by_subject", approvals.c.subject, sqlite_where=_waiting, postgresql_where=_waiting
)
sa.Index("approvals_by_topic", approvals.c.topic, sqlite_where=_waiting, postgresql_where=_waiting)
_rejected = approvals.c.status == sa.literal_column("'rejected'")
sa.Index(
    "approvals_rejected",
    approvals.c.topic,
    approvals.c.decided_at,
    sqlite_where=_rejected,
    postgresql_where=_rejected,
)
sa.Index("approvals_by_status", approvals.c.status, approvals.c.expires_at)
sa.Index(
    "approvals_by_time",
    approvals.c.status,
    approvals.c.asked_at.desc(),
    sa.func.length(approvals.c.proposal_id),
    approvals.c.proposal_id,
)

outcomes = sa.Table(
    "outcomes",
    metadata,
    sa.Column("proposal_id", sa.Text, sa.ForeignKey("proposals.id"), primary_key=True),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("result", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("seq", Seq, primary_key=True, autoincrement=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("result", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("before", sa.Text, nullable=False),
    sa.Column("after", sa.Text, nullable=False),
    sa.Column("policy_version", sa.Text, nullable=False),
    sa.Column("approved_by", sa.Text, nullable=False),
    sa.Column("previous_hash", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.UniqueConstraint("kind", "subject", name="audit_once"),
)

key_values = sa.Table(
    "key_values",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
