"""Discrepancies that the integrity checks of the databases find."""

from dataclasses import dataclass

from storecrew.domain.events import Event


@dataclass(frozen=True, kw_only=True)
class Discrepancy:
    """A line of the books that does not add up."""

    check: str
    subject: str
    problem: str


@dataclass(frozen=True, kw_only=True)
class IntegrityCheckFailed(Event):
    """A proof of the books found lines that do not add up."""

    count: int
    first: str
