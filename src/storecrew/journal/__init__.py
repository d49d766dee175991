"""The control plane's database: events, runs, proposals, approvals and the audit."""

from storecrew.journal.journal import SqlJournal, open_journal

__all__ = ["SqlJournal", "open_journal"]
