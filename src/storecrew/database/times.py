"""Moments as text that sorts: ISO 8601 in UTC with microseconds, alike on SQLite and Postgres."""

from datetime import UTC, datetime
from functools import lru_cache


@lru_cache(maxsize=256)
def stamp(at: datetime) -> str:
    """Return the moment as text; later moments sort after earlier ones.

    Rows written together carry the same moment, so the last ones are remembered.
    """
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def moment(text: str) -> datetime:
    """Return the moment that `stamp` wrote."""
    return datetime.fromisoformat(text)
