"""Everything that followed from one event: runs, proposals, approvals and audit entries."""

from dataclasses import dataclass
from datetime import datetime

from storecrew.domain.control.approvals import Approval
from storecrew.domain.control.audit import AuditEntry
from storecrew.domain.control.events import StoredEvent
from storecrew.domain.control.proposals import Decision, Outcome, ProposalRecord
from storecrew.domain.control.runs import Run


@dataclass(frozen=True, kw_only=True)
class ProposalHistory:
    """One proposal and all that became of it so far."""

    filed: ProposalRecord
    at: datetime
    decision: Decision | None
    outcome: Outcome | None
    approval: Approval | None


@dataclass(frozen=True, kw_only=True)
class Trace:
    """What came of a fact, in the order in which it happened."""

    id: str
    """`e<seq>` of the fact, or the run where its facts are forgotten or a person began it."""
    events: tuple[StoredEvent, ...]
    """The fact, with those that shared a run with it."""
    runs: tuple[Run, ...]
    """The runs that it woke, and those that carried out answers and undid what was done."""
    stories: tuple[ProposalHistory, ...]
    """Their proposals, at most the first hundred; an effect's key is its proposal's id."""
    proposals: int
    """How many proposals there are; of a subject's trace, those that are listed."""
    audit: tuple[AuditEntry, ...]
    """What the audit says of the proposals that are listed."""
