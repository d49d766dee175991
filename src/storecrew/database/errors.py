"""Driver errors in the product's words: what is busy, full, away or damaged."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, TimeoutError as PoolTimeout

from storecrew.domain.errors import (
    StorageBusy,
    StorageDamaged,
    StorageFull,
    StorageUnavailable,
    StorecrewError,
)

_BUSY = ("database is locked", "database table is locked", "lock timeout", "deadlock detected")
_BUSY_STATES = {"40001", "40P01", "55P03"}
_FULL = ("database or disk is full", "disk i/o error", "no space left", "could not extend file")
_DAMAGED = ("malformed", "not a database", "readonly", "read-only", "no such table")


@contextmanager
def translated(database: str) -> Iterator[None]:
    """Raise the product's error in place of the driver's."""
    try:
        yield
    except PoolTimeout as error:
        raise StorageBusy(database) from error
    except DBAPIError as error:
        if (known := translate(database, error)) is None:
            raise
        raise known from error


def translate(database: str, error: DBAPIError) -> StorecrewError | None:
    """Return the product's error for a driver's, or None where it is a mistake of ours."""
    text = str(error.orig).lower()
    if getattr(error.orig, "sqlstate", None) in _BUSY_STATES or any(t in text for t in _BUSY):
        return StorageBusy(database)
    if any(t in text for t in _FULL):
        return StorageFull(database)
    if any(t in text for t in _DAMAGED):
        return StorageDamaged(database, str(error.orig))
    if error.connection_invalidated or "unable to open" in text or "connection" in text:
        cause = next(iter(str(error.orig).splitlines()), type(error.orig).__name__)
        return StorageUnavailable(database, cause)
    return None
