"""The kernel's own processor limits, where this user may set them (cgroup v2)."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

_PERIOD = 100_000
"""Microseconds in which a share is counted: the kernel's default."""
_INNER = "supervisor"
"""Name of our own group where systemd gave us a subtree (`DelegateSubgroup=supervisor`)."""


@dataclass(frozen=True, kw_only=True)
class Cgroups:
    """The groups below our own."""

    base: Path | None

    @classmethod
    def ours(cls, root: Path = Path("/sys/fs/cgroup"), proc: Path = Path("/proc")) -> "Cgroups":
        """Return the groups that this process may make, if any."""
        try:
            lines = (proc / "self" / "cgroup").read_text("ascii").splitlines()
        except OSError:
            return cls(base=None)
        own = next((line[3:] for line in lines if line.startswith("0::")), None)
        if own is None:
            return cls(base=None)
        base = root / own.lstrip("/")
        return cls(base=base.parent if base.name == _INNER else base)

    def hold(self, service: str, pid: int, share: float) -> bool:
        """Hold the process to a share of a core; False where the kernel does not let us."""
        if self.base is None:
            return False
        group = self.base / f"storecrew.{service}"
        try:
            if "cpu" not in (self.base / "cgroup.controllers").read_text("ascii").split():
                return False
            (self.base / "cgroup.subtree_control").write_text("+cpu", "ascii")
            group.mkdir(exist_ok=True)
            (group / "cpu.max").write_text(f"{int(share * _PERIOD)} {_PERIOD}", "ascii")
            (group / "cgroup.procs").write_text(str(pid), "ascii")
        except OSError:
            self.release(service)
            return False
        return True

    def release(self, service: str) -> None:
        """Take the service's group away once nothing lives in it."""
        if self.base is not None:
            with contextlib.suppress(OSError):
                (self.base / f"storecrew.{service}").rmdir()
