"""The registry of services, on every database: wishes, what was seen, files, and who supervises."""

from dataclasses import replace
from datetime import timedelta

import pytest
from journal_driver import NOON, JournalDriver

from storecrew.domain.control.services import (
    DesiredState,
    ObservedState,
    ProcessId,
    ServiceExists,
    ServiceHealth,
    ServiceNotManaged,
    ServiceOrigin,
    ServiceSpec,
    ServiceStatus,
)
from storecrew.domain.errors import NotFound
from storecrew.journal.services import SqlServiceRegistry, SupervisorLease

SPEC = ServiceSpec(id="s", executable="run it", environment={"A": "secret"}, auto_start=True)
BY = "person:owner"
PROCESS = ProcessId(pid=42, start_ticks=2**40, boot_id="boot")


@pytest.fixture
def registry(driver: JournalDriver) -> SqlServiceRegistry:
    return SqlServiceRegistry(driver.journal.database)


def seen(**changes: object) -> ObservedState:
    usual = ObservedState(service="s", status=ServiceStatus.RUNNING, since=NOON, process=PROCESS)
    return replace(usual, **changes)  # type: ignore[arg-type]


async def test_r080_what_is_registered_is_kept_as_it_was_described(
    registry: SqlServiceRegistry,
) -> None:
    entry = await registry.register(SPEC, ServiceOrigin.API, by=BY, now=NOON)
    assert entry.spec == SPEC
    assert entry.desired is DesiredState.RUNNING
    assert await registry.entries() == [entry]
    assert await registry.entry("s") == entry


async def test_r093_an_id_is_given_once(registry: SqlServiceRegistry) -> None:
    await registry.register(SPEC, ServiceOrigin.API, by=BY, now=NOON)
    with pytest.raises(ServiceExists):
        await registry.register(SPEC, ServiceOrigin.API, by=BY, now=NOON)


async def test_each_wish_grows_the_revision_and_is_audited_with_its_actor(
    registry: SqlServiceRegistry, driver: JournalDriver
) -> None:
    await registry.register(SPEC, ServiceOrigin.API, by=BY, now=NOON)
    first = await registry.revision()
    stopped = await registry.request("s", DesiredState.STOPPED, by=BY, now=NOON)
    again = await registry.request("s", DesiredState.RUNNING, restart=True, by=BY, now=NOON)
    assert first < stopped.revision < again.revision == await registry.revision()
    assert (stopped.generation, again.generation) == (0, 1)
    found = (await driver.journal.audit(page=1, per_page=10)).items
    assert [entry.action["type"] for entry in found] == [
        "restart_service",
        "stop_service",
        "register_service",
    ]
    assert {entry.actor for entry in found} == {BY}
    assert "secret" not in str(found)


async def test_a_wish_for_nobody_or_for_a_stranger_is_refused(registry: SqlServiceRegistry) -> None:
    with pytest.raises(NotFound):
        await registry.request("none", DesiredState.RUNNING, by=BY, now=NOON)
    assert await registry.announce(ServiceSpec(id="e"), by=BY, now=NOON)
    with pytest.raises(ServiceNotManaged):
        await registry.request("e", DesiredState.STOPPED, by=BY, now=NOON)


async def test_p25_a_service_that_announces_itself_again_may_have_moved(
    registry: SqlServiceRegistry,
) -> None:
    here, there = (ServiceSpec(id="e", api_endpoint=f"http://h/{n}") for n in (1, 2))
    assert await registry.announce(here, by=BY, now=NOON)
    revision = await registry.revision()
    assert not await registry.announce(here, by=BY, now=NOON)
    assert await registry.revision() == revision
    assert not await registry.announce(there, by=BY, now=NOON)
    assert (await registry.entry("e")).spec == there
    assert await registry.revision() > revision


async def test_what_was_seen_is_kept_whole_and_replaces_what_was_seen_before(
    registry: SqlServiceRegistry,
) -> None:
    await registry.register(SPEC, ServiceOrigin.API, by=BY, now=NOON)
    later = seen(
        restarts=2,
        exit_code=-9,
        health=ServiceHealth.HEALTHY,
        health_at=NOON + timedelta(seconds=1),
        adopted=True,
        detail="so it is",
        cpu_limit="cgroup",
        revision=7,
    )
    await registry.record([seen(), replace(seen(), service="gone")])
    await registry.record([later])
    assert (await registry.entry("s")).observed == later


async def test_r081_files_are_taken_in_changed_and_forgotten(registry: SqlServiceRegistry) -> None:
    other = replace(SPEC, id="t")
    assert await registry.keep_files([SPEC, other], now=NOON) == []
    await registry.record([seen()])
    changed = replace(other, name="new")
    gone = await registry.keep_files([changed], now=NOON)
    assert [(e.spec.id, e.observed) for e in gone] == [("s", seen())]
    assert [e.spec for e in await registry.entries()] == [changed]


async def test_a_file_does_not_take_the_id_of_a_registered_service(
    registry: SqlServiceRegistry,
) -> None:
    await registry.register(SPEC, ServiceOrigin.API, by=BY, now=NOON)
    with pytest.raises(ServiceExists):
        await registry.keep_files([SPEC], now=NOON)
    await registry.keep_files([], now=NOON)
    assert len(await registry.entries()) == 1


async def test_r082_after_an_end_in_order_auto_start_decides_after_a_crash_the_last_word(
    registry: SqlServiceRegistry,
) -> None:
    charge = SupervisorLease(process=PROCESS, host="h", address="http://h:1")
    await registry.register(SPEC, ServiceOrigin.API, by=BY, now=NOON)
    assert await registry.lease() is None
    assert await registry.acquire_lease(charge)
    assert await registry.lease() == charge
    await registry.request("s", DesiredState.STOPPED, by=BY, now=NOON)

    assert not await registry.acquire_lease(charge)  # the one before was killed
    assert (await registry.entry("s")).desired is DesiredState.STOPPED

    await registry.release_lease()
    assert await registry.acquire_lease(charge)
    assert (await registry.entry("s")).desired is DesiredState.RUNNING
