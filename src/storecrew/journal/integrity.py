"""The journal's books: every proposal accounted for, exactly once, and the audit unbroken."""

from collections.abc import Collection, Iterator

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.domain.control.approvals import ApprovalStatus
from storecrew.domain.control.integrity import Discrepancy
from storecrew.domain.control.proposals import Result, Verdict
from storecrew.domain.control.runs import RunStatus
from storecrew.journal import audit as chain
from storecrew.journal.claims import ACTIVE
from storecrew.journal.schema.journal import (
    COUNTED,
    approvals,
    audit,
    decisions,
    event_deliveries as wakes_table,
    events,
    outcomes,
    proposals,
    runs,
)


def check(connection: Connection, effects: Collection[str]) -> list[Discrepancy]:
    """Return what does not add up, given the keys under which the store changed."""
    return [
        *chain.check(connection),
        *_unaccounted(connection),
        *_audited_twice_or_early(connection),
        *_effects(connection, effects),
        *_orphans(connection),
        *_row_counts(connection),
    ]


_OPEN_RUN = sa.select(runs.c.id).where(runs.c.status.in_(ACTIVE))


def _unaccounted(connection: Connection) -> Iterator[Discrepancy]:
    """Yield proposals without a decision, an audit entry or an active run."""
    audited = sa.select(audit.c.subject).where(audit.c.kind == "proposal")
    waiting = sa.select(approvals.c.proposal_id).where(approvals.c.status == ApprovalStatus.WAITING)
    settling = sa.select(approvals.c.proposal_id).join(
        runs, runs.c.id == approvals.c.proposal_id + "/settle"
    )
    lost = sa.select(proposals.c.id).where(
        proposals.c.id.not_in(audited),
        proposals.c.id.not_in(waiting),
        proposals.c.id.not_in(settling.where(runs.c.status.in_(ACTIVE))),
        proposals.c.run_id.not_in(_OPEN_RUN),
    )
    for proposal in connection.execute(lost).scalars():
        yield Discrepancy(
            check="proposals", subject=proposal, problem="neither audited, waiting nor under way"
        )


def _audited_twice_or_early(connection: Connection) -> Iterator[Discrepancy]:
    """Yield audit rows without an end of the story behind them."""
    of_proposals = audit.c.kind == "proposal"
    no_outcome = (
        sa.select(audit.c.subject)
        .where(of_proposals, audit.c.result.in_([Result.APPLIED, Result.REFUSED]))
        .where(audit.c.subject.not_in(sa.select(outcomes.c.proposal_id)))
    )
    for subject in connection.execute(no_outcome).scalars():
        yield Discrepancy(check="audit", subject=subject, problem="audited, but has no outcome")
    unaudited = (
        sa.select(outcomes.c.proposal_id)
        .outerjoin(audit, sa.and_(of_proposals, audit.c.subject == outcomes.c.proposal_id))
        .where(sa.or_(audit.c.seq.is_(None), audit.c.result != outcomes.c.result))
    )
    for subject in connection.execute(unaudited).scalars():
        yield Discrepancy(check="audit", subject=subject, problem="its outcome was not audited")


def _effects(connection: Connection, effects: Collection[str]) -> Iterator[Discrepancy]:
    """Yield applied proposals without an effect, and effects that were not allowed."""
    keys = set(effects)
    applied = sa.select(outcomes.c.proposal_id).where(outcomes.c.result == Result.APPLIED)
    recorded = set(connection.execute(applied).scalars())
    for key in sorted(recorded - keys):
        yield Discrepancy(check="effects", subject=key, problem="said to be applied, but is not")
    verdicts = sa.select(proposals.c.id, decisions.c.verdict).outerjoin(
        decisions, decisions.c.proposal_id == proposals.c.id
    )
    known = {row.id: row.verdict for row in connection.execute(verdicts)}
    for key in sorted((keys & known.keys()) - recorded):
        if known[key] != Verdict.ALLOW:
            yield Discrepancy(check="effects", subject=key, problem="done without permission")


def _orphans(connection: Connection) -> Iterator[Discrepancy]:
    """Yield runs that ended with work left, and wakes of runs that do not exist."""
    ended = sa.select(runs.c.id).where(runs.c.status == RunStatus.DONE)
    undone = (
        sa.select(decisions.c.proposal_id)
        .join(proposals, proposals.c.id == decisions.c.proposal_id)
        .where(decisions.c.verdict == Verdict.ALLOW, proposals.c.run_id.in_(ended))
        .where(decisions.c.proposal_id.not_in(sa.select(outcomes.c.proposal_id)))
    )
    for subject in connection.execute(undone).scalars():
        yield Discrepancy(check="runs", subject=subject, problem="allowed, but its run ended first")
    lost = (
        sa.select(wakes_table.c.run_id)
        .outerjoin(runs, runs.c.id == wakes_table.c.run_id)
        .where(wakes_table.c.run_id.is_not(None), runs.c.id.is_(None))
    )
    for subject in connection.execute(lost.distinct()).scalars():
        yield Discrepancy(
            check="runs", subject=subject, problem="events wait for it, but it is gone"
        )
    gaps = sa.select(sa.func.max(events.c.seq) - sa.func.min(events.c.seq) + 1 - sa.func.count())
    if connection.execute(gaps).scalar():
        yield Discrepancy(check="events", subject="events", problem="positions are missing")


def _row_counts(connection: Connection) -> Iterator[Discrepancy]:
    """Yield tables of which more or fewer rows are counted than there are."""
    for counted in COUNTED:
        for part, state, kept, found in connection.execute(sa.text(counted.difference())):
            problem = f"{kept} rows are counted where there are {found} (by {part!r}, {state!r})"
            yield Discrepancy(check="row counts", subject=counted.table, problem=problem)
