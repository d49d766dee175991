"""Bounds on open connections, per address and in all, so that no caller makes the server deaf."""

import resource
from collections.abc import Container
from dataclasses import dataclass, field
from typing import Protocol

RESERVED_DESCRIPTORS = 128
"""Descriptors that connections leave to databases, services, logs and calls of the plane itself."""
_MOST_DESCRIPTORS = 65_536
_FEWEST = 8
"""Connections that are allowed however few descriptors there are."""


class OpenConnection(Protocol):
    """An open connection, as its bounds see it."""

    @property
    def is_open(self) -> bool:
        """Whether it holds a descriptor."""
        ...

    @property
    def is_idle(self) -> bool:
        """Whether no complete request of it is being served, so that closing it loses nothing."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


@dataclass
class ConnectionLimits:
    """Admits connections, and closes the idle one that waits longest where there are too many.

    Half-sent requests are idle, so who sends many of them displaces their own.
    """

    most: int
    per_address: int
    unlimited: Container[str] = ()
    """Addresses whose connections are bounded in all alone: proxies, which bring many callers."""
    _open: dict[str, list[OpenConnection]] = field(default_factory=dict[str, list[OpenConnection]])

    @classmethod
    def within_descriptors(
        cls, most: int, per_address: int, unlimited: Container[str] = ()
    ) -> "ConnectionLimits":
        """Return these limits, lowered to what the process may open; raises its own soft limit."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft < (wanted := min(hard, _MOST_DESCRIPTORS) if hard > 0 else _MOST_DESCRIPTORS):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
        most = max(_FEWEST, min(most, soft - RESERVED_DESCRIPTORS))
        per_address = max(_FEWEST // 2, min(per_address, most // 2))
        return cls(most=most, per_address=per_address, unlimited=unlimited)

    def admit(self, address: str, connection: OpenConnection) -> bool:
        """Count a new connection; False where it must be closed, because all others are busy."""
        mine = self._of(address)
        is_bounded = address not in self.unlimited
        if is_bounded and len(mine) >= self.per_address and not _close_idle(mine):
            return False
        if sum(map(len, self._open.values())) >= self.most and not self._make_room():
            return False
        self._open.setdefault(address, []).append(connection)
        return True

    def _make_room(self) -> bool:
        """Close an idle connection of the address that holds the most."""
        for address in list(self._open):
            self._of(address)
        if sum(map(len, self._open.values())) < self.most:
            return True
        by_size = sorted(self._open.values(), key=len, reverse=True)
        return any(_close_idle(connections) for connections in by_size)

    def _of(self, address: str) -> list[OpenConnection]:
        """Return the open connections of an address, and forget those that were closed."""
        found = [one for one in self._open.get(address, ()) if one.is_open]
        if found:
            self._open[address] = found
        else:
            self._open.pop(address, None)
        return found


def _close_idle(connections: list[OpenConnection]) -> bool:
    for number, one in enumerate(connections):
        if one.is_idle:
            one.close()
            del connections[number]
            return True
    return False
