"""What the doors and the owner read: pages of the journal, newest first."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.domain.errors import NotFound
from storecrew.domain.events import Recorded
from storecrew.domain.pages import Page
from storecrew.domain.proposals import Result, Verdict
from storecrew.domain.runs import Approval, ApprovalStatus, AuditEntry, Run, RunStatus, Story
from storecrew.journal.approvals import QUESTIONS
from storecrew.journal.rows import to_approval, to_audit, to_event, to_run, to_story
from storecrew.journal.tables import approvals, audit, decisions, events, outcomes, proposals, runs

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


def page_of(
    connection: Connection,
    query: "sa.Select[Any]",
    *,
    order: "Sequence[sa.ColumnElement[Any]]",
    page: int,
    per_page: int,
    read: Callable[[Any], T],
) -> Page[T]:
    """Return one page of the query's rows and how many there are."""
    total = connection.execute(
        sa.select(sa.func.count()).select_from(query.subquery())
    ).scalar_one()
    rows = connection.execute(query.order_by(*order).limit(per_page).offset((page - 1) * per_page))
    return Page(items=tuple(read(row) for row in rows), total=total)


def runs_page(
    connection: Connection,
    *,
    page: int,
    per_page: int,
    agent: str | None = None,
    status: RunStatus | None = None,
) -> Page[Run]:
    """Return one page of runs, without their events."""
    query = sa.select(runs)
    if agent is not None:
        query = query.where(runs.c.agent == agent)
    if status is not None:
        query = query.where(runs.c.status == status)
    order = [runs.c.created_at.desc(), runs.c.id]
    return page_of(connection, query, order=order, page=page, per_page=per_page, read=to_run)


def stories_page(
    connection: Connection, *, page: int, per_page: int, run: str | None = None
) -> Page[Story]:
    """Return one page of proposals and what became of them."""
    query = STORIES if run is None else STORIES.where(proposals.c.run_id == run)
    order = [proposals.c.at.desc(), proposals.c.run_id, proposals.c.n]
    return page_of(connection, query, order=order, page=page, per_page=per_page, read=to_story)


def story(connection: Connection, proposal_id: str) -> Story:
    """Return one proposal and what became of it, or raise `NotFound`."""
    row = connection.execute(STORIES.where(proposals.c.id == proposal_id)).one_or_none()
    if row is None:
        raise NotFound("proposal", proposal_id)
    return to_story(row)


def approvals_page(
    connection: Connection, *, status: ApprovalStatus | None, page: int, per_page: int
) -> Page[Approval]:
    """Return one page of questions, newest first."""
    query = QUESTIONS if status is None else QUESTIONS.where(approvals.c.status == status)
    order = [approvals.c.asked_at.desc(), proposals.c.run_id, proposals.c.n]
    return page_of(connection, query, order=order, page=page, per_page=per_page, read=to_approval)


def audit_page(connection: Connection, *, page: int, per_page: int) -> Page[AuditEntry]:
    """Return one page of the audit."""
    order = [audit.c.seq.desc()]
    query = sa.select(audit)
    return page_of(connection, query, order=order, page=page, per_page=per_page, read=to_audit)


def tally(connection: Connection, run_ids: Collection[str]) -> dict[str, int]:
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


def _count_where(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.count(sa.case((condition, 1)))


def events_page(connection: Connection, *, page: int, per_page: int) -> Page[Recorded]:
    """Return one page of the events."""
    order = [events.c.seq.desc()]
    query = sa.select(events)
    return page_of(connection, query, order=order, page=page, per_page=per_page, read=to_event)
