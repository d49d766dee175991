"""The control plane's database: events, runs, proposals, approvals and the audit."""

from storecrew.journal.approvals import Answer
from storecrew.journal.journal import Journal, open_journal
from storecrew.journal.proposals import Advance, Filing, Judge, Settled
from storecrew.journal.runs import SETTLEMENT, UNDO, Failure, Glance, Intake, Taken

__all__ = [
    "SETTLEMENT",
    "UNDO",
    "Advance",
    "Answer",
    "Failure",
    "Filing",
    "Glance",
    "Intake",
    "Journal",
    "Judge",
    "Settled",
    "Taken",
    "open_journal",
]
