"""What an HTTP answer says of a service, and sizes, shares and groups of the kernel."""

import json
from pathlib import Path

import pytest

from storecrew.domain.control.services import ProcessId, ServiceHealth
from storecrew.domain.errors import InvalidInput
from storecrew.supervisor import bytes_of, share_of
from storecrew.supervisor.cgroups import Cgroups
from storecrew.supervisor.health_probe import ANY_2XX, judge
from storecrew.supervisor.procfs import ProcessStat, ProcessTree, group_survivors
from storecrew.supervisor.service_controller import how_it_ended

WELL = {"status": "healthy", "service": "s", "timestamp": "2026-03-02T12:00:00"}


def test_r097_200_with_the_agreed_object_is_healthy() -> None:
    assert judge(200, json.dumps(WELL).encode()).health is ServiceHealth.HEALTHY


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (503, json.dumps(WELL), "503"),
        (302, "", "302"),
        (200, "OK", "JSON"),
        (200, "[]", "object"),
        (200, json.dumps({**WELL, "status": "ok"}), "'ok'"),
        (200, json.dumps({**WELL, "status": None}), "'status'"),
        (200, json.dumps({**WELL, "service": ""}), "'service'"),
        (200, json.dumps({"status": "healthy", "service": "s"}), "'timestamp'"),
    ],
)
def test_r097_anything_else_is_unhealthy_and_says_why(status: int, body: str, why: str) -> None:
    found = judge(status, body.encode())
    assert found.health is ServiceHealth.UNHEALTHY
    assert why in found.detail


@pytest.mark.parametrize(
    ("text", "size"), [("512MB", 512 << 20), ("2 GB", 2 << 30), ("1kb", 1024), ("7B", 7)]
)
def test_r084_sizes_are_read(text: str, size: int) -> None:
    assert bytes_of(text) == size


@pytest.mark.parametrize("text", ["", "512", "0MB", "-1MB", "1.5GB", "512MiB", "many"])
def test_r084_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="max_memory"):
        bytes_of(text)


def test_r085_shares_are_read_and_what_is_none_is_refused() -> None:
    assert (share_of("25%"), share_of("150 %"), share_of("0.5%")) == (0.25, 1.5, 0.005)
    for text in ("25", "0%", "-1%", "all"):
        with pytest.raises(InvalidInput, match="max_cpu"):
            share_of(text)


def groups(folder: Path, controllers: str, own: str = "0::/ours") -> Cgroups:
    base = folder / "ours"
    base.mkdir(parents=True)
    (base / "cgroup.controllers").write_text(controllers)
    (folder / "proc" / "self").mkdir(parents=True)
    (folder / "proc" / "self" / "cgroup").write_text(f"4:memory:/x\n{own}\n")
    return Cgroups.ours(folder, folder / "proc")


def test_r085_a_group_of_its_own_holds_the_service_where_the_kernel_lets_us(
    tmp_path: Path,
) -> None:
    ours = groups(tmp_path, "cpu memory", own="0::/ours/supervisor")
    assert ours.hold("s", 42, 0.25)
    group = tmp_path / "ours" / "storecrew.s"
    assert (group / "cpu.max").read_text() == "25000 100000"
    assert (group / "cgroup.procs").read_text() == "42"


def test_r085_without_the_controller_there_is_no_group(tmp_path: Path) -> None:
    assert not groups(tmp_path, "memory").hold("s", 42, 0.25)
    assert not (tmp_path / "ours" / "storecrew.s").exists()
    assert not Cgroups(base=None).hold("s", 42, 0.25)


def process(pid: int, *, parent: int = 1, session: int = 0, start_ticks: int = 1) -> ProcessStat:
    return ProcessStat(pid, "S", parent, session or pid, session or pid, 0, start_ticks, 0)


def test_a_tree_holds_descendants_and_what_stayed_in_the_session() -> None:
    found = {
        p.pid: p
        for p in (
            process(10),
            process(11, parent=10, session=10),
            process(12, parent=1, session=10),  # its parent has ended
            process(13, parent=11),  # in a session of its own
            process(14),
        )
    }
    assert {p.pid for p in ProcessTree(found).tree(10)} == {10, 11, 12, 13}


def test_what_is_left_of_a_session_is_ours_only_while_its_number_was_not_given_away() -> None:
    leader = ProcessId(pid=10, start_ticks=1, boot_id="b")
    rest = process(11, session=10)
    assert group_survivors(leader, {11: rest}) == [rest]
    assert group_survivors(leader, {10: process(10, start_ticks=9), 11: rest}) == []


FOREIGN = ['{"status":"UP"}', '{"status": "pass"}', "ok", "OK", "", "healthy", '"ok"', "[]", "null",
           "<html>", '{"state":"green"}', "[" * 60_000, "\ud800",
           json.dumps({**WELL, "status": "ok"})]  # fmt: skip


@pytest.mark.parametrize("body", FOREIGN, ids=lambda body: repr(body)[:30])
def test_a_foreign_convention_is_named_with_the_setting_that_takes_it(body: str) -> None:
    content = body.encode("utf-8", "surrogatepass")
    found = judge(200, content)
    assert found.health is ServiceHealth.UNHEALTHY
    assert "`health_status: any-2xx`" in found.detail
    assert judge(200, content, ANY_2XX).health is ServiceHealth.HEALTHY


@pytest.mark.parametrize(
    ("status", "health"),
    [(200, "healthy"), (204, "healthy"), (299, "healthy"), (199, "unhealthy"), (302, "unhealthy"),
     (404, "unhealthy"), (500, "unhealthy"), (503, "unhealthy")],
)  # fmt: skip
def test_any_2xx_is_any_2xx(status: int, health: str) -> None:
    assert judge(status, b"", ANY_2XX).health.value == health


@pytest.mark.parametrize("code", [None, *range(-70, 260), -(2**31)])
def test_every_way_to_end_has_words(code: int | None) -> None:
    assert how_it_ended(code)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (-9, "ended by SIGKILL"),
        (-40, "ended by signal 40"),
        (-35, "ended by signal 35"),
        (-63, "ended by signal 63"),
        (3, "ended with exit code 3"),
        (None, "it ended"),
    ],
)
def test_a_signal_without_a_name_is_told_by_its_number(code: int | None, words: str) -> None:
    assert how_it_ended(code) == words
