"""Traces: any id of the chain (event, run, proposal, key of an effect) leads to the whole of it."""

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.domain.control.runs import Run
from storecrew.domain.control.traces import Trace
from storecrew.domain.errors import NotFound
from storecrew.domain.ports.journal import UNDO
from storecrew.journal.reads import STORIES
from storecrew.journal.rows import AnyRow, to_audit, to_event, to_run, to_story
from storecrew.journal.schema.journal import audit, event_deliveries, events, proposals, runs

_LISTED = 100
"""Proposals of a trace, and facts of a run, that are listed; there may be a hundred thousand."""
_RUNS = 100
"""Runs after which a chain is followed no further."""
_GENERATIONS = 20
"""How far up a chain is followed; agents that wake each other for ever would be a circle."""
_SETTLED = "/settle"
_FOUND = "/e"
"""Between a run's id and the number of a fact that it found."""
_MAX_SEQ = 2**63 - 1
_STORY_ORDER = (proposals.c.at, proposals.c.n)


def trace(connection: Connection, anything: str) -> Trace:
    """Return the trace that the id belongs to; raises `NotFound` for one that nothing bears.

    A subject, such as `order:26`, has the trace of all events about it; of the proposals that
    followed only those about it are listed.
    """
    seq, about = _event_seq(anything), _events_about(connection, anything)
    run_id = "" if seq is not None or about else _run_of(connection, anything)
    root = about or _root(connection, [seq] if seq is not None else _events_of(connection, run_id))
    seqs, woken = _caused(connection, root)
    facts = _rows(connection, sa.select(events).where(events.c.seq.in_(seqs)), events.c.seq)
    if not facts and seq is not None:
        raise NotFound("trace", anything)
    wished = _proposals(connection, woken or [run_id])
    later = [f"{p}{_SETTLED}" for p in wished] + [f"{UNDO}@{p}" for p in wished]
    of_runs = sa.select(runs).where(runs.c.id.in_([*(woken or [run_id]), *later]))
    carried = [to_run(row) for row in _rows(connection, of_runs, runs.c.created_at, runs.c.id)]
    listed = _proposals(connection, [run.id for run in carried])
    rows = _rows(connection, STORIES.where(proposals.c.id.in_(listed)), *_STORY_ORDER)
    stories = tuple(map(to_story, rows))
    if about:
        stories = tuple(s for s in stories if s.filed.proposal.action.subject == anything)
        listed = [story.filed.id for story in stories]
    audited = sa.select(audit).where(audit.c.kind == "proposal", audit.c.subject.in_(listed))
    return Trace(
        id=f"e{min(root)}" if root else run_id,
        events=tuple(map(to_event, facts)),
        runs=tuple(carried),
        stories=stories,
        proposals=len(stories) if about else _proposed(carried),
        audit=tuple(map(to_audit, _rows(connection, audited, audit.c.seq))),
    )


def _proposed(carried: Sequence[Run]) -> int:
    return sum(run.proposals or 0 for run in carried if not run.id.endswith(_SETTLED))


def _events_about(connection: Connection, subject: str) -> Sequence[int]:
    if ":" not in subject or "@" in subject.partition(":")[0]:
        return []
    query = sa.select(events.c.seq).where(events.c.subject == subject)
    return connection.execute(query.order_by(events.c.seq).limit(_LISTED)).scalars().all()


def _rows(
    connection: Connection, query: "sa.Select[Any]", *order: "sa.ColumnElement[Any]"
) -> Sequence[AnyRow]:
    return connection.execute(query.order_by(*order)).all()


def _root(connection: Connection, seqs: Sequence[int]) -> list[int]:
    """Return the facts at which it all began: up from what agents found to what woke them."""
    for _ in range(_GENERATIONS):
        query = sa.select(events.c.source, events.c.external_id).where(events.c.seq.in_(seqs))
        found = connection.execute(query).all()
        if len(found) != 1 or not found[0].source.startswith("agent:"):
            break
        above = _events_of(connection, found[0].external_id.rpartition(_FOUND)[0])
        if not above:
            break
        seqs = above
    return list(seqs)


def _caused(connection: Connection, root: Sequence[int]) -> tuple[list[int], list[str]]:
    """Return the facts that follow from these, themselves included, and the runs they woke."""
    seqs, woken = list(root), list[str]()
    ahead: Sequence[int] = root
    while ahead and len(woken) < _RUNS:
        fresh = [run for run in _delivered_to(connection, ahead) if run not in woken]
        woken += fresh
        ahead = [seq for run in fresh for seq in _found_by(connection, run) if seq not in seqs]
        seqs += ahead
    return seqs, woken


def _found_by(connection: Connection, run_id: str) -> Sequence[int]:
    """Return the facts that an agent found in this run."""
    ids = [f"{run_id}{_FOUND}{n}" for n in range(_LISTED)]
    source = f"agent:{run_id.partition('@')[0]}"
    query = sa.select(events.c.seq).where(events.c.source == source, events.c.external_id.in_(ids))
    return connection.execute(query.order_by(events.c.seq)).scalars().all()


def _event_seq(text: str) -> int | None:
    digits = text.removeprefix("e")
    if digits.isascii() and digits.isdigit() and int(digits) <= _MAX_SEQ:
        return int(digits)
    return None


def _run_of(connection: Connection, anything: str) -> str:
    """Return the run that first had to do with a run, a proposal or the key of an effect."""
    name = anything.removesuffix(_SETTLED)
    of_proposal = sa.select(proposals.c.run_id).where(proposals.c.id == name)
    name = connection.execute(of_proposal).scalar() or name
    if name.startswith(f"{UNDO}@"):
        return _run_of(connection, name.removeprefix(f"{UNDO}@"))
    if connection.execute(sa.select(runs.c.id).where(runs.c.id == name)).scalar() is None:
        raise NotFound("trace", anything)
    return name


def _events_of(connection: Connection, run_id: str) -> Sequence[int]:
    query = sa.select(event_deliveries.c.event_seq).where(event_deliveries.c.run_id == run_id)
    return connection.execute(query).scalars().all()


def _delivered_to(connection: Connection, seqs: Collection[int]) -> list[str]:
    woken = sa.select(event_deliveries.c.run_id).where(event_deliveries.c.event_seq.in_(list(seqs)))
    return [run for run in connection.execute(woken.distinct()).scalars() if run is not None]


def _proposals(connection: Connection, run_ids: Sequence[str]) -> list[str]:
    query = (
        sa.select(proposals.c.id)
        .where(proposals.c.run_id.in_(run_ids))
        .order_by(proposals.c.at, proposals.c.n)
        .limit(_LISTED)
    )
    return list(connection.execute(query).scalars())
