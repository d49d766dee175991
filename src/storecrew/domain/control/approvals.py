"""Approval requests: proposals that wait for a person, and the decisions on them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from storecrew.domain.actions import Action
from storecrew.domain.control.proposals import Decision, ProposalRecord


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

    filed: ProposalRecord
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
class ApprovalDecision:
    """What a person says to a question."""

    proposal: str
    status: ApprovalStatus
    by: str
    """The person's name."""
    at: datetime
    note: str = ""
    changed: Action | None = None
