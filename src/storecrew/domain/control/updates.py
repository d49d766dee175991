"""Updates: numbered changes that the live view tells its subscribers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Topic(StrEnum):
    """What an update is about."""

    EVENT = "event"
    """Facts that were recorded."""
    RUN = "run"
    """Runs that began or ended."""
    APPROVAL = "approval"
    """Questions that were asked or answered."""
    CREW = "crew"
    """The crew was paused or resumed."""
    SERVICE = "service"
    """A service changed its state."""


@dataclass(frozen=True, kw_only=True)
class LiveUpdate:
    """One change, as it is told to those who watch."""

    seq: int
    """Grows with each update; what a watcher has seen last tells what it missed."""
    topic: Topic
    at: datetime
    body: Mapping[str, Any]
