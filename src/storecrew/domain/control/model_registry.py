"""Trained models: kinds, versions, and their serving status."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any


class ModelKind(StrEnum):
    """What is learnt."""

    DEMAND = "demand"
    """How much of each product will be sold, per day and with its uncertainty."""
    ELASTICITY = "elasticity"
    """How demand answers to each product's price."""
    SIMILARITY = "similarity"
    """Which products are bought together, and by whom."""
    INTENTS = "intents"
    """What customers want when they write."""


class ServingStatus(StrEnum):
    """What a version is used for."""

    SERVING = "serving"
    """It answers."""
    FALLEN_BACK = "fallen_back"
    """It did worse than the simple method lately, which answers in its place."""
    RETIRED = "retired"
    """A newer one answers."""


@dataclass(frozen=True, kw_only=True)
class TrainingResult:
    """What one training brought, before it has a number."""

    kind: ModelKind
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
class ModelVersion:
    """One training in the books."""

    kind: ModelKind
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
    serving_status: ServingStatus
    reason: str
    """Why it stands so."""
    accuracy: Mapping[str, Any]
    """How it did on what happened afterwards; empty until something has."""
    scored_to: date | None
    """The last day that this counts; None until something was counted."""
