"""Starting the server in the background, and ending it."""

import http.client
import os
import signal
import ssl
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from typing import IO

import typer

from storecrew.cli.output import FAILED, fail

_READY_SECONDS = 60.0
"""How long a start may take: the first one makes the databases."""
_LOOK_AGAIN = 0.05


def start(address: tuple[str, int], *, tls: bool, serve: Callable[[], None]) -> int:
    """Serve in a process of its own and return its id once it is ready, or say why it is not."""
    with tempfile.TemporaryFile() as said:
        pid = os.fork()
        if pid == 0:
            _become_background(said)
            os._exit(_code_of(serve))
        deadline = time.monotonic() + _READY_SECONDS
        while not _is_ready(address, tls=tls):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                said.seek(0)
                sys.stderr.buffer.write(said.read())
                raise typer.Exit(os.waitstatus_to_exitcode(status) or FAILED)
            if time.monotonic() > deadline:
                fail(f"process {pid} is not ready after {_READY_SECONDS:g} s; see its log")
            time.sleep(_LOOK_AGAIN)
    return pid


def _become_background(said: IO[bytes]) -> None:
    os.setsid()
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    for output in (1, 2):
        os.dup2(said.fileno(), output)


def _code_of(serve: Callable[[], None]) -> int:
    try:
        serve()
    except typer.Exit as ended:
        return ended.exit_code
    except BaseException:  # noqa: BLE001 - the last frame of this process
        traceback.print_exc()
        return FAILED
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def _is_ready(address: tuple[str, int], *, tls: bool) -> bool:
    host, port = address
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - only compared
    context = ssl._create_unverified_context()  # noqa: S323 - our own child, on our own socket
    connection = (
        http.client.HTTPSConnection(host, port, timeout=2, context=context)
        if tls
        else http.client.HTTPConnection(host, port, timeout=2)
    )
    try:
        connection.request("GET", "/healthz", headers={"Host": f"localhost:{port}"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def end(pid: int, *, is_same: Callable[[], bool], within: float) -> bool:
    """Ask a process to end, and kill it after so many seconds; True where it ended by itself.

    `is_same` tells whether the process still is the one that is meant.
    """
    if not is_same():
        return True
    handle = os.pidfd_open(pid)
    try:
        if not is_same():  # looked at again now that the handle is fixed on one process
            return True
        signal.pidfd_send_signal(handle, signal.SIGTERM)
        if _has_ended(handle, within):
            return True
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        _has_ended(handle, within)
    finally:
        os.close(handle)
    return False


def _has_ended(handle: int, within: float) -> bool:
    import select

    return bool(select.select([handle], [], [], within)[0])
