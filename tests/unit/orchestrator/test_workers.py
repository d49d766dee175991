"""Several workers over one journal: one leads, all take, and what one leaves another carries on."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

from loop_parts import BRISK, Flaky, TaskEngine, recording_agent

from storecrew.domain.control.agents import AgentManifest, AgentOrigin, RegisteredAgent, Worker
from storecrew.domain.control.runs import RunStatus
from storecrew.domain.errors import NotFound
from storecrew.journal.agents import SqlAgentRepository
from storecrew.orchestrator import autogen
from storecrew.orchestrator.inline import InlineEngine
from storecrew.orchestrator.orchestrator import Orchestrator
from storecrew.orchestrator.registry import Registry
from storecrew.sdk import agent, every
from support.in_memory_plane import START, low, settle


class Led:
    """A journal under which one process leads at a time."""

    leader = ""

    def __init__(self, journal, name):
        self._journal, self._name = journal, name

    def __getattr__(self, name):
        return getattr(self._journal, name)

    async def try_acquire_leadership(self):
        Led.leader = Led.leader or self._name
        return Led.leader == self._name


def worker(in_memory_plane, name):
    return Worker(id=name, host="here", pid=1, started_at=in_memory_plane.clock.now())


async def boot(in_memory_plane, name, *agents, engine=None, journal=None, factory=None):
    in_memory_plane.agents = agents
    pipeline = replace(
        in_memory_plane.pipeline(), journal=journal or Led(in_memory_plane.journal, name)
    )
    plane = Orchestrator(
        pipeline,
        engine or InlineEngine(),
        BRISK,
        worker=worker(in_memory_plane, name),
        factory=factory,
    )
    await plane.start(alone=False)
    return plane


@asynccontextmanager
async def serving(*planes):
    loops = [asyncio.create_task(plane.serve()) for plane in planes]
    yield
    for plane in planes:
        plane.request_stop()
    await asyncio.gather(*loops)
    for plane in planes:
        await plane.stop()


async def until(look):
    async with asyncio.timeout(20):
        while not await look():  # noqa: ASYNC110 - a row tells
            await asyncio.sleep(0.005)


async def test_one_leads_and_another_leads_when_it_is_gone(in_memory_plane):
    Led.leader = ""
    ticks = []
    hourly = agent(schedule=every(hours=1, offset=timedelta(0)), name="hourly")(_note(ticks))
    one, two = [await boot(in_memory_plane, name, hourly) for name in ("one", "two")]
    await one.elect()
    await two.elect()
    assert (one.is_leader, two.is_leader) == (True, False)
    await settle(two)
    assert ticks == []
    await settle(one)
    assert ticks == [6]

    in_memory_plane.later(hours=1)
    Led.leader = ""
    await two.elect()
    await one.elect()
    assert (one.is_leader, two.is_leader) == (False, True)
    await settle(two)
    await settle(one)
    assert ticks == [6, 7]


def _note(ticks):
    async def note(event, ctx):
        """Note the hour."""
        ticks.append(event.due.hour)
        for nothing in ():
            yield nothing

    return note


async def test_a_worker_keeps_its_lease_while_it_serves_and_gives_it_up(in_memory_plane):
    Led.leader = ""
    received = asyncio.Queue()
    journal = Flaky(Led(in_memory_plane.journal, "one"), "renew_lease", 0)
    plane = await boot(in_memory_plane, "one", recording_agent(received), journal=journal)
    journal.left = 1  # the first beat of the loop fails, and the next one comes
    async with serving(plane):
        await plane.publish([in_memory_plane.news(low())])
        assert await asyncio.wait_for(received.get(), 20) == "mug"
        assert [w.id for w in await in_memory_plane.journal.workers()] == ["one"]
    assert await in_memory_plane.journal.workers() == []
    assert [(run.worker, run.status) for run in await in_memory_plane.runs()] == [
        ("one", RunStatus.DONE)
    ]


async def test_what_a_dead_worker_left_is_carried_on_by_another(in_memory_plane):
    Led.leader = ""
    received = asyncio.Queue()
    dead = await boot(
        in_memory_plane, "dead", recording_agent(received), engine=TaskEngine(refusals=99)
    )
    await dead.publish([in_memory_plane.news(low())])
    intakes = Registry(in_memory_plane.agents).claim_specs()
    await in_memory_plane.journal.claim_runs(intakes, in_memory_plane.clock.now(), 1, worker="dead")
    await in_memory_plane.journal.release_lease("dead")  # its lease ran out

    living = await boot(in_memory_plane, "living", recording_agent(received))
    async with serving(living):
        assert await asyncio.wait_for(received.get(), 20) == "mug"

        async def done():
            return [(r.worker, r.attempt, r.status) for r in await in_memory_plane.runs()] == [
                ("living", 2, RunStatus.DONE)
            ]

        await until(done)


async def test_a_run_in_anothers_hands_is_left_alone(in_memory_plane):
    Led.leader = ""
    received = asyncio.Queue()
    plane = await boot(in_memory_plane, "one", recording_agent(received))
    await plane.publish([in_memory_plane.news(low())])
    intakes = Registry(in_memory_plane.agents).claim_specs()
    taken = await in_memory_plane.journal.claim_runs(
        intakes, in_memory_plane.clock.now(), 1, worker="two"
    )
    await plane.execute(taken.runs[0])
    await plane.sweep()
    assert received.empty()
    assert [run.status for run in await in_memory_plane.runs()] == [RunStatus.RUNNING]


def recruited(name, **changes):
    given = {"agent_id": name, "purpose": "", "endpoint": ""} | changes
    return RegisteredAgent(
        declaration=AgentManifest(**given), origin=AgentOrigin.GENERATED, at=START, by="system"
    )


async def test_who_is_registered_while_workers_run_is_on_duty_on_each(in_memory_plane):
    Led.leader = ""
    book = SqlAgentRepository(in_memory_plane.journal.database)
    planes = [await boot(in_memory_plane, n, factory=autogen.build_agent) for n in ("one", "two")]
    await book.register(recruited("fresh", interval=60.0))
    for plane in planes:
        await plane.sweep()
        assert "fresh" in plane._registry.agents
    await planes[0].elect()
    await settle(planes[0])
    assert [run.agent for run in await in_memory_plane.runs()] == ["fresh"]

    await book.deregister("fresh", by="person:owner", now=START)
    for plane in planes:
        await plane.sweep()
        try:
            found = plane._registry.agent("fresh")
        except NotFound:
            found = None
        assert found is None


async def test_one_that_cannot_be_recruited_does_not_hold_up_the_others(in_memory_plane):
    Led.leader = ""
    book = SqlAgentRepository(in_memory_plane.journal.database)

    def recruit(one):
        if one.declaration.agent_id == "strange":
            raise KeyError("AnEventOfTheFuture")
        return autogen.build_agent(one)

    await book.register(recruited("strange"))
    await book.register(recruited("plain"))
    plane = await boot(in_memory_plane, "one", factory=recruit)
    assert list(plane._registry.agents) == ["plain"]


async def test_a_name_that_the_crew_has_belongs_to_the_crew(in_memory_plane):
    Led.leader = ""
    own = recording_agent(asyncio.Queue())
    await SqlAgentRepository(in_memory_plane.journal.database).register(recruited("note"))
    plane = await boot(in_memory_plane, "one", own, factory=autogen.build_agent)
    assert plane._registry.agent("note").on == own.on
    assert not plane._registry.registered
