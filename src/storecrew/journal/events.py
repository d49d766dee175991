"""Appends events to the journal, once each, with a delivery to every agent that subscribes."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.database import BulkStatement, to_db_time
from storecrew.domain.control.agents import GoalSet
from storecrew.domain.control.events import (
    ROUTINE_SOURCES,
    EventEnvelope,
    PublishAck,
    StoredEvent,
)
from storecrew.domain.events import Event
from storecrew.domain.ports.journal import SubscribersOf
from storecrew.journal import audit
from storecrew.journal.event_deduplication import recorded_events
from storecrew.journal.rows import advisory_lock, dump, to_event
from storecrew.journal.schema.journal import event_deliveries, events, key_values, outbox_cursors

CLOCK = "clock"
"""The source of ticks."""
REQUESTS = "request"
"""The source of runs that somebody asked for."""
LASTING: tuple[type[Event], ...] = (GoalSet,)
"""Facts that stay in force until the next of their kind."""
_NEWEST = "newest/"
RECENT = 5_000
"""Newest events that are looked at when an agent asks what happened lately."""

_LAST = sa.select(sa.func.coalesce(sa.func.max(events.c.seq), 0))
_INSERT_EVENTS, _INSERT_WAKES = (
    BulkStatement(sa.insert(events)),
    BulkStatement(sa.insert(event_deliveries)),
)


def publish(
    connection: Connection, items: Sequence[EventEnvelope], subscribers_of: SubscribersOf
) -> list[PublishAck]:
    """Append the new ones among the events, with their wakes; tell which were there before."""
    advisory_lock(connection, "events")
    recorded = recorded_events(connection, items)
    seq = connection.execute(_LAST).scalar_one()
    receipts, rows, wake_rows = [], [], []
    for item in items:
        key = (item.source, item.external_id)
        if key in recorded:
            receipts.append(PublishAck(event_id=recorded[key], duplicate=True, wakes=()))
            continue
        seq += 1
        recorded[key] = seq
        woken = tuple(subscribers_of(item.event))
        receipts.append(PublishAck(event_id=seq, duplicate=False, wakes=woken))
        rows.append(row := _row(seq, item))
        wake_rows += [_wake(row, agent) for agent in woken]
    if rows:
        _INSERT_EVENTS.execute(connection, rows)
        audit.append_changes(connection, [r for r in rows if _is_change(r)])
        _keep_newest(connection, rows)
    _INSERT_WAKES.execute(connection, wake_rows)
    return receipts


def _keep_newest(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """Remember where the newest fact of a kind is that stays in force until the next."""
    lasting = {kind.__name__ for kind in LASTING}
    newest = {row["type"]: row["seq"] for row in rows if row["type"] in lasting}
    for kind, seq in newest.items():
        name = f"{_NEWEST}{kind}"
        connection.execute(sa.delete(key_values).where(key_values.c.name == name))
        connection.execute(sa.insert(key_values), {"name": name, "value": str(seq)})


def recent_events(
    connection: Connection, kinds: Collection[type[Event]], since: datetime, until: datetime
) -> list[StoredEvent]:
    """Return events of these kinds between two moments, oldest first.

    Only the newest `RECENT` events are looked at, so that the answer costs the same in a journal
    of any size; and what stays in force until the next of its kind (`LASTING`), however old.
    """
    oldest = connection.execute(_LAST).scalar_one() - RECENT
    names = [f"{_NEWEST}{kind.__name__}" for kind in kinds if kind in LASTING]
    kept = connection.execute(_KEPT, {"names": names}).scalars() if names else ()
    lasting = [seq for n in kept if (seq := int(n)) <= oldest]
    sought = {
        "kinds": [kind.__name__ for kind in kinds],
        "since": to_db_time(since),
        "until": to_db_time(until),
    }
    found = [*connection.execute(_LASTING, sought | {"lasting": lasting})] if lasting else []
    found += connection.execute(_RECALLED, sought | {"oldest": oldest})
    return [to_event(row) for row in found]


_KEPT = sa.select(key_values.c.value).where(
    key_values.c.name.in_(sa.bindparam("names", expanding=True))
)
_SOUGHT = (
    sa.select(events)
    .where(
        events.c.type.in_(sa.bindparam("kinds", expanding=True)),
        events.c.at >= sa.bindparam("since"),
        events.c.at <= sa.bindparam("until"),
    )
    .order_by(events.c.seq)
)
_RECALLED = _SOUGHT.where(events.c.seq > sa.bindparam("oldest"))
_LASTING = _SOUGHT.where(events.c.seq.in_(sa.bindparam("lasting", expanding=True)))


def relay(
    connection: Connection,
    source: str,
    facts: Sequence[tuple[int, EventEnvelope]],
    subscribers_of: SubscribersOf,
) -> tuple[list[EventEnvelope], list[PublishAck]]:
    """Publish facts from a store's outbox and move the cursor past them; return the new ones.

    Facts at or before the cursor were relayed already, by this process or another.
    """
    advisory_lock(connection, "events")
    position = cursor(connection, source)
    fresh = [fact for n, fact in facts if n > position]
    if not fresh:
        return [], []
    receipts = publish(connection, fresh, subscribers_of)
    last = {"source": source, "position": facts[-1][0]}
    if not connection.execute(_MOVE, {"b_source": source, "b_position": last["position"]}).rowcount:
        connection.execute(sa.insert(outbox_cursors), last)
    return fresh, receipts


_MOVE = (
    sa.update(outbox_cursors)
    .where(outbox_cursors.c.source == sa.bindparam("b_source"))
    .values(position=sa.bindparam("b_position"))
)
_CURSOR = sa.select(outbox_cursors.c.position).where(
    outbox_cursors.c.source == sa.bindparam("source")
)


def cursor(connection: Connection, source: str) -> int:
    """Return how far the source's outbox has been relayed."""
    return connection.execute(_CURSOR, {"source": source}).scalar() or 0


def last_ticks(connection: Connection, agents: Collection[str]) -> dict[str, str]:
    """Return the external id of each agent's newest tick, also of one whose event is forgotten."""
    ticks = {agent: _last_tick(connection, agent) for agent in agents}
    return {agent: tick for agent, tick in ticks.items() if tick is not None}


def _last_tick(connection: Connection, agent: str) -> str | None:
    subject = f"agent:{agent}"
    names = {"subject": subject, "after": f"{agent}@", "before": f"{agent}A"}
    newest: str | None = connection.execute(_NEWEST_TICK, names).scalar()
    return newest or connection.execute(_FORGOTTEN_TICK, {"name": f"tick/{subject}"}).scalar()


_NEWEST_TICK = sa.select(sa.func.max(events.c.external_id)).where(
    events.c.source == CLOCK,
    # The range is for the index, the subject for languages that sort names in their own way.
    events.c.external_id > sa.bindparam("after"),
    events.c.external_id < sa.bindparam("before"),
    events.c.subject == sa.bindparam("subject"),
)
_FORGOTTEN_TICK = sa.select(key_values.c.value).where(key_values.c.name == sa.bindparam("name"))


def _row(seq: int, item: EventEnvelope) -> dict[str, object]:
    return {
        "seq": seq,
        "source": item.source,
        "external_id": item.external_id,
        "type": type(item.event).__name__,
        "subject": item.event.subject,
        "body": dump(item.event),
        "at": to_db_time(item.at),
        "actor": item.actor,
    }


def _wake(event: Mapping[str, object], agent: str) -> dict[str, object]:
    return {
        "event_seq": event["seq"],
        "agent": agent,
        "subject": event["subject"],
        "at": event["at"],
        "alone": False,
    }


def _is_change(row: dict[str, object]) -> bool:
    """Whether the audit would not hear of it otherwise: effects of agents are audited by run."""
    if row["source"] in ("store", REQUESTS):
        return not str(row["actor"]).startswith("agent:")
    return row["source"] not in ROUTINE_SOURCES and row["actor"] != "system"
