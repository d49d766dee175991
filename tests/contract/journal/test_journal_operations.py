"""Operations on the plane happen at most once per key, on each database, wherever it dies."""

from datetime import timedelta

import pytest
from journal_driver import CLERK, NOON, JournalDriver, claim_spec, clerk_wakes, low

from storecrew.domain.actions import Command, ControlAction
from storecrew.domain.control.agents import AssignTask, PauseAgent, ResumeAgent
from storecrew.domain.control.events import RunRequested
from storecrew.domain.control.incidents import CloseIncident, OpenIncident
from storecrew.domain.control.proposals import RevertProposal, Verdict
from storecrew.domain.control.services import (
    DesiredState,
    RestartService,
    ServiceOrigin,
    ServiceSpec,
)
from storecrew.domain.errors import KeyReused, NotFound
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import SetPrice
from storecrew.journal.control_actions import OperationContext, SqlControlActions
from storecrew.journal.incidents import SqlIncidentRepository
from storecrew.journal.services import SqlServiceRegistry

ACTOR = "agent:anomaly_resolver"


def scene(minutes: int = 0) -> OperationContext:
    return OperationContext(
        now=NOON + timedelta(minutes=minutes), agents=[CLERK], subscribers_of=clerk_wakes
    )


def keyed(action: ControlAction, key: str = "resolver@1/0") -> Command:
    return Command(key=key, action=action, actor=ACTOR)


def trouble(name: str = "orders fell", title: str = "Orders fell") -> OpenIncident:
    plan = ({"type": "PauseAgent", "agent": CLERK},)
    return OpenIncident(
        incident=name, title=title, cause="unknown", observed="3", expected="40", plan=plan
    )


@pytest.fixture
async def incidents(driver: JournalDriver) -> SqlIncidentRepository:
    return SqlIncidentRepository(driver.journal.database)


@pytest.fixture
async def book(driver: JournalDriver) -> SqlControlActions:
    return SqlControlActions(driver.journal.database)


async def mug_service(driver: JournalDriver) -> SqlServiceRegistry:
    services = SqlServiceRegistry(driver.journal.database)
    spec = ServiceSpec(id="reviews", executable="true")
    await services.register(spec, ServiceOrigin.API, by="me", now=NOON)
    return services


async def test_an_incident_is_opened_once_and_closed_once(book, incidents):
    first = await book.apply(keyed(trouble()), scene())
    again = await book.apply(keyed(trouble()), scene(5))
    other = await book.apply(keyed(trouble(), "resolver@2/0"), scene(5))

    assert first.applied
    assert again == first
    assert (other.applied, other.code) == (False, "already_open")
    [found] = await incidents.incidents(status="open")
    assert (found.title, found.opened_at) == ("Orders fell", NOON)
    assert found.plan == ({"type": "PauseAgent", "agent": CLERK},)
    close = CloseIncident(incident="orders fell", reason="it rose again")
    assert (await book.apply(keyed(close, "c"), scene(9))).applied
    assert (await book.apply(keyed(close, "d"), scene(9))).code == "stale"
    closed = await incidents.incident("orders fell")
    assert (closed.status, closed.resolution) == ("closed", "it rose again")
    assert closed.closed_at == NOON + timedelta(minutes=9)
    assert await incidents.incidents(status="open") == []


async def test_a_closed_incident_opens_anew_and_is_told_anew(book, incidents):
    await book.apply(keyed(trouble(), "a"), scene())
    await incidents.mark_notified(await incidents.incident("orders fell"), NOON)
    [told] = await incidents.unnotified()
    assert told.notified_at == NOON
    await incidents.close_incident("orders fell", reason="mended", by="person:owner", now=NOON)
    await book.apply(keyed(trouble(title="Again"), "b"), scene(60))

    assert [one.title for one in await incidents.unnotified()] == ["Again"]


async def test_a_person_closes_an_incident_on_the_record(driver, book, incidents):
    await book.apply(keyed(trouble()), scene())

    await incidents.close_incident("orders fell", reason="mended", by="person:owner", now=NOON)
    await incidents.close_incident("orders fell", reason="twice", by="person:owner", now=NOON)

    [entry] = await driver.audited()
    assert (entry.actor, entry.reason) == ("person:owner", "mended")
    assert (await incidents.incident("orders fell")).resolution == "mended"
    with pytest.raises(NotFound):
        await incidents.close_incident("other", reason="", by="person:owner", now=NOON)
    with pytest.raises(NotFound):
        await incidents.incident("other")


async def test_an_agent_is_paused_and_resumed_once(driver, book):
    paused = await book.apply(keyed(PauseAgent(agent=CLERK), "p"), scene())
    twice = await book.apply(keyed(PauseAgent(agent=CLERK), "q"), scene())

    assert paused.applied
    assert (twice.code, await driver.journal.paused(CLERK)) == ("stale", True)
    assert (await book.apply(keyed(ResumeAgent(agent=CLERK), "r"), scene())).applied
    assert not await driver.journal.paused(CLERK)
    unknown = await book.apply(keyed(PauseAgent(agent="nobody"), "s"), scene())
    assert unknown.code == "not_found"
    assert [entry.actor for entry in await driver.audited()] == [ACTOR, ACTOR]


async def test_a_service_is_restarted_once_per_key(driver, book):
    services = await mug_service(driver)

    await book.apply(keyed(RestartService(service="reviews"), "a"), scene())
    await book.apply(keyed(RestartService(service="reviews"), "a"), scene())

    entry = await services.entry("reviews")
    assert (entry.desired, entry.generation) == (DesiredState.RUNNING, 1)
    await book.apply(keyed(RestartService(service="reviews"), "b"), scene(60))
    assert await book.restarts(NOON) == {"reviews": 2}
    assert await book.restarts(NOON + timedelta(minutes=1)) == {"reviews": 1}
    gone = await book.apply(keyed(RestartService(service="gone"), "c"), scene())
    assert gone.code == "not_found"


async def test_somebody_elses_service_is_not_restarted(driver, book):
    spec = ServiceSpec(id="theirs", health_endpoint="http://127.0.0.1:1/")
    await SqlServiceRegistry(driver.journal.database).announce(spec, by="it", now=NOON)

    found = await book.apply(keyed(RestartService(service="theirs")), scene())

    assert found.code == "unsupported"


async def test_work_is_given_once_and_wakes_the_agent(driver, book):
    work = AssignTask(
        agent=CLERK, task="clear the shelf", due_at=NOON + timedelta(days=1), parameters={"n": 3}
    )
    first = await book.apply(keyed(work), scene())
    await book.apply(keyed(work), scene())

    [run] = await driver.take(claim_spec(agent=CLERK))
    [recorded] = (await driver.journal.run(run)).events
    assert isinstance(recorded.event, RunRequested)
    assert recorded.event.by == ACTOR
    assert recorded.event.parameters["task"] == "clear the shelf"
    assert recorded.event.parameters["n"] == 3
    assert first.detail["execution"] == f"{CLERK}@{recorded.seq}"
    nobody = AssignTask(agent="nobody", task="t", due_at=NOON)
    assert (await book.apply(keyed(nobody, "n"), scene())).code == "not_found"


async def test_what_an_agent_takes_back_is_judged_as_an_agents(driver, book):
    await driver.publish(low())
    [run] = await driver.take()
    allowed = await driver.journal.record_step(driver.filing(run, Verdict.ALLOW))
    await driver.journal.record_step(driver.settling(run, allowed))

    found = await book.apply(keyed(RevertProposal(proposal_id=f"{run}/0")), scene())

    assert (found.applied, found.code) == (False, "invalid")  # no price of before is known
    assert (await book.apply(keyed(RevertProposal(proposal_id="x"), "k"), scene())).code == (
        "not_found"
    )


async def test_a_key_stands_for_one_operation(book):
    await book.apply(keyed(trouble()), scene())
    with pytest.raises(KeyReused):
        await book.apply(keyed(PauseAgent(agent=CLERK)), scene())


async def test_what_is_no_operation_is_refused(book):
    price = SetPrice(sku="mug", price=Money.of(1, "EUR"))
    found = await book.apply(Command(key="k", action=price, actor=ACTOR), scene())
    assert found.code == "unsupported"


async def test_only_what_was_done_counts_in_the_proof(book):
    await book.apply(keyed(trouble(), "a"), scene())
    await book.apply(keyed(trouble(), "b"), scene())

    assert list(await book.applied_keys()) == ["a"]
    assert (await book.outcome("b")).code == "already_open"
    assert await book.outcome("c") is None


class _Died(BaseException):
    pass


@pytest.mark.parametrize("point", ["write", "commit", "committed"])
async def test_a_death_between_deed_and_record_leaves_both_or_neither(file_location, point):
    driver = JournalDriver(file_location.open())
    book, services = SqlControlActions(driver.journal.database), await mug_service(driver)

    def die(where: str) -> None:
        if where == point:
            raise _Died

    driver.journal.database.fault_hook = die
    with pytest.raises(BaseException):  # noqa: B017,PT011 - whatever reaches the caller
        await book.apply(keyed(RestartService(service="reviews")), scene())
    driver.journal.database.fault_hook = lambda _where: None
    recorded = await book.outcome("resolver@1/0") is not None
    generation = (await services.entry("reviews")).generation

    assert (recorded, generation) == ((True, 1) if point == "committed" else (False, 0))
    await book.apply(keyed(RestartService(service="reviews")), scene())
    assert (await services.entry("reviews")).generation == 1
    await driver.journal.close()
