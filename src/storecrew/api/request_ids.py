"""Ids of requests: one random start per process, then counted, so that they cost nothing."""

from itertools import count
from uuid import uuid4


class RequestIds:
    """Hands out ids that no other process hands out."""

    def __init__(self) -> None:
        self._start = uuid4().hex
        self._count = count(1)

    def next(self) -> str:
        """Return a new id."""
        return f"{self._start}-{next(self._count):x}"
