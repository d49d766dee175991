"""The log collector: a small process that writes the services' output into files.

It outlives the supervisor, so that a service never writes into a closed pipe. It is run as a
script by a bare interpreter (`python -I -S log_collector.py pipes logs limit backups`) and imports
nothing of the product. Each service writes into a FIFO in the folder of pipes; the keeper looks
at what is in it with tee(2), decides where a line and a file end, and lets the kernel move exactly
that much into the file with splice(2). Whatever was not moved stays in the pipe: nothing is lost
or doubled when the keeper is killed, or when the disk is full.
"""

import contextlib
import errno
import fcntl
import os
import select
import sys
import time

CONTROL = ".control"
LOCK = ".lock"
LONGEST_LINE = 65536
"""A longer line is broken here, so that files can end at a line."""
TAKEN = 75
"""Exit code when another keeper serves this folder."""
_PIPE = 1 << 20
_RETRY = 0.5
_LAST_TRY = 2.0
"""Seconds that a keeper told to stop tries to write what a full disk refuses."""
_NONBLOCK = 2
_SET_PIPE_SIZE = 1031
_REFUSED = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EFBIG}


class PipePeeker:
    """Shows what is in a pipe without taking it out."""

    def __init__(self) -> None:
        import ctypes  # the supervisor imports this module for its names, and tees nothing

        self._tee = ctypes.CDLL(None, use_errno=True).tee
        self._errno = ctypes.get_errno
        self.out, self.into = os.pipe()
        widen(self.into)

    def peek(self, pipe: int) -> bytes:
        """Return the bytes at the pipe's head; empty where there are none."""
        copied = int(self._tee(pipe, self.into, _PIPE, _NONBLOCK))
        if copied < 0:
            code = self._errno()
            if code in (errno.EAGAIN, errno.EINTR):
                return b""
            raise OSError(code, os.strerror(code))
        data = os.read(self.out, copied) if copied else b""
        while len(data) < copied:
            data += os.read(self.out, copied - len(data))
        return data


class RotatingLog:
    """The files of one service: the newest, and so many before it."""

    def __init__(self, path: str, limit: int, backups: int) -> None:
        self.path, self.limit, self.backups = path, limit, backups
        self.file = -1
        self.size = 0
        self.line = 0
        """Bytes since the last end of a line."""

    def append(self, pipe: int, data: bytes) -> None:
        """Move the data, which stands at the head of the pipe, into the files."""
        self._find()
        self._break_long_line()  # where a full disk refused it before
        start = 0
        while start < len(data):
            end = self._fitting(data, start)
            if end == start:
                self._rotate()
                continue
            moved = self._move(pipe, end - start)
            self._count(data, start, start + moved)
            self._break_long_line()
            start += moved

    def _fitting(self, data: bytes, start: int) -> int:
        """Return up to where the data belongs into this file."""
        room = max(0, self.limit - self.size)
        end = len(data)
        if end - start > room:
            newline = data.rfind(b"\n", start, start + room)
            if newline >= 0:
                end = newline + 1
            elif self.line == 0 and self.size:
                return start
            else:
                end = data.find(b"\n", start) + 1 or end
        return self._before_long_line(data, start, end)

    def _before_long_line(self, data: bytes, start: int, end: int) -> int:
        line, at = self.line, start
        while at < end:
            stop = min(end, at + LONGEST_LINE - line)
            newline = data.rfind(b"\n", at, stop)
            if newline >= 0:
                at, line = newline + 1, 0
                continue
            at, line = stop, line + stop - at
            if line >= LONGEST_LINE:
                break
        return at

    def _count(self, data: bytes, start: int, end: int) -> None:
        self.size += end - start
        newline = data.rfind(b"\n", start, end)
        self.line = end - newline - 1 if newline >= 0 else self.line + end - start

    def _break_long_line(self) -> None:
        if self.line >= LONGEST_LINE:
            self.size += os.write(self.file, b"\n")
            self.line = 0

    def _move(self, pipe: int, count: int) -> int:
        try:
            return os.splice(pipe, self.file, count)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
        return os.write(self.file, os.read(pipe, count))  # a file system that cannot splice

    def _find(self) -> None:
        """Open the newest file, which may have been removed or truncated."""
        try:
            if self.file >= 0 and os.stat(self.path).st_ino == os.fstat(self.file).st_ino:
                self.size = os.lseek(self.file, 0, os.SEEK_END)
                return
        except FileNotFoundError:
            pass
        self._open()

    def _open(self) -> None:
        if self.file >= 0:
            os.close(self.file)
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        self.file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.size = os.lseek(self.file, 0, os.SEEK_END)
        ended = self.size == 0 or os.pread(self.file, 1, self.size - 1) == b"\n"
        self.line = 0 if ended else 1

    def _rotate(self) -> None:
        for n in range(self.backups, 0, -1):
            older = self.path if n == 1 else f"{self.path}.{n - 1}"
            if os.path.exists(older):
                os.replace(older, f"{self.path}.{n}")
        self._open()


class LogCollector:
    """Serves every pipe of the folder until it is told to stop."""

    def __init__(self, pipes: str, logs: str, limit: int, backups: int) -> None:
        self.pipes, self.logs, self.limit, self.backups = pipes, logs, limit, backups
        self.peeker = PipePeeker()
        self.epoll = select.epoll()
        self.open: dict[int, RotatingLog] = {}
        self.names: set[str] = set()
        self.refused: dict[int, float] = {}
        """Pipes whose disk was full, and when to try again."""
        self.stopping = False
        control = os.path.join(pipes, CONTROL)
        if not os.path.exists(control):
            os.mkfifo(control, 0o600)
        self.control = os.open(control, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self.epoll.register(self.control, select.EPOLLIN)

    def find(self) -> None:
        """Open the pipes that are new in the folder."""
        for name in sorted(os.listdir(self.pipes)):
            if name[0] == "." or name in self.names:
                continue
            pipe = os.open(os.path.join(self.pipes, name), os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            widen(pipe)
            log = RotatingLog(os.path.join(self.logs, f"{name}.log"), self.limit, self.backups)
            self.names.add(name)
            self.open[pipe] = log
            self.epoll.register(pipe, select.EPOLLIN)

    def serve(self) -> None:
        """Move lines until told to stop, then what is left."""
        self.find()
        while not self.stopping:
            for pipe, _ in self.epoll.poll(_RETRY if self.refused else None):
                if pipe == self.control:
                    self._obey()
                else:
                    self._drain(pipe)
            self._try_again()
        deadline = time.monotonic() + _LAST_TRY
        while sum(map(self._drain, self.open)):  # each of them, in turn
            if self.refused and time.monotonic() > deadline:
                return
            time.sleep(0.05 if self.refused else 0)

    def _obey(self) -> None:
        command = os.read(self.control, 4096)
        self.find()
        self.stopping = b"stop" in command

    def _drain(self, pipe: int) -> bool:
        """Move one look's worth; tell whether there was anything."""
        data = self.peeker.peek(pipe)
        try:
            if data:
                self.open[pipe].append(pipe, data)
                self.refused.pop(pipe, None)
        except OSError as error:
            if error.errno not in _REFUSED:
                raise
            if pipe not in self.refused and not self.stopping:
                self.epoll.modify(pipe, 0)
            self.refused[pipe] = time.monotonic() + _RETRY
        return bool(data)

    def _try_again(self) -> None:
        now = time.monotonic()
        for pipe in [pipe for pipe, at in self.refused.items() if at <= now]:
            self._drain(pipe)
            if pipe not in self.refused:
                self.epoll.modify(pipe, select.EPOLLIN)


def widen(pipe: int) -> None:
    """Let the pipe hold a megabyte, where this user may have that much."""
    with contextlib.suppress(OSError):
        fcntl.fcntl(pipe, _SET_PIPE_SIZE, _PIPE)


def main(arguments: list[str]) -> int:
    """Serve the folder, alone."""
    pipes, logs, limit, backups = arguments
    lock = os.open(os.path.join(pipes, LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return TAKEN
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n{logs}\n".encode(), 0)
    LogCollector(pipes, logs, int(limit), int(backups)).serve()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
