"""Moments as text that sorts: ISO 8601 in UTC with microseconds, alike on SQLite and Postgres."""

from datetime import UTC, datetime
from functools import lru_cache


def to_db_time(at: datetime) -> str:
    """Return the moment as text; later moments sort after earlier ones."""
    return _text(at.astimezone(UTC))


@lru_cache(maxsize=256)
def _text(at: datetime) -> str:
    """Return it as text. Rows written together carry the same moment, so the last are remembered.

    In UTC alone: in a zone the hours of a doubled one are equal, and were taken for each other.
    """
    return at.isoformat(timespec="microseconds")


def from_db_time(text: str) -> datetime:
    """Return the moment that `to_db_time` wrote."""
    return datetime.fromisoformat(text)
