"""The log collector's files: nothing lost or doubled, ends at lines; and reading them back."""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from storecrew.supervisor.log_collector import LONGEST_LINE, PipePeeker, RotatingLog
from storecrew.supervisor.log_reader import Follower, tail

LIMIT = 200_000


class Pipe:
    """A pipe and the log that it is emptied into, as the log collector does it."""

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        self.out, self.into = os.pipe()
        os.set_blocking(self.out, False)
        self.glass = PipePeeker()
        self.log = RotatingLog(str(folder / "s.log"), limit, 3)

    def write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self.into, data[:60_000]) :]
            self.drain()

    def drain(self) -> None:
        while data := self.glass.peek(self.out):
            self.log.append(self.out, data)


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[Pipe]:
    pipe = Pipe(tmp_path)
    yield pipe
    for each in (pipe.out, pipe.into, pipe.glass.out, pipe.glass.into, pipe.log.file):
        os.close(each)


def files(folder: Path) -> list[bytes]:
    """The files' contents, oldest first."""
    names = ["s.log.3", "s.log.2", "s.log.1", "s.log"]
    return [(folder / name).read_bytes() for name in names if (folder / name).exists()]


def test_f19_every_file_ends_at_a_line_and_the_lines_go_on_in_the_next(
    pipe: Pipe, tmp_path: Path
) -> None:
    rng = random.Random(1)
    lines = [b"%d %s" % (n, b"x" * rng.randrange(400)) for n in range(5000)]
    pipe.write(b"\n".join(lines) + b"\n")
    found = files(tmp_path)
    assert len(found) == 4
    for content in found:
        assert content.endswith(b"\n")
        assert len(content) <= LIMIT
    kept = b"".join(found).splitlines()
    assert kept == lines[-len(kept) :]


def test_f19_a_line_without_end_is_broken_and_memory_stays_bounded(
    pipe: Pipe, tmp_path: Path
) -> None:
    pipe.write(b"x" * (LONGEST_LINE * 2 + 100) + b"\nnext\n")
    lines = b"".join(files(tmp_path)).split(b"\n")
    assert [len(line) for line in lines] == [LONGEST_LINE, LONGEST_LINE, 100, 4, 0]


def test_f19_binary_is_kept_byte_for_byte(pipe: Pipe, tmp_path: Path) -> None:
    data = bytes(range(256)) * 400
    pipe.write(data)
    assert b"".join(files(tmp_path)) == data


def test_f14_a_full_disk_loses_nothing_and_goes_on_when_there_is_space(
    pipe: Pipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    splice, room = os.splice, [3000]

    def scarce(source: int, target: int, count: int) -> int:
        if room[0] == 0:
            raise OSError(28, "No space left on device")
        moved = splice(source, target, min(count, room[0]))
        room[0] -= moved
        return moved

    monkeypatch.setattr(os, "splice", scarce)
    lines = b"".join(b"%06d\n" % n for n in range(2000))
    os.write(pipe.into, lines)
    with pytest.raises(OSError, match="No space"):
        pipe.drain()
    assert b"".join(files(tmp_path)) == lines[:3000]
    room[0] = 1 << 30
    pipe.drain()
    assert b"".join(files(tmp_path)) == lines


def test_a_new_log_collector_goes_on_in_the_middle_of_a_line(tmp_path: Path, pipe: Pipe) -> None:
    (tmp_path / "s.log").write_bytes(b"half")
    pipe.write(b" a line\n")
    assert files(tmp_path) == [b"half a line\n"]


def test_a_file_that_was_taken_away_or_cut_is_begun_again(pipe: Pipe, tmp_path: Path) -> None:
    pipe.write(b"one\n")
    (tmp_path / "s.log").unlink()
    pipe.write(b"two\n")
    assert files(tmp_path) == [b"two\n"]
    os.truncate(tmp_path / "s.log", 0)
    pipe.write(b"three\n")
    assert files(tmp_path) == [b"three\n"]


def test_r095_the_newest_lines_are_read_over_several_files(tmp_path: Path) -> None:
    (tmp_path / "s.log.1").write_text("a\nb\n")
    (tmp_path / "s.log").write_text("c\nd")
    assert tail(tmp_path, "s", 3) == ["b", "c", "d"]
    assert tail(tmp_path, "s", 100) == ["a", "b", "c", "d"]
    assert tail(tmp_path, "s", 2, "A") == ["a"]
    assert tail(tmp_path, "none", 5) == []


def test_r095_a_long_file_is_read_from_its_end(tmp_path: Path) -> None:
    lines = [f"{n} {'x' * (n % 300)}" for n in range(20_000)]
    (tmp_path / "s.log").write_text("\n".join(lines) + "\n")
    assert tail(tmp_path, "s", 10_000) == lines[-10_000:]


def test_a_follower_goes_on_into_the_next_file(tmp_path: Path) -> None:
    file = tmp_path / "s.log"
    file.write_text("old\n")
    follower = Follower(tmp_path, "s")
    follower.begin()
    with file.open("a") as more:
        more.write("one\ntw")
    assert follower.lines() == ["one"]
    with file.open("a") as more:
        more.write("o\n")
    assert follower.lines() == ["two"]
    file.rename(tmp_path / "s.log.1")
    file.write_text("three\n")
    assert follower.lines() == ["three"]
    follower.close()
