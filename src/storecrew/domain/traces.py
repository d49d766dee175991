"""From a fact to its effects: everything that was done because of it, under one id."""

from dataclasses import dataclass

from storecrew.domain.events import Recorded
from storecrew.domain.runs import AuditEntry, Run, Story


@dataclass(frozen=True, kw_only=True)
class Trace:
    """What came of a fact, in the order in which it happened."""

    id: str
    """`e<seq>` of the fact, or the run where its facts are forgotten or a person began it."""
    events: tuple[Recorded, ...]
    """The fact, with those that shared a run with it."""
    runs: tuple[Run, ...]
    """The runs that it woke, and those that carried out answers and undid what was done."""
    stories: tuple[Story, ...]
    """Their proposals, at most the first hundred; an effect's key is its proposal's id."""
    proposals: int
    """How many proposals there are."""
    audit: tuple[AuditEntry, ...]
    """What the audit says of the proposals that are listed."""
