"""The audit: append-only rows, each with the hash of the one before."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.database import BulkStatement
from storecrew.domain.control.integrity import Discrepancy
from storecrew.journal.rows import advisory_lock
from storecrew.journal.schema.journal import audit

FIELDS = tuple(c.name for c in audit.c if c.name not in ("previous_hash", "hash"))
GENESIS = "0" * 64

_AT_ONCE = 500
"""Positions in one statement; databases bound how many values a statement may carry."""
_INSERT = BulkStatement(sa.insert(audit))
_POSITION = sa.select(sa.func.max(audit.c.seq))
_HEAD = sa.select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)


def append(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append the rows to the chain, in order. Each has every field but `seq` and the hashes."""
    if not rows:
        return
    advisory_lock(connection, "audit")
    head = connection.execute(_HEAD).one_or_none()
    seq, previous = (head.seq, head.hash) if head else (0, GENESIS)
    chained = []
    for row in rows:
        seq += 1
        entry = {**row, "seq": seq, "previous_hash": previous}
        entry["hash"] = previous = digest(entry)
        chained.append(entry)
    _INSERT.execute(connection, chained)


def position(connection: Connection) -> int:
    """Return the position of the newest row, 0 before the first: what an id is made of."""
    return connection.execute(_POSITION).scalar() or 0


def head(connection: Connection) -> tuple[int, str]:
    """Return the position and the hash of the newest row; 0 and zeros before the first."""
    found = connection.execute(_HEAD).one_or_none()
    return (found.seq, found.hash) if found else (0, GENESIS)


def hashes(connection: Connection, positions: Sequence[int]) -> dict[int, str]:
    """Return the hashes of the rows at these positions; missing ones are left out."""
    found: dict[int, str] = {}
    for start in range(0, len(positions), _AT_ONCE):
        some = audit.c.seq.in_(positions[start : start + _AT_ONCE])
        query = sa.select(audit.c.seq, audit.c.hash).where(some)
        found |= {row.seq: row.hash for row in connection.execute(query)}
    return found


def append_changes(connection: Connection, events: Sequence[Mapping[str, Any]]) -> None:
    """Append a row for each change that no agent made: by a person, the shop or the market."""
    append(connection, [_change(event) for event in events])


def digest(entry: Mapping[str, Any]) -> str:
    """Return the SHA-256 over the previous hash and every field, in a fixed order."""
    content = json.dumps([entry["previous_hash"], *(entry[name] for name in FIELDS)])
    return hashlib.sha256(content.encode()).hexdigest()


def check(connection: Connection) -> Iterator[Discrepancy]:
    """Yield the first place where a row was edited, removed or put elsewhere."""
    previous, expected = GENESIS, 1
    query = sa.select(audit).order_by(audit.c.seq).execution_options(yield_per=5000)
    with connection.execute(query) as rows:
        for found in rows:
            row = found._asdict()
            subject = f"audit row {row['seq']}"
            if row["seq"] != expected:
                problem = f"row {expected} is missing"
                yield Discrepancy(check="audit", subject=subject, problem=problem)
                return
            if row["previous_hash"] != previous or row["hash"] != digest(row):
                yield Discrepancy(check="audit", subject=subject, problem="its hash does not match")
                return
            previous, expected = row["hash"], expected + 1


def _change(event: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "at": event["at"],
        "kind": "change",
        "subject": f"{event['source']}/{event['external_id']}",
        "actor": event["actor"],
        "action": event["body"],
        "result": "recorded",
        "reason": event["type"],
        "before": "{}",
        "after": "{}",
        "policy_version": "",
        "approved_by": "",
    }
