"""One process runs the crew on a data folder; the next one is told who."""

import os
import subprocess
import sys

import pytest

from storecrew.app.folder_lock import AlreadyRunning, FolderLock

HOLDER = """
import sys
from pathlib import Path
from storecrew.app.folder_lock import FolderLock
lock = FolderLock(Path(sys.argv[1]))
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_process_on_one_folder_is_refused_and_told_who_was_first(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, tmp_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as first:
        assert first.stdout.readline() == "held\n"

        with pytest.raises(AlreadyRunning, match=f"{first.pid}.? runs the crew") as refused:
            FolderLock(tmp_path).acquire()
        assert (refused.value.folder, refused.value.pid) == (tmp_path, str(first.pid))

        first.kill()

    lock = FolderLock(tmp_path)  # the dead hold nothing
    lock.acquire()
    assert (tmp_path / "orchestrator.pid").read_text() == str(os.getpid())
    lock.release()


def test_a_folder_let_go_of_can_be_held_again(tmp_path):
    folder = tmp_path / "new"
    for _ in range(2):
        lock = FolderLock(folder)
        lock.acquire()
        with pytest.raises(AlreadyRunning):
            FolderLock(folder).acquire()
        lock.release()
        lock.release()

    assert list(folder.iterdir()) == []
