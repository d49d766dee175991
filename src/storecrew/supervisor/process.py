"""One live process of a service, ours by birth or by adoption: its end, and signals to it."""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field

from storecrew.domain.control.services import ProcessId
from storecrew.supervisor import procfs


@dataclass
class Process:
    """A process that lives, or has ended and still keeps its number."""

    id: ProcessId
    handle: int
    """A descriptor that becomes readable when the process ends."""
    child: "subprocess.Popen[bytes] | None" = None
    """None where an earlier storecrew started it."""
    ended: bool = False
    members: tuple[procfs.ProcessStat, ...] = field(default=())
    """It and its children when they were last counted."""

    @classmethod
    def start_ticks(cls, child: "subprocess.Popen[bytes]", boot: str) -> "Process":
        """Return the process of a child that was just started."""
        handle = os.pidfd_open(child.pid)
        now = procfs.stat(child.pid)
        assert now is not None  # noqa: S101 - nobody else reaps it
        return cls(
            ProcessId(pid=child.pid, start_ticks=now.start_ticks, boot_id=boot), handle, child
        )

    @classmethod
    def adopted(cls, id_: ProcessId) -> "Process | None":
        """Return the process if it is still this one; any other of its number is left alone."""
        try:
            handle = os.pidfd_open(id_.pid)
        except (ProcessLookupError, OSError):
            return None
        now = procfs.stat(id_.pid)  # looked at after the handle was taken
        if now is None or now.start_ticks != id_.start_ticks or now.state == "Z":
            os.close(handle)
            return None
        return cls(id_, handle)

    def watch(self, ended: Callable[["Process"], None]) -> None:
        """Call this once when the process has ended."""
        loop = asyncio.get_running_loop()

        def readable() -> None:
            loop.remove_reader(self.handle)
            self.ended = True
            ended(self)

        loop.add_reader(self.handle, readable)

    def signal(self, number: int) -> None:
        """Signal its process group; harmless once it has ended."""
        if not self.ended:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.id.pid, number)

    def kill_all(self) -> None:
        """Kill it and every process it was last seen with."""
        for member in self.members:
            procfs.signal_exactly(member, signal.SIGKILL)
        self.signal(signal.SIGKILL)

    def kill_rest(self) -> None:
        """Kill what is left of its group and session after its end."""
        if self.child is not None and self.child.returncode is None:
            # not reaped, it keeps its number: the group can be nobody else's
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.id.pid, signal.SIGKILL)
            return
        for rest in procfs.group_survivors(self.id, procfs.snapshot()):
            procfs.signal_exactly(rest, signal.SIGKILL)

    def reap(self) -> int | None:
        """Let go of its number; return its exit code where it was our child."""
        self.release()
        return None if self.child is None else self.child.wait()

    def release(self) -> None:
        """Stop watching; the process lives on and can be adopted later."""
        with contextlib.suppress(RuntimeError):  # no loop runs any more
            asyncio.get_running_loop().remove_reader(self.handle)
        if self.handle >= 0:
            os.close(self.handle)
            self.handle = -1
        if self.child is not None and not self.ended:
            self.child.returncode = 0  # no longer ours to wait for
