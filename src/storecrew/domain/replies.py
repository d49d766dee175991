"""Answers given under an Idempotency-Key, kept for whoever repeats the request."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What was answered to a request."""

    fingerprint: str
    """Hash of the request: another one under the same key is refused."""
    status: int
    body: str


class ReplyBook(Protocol):
    """Where answers are kept for some days."""

    async def find(self, key: str) -> Reply | None:
        """Return the answer that was given under this key."""
        ...

    async def keep(self, key: str, reply: Reply, now: datetime) -> None:
        """Keep an answer; the first under a key stays. Forgets those that are too old."""
        ...
