"""Reading the log files of services: their newest lines, and those to come."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from storecrew.supervisor.pipes import BACKUPS

MAX_LINES = 10_000
_BLOCK = 1 << 18
_LOOK = 0.2
"""Seconds between two looks for new lines."""
_AT_ONCE = 1 << 20


def tail(folder: Path, service: str, lines: int, search: str = "") -> list[str]:
    """Return the newest lines, oldest first: all, or those with these words in any case."""
    needle = search.lower().encode()
    found: list[bytes] = []
    for path in _files(folder, service):
        for line in _backwards(path):
            if needle in line.lower():
                found.append(line)
            if len(found) == lines:
                break
        if len(found) == lines:
            break
    return [line.decode("utf-8", "replace") for line in reversed(found)]


def _files(folder: Path, service: str) -> Iterator[Path]:
    """Yield the service's files, newest first."""
    newest = folder / f"{service}.log"
    yield newest
    for number in range(1, BACKUPS + 1):
        yield newest.with_name(f"{newest.name}.{number}")


def _backwards(path: Path) -> Iterator[bytes]:
    """Yield the lines of a file from the last to the first."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        start = file.seek(0, os.SEEK_END)
        rest = b""
        is_end = True
        while start > 0:
            size = min(_BLOCK, start)
            start -= size
            file.seek(start)
            first, *lines = (file.read(size) + rest).split(b"\n")
            if is_end and lines and not lines[-1]:
                lines.pop()  # the end of the last line, not one more
            is_end = False
            yield from reversed(lines)
            rest = first
        if rest or not is_end:
            yield rest


@dataclass
class Follower:
    """Reads what is written into one service's log from now on."""

    folder: Path
    service: str
    _file: int = -1
    _rest: bytes = b""

    def begin(self) -> None:
        """Stand at the present end."""
        self._open()
        if self._file >= 0:
            os.lseek(self._file, 0, os.SEEK_END)

    def _open(self) -> None:
        try:
            self._file = os.open(self.folder / f"{self.service}.log", os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            self._file = -1

    def lines(self) -> list[str]:
        """Return the lines that are complete and new; goes on into the file after a rotation."""
        if self._file < 0:
            self._open()
        if self._file < 0:
            return []
        data = os.read(self._file, _AT_ONCE)
        if not data and self._was_rotated() and not (data := os.read(self._file, _AT_ONCE)):
            self.close()
            self._open()
            data = os.read(self._file, _AT_ONCE) if self._file >= 0 else b""
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [line.decode("utf-8", "replace") for line in lines]

    def _was_rotated(self) -> bool:
        try:
            now = os.stat(self.folder / f"{self.service}.log")
        except FileNotFoundError:
            return False
        return now.st_ino != os.fstat(self._file).st_ino

    def close(self) -> None:
        """Let go of the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


async def follow(
    folder: Path, services: Sequence[str], ended: Callable[[], bool] = lambda: False
) -> AsyncIterator[tuple[str, str]]:
    """Yield each new line of these services with its service, until the reader leaves.

    `ended` may end it earlier.
    """
    followers = [Follower(folder, service) for service in services]
    try:
        for follower in followers:
            follower.begin()
        while not ended():
            quiet = True
            for follower in followers:
                for line in follower.lines():
                    quiet = False
                    yield follower.service, line
            if quiet:
                await asyncio.sleep(_LOOK)
    finally:
        for follower in followers:
            follower.close()
