"""Reaps processes that were left to this one: as process 1 of a container, or as a subreaper."""

import os
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from storecrew.supervisor import procfs


@dataclass
class OrphanReaper:
    """Reaps ended children that this process did not start.

    A child counts once it was found ended twice: by then whoever started it has reaped it. What
    runs in this process's own session it started itself, for work whose result is awaited.
    """

    _found: set[int] = field(default_factory=set[int])

    def reap(self, own: Collection[int]) -> list[int]:
        """Reap what was left here, but none of our own processes; return which it was."""
        ended = {pid for pid in _children() if pid not in own and _is_orphan(pid)}
        reaped = [pid for pid in ended & self._found if _reap(pid)]
        self._found = ended.difference(reaped)
        return sorted(reaped)


def _children() -> list[int]:
    found: list[int] = []
    for thread in Path("/proc/self/task").iterdir():
        with suppress(OSError):  # a thread may end meanwhile
            found += [int(pid) for pid in (thread / "children").read_text().split()]
    return found


def _is_orphan(pid: int) -> bool:
    child = procfs.stat(pid)
    return child is not None and child.state == "Z" and child.session != os.getsid(0)


def _reap(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return False
