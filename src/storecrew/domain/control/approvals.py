"""Approval requests: proposals that wait for a person, and the decisions on them."""

from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum

from storecrew.domain.actions import Action
from storecrew.domain.control.proposals import Decision, ProposalRecord
from storecrew.domain.errors import InvalidInput


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


_OBJECT_FIELDS = frozenset(
    {"sku", "skus", "customer", "customers", "supplier", "service", "agent", "incident", "place",
     "code", "name", "method", "address", "topic", "reference", "competitor", "url",
     "source", "target", "warehouse", "currency", "task"}
)  # fmt: skip
"""Fields that say what an action is about, beside those whose names end in `_id`."""


def check_change(proposed: Action, changed: Action) -> None:
    """Raise `InvalidInput` unless the change keeps the kind and the object of what was proposed.

    A person changes how much, when or in which words. Another action is that person's own.
    """
    kind = type(proposed).__name__
    if type(changed) is not type(proposed):
        raise InvalidInput("action.type", f"must stay {kind}; do another action in your own name")
    for field in fields(proposed):
        before, after = getattr(proposed, field.name), getattr(changed, field.name)
        if not _keeps_object(field.name, before, after):
            problem = f"must stay {before!r}: a change keeps what {kind} is about"
            raise InvalidInput(f"action.{field.name}", problem)


def _keeps_object(name: str, before: object, after: object) -> bool:
    if name in _OBJECT_FIELDS or name.endswith("_id"):
        return before == after
    if isinstance(before, tuple) and isinstance(after, tuple):
        return _objects(after) <= _objects(before)
    return True


def _objects(items: tuple[object, ...]) -> set[tuple[object, object]]:
    """Return what lines or levels are about."""
    names = ("sku", "warehouse")
    return {tuple(getattr(item, name, None) for name in names) for item in items}  # type: ignore[misc]
