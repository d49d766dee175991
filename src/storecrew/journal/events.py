"""Events into the journal, once each, and whom they wake."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.database import stamp
from storecrew.domain.events import Published
from storecrew.domain.journal import WakesFor
from storecrew.domain.runs import Receipt
from storecrew.journal import audit
from storecrew.journal.rows import dump, take_turns
from storecrew.journal.tables import controls, cursors, events, wakes

CLOCK = "clock"
"""The source of ticks."""

_LAST = sa.select(sa.func.coalesce(sa.func.max(events.c.seq), 0))
_SEEN = sa.select(events.c.external_id, events.c.seq).where(
    events.c.source == sa.bindparam("source"),
    events.c.external_id.in_(sa.bindparam("ids", expanding=True)),
)
_IDS_AT_ONCE = 500


def publish(
    connection: Connection, items: Sequence[Published], wakes_for: WakesFor
) -> list[Receipt]:
    """Append the new ones among the events, with their wakes; tell which were there before."""
    take_turns(connection, "events")
    seen = _seen(connection, items)
    seq = connection.execute(_LAST).scalar_one()
    receipts, rows, wake_rows = [], [], []
    for item in items:
        key = (item.source, item.external_id)
        if key in seen:
            receipts.append(Receipt(event_id=seen[key], duplicate=True, wakes=()))
            continue
        seq += 1
        seen[key] = seq
        woken = tuple(wakes_for(item.event))
        receipts.append(Receipt(event_id=seq, duplicate=False, wakes=woken))
        rows.append(_row(seq, item))
        wake_rows += [_wake(seq, agent, item) for agent in woken]
    if rows:
        connection.execute(sa.insert(events), rows)
        audit.append_changes(connection, [r for r in rows if _is_change(r)])
    if wake_rows:
        connection.execute(sa.insert(wakes), wake_rows)
    return receipts


def relay(
    connection: Connection,
    source: str,
    facts: Sequence[tuple[int, Published]],
    wakes_for: WakesFor,
) -> list[tuple[int, Published]]:
    """Publish facts from a store's outbox and move the cursor past them; return the new ones.

    Facts at or before the cursor were relayed already, by this process or another.
    """
    take_turns(connection, "events")
    position = cursor(connection, source)
    fresh = [(n, fact) for n, fact in facts if n > position]
    if not fresh:
        return []
    publish(connection, [fact for _, fact in fresh], wakes_for)
    last = {"source": source, "position": fresh[-1][0]}
    if not connection.execute(_MOVE, {"b_source": source, "b_position": last["position"]}).rowcount:
        connection.execute(sa.insert(cursors), last)
    return fresh


_MOVE = (
    sa.update(cursors)
    .where(cursors.c.source == sa.bindparam("b_source"))
    .values(position=sa.bindparam("b_position"))
)
_CURSOR = sa.select(cursors.c.position).where(cursors.c.source == sa.bindparam("source"))


def cursor(connection: Connection, source: str) -> int:
    """Return how far the source's outbox has been relayed."""
    return connection.execute(_CURSOR, {"source": source}).scalar() or 0


def last_tick(connection: Connection, agent: str) -> str | None:
    """Return the external id of the agent's newest tick, also of one whose event is forgotten."""
    subject = f"agent:{agent}"
    ticks = events.c.external_id
    # The range is for the index, the subject for languages that sort names in their own way.
    of_agent = sa.and_(events.c.source == CLOCK, ticks > f"{agent}@", ticks < f"{agent}A")
    newest = sa.select(sa.func.max(ticks)).where(of_agent, events.c.subject == subject)
    forgotten = sa.select(controls.c.value).where(controls.c.name == f"tick/{subject}")
    return connection.execute(newest).scalar() or connection.execute(forgotten).scalar()


def _seen(connection: Connection, items: Sequence[Published]) -> dict[tuple[str, str], int]:
    by_source: dict[str, list[str]] = {}
    for item in items:
        by_source.setdefault(item.source, []).append(item.external_id)
    seen = {}
    for source, ids in by_source.items():
        for start in range(0, len(ids), _IDS_AT_ONCE):
            chunk = ids[start : start + _IDS_AT_ONCE]
            for external_id, seq in connection.execute(_SEEN, {"source": source, "ids": chunk}):
                seen[source, external_id] = seq
    return seen


def _row(seq: int, item: Published) -> dict[str, object]:
    return {
        "seq": seq,
        "source": item.source,
        "external_id": item.external_id,
        "type": type(item.event).__name__,
        "subject": item.event.subject,
        "body": dump(item.event),
        "at": stamp(item.at),
        "actor": item.actor,
    }


def _wake(seq: int, agent: str, item: Published) -> dict[str, object]:
    return {
        "event_seq": seq,
        "agent": agent,
        "subject": item.event.subject,
        "at": stamp(item.at),
        "alone": False,
    }


def _is_change(row: dict[str, object]) -> bool:
    """Whether the audit would not hear of it otherwise: effects of agents are audited by run."""
    return row["source"] == "store" and not str(row["actor"]).startswith("agent:")
