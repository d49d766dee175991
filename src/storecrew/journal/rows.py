"""Rows of the journal to domain values and back."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection, Row
from sqlalchemy.sql import text

from storecrew.database import from_db_time, to_db_time
from storecrew.domain import codec
from storecrew.domain.control.approvals import Approval, ApprovalStatus
from storecrew.domain.control.audit import AuditEntry
from storecrew.domain.control.events import StoredEvent
from storecrew.domain.control.proposals import Decision, Outcome, Proposal, ProposalRecord
from storecrew.domain.control.runs import Run, RunStatus
from storecrew.domain.control.traces import ProposalHistory

AnyRow = Row[Any]


def dump(value: Any) -> str:
    """Return the value as canonical JSON text: the same value gives the same text."""
    return _CANONICAL.encode(codec.encode(value))


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), check_circular=False)


def to_event(row: AnyRow) -> StoredEvent:
    """Read a row of `events`."""
    return StoredEvent(
        seq=row.seq,
        event=codec.read_event(row.body),
        source=row.source,
        external_id=row.external_id,
        at=from_db_time(row.at),
    )


def to_run(row: AnyRow, events: Sequence[StoredEvent] = ()) -> Run:
    """Read a row of `runs`."""
    return Run(
        id=row.id,
        agent=row.agent,
        actor=row.actor,
        status=RunStatus(row.status),
        attempt=row.attempt,
        created_at=from_db_time(row.created_at),
        finished_at=from_db_time(row.finished_at) if row.finished_at else None,
        error=row.error,
        proposals=row.proposals,
        events=tuple(events),
        worker=row.worker,
        tokens=row.tokens,
    )


def to_filed(row: AnyRow) -> ProposalRecord:
    """Read a row of `proposals`."""
    proposal = codec.decode(Proposal, json.loads(row.body))
    return ProposalRecord(id=row.id, run=row.run_id, agent=row.agent, proposal=proposal)


def to_decision(body: str) -> Decision:
    """Read a decision's JSON."""
    return codec.decode(Decision, json.loads(body))


def to_approval(row: AnyRow) -> Approval:
    """Read a row of `approvals` joined with its proposal and decision."""
    return Approval(
        filed=to_filed(row),
        question=to_decision(row.question),
        status=ApprovalStatus(row.status),
        asked_at=from_db_time(row.asked_at),
        expires_at=from_db_time(row.expires_at),
        cash_out=row.cash_out,
        decided_at=from_db_time(row.decided_at) if row.decided_at else None,
        decided_by=row.decided_by,
        note=row.note,
        changed=codec.decode_action(json.loads(row.changed)) if row.changed else None,
    )


def to_story(row: AnyRow) -> ProposalHistory:
    """Read a proposal joined with all that became of it."""
    return ProposalHistory(
        filed=to_filed(row),
        at=from_db_time(row.at),
        decision=to_decision(row.decision) if row.decision else None,
        outcome=codec.decode(Outcome, json.loads(row.outcome)) if row.outcome else None,
        approval=to_approval(row) if row.status else None,
    )


def to_audit(row: AnyRow) -> AuditEntry:
    """Read a row of `audit`."""
    fields = row._asdict() | {"at": from_db_time(row.at)}
    for name in ("action", "before", "after"):
        fields[name] = json.loads(fields[name])
    return AuditEntry(**fields)


def control_row(
    subject: str, action: Mapping[str, Any], *, actor: str, reason: str, now: datetime
) -> dict[str, object]:
    """Return the audit row of a change to the crew itself."""
    return {
        "at": to_db_time(now),
        "kind": "control",
        "subject": subject,
        "actor": actor,
        "action": dump(action),
        "result": "recorded",
        "reason": reason,
        "before": "{}",
        "after": "{}",
        "policy_version": "",
        "approved_by": actor.removeprefix("person:") if actor.startswith("person:") else "",
    }


def person(by: str) -> str:
    """Return a person as actors are written, whether or not the name says so already."""
    return by if by.startswith("person:") else f"person:{by}"


def advisory_lock(connection: Connection, what: str) -> None:
    """Wait for the right to append to `what` until the transaction ends.

    SQLite has one writer anyway. On Postgres this makes positions grow in order of commit, so
    that nobody reading by position misses a row that was committed late.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_ADVISORY_LOCK, {"what": f"/storecrew-{what}"})


_ADVISORY_LOCK = text(
    "SELECT pg_advisory_xact_lock(hashtext(current_schema() || CAST(:what AS text)))"
)
"""One lock per schema: shops that share a database do not wait for each other."""
