"""Paged reads of the journal, newest first."""

import json
from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from storecrew.database import SortOrder, from_db_time, page_rows, row_count, to_db_time
from storecrew.domain.control.approvals import (
    EVERY_APPROVAL,
    Approval,
    ApprovalFilter,
    ApprovalOrder,
    ApprovalStatus,
)
from storecrew.domain.control.audit import EVERY_ENTRY, AuditEntry, AuditFilter
from storecrew.domain.control.events import StoredEvent
from storecrew.domain.control.proposals import (
    PURCHASE_POSTPONED,
    PostponedPurchase,
    Result,
    Verdict,
)
from storecrew.domain.control.runs import Run, RunStatus
from storecrew.domain.control.traces import ProposalHistory
from storecrew.domain.errors import InvalidInput, NotFound
from storecrew.domain.paging import Page
from storecrew.domain.shop.purchasing import CreatePurchaseOrder
from storecrew.journal.approvals import APPROVALS_TOPIC
from storecrew.journal.rows import (
    to_approval,
    to_audit,
    to_decision,
    to_event,
    to_filed,
    to_run,
    to_story,
)
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


def postponed_purchases(connection: Connection, day: str) -> Sequence[PostponedPurchase]:
    """Return the purchases that were only listed on this day, the newest of each product."""
    query = (
        sa.select(proposals, decisions.c.budget_spend, decisions.c.body.label("decision"))
        .join(decisions, decisions.c.proposal_id == proposals.c.id)
        .where(
            decisions.c.day == day,
            decisions.c.budget_spend != 0,
            decisions.c.verdict == Verdict.DENY,
        )
        .order_by(proposals.c.at.desc(), proposals.c.run_id, proposals.c.n)
    )
    found: dict[str, PostponedPurchase] = {}
    for row in connection.execute(query):
        filed = to_filed(row)
        action = filed.proposal.action
        is_listed = to_decision(row.decision).rule == PURCHASE_POSTPONED
        if is_listed and isinstance(action, CreatePurchaseOrder) and action.sku not in found:
            found[action.sku] = PostponedPurchase(
                proposal_id=row.id,
                sku=action.sku,
                quantity=action.quantity,
                warehouse=action.warehouse,
                cost=row.budget_spend,
                effect=filed.proposal.effect,
                reason=filed.proposal.reason,
                at=from_db_time(row.at),
            )
    return list(found.values())


def approvals_page(
    connection: Connection,
    *,
    status: ApprovalStatus | None = ApprovalStatus.WAITING,
    only: ApprovalFilter = EVERY_APPROVAL,
    page: int,
    per_page: int,
) -> Page[Approval]:
    """Return one page of the questions of this status (all when None) that the filter means."""
    ids = sa.select(approvals.c.proposal_id.label("id"))
    if status is not None:
        ids = ids.where(approvals.c.status == status)
    order = _BY_BENEFIT if only.order is ApprovalOrder.BENEFIT else _NEWEST_QUESTIONS
    if narrowed := _narrowed(only):
        ids = ids.where(*narrowed)
        total = connection.execute(sa.select(sa.func.count()).select_from(ids.subquery())).scalar()
    else:
        total = row_count(connection, "approvals", state=status)
    some = page_rows(connection, ids, order, total=total or 0, page=page, per_page=per_page)
    items = _in_order(connection, some, APPROVALS_TOPIC, approvals.c.proposal_id, to_approval)
    return Page(items=items, total=total or 0)


def _narrowed(only: ApprovalFilter) -> list[sa.ColumnElement[bool]]:
    """Return the conditions of a filter; a topic is `<agent>/<action>/<subject>`."""
    found: list[sa.ColumnElement[bool]] = []
    if only.agent:
        found.append(approvals.c.topic.startswith(f"{only.agent}/", autoescape=True))
    if only.action:
        found.append(approvals.c.topic.contains(f"/{only.action}/", autoescape=True))
    if only.max_cash_out is not None:
        found.append(approvals.c.cash_out <= only.max_cash_out)
    return found


_NEWEST_QUESTIONS: SortOrder = (
    (approvals.c.asked_at, "down"),
    (sa.func.length(approvals.c.proposal_id), "up"),  # of one run, 9 comes before 10
    (approvals.c.proposal_id, "up"),
)
_LEAST: sa.ColumnElement[int] = sa.literal_column("-9223372036854775807")
_BY_BENEFIT: SortOrder = (
    (sa.func.coalesce(approvals.c.benefit, _LEAST), "down"),
    *_NEWEST_QUESTIONS,
)


def audit_page(
    connection: Connection, *, only: AuditFilter = EVERY_ENTRY, page: int, per_page: int
) -> Page[AuditEntry]:
    """Return one page of the audit's entries that the filter means, newest first."""
    conditions = _audited(only)
    if not conditions:
        return _page_by_position(connection, audit, page, per_page, to_audit)
    some = sa.select(audit).where(*conditions).order_by(audit.c.seq.desc())
    rows = connection.execute(some.limit(per_page).offset((page - 1) * per_page))
    items = tuple(to_audit(row) for row in rows)
    total = sa.select(sa.func.count()).select_from(audit).where(*conditions)
    return Page(items=items, total=connection.execute(total).scalar_one())


_FIELDS = {
    "order": "order_id",
    "ticket": "ticket_id",
    "purchase": "purchase_id",
    "product": "sku",
    "customer": "customer",
    "discount": "code",
    "bundle": "name",
    "campaign": "name",
}
"""The field of a recorded action or event that names a subject of each kind."""


def _audited(only: AuditFilter) -> list[sa.ColumnElement[bool]]:
    """Return the filter's conditions; a subject is found in the canonical JSON of the action."""
    found: list[sa.ColumnElement[bool]] = []
    if only.subject:
        kind, _, name = only.subject.partition(":")
        if kind not in _FIELDS or not name:
            known = ", ".join(_FIELDS)
            raise InvalidInput("subject", f"is a kind and a name, such as order:26; kinds: {known}")
        value = name if kind in ("order", "ticket", "purchase") else json.dumps(name)
        named = [f'"{_FIELDS[kind]}":{value}{end}' for end in ",}"]
        found.append(sa.or_(*(audit.c.action.contains(each, autoescape=True) for each in named)))
    if only.actor:
        found.append(audit.c.actor == only.actor)
    if only.result:
        found.append(audit.c.result == only.result)
    if only.since is not None:
        found.append(audit.c.at >= to_db_time(only.since))
    return found


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


def _count_where(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.count(sa.case((condition, 1)))
