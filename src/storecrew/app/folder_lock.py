"""One orchestrator per data folder: a file lock that the kernel lets go of when we die."""

import fcntl
import os
from pathlib import Path
from typing import IO

from storecrew.database.private_files import make_private_folder, private_opener
from storecrew.domain.errors import StorecrewError


class AlreadyRunning(StorecrewError):
    """Another process runs the crew on this data folder."""

    def __init__(self, folder: Path, pid: str) -> None:
        super().__init__(
            f"process {pid or '?'} runs the crew on {str(folder)!r}; "
            "stop it, or use its HTTP API instead"
        )
        self.folder = folder
        self.pid = pid


class FolderLock:
    """Holds `orchestrator.pid` in the data folder, locked, with our process id in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Take the lock, or raise `AlreadyRunning`."""
        make_private_folder(self._folder)
        file = open(self._folder / "orchestrator.pid", "a+", opener=private_opener)  # noqa: SIM115 - held until released
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            pid = file.read().strip()
            file.close()
            raise AlreadyRunning(self._folder, pid) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def release(self) -> None:
        """Let go of the lock and take the file away."""
        if self._file is not None:
            (self._folder / "orchestrator.pid").unlink(missing_ok=True)
            self._file.close()
            self._file = None
