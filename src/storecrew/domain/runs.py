"""One agent at work, and the record of what became of its proposals."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from storecrew.domain.actions import Action
from storecrew.domain.events import Recorded
from storecrew.domain.proposals import Decision, Filed, Outcome


class RunStatus(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    RETRYING = "retrying"
    """It failed and will be tried again."""
    DONE = "done"
    FAILED = "failed"
    """It failed for good; its events are parked in sight."""
    SPLIT = "split"
    """It failed as a batch; its events are being tried one by one."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One agent handling the events that woke it."""

    id: str
    agent: str
    actor: str
    """Who its effects are done for: `agent:<name>` or `person:<name>`."""
    status: RunStatus
    attempt: int
    created_at: datetime
    finished_at: datetime | None = None
    error: str = ""
    proposals: int | None = None
    """How many it made; None until it has proposed."""
    events: tuple[Recorded, ...] = ()
    worker: str = ""
    """Which process carries it out; empty for the only one, or for none yet."""
    tokens: int = 0
    """Tokens of language models that it cost so far."""

    @property
    def trace(self) -> str:
        """What log lines carry to find everything that belongs together: see `domain.traces`."""
        return f"e{self.events[0].seq}" if self.events else self.id


class ApprovalStatus(StrEnum):
    """Where a question to a person stands."""

    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    """Asked again on newer facts, or overtaken by what a person did."""


@dataclass(frozen=True, kw_only=True)
class Approval:
    """A proposal that waits for a person, or the answer it got."""

    filed: Filed
    question: Decision
    """Why the policy asks."""
    status: ApprovalStatus
    asked_at: datetime
    expires_at: datetime
    decided_at: datetime | None = None
    decided_by: str = ""
    note: str = ""
    changed: Action | None = None
    """What the person approved in place of what was proposed."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A proposal and what the policy said of it."""

    filed: Filed
    decision: Decision
    spends: int = 0
    """What it takes from the day's budget when done, in minor units of the shop's currency."""
    moves: int = 0
    """What leaves the shop when done, in the same units: purchases and refunds."""


@dataclass(frozen=True, kw_only=True)
class Story:
    """One proposal and all that became of it so far."""

    filed: Filed
    at: datetime
    decision: Decision | None
    outcome: Outcome | None
    approval: Approval | None


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What the journal answers to a published event, after the commit."""

    event_id: int
    """The event's position in the journal; for a duplicate, that of the first."""
    duplicate: bool
    wakes: tuple[str, ...]
    """Names of the agents that it wakes; a duplicate wakes nobody."""


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """One row of the audit. Appended, never edited; `hash` covers `previous_hash`."""

    seq: int
    at: datetime
    kind: str
    """`proposal`, `change` (made by a person or the shop) or `control`."""
    subject: str
    """The proposal's id, or the event's source and id."""
    actor: str
    action: Mapping[str, Any]
    result: str
    """`applied`, `refused`, `denied`, `watched`, `rejected`, `expired`,
    `superseded` or `recorded`."""
    reason: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    policy_version: str
    approved_by: str
    previous_hash: str
    hash: str
