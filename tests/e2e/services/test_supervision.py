"""Real processes under the supervisor: they end, hang, leak, fork and ignore, and it acts."""

import asyncio
import errno
import json
import os
import signal
from pathlib import Path

import pytest
from service_scenario import ServiceScenario, is_alive, scenario_in, until_dead

from storecrew.domain.control.services import ServiceHealth, ServiceSpec, ServiceStatus
from storecrew.domain.errors import InvalidInput, NotFound
from storecrew.supervisor import service_controller
from storecrew.supervisor.resource_limits import CHECK_SECONDS
from storecrew.testing.live.process import cpu_seconds
from storecrew.testing.live.server import free_port


async def test_r079_a_killed_service_is_started_again_at_once(scenario: ServiceScenario) -> None:
    first = await scenario.add("s", "count")
    assert first.pid is not None
    os.kill(first.pid, signal.SIGKILL)
    again = await scenario.until("s", lambda v: v.pid not in (None, first.pid))
    assert again.restarts == 1
    assert "SIGKILL" in again.detail
    await scenario.until(
        "s", lambda v: len(scenario.seen) >= 2
    )  # who listens is told a moment later
    assert [v.status.value for v in scenario.seen][:2] == ["starting", "running"]


async def test_r079_crash_loop_ends_in_failed(scenario: ServiceScenario) -> None:
    await scenario.add("s", "crash", "3")
    failed = await scenario.until_is("s", ServiceStatus.FAILED)
    assert failed.restarts == 3
    assert failed.exit_code == 3
    assert "3 restarts" in failed.detail
    await scenario.manager.start("s", by="person:test")  # a person's start begins a new count
    await scenario.until("s", lambda v: v.restarts == 6 and v.status is ServiceStatus.FAILED)


async def test_r083_service_restart_policy_wins(scenario: ServiceScenario) -> None:
    await scenario.add("s", "crash", restart_policy={"max_retries": 1, "backoff_seconds": 0})
    assert (await scenario.until_is("s", ServiceStatus.FAILED)).restarts == 1


async def test_r079_without_recovery_nothing_is_started_again(tmp_path: Path) -> None:
    async with scenario_in(tmp_path, recovery={"enabled": False}) as scenario:
        await scenario.add("s", "crash")
        failed = await scenario.until_is("s", ServiceStatus.FAILED)
        assert failed.restarts == 0
        assert "recovery is switched off" in failed.detail


async def test_a_program_that_is_not_there_fails_with_its_name(scenario: ServiceScenario) -> None:
    spec = ServiceSpec(id="s", executable="/no/such/program", auto_start=True)
    view = await scenario.manager.register(spec, by="person:test")
    assert view.status is ServiceStatus.FAILED
    assert "/no/such/program" in view.detail


async def test_r094_start_is_idempotent_one_process_however_often(
    scenario: ServiceScenario,
) -> None:
    first = await scenario.add("s", "count")
    views = await asyncio.gather(*(scenario.manager.start("s", by="person:test") for _ in range(5)))
    assert {view.pid for view in views} == {first.pid}


async def test_r090_restart_gives_a_new_process_and_ends_the_old_one(
    scenario: ServiceScenario,
) -> None:
    first = await scenario.add("s", "count")
    again = await scenario.manager.restart("s", by="person:test")
    assert again.status is ServiceStatus.RUNNING
    assert again.pid != first.pid
    assert first.pid is not None
    assert not is_alive(first.pid)
    assert again.restarts == 0


async def test_who_ignores_the_request_to_end_is_killed_when_its_time_is_over(
    scenario: ServiceScenario,
) -> None:
    view = await scenario.add("s", "deaf", stop_timeout=0.3)
    await scenario.says("s", "deaf")
    stopped = await scenario.manager.stop("s", by="person:test")
    assert stopped.status is ServiceStatus.STOPPED
    assert stopped.exit_code == -signal.SIGKILL
    assert view.pid is not None
    assert not is_alive(view.pid)


async def test_asking_again_does_not_spare_who_ignores_the_request_to_end(
    scenario: ServiceScenario,
) -> None:
    view = await scenario.add("s", "deaf", stop_timeout=0.5)
    await scenario.says("s", "deaf")
    asked = (scenario.manager.stop("s", by=by) for by in ("person:a", "person:b"))
    assert {found.status for found in await asyncio.gather(*asked)} == {ServiceStatus.STOPPED}
    assert view.pid is not None
    assert not is_alive(view.pid)


async def test_a_restart_that_is_asked_for_while_it_stops_starts_it_once(
    scenario: ServiceScenario,
) -> None:
    view = await scenario.add("s", "deaf", stop_timeout=0.3)
    await scenario.says("s", "deaf")
    asked = (scenario.manager.restart("s", by="person:test") for _ in range(3))
    found = await asyncio.gather(*asked)
    assert {each.status for each in found} == {ServiceStatus.RUNNING}
    assert (await scenario.manager.show("s")).pid != view.pid


async def test_f18_a_machine_without_room_for_a_process_is_tried_again(
    scenario: ServiceScenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused: list[int] = []

    def no_room(*_: object) -> None:
        refused.append(1)
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    with monkeypatch.context() as patch:
        patch.setattr(service_controller, "spawn", no_room)
        await scenario.add("s", "count", restart_policy={"max_retries": 50})
        await scenario.until("s", lambda v: len(refused) > 2)
    assert "Resource temporarily" in (await scenario.until_is("s", ServiceStatus.RUNNING)).detail


async def test_children_end_with_their_service(scenario: ServiceScenario) -> None:
    await scenario.add("s", "fork", stop_timeout=0.5)
    child = int((await scenario.says("s", "child")).split()[1])
    await scenario.says("s", "deaf")
    await scenario.manager.stop("s", by="person:test")
    assert not is_alive(child)


async def test_children_that_a_crash_left_behind_are_killed_before_the_restart(
    scenario: ServiceScenario,
) -> None:
    await scenario.add("s", "orphan", restart_policy={"max_retries": 0})
    child = int((await scenario.says("s", "child")).split()[1])
    await scenario.until_is("s", ServiceStatus.FAILED)
    await until_dead(child)
    assert not is_alive(child)


async def test_r084_memory_limit_restarts_within_two_seconds_and_names_the_reason(
    scenario: ServiceScenario,
) -> None:
    assert CHECK_SECONDS <= 1  # the first check over the limit kills, and the pause here is 0.05 s
    first = await scenario.add("s", "leak", "200", resources={"max_memory": "100MB"})
    view = await scenario.until("s", lambda v: v.restarts > 0)
    assert "over its memory limit" in view.detail
    assert "100MB" in view.detail
    assert first.pid is not None
    assert not is_alive(first.pid)


async def test_r084_the_memory_of_children_counts(scenario: ServiceScenario) -> None:
    await scenario.add("s", "fork", resources={"max_memory": "12MB"})
    child = int((await scenario.says("s", "child")).split()[1])
    view = await scenario.until("s", lambda v: "over its memory limit" in v.detail)
    await until_dead(child)
    assert view.pid != child


async def test_r085_busy_loop_is_held_near_its_share(scenario: ServiceScenario) -> None:
    view = await scenario.add("s", "busy", resources={"max_cpu": "20%"})
    assert view.cpu_limit in ("cgroup", "duty cycle")
    assert view.pid is not None
    await asyncio.sleep(1.5)  # its first half second is free, and paid back
    before, began = cpu_seconds(view.pid), asyncio.get_running_loop().time()
    await asyncio.sleep(3)
    share = (cpu_seconds(view.pid) - before) / (asyncio.get_running_loop().time() - began)
    assert share < 0.35
    await scenario.manager.stop("s", by="person:test")  # also while it is held


async def test_r086_child_sees_its_environment_only(
    scenario: ServiceScenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_KEY_ROYALGPT", "planted-secret")
    await scenario.add("s", "environment", environment={"SERVICE_PORT": "8001", "N": 5})
    seen = json.loads(await scenario.says("s", "SERVICE_PORT"))
    allowed = {"PATH", "HOME", "LANG", "TZ", "LC_CTYPE", "SERVICE_PORT", "N", "SUPERVISED_AS"}
    assert set(seen) <= allowed
    assert (seen["SERVICE_PORT"], seen["N"]) == ("8001", "5")
    assert "planted-secret" not in json.dumps(seen)


async def test_r081_a_shell_never_sees_the_executable(
    scenario: ServiceScenario, tmp_path: Path
) -> None:
    await scenario.add("s", "count", ";", "touch", str(tmp_path / "oops"))
    await scenario.until_is("s", ServiceStatus.FAILED)
    assert not (tmp_path / "oops").exists()


async def test_it_runs_in_its_working_directory(scenario: ServiceScenario, tmp_path: Path) -> None:
    await scenario.add("s", "here", working_directory=str(tmp_path))
    assert json.loads(await scenario.says("s", "cwd"))["cwd"] == str(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may start services as another user")
async def test_it_runs_as_its_user(scenario: ServiceScenario) -> None:
    body = ServiceSpec(id="s", executable="id -u", user="nobody", auto_start=True)
    await scenario.manager.register(body, by="person:test")
    assert int(await scenario.says("s")) != 0


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        (ServiceSpec(id="s", executable="x ${NO_SUCH_VARIABLE}"), "executable"),
        (ServiceSpec(id="s", executable="x ${API_KEY_ROYALGPT}"), "API_KEY_ROYALGPT"),
        (ServiceSpec(id="s", executable="x", environment={"STORECREW_X": "1"}), "environment"),
        (ServiceSpec(id="s", executable="x", user="no-such-user"), "user"),
        (ServiceSpec(id="s", executable="x", depends_on=("none",)), "depends_on"),
    ],
)
async def test_p25_what_cannot_be_started_is_refused_with_its_field(
    scenario: ServiceScenario, spec: ServiceSpec, field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        await scenario.manager.register(spec, by="person:test")
    assert field in caught.value.field
    with pytest.raises(NotFound):
        await scenario.manager.show("s")


async def test_dependents_wait_and_are_told(scenario: ServiceScenario) -> None:
    await scenario.add("db", "count", auto_start=False)
    web = await scenario.add("web", "count", depends_on=["db"])
    assert (web.status, web.detail) == (ServiceStatus.WAITING, "waits for db")
    await scenario.manager.start("db", by="person:test")
    web = await scenario.until_is("web", ServiceStatus.RUNNING)
    await scenario.manager.stop("db", by="person:test")
    told = await scenario.manager.show("web")
    assert told.pid == web.pid
    assert "db, which it depends on, is stopped" in told.detail


async def test_r097_other_status_is_unhealthy_and_healthy_again_by_its_answer(
    scenario: ServiceScenario, tmp_path: Path
) -> None:
    port, mood = free_port(), tmp_path / "mood"
    mood.write_text("healthy")
    view = await scenario.add(
        "s",
        *("serve", str(port), str(mood)),
        health_endpoint=f"http://127.0.0.1:{port}/health",
        health={"interval": 0.1, "timeout": 0.3},
        restart_policy={"max_retries": 1},
    )
    assert view.health is ServiceHealth.UNKNOWN
    well = await scenario.until("s", lambda v: v.health is ServiceHealth.HEALTHY)
    assert well.health_at is not None
    mood.write_text("overloaded")
    ill = await scenario.until("s", lambda v: v.health is ServiceHealth.UNHEALTHY)
    assert "overloaded" in ill.detail
    assert ill.is_down
    mood.write_text("healthy")
    again = await scenario.until("s", lambda v: v.health is ServiceHealth.HEALTHY)
    assert again.restarts <= 1


async def test_r078_slow_health_answer_is_unhealthy_within_one_interval(
    scenario: ServiceScenario, tmp_path: Path
) -> None:
    port, mood = free_port(), tmp_path / "mood"
    mood.write_text("healthy")
    view = await scenario.add(
        "s",
        *("serve", str(port), str(mood)),
        health_endpoint=f"http://127.0.0.1:{port}/health",
        health={"interval": 0.1, "timeout": 0.2},
    )
    await scenario.until("s", lambda v: v.health is ServiceHealth.HEALTHY)
    mood.write_text("hang")
    await scenario.until("s", lambda v: v.health is ServiceHealth.UNHEALTHY)
    hung = await scenario.until("s", lambda v: v.restarts == 1)
    assert "unhealthy 3 times in a row" in hung.detail
    assert hung.pid != view.pid


async def test_p25_an_announced_service_is_watched_and_says_goodbye(
    scenario: ServiceScenario,
) -> None:
    port = free_port()
    spec = ServiceSpec(id="e", health_endpoint=f"http://127.0.0.1:{port}/health")
    view, is_new = await scenario.manager.announce(spec, by="person:test")
    again, is_new_again = await scenario.manager.announce(spec, by="person:test")
    assert (is_new, is_new_again) == (True, False)
    assert view.status is again.status is ServiceStatus.EXTERNAL
    assert (await scenario.until("e", lambda v: v.health is ServiceHealth.UNHEALTHY)).is_down
    await scenario.manager.deregister("e")
    assert not (await scenario.manager.show("e")).is_down


async def test_p25_a_service_that_said_goodbye_is_not_started_again(
    scenario: ServiceScenario,
) -> None:
    view = await scenario.add("s", "count")
    await scenario.manager.deregister("s")
    assert view.pid is not None
    os.kill(view.pid, signal.SIGTERM)
    ended = await scenario.until_is("s", ServiceStatus.STOPPED)
    assert (ended.restarts, ended.is_down) == (0, False)
    assert "goodbye" in ended.detail


async def test_p25_an_announced_service_reports_its_own_health(scenario: ServiceScenario) -> None:
    await scenario.manager.announce(ServiceSpec(id="e"), by="person:test")
    await scenario.manager.report("e", ServiceHealth.HEALTHY)
    assert (await scenario.manager.show("e")).health is ServiceHealth.HEALTHY
    await scenario.manager.report("e", ServiceHealth.UNHEALTHY, "the queue is full")
    assert (await scenario.manager.show("e")).detail == "the queue is full"


async def test_f19_a_flood_is_kept_to_its_last_line_without_a_gap(
    scenario: ServiceScenario, tmp_path: Path
) -> None:
    megabytes = 45
    lines = -(-(megabytes << 20) // 64 // 1024) * 1024
    await scenario.add("s", "flood", str(megabytes))
    await scenario.says("s", f"{lines - 1:062d}")
    logs = tmp_path / "logs"
    files = [logs / f"s.log.{n}" for n in (3, 2, 1)] + [logs / "s.log"]
    kept = [int(line) for file in files for line in file.read_bytes().split()]
    assert all(file.read_bytes().endswith(b"\n") for file in files)
    assert all(file.stat().st_size <= 10_000_000 for file in files)
    assert kept == list(range(kept[0], lines))


async def test_r076_the_end_stops_every_service_and_the_keeper(tmp_path: Path) -> None:
    async with scenario_in(tmp_path) as scenario:
        pids = [(await scenario.add(f"s{n}", "count")).pid for n in range(5)]
        supervisor = scenario.manager.supervisor
        assert supervisor is not None
        pids.append(supervisor.controller.pipes.collector_pid)
    assert [pid for pid in pids if pid and is_alive(pid)] == []


async def test_r082_auto_start_decides_after_an_end_in_order(tmp_path: Path) -> None:
    async with scenario_in(tmp_path) as scenario:
        await scenario.add("by-itself", "count")
        await scenario.add("by-hand", "count", auto_start=False)
        await scenario.manager.stop("by-itself", by="person:test")
        await scenario.manager.start("by-hand", by="person:test")
    async with scenario_in(tmp_path) as scenario:
        await scenario.until_is("by-itself", ServiceStatus.RUNNING)
        assert (await scenario.manager.show("by-hand")).status is ServiceStatus.STOPPED
