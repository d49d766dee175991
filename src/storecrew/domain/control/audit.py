"""The audit: one entry per proposal or change, chained by hashes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


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


@dataclass(frozen=True, kw_only=True)
class AuditFilter:
    """Which entries are meant; an empty field does not narrow."""

    subject: str = ""
    """What was acted on, such as `order:26`, `product:mug` or `customer:ada`."""
    actor: str = ""
    """Who acted, as the entries name them: `agent:inventory`, `person:ada`."""
    result: str = ""
    since: datetime | None = None


EVERY_ENTRY = AuditFilter()
