"""Files and folders that only their owner may read: they hold customers, prices and keys."""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

FOLDER_MODE, FILE_MODE = 0o700, 0o600
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OWN = ("*.db", "*.db-wal", "*.db-shm", "*.db-journal", "*.pid", "*.key", "*.log", "*.log.*")


def make_private_folder(folder: Path) -> None:
    """Make the folder, and take the rights of others on it and on storecrew's files in it.

    A folder of another user, or one that all users share, stays as it is.
    """
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    for path in open_to_others(folder):
        with suppress(OSError):  # of another user: `storecrew doctor` tells
            path.chmod(stat.S_IMODE(path.stat().st_mode) & ~_OTHERS)


def make_private_file(path: Path) -> None:
    """Make the file if there is none, and take the rights of others on it."""
    with suppress(OSError):  # opening the file itself tells why
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        try:
            if stat.S_IMODE(os.fstat(descriptor).st_mode) & _OTHERS:
                os.fchmod(descriptor, FILE_MODE)
        finally:
            os.close(descriptor)


def private_opener(path: str, flags: int) -> int:
    """Open a file for `open`, which only its owner may read if it is new."""
    return os.open(path, flags, FILE_MODE)


def open_to_others(folder: Path) -> Iterator[Path]:
    """Yield the folder and the files of storecrew in it that others may read or write."""
    about = folder.stat()
    if about.st_mode & _OTHERS and not about.st_mode & stat.S_ISVTX:
        yield folder
    for pattern in _OWN:
        for path in sorted(folder.glob(pattern)):
            with suppress(FileNotFoundError):  # a database may close meanwhile
                about = path.lstat()
                if stat.S_ISREG(about.st_mode) and about.st_mode & _OTHERS:
                    yield path
