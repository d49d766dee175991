"""Processes that are left to this one are reaped, and its own are not."""

import ctypes
import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from storecrew.supervisor import procfs
from storecrew.supervisor.orphans import OrphanReaper

SET_CHILD_SUBREAPER = 36
DEADLINE = 20  # seconds: a guard against hanging
LEAVE = "import os, sys\nfor _ in range({n}):\n  pid = os.fork()\n  if not pid: {child}os._exit(0)"


@pytest.fixture
def adopting() -> Iterator[None]:
    """Have orphans come to this process, as they come to process 1."""
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    yield
    libc.prctl(SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def zombies() -> list[int]:
    found = (procfs.stat(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return [one.pid for one in found if one and one.state == "Z" and one.parent == os.getpid()]


@pytest.mark.usefixtures("adopting")
@pytest.mark.parametrize("child", ["", "os.setsid(); ", "os.setpgid(0, 0); "])
def test_what_a_service_left_behind_is_reaped(child: str) -> None:
    code = LEAVE.format(n=3, child=child)
    subprocess.run([sys.executable, "-c", code], start_new_session=True, check=True)
    reaper, reaped = OrphanReaper(), 0
    deadline = time.monotonic() + DEADLINE
    while reaped < 3 and time.monotonic() < deadline:
        reaped += len(reaper.reap(()))
    assert (reaped, zombies()) == (3, [])


def test_the_main_process_of_a_service_is_left_to_its_supervisor() -> None:
    with subprocess.Popen([sys.executable, "-c", "pass"], start_new_session=True) as service:
        while service.pid not in zombies():
            pass
        reaper = OrphanReaper()
        assert [reaper.reap({service.pid}) for _ in range(3)] == [[], [], []]
        assert service.wait() == 0


def test_work_that_this_process_started_for_itself_is_left_to_it() -> None:
    with subprocess.Popen([sys.executable, "-c", "raise SystemExit(7)"]) as work:
        while work.pid not in zombies():
            pass
        reaper = OrphanReaper()
        assert [reaper.reap(()) for _ in range(3)] == [[], [], []]
        assert work.wait() == 7
