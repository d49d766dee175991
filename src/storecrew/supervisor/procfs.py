"""Processes as the kernel tells of them under /proc: who is who, whose child, how large."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from storecrew.domain.control.services import ProcessId

MARKER = "SUPERVISED_AS"
"""Variable in the environment of every process we start: data folder, service and a nonce."""
TICKS = os.sysconf("SC_CLK_TCK")
"""Units of `ProcessStat.used` in a second."""
_PAGE = os.sysconf("SC_PAGE_SIZE")
_GONE = (FileNotFoundError, ProcessLookupError, PermissionError)
_ENOUGH = 65536
"""Bytes of an environment to look at: the marker is set first, so it stands at the beginning."""


@dataclass(frozen=True)
class ProcessStat:
    """One process at one moment."""

    pid: int
    state: str
    parent: int
    group: int
    session: int
    used: int
    """Processor time so far, in ticks."""
    start_ticks: int
    resident: int
    """Bytes of memory it holds."""


def stat(pid: int) -> ProcessStat | None:
    """Return what the process is now, or None where there is none."""
    try:
        file = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
    except _GONE:
        return None
    try:
        text = os.read(file, 1024)
    except _GONE:  # it ended between the two calls
        return None
    finally:
        os.close(file)
    f = text[text.rindex(b")") + 2 :].split()
    used, resident = int(f[11]) + int(f[12]), int(f[21]) * _PAGE
    state = f[0].decode()
    return ProcessStat(pid, state, int(f[1]), int(f[2]), int(f[3]), used, int(f[19]), resident)


def snapshot() -> dict[int, ProcessStat]:
    """Return every process by pid, without those that only wait to be reaped."""
    found = (stat(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return {each.pid: each for each in found if each is not None and each.state != "Z"}


class ProcessTree:
    """All processes of one moment, by parent and by session."""

    def __init__(self, processes: Mapping[int, ProcessStat]) -> None:
        self._children: dict[int, list[ProcessStat]] = {}
        self._sessions: dict[int, list[ProcessStat]] = {}
        for each in processes.values():
            self._children.setdefault(each.parent, []).append(each)
            self._sessions.setdefault(each.session, []).append(each)

    def tree(self, root: int) -> tuple[ProcessStat, ...]:
        """Return a session's leader and descendants, and what stayed when a parent ended."""
        members = {each.pid: each for each in self._sessions.get(root, ())}
        ahead = list(members)
        while ahead:
            for child in self._children.get(ahead.pop(), ()):
                if child.pid not in members:
                    members[child.pid] = child
                    ahead.append(child.pid)
        return tuple(members.values())


def proportional(pid: int) -> int | None:
    """Return the process's memory in bytes with shared pages divided among those who share them.

    Dearer than `ProcessStat.resident`, which counts them for each. None where it may not be read.
    """
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            for line in file:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) << 10
    except _GONE:
        pass
    return None


def group_survivors(leader: ProcessId, processes: Mapping[int, ProcessStat]) -> list[ProcessStat]:
    """Return what is left of the session of a process that ended.

    The kernel gives its number to nobody else while they live, so a process of that number and
    another start means that nobody is left.
    """
    now = processes.get(leader.pid)
    if now is not None and now.start_ticks != leader.start_ticks:
        return []
    return [
        p for p in processes.values() if leader.pid in (p.session, p.group) and p.pid != leader.pid
    ]


def signal_exactly(process: ProcessStat, number: int) -> None:
    """Signal this process, and none that got its number meanwhile."""
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    try:
        now = stat(process.pid)
        if now is not None and now.start_ticks == process.start_ticks:
            _send(handle, number)
    except ProcessLookupError:
        pass  # it ended by itself
    finally:
        os.close(handle)


def _send(handle: int, number: int) -> None:
    from signal import pidfd_send_signal  # Linux alone has it

    pidfd_send_signal(handle, number)


def boot_id() -> str:
    """Return the name of the machine's present boot."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def marked(folder: str, processes: Iterable[ProcessStat]) -> dict[str, ProcessStat]:
    """Return, per service, the oldest leader of a session that carries this folder's marker."""
    found: dict[str, ProcessStat] = {}
    prefix = f"{MARKER}={folder}/".encode()
    for each in sorted(processes, key=lambda p: p.start_ticks):
        if each.pid != each.session:
            continue
        if (service := _service_of(each.pid, prefix)) is not None:
            found.setdefault(service, each)
    return found


def _service_of(pid: int, prefix: bytes) -> str | None:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            variables = file.read(_ENOUGH).split(b"\0")
    except _GONE:
        return None
    for each in variables:
        if each.startswith(prefix):
            return each[len(prefix) :].partition(b"/")[0].decode("ascii", "replace")
    return None
