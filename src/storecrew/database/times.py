"""Moments as text that sorts: ISO 8601 in UTC with microseconds, alike on SQLite and Postgres."""

from datetime import UTC, datetime


def stamp(at: datetime) -> str:
    """Return the moment as text; later moments sort after earlier ones."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def moment(text: str) -> datetime:
    """Return the moment that `stamp` wrote."""
    return datetime.fromisoformat(text)
