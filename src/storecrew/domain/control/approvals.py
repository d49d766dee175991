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


class ApprovalOrder(StrEnum):
    """How a list of questions is sorted."""

    NEWEST = "newest"
    BENEFIT = "benefit"
    """The largest expected benefit first; what states none comes last."""


@dataclass(frozen=True, kw_only=True)
class ApprovalFilter:
    """Which questions are meant; an empty field does not narrow."""

    agent: str = ""
    action: str = ""
    """The kind of action, such as `CreatePurchaseOrder`."""
    max_cash_out: int | None = None
    """What leaves the shop at most, in minor units of the shop's currency."""
    order: ApprovalOrder = ApprovalOrder.NEWEST


EVERY_APPROVAL = ApprovalFilter()


@dataclass(frozen=True, kw_only=True)
class Approval:
    """A proposal that waits for a person, or the answer it got."""

    filed: ProposalRecord
    question: Decision
    """Why the policy asks."""
    status: ApprovalStatus
    asked_at: datetime
    expires_at: datetime
    cash_out: int = 0
    """What leaves the shop when it is done, in minor units of the shop's currency."""
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
