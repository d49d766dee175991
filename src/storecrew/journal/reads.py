"""Paged reads of the journal, newest first."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from storecrew.database import SortOrder, page_rows, row_count
from storecrew.domain.control.approvals import Approval, ApprovalStatus
from storecrew.domain.control.audit import AuditEntry
from storecrew.domain.control.events import StoredEvent
from storecrew.domain.control.proposals import Result, Verdict
from storecrew.domain.control.runs import Run, RunStatus
from storecrew.domain.control.traces import ProposalHistory
from storecrew.domain.errors import NotFound
from storecrew.domain.paging import Page
from storecrew.journal.approvals import APPROVALS_TOPIC
from storecrew.journal.rows import to_approval, to_audit, to_event, to_run, to_story
from storecrew.journal.schema.journal import (
    approvals,
    audit,
    decisions,
    events,
    outcomes,
    proposals,
    runs,
)

T = TypeVar("T")

STORIES = (
    sa.select(
        proposals,
        decisions.c.body.label("decision"),
        outcomes.c.body.label("outcome"),
        *(c for c in approvals.c if c.name != "proposal_id"),
    )
    .outerjoin(decisions, decisions.c.proposal_id == proposals.c.id)
    .outerjoin(outcomes, outcomes.c.proposal_id == proposals.c.id)
    .outerjoin(approvals, approvals.c.proposal_id == proposals.c.id)
)


def runs_page(
    connection: Connection,
    *,
    page: int,
    per_page: int,
    agent: str | None = None,
    status: RunStatus | None = None,
) -> Page[Run]:
    """Return one page of runs, without their events."""
    ids = sa.select(runs.c.id)
    if agent is not None:
        ids = ids.where(runs.c.agent == agent)
    if status is not None:
        ids = ids.where(runs.c.status == status)
    total = row_count(connection, "runs", part=agent, state=status)
    order: SortOrder = [(runs.c.created_at, "down"), (runs.c.id, "up")]
    some = page_rows(connection, ids, order, total=total, page=page, per_page=per_page)
    return Page(items=_in_order(connection, some, sa.select(runs), runs.c.id, to_run), total=total)


def _in_order(
    connection: Connection,
    some: Sequence[Row[Any]],
    query: sa.Select[Any],
    column: sa.Column[str],
    read: Callable[[Any], T],
) -> tuple[T, ...]:
    """Return the query's rows of these ids, in the ids' order."""
    ids = [row.id for row in some]
    found = {row.id: read(row) for row in connection.execute(query.where(column.in_(ids)))}
    return tuple(found[each] for each in ids)


def stories_page(
    connection: Connection, *, page: int, per_page: int, run: str | None = None
) -> Page[ProposalHistory]:
    """Return one page of proposals and what became of them."""
    ids = sa.select(proposals.c.id)
    if run is None:
        total = row_count(connection, "proposals")
        order: SortOrder = _NEWEST_PROPOSALS
    else:  # all of a run are filed at once, and numbered from 0
        last = sa.select(sa.func.max(proposals.c.n)).where(proposals.c.run_id == run)
        number = connection.execute(last).scalar()
        total = 0 if number is None else int(number) + 1
        ids, order = ids.where(proposals.c.run_id == run), [(proposals.c.n, "up")]
    some = page_rows(connection, ids, order, total=total, page=page, per_page=per_page)
    items = _in_order(connection, some, STORIES, proposals.c.id, to_story)
    return Page(items=items, total=total)


_NEWEST_PROPOSALS: SortOrder = (
    (proposals.c.at, "down"),
    (proposals.c.run_id, "up"),
    (proposals.c.n, "up"),
)


def story(connection: Connection, proposal_id: str) -> ProposalHistory:
    """Return one proposal and what became of it, or raise `NotFound`."""
    row = connection.execute(STORIES.where(proposals.c.id == proposal_id)).one_or_none()
    if row is None:
        raise NotFound("proposal", proposal_id)
    return to_story(row)


def approvals_page(
    connection: Connection,
    *,
    status: ApprovalStatus | None = ApprovalStatus.WAITING,
    page: int,
    per_page: int,
) -> Page[Approval]:
    """Return one page of questions of this status (all when None), newest first."""
    ids = sa.select(approvals.c.proposal_id.label("id"))
    if status is not None:
        ids = ids.where(approvals.c.status == status)
    total = row_count(connection, "approvals", state=status)
    some = page_rows(connection, ids, _NEWEST_QUESTIONS, total=total, page=page, per_page=per_page)
    items = _in_order(connection, some, APPROVALS_TOPIC, approvals.c.proposal_id, to_approval)
    return Page(items=items, total=total)


_NEWEST_QUESTIONS: SortOrder = (
    (approvals.c.asked_at, "down"),
    (sa.func.length(approvals.c.proposal_id), "up"),  # of one run, 9 comes before 10
    (approvals.c.proposal_id, "up"),
)


def audit_page(connection: Connection, *, page: int, per_page: int) -> Page[AuditEntry]:
    """Return one page of the audit."""
    return _page_by_position(connection, audit, page, per_page, to_audit)


def events_page(connection: Connection, *, page: int, per_page: int) -> Page[StoredEvent]:
    """Return one page of the events."""
    return _page_by_position(connection, events, page, per_page, to_event)


def _page_by_position(
    connection: Connection,
    table: sa.Table,
    page: int,
    per_page: int,
    read: Callable[[Any], T],
) -> Page[T]:
    """Return one page, newest first, of a table in whose positions there are no gaps."""
    seq = table.c.seq
    newest = connection.execute(sa.select(sa.func.max(seq))).scalar()
    if newest is None:
        return Page(items=(), total=0)
    oldest = connection.execute(sa.select(sa.func.min(seq))).scalar_one()
    last = newest - (page - 1) * per_page
    some = sa.select(table).where(seq <= last, seq > last - per_page).order_by(seq.desc())
    items = tuple(read(row) for row in connection.execute(some))
    return Page(items=items, total=newest - oldest + 1)


def count_results(connection: Connection, run_ids: Collection[str]) -> dict[str, int]:
    """Count what became of the proposals of these runs; what a person answered was asked too."""
    counts = {"proposals": 0, "applied": 0, "asked": 0, "denied": 0, "refused": 0}
    ids = list(run_ids)
    for start in range(0, len(ids), 500):
        query = (
            sa.select(
                sa.func.count().label("proposals"),
                _count_where(outcomes.c.result == Result.APPLIED).label("applied"),
                sa.func.count(approvals.c.proposal_id).label("asked"),
                _count_where(decisions.c.verdict == Verdict.DENY).label("denied"),
                _count_where(outcomes.c.result == Result.REFUSED).label("refused"),
            )
            .select_from(proposals)
            .outerjoin(decisions, decisions.c.proposal_id == proposals.c.id)
            .outerjoin(outcomes, outcomes.c.proposal_id == proposals.c.id)
            .outerjoin(approvals, approvals.c.proposal_id == proposals.c.id)
            .where(proposals.c.run_id.in_(ids[start : start + 500]))
        )
        for name, count in connection.execute(query).one()._mapping.items():
            counts[name] += count
    return counts


def failed_agents(connection: Connection, run_ids: Collection[str]) -> list[str]:
    """Return the agents of which one of these runs failed, or waits to be tried again."""
    bad = (RunStatus.FAILED, RunStatus.RETRYING, RunStatus.RETRYING_INDIVIDUALLY)
    ids, found = list(run_ids), set[str]()
    for start in range(0, len(ids), 500):
        here = (runs.c.id.in_(ids[start : start + 500]), runs.c.status.in_(bad))
        found.update(connection.scalars(sa.select(runs.c.agent).where(*here)))
    return sorted(found)


def _count_where(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.count(sa.case((condition, 1)))
