"""What the models learnt: each training is a version, kept with what it rests on and how it did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol


class Skill(StrEnum):
    """What is learnt."""

    DEMAND = "demand"
    """How much of each product will be sold, per day and with its uncertainty."""
    ELASTICITY = "elasticity"
    """How demand answers to each product's price."""
    SIMILARITY = "similarity"
    """Which products are bought together, and by whom."""
    INTENTS = "intents"
    """What customers want when they write."""


class Standing(StrEnum):
    """What a version is used for."""

    SERVING = "serving"
    """It answers."""
    FALLEN_BACK = "fallen_back"
    """It did worse than the simple method lately, which answers in its place."""
    RETIRED = "retired"
    """A newer one answers."""


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """What one training brought, before it has a number."""

    skill: Skill
    trained_at: datetime
    first: date | None
    """First and last day of the data; None where they have no days."""
    last: date | None
    fingerprint: str
    """SHA-256 of the data and of the options: the same twice brings the same."""
    seconds: float
    """Of processor time."""
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Sizes, options, and scores on data that were held back."""
    content: bytes = b""
    """What was learnt, packed."""


@dataclass(frozen=True, kw_only=True)
class Version:
    """One training in the books."""

    skill: Skill
    number: int
    """Counts the skill's versions from 1."""
    trained_at: datetime
    first: date | None
    last: date | None
    fingerprint: str
    seconds: float
    facts: Mapping[str, Any]
    size: int
    """Bytes of what was learnt."""
    standing: Standing
    reason: str
    """Why it stands so."""
    accuracy: Mapping[str, Any]
    """How it did on what happened afterwards; empty until something has."""
    scored_to: date | None
    """The last day that this counts; None until something was counted."""


@dataclass(frozen=True, kw_only=True)
class SoldLines:
    """Every product line that was ordered in a period, by columns of one length, oldest first."""

    orders: Sequence[int]
    customers: Sequence[str | None]
    skus: Sequence[str]
    days: Sequence[int]
    """Proleptic ordinals of the UTC days (`date.toordinal`)."""
    quantities: Sequence[int]
    prices: Sequence[float]
    """Paid a unit, in the shop's money."""


@dataclass(frozen=True, kw_only=True)
class Shipment:
    """Units of a product that left one warehouse on one UTC day."""

    sku: str
    warehouse: str
    day: date
    quantity: int


@dataclass(frozen=True, kw_only=True)
class EmptyShelf:
    """A span of UTC days, both included, over all of which none of a product was there."""

    sku: str
    first: date
    last: date


class Past(Protocol):
    """The shop's history in bulk, from which models learn. Each call reads one moment."""

    async def sold_lines(self, first: date, last: date) -> SoldLines:
        """Return the lines of orders of these UTC days, both included; cancelled ones are not."""
        ...

    async def shipments(self, first: date, last: date) -> Sequence[Shipment]:
        """Return what left each warehouse on these UTC days, by SKU, warehouse and day."""
        ...

    async def empty_shelves(self, first: date, last: date) -> Sequence[EmptyShelf]:
        """Return when products were sold out for whole days, as the stock ledger tells it."""
        ...


class VersionBook(Protocol):
    """The versions of the models."""

    async def add(self, lesson: Lesson, standing: Standing, reason: str, *, by: str) -> Version:
        """Record a training, audited, as the skill's newest version; the one before is retired.

        Where the newest one was taught the same data and is sound, that one is returned and
        nothing recorded.
        """
        ...

    async def versions(self, skill: Skill | None = None) -> Sequence[Version]:
        """Return the versions of a skill (of all when None), newest first."""
        ...

    async def newest(self, skill: Skill) -> Version | None:
        """Return the skill's newest version, or None before the first."""
        ...

    async def numbers(self) -> Mapping[Skill, int]:
        """Return the number of each skill's newest version; one without versions is left out."""
        ...

    async def version(self, skill: Skill, number: int) -> Version:
        """Return one version; raises `NotFound`."""
        ...

    async def content(self, skill: Skill, number: int) -> bytes:
        """Return what the version learnt.

        Raises `NotFound` where it is not kept any more, `InvalidInput` where it is damaged.
        """
        ...

    async def score(
        self, version: Version, accuracy: Mapping[str, Any], by_series: bytes, to: date
    ) -> None:
        """Record how a version did on what happened up to that day, in all and per series."""
        ...

    async def scores(self, skill: Skill) -> Sequence[bytes]:
        """Return how the skill's versions did per series, newest first."""
        ...
