"""Several workers over one journal: one leads, all take, and what one leaves another carries on."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

from house import START, settle
from loop_parts import BRISK, Beside, Flaky, low, noter

from storecrew.domain.control.agents import AgentManifest, AgentOrigin, RegisteredAgent, Worker
from storecrew.domain.control.runs import RunStatus
from storecrew.domain.errors import NotFound
from storecrew.journal.agents import SqlAgentRepository
from storecrew.orchestrator import autogen
from storecrew.orchestrator.inline import InlineEngine
from storecrew.orchestrator.orchestrator import Orchestrator
from storecrew.orchestrator.registry import Registry
from storecrew.sdk import agent, every


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


def worker(house, name):
    return Worker(id=name, host="here", pid=1, started_at=house.clock.now())


async def boot(house, name, *agents, engine=None, journal=None, factory=None):
    house.agents = agents
    pipeline = replace(house.pipeline(), journal=journal or Led(house.journal, name))
    plane = Orchestrator(
        pipeline, engine or InlineEngine(), BRISK, worker=worker(house, name), factory=factory
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


async def test_one_leads_and_another_leads_when_it_is_gone(house):
    Led.leader = ""
    ticks = []
    hourly = agent(schedule=every(hours=1, offset=timedelta(0)), name="hourly")(_note(ticks))
    one, two = [await boot(house, name, hourly) for name in ("one", "two")]
    await one.elect()
    await two.elect()
    assert (one.is_leader, two.is_leader) == (True, False)
    await settle(two)
    assert ticks == []
    await settle(one)
    assert ticks == [6]

    house.later(hours=1)
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


async def test_a_worker_keeps_its_lease_while_it_serves_and_gives_it_up(house):
    Led.leader = ""
    heard = asyncio.Queue()
    journal = Flaky(Led(house.journal, "one"), "renew_lease", 0)
    plane = await boot(house, "one", noter(heard), journal=journal)
    journal.left = 1  # the first beat of the loop fails, and the next one comes
    async with serving(plane):
        await plane.publish([house.news(low())])
        assert await asyncio.wait_for(heard.get(), 20) == "mug"
        assert [w.id for w in await house.journal.workers()] == ["one"]
    assert await house.journal.workers() == []
    assert [(run.worker, run.status) for run in await house.runs()] == [("one", RunStatus.DONE)]


async def test_what_a_dead_worker_left_is_carried_on_by_another(house):
    Led.leader = ""
    heard = asyncio.Queue()
    dead = await boot(house, "dead", noter(heard), engine=Beside(refusals=99))
    await dead.publish([house.news(low())])
    intakes = Registry(house.agents).claim_specs()
    await house.journal.claim_runs(intakes, house.clock.now(), 1, worker="dead")
    await house.journal.release_lease("dead")  # its lease ran out

    living = await boot(house, "living", noter(heard))
    async with serving(living):
        assert await asyncio.wait_for(heard.get(), 20) == "mug"

        async def done():
            return [(r.worker, r.attempt, r.status) for r in await house.runs()] == [
                ("living", 2, RunStatus.DONE)
            ]

        await until(done)


async def test_a_run_in_anothers_hands_is_left_alone(house):
    Led.leader = ""
    heard = asyncio.Queue()
    plane = await boot(house, "one", noter(heard))
    await plane.publish([house.news(low())])
    intakes = Registry(house.agents).claim_specs()
    taken = await house.journal.claim_runs(intakes, house.clock.now(), 1, worker="two")
    await plane.execute(taken.runs[0])
    await plane.sweep()
    assert heard.empty()
    assert [run.status for run in await house.runs()] == [RunStatus.RUNNING]


def recruited(name, **changes):
    given = {"agent_id": name, "purpose": "", "endpoint": ""} | changes
    return RegisteredAgent(
        declaration=AgentManifest(**given), origin=AgentOrigin.GENERATED, at=START, by="system"
    )


async def test_who_is_registered_while_workers_run_is_on_duty_on_each(house):
    Led.leader = ""
    book = SqlAgentRepository(house.journal.database)
    planes = [await boot(house, n, factory=autogen.build_agent) for n in ("one", "two")]
    await book.register(recruited("fresh", interval=60.0))
    for plane in planes:
        await plane.sweep()
        assert "fresh" in plane._registry.agents
    await planes[0].elect()
    await settle(planes[0])
    assert [run.agent for run in await house.runs()] == ["fresh"]

    await book.deregister("fresh", by="person:owner", now=START)
    for plane in planes:
        await plane.sweep()
        try:
            found = plane._registry.agent("fresh")
        except NotFound:
            found = None
        assert found is None


async def test_one_that_cannot_be_recruited_does_not_hold_up_the_others(house):
    Led.leader = ""
    book = SqlAgentRepository(house.journal.database)

    def recruit(one):
        if one.declaration.agent_id == "strange":
            raise KeyError("AnEventOfTheFuture")
        return autogen.build_agent(one)

    await book.register(recruited("strange"))
    await book.register(recruited("plain"))
    plane = await boot(house, "one", factory=recruit)
    assert list(plane._registry.agents) == ["plain"]


async def test_a_name_that_the_crew_has_belongs_to_the_crew(house):
    Led.leader = ""
    own = noter(asyncio.Queue())
    await SqlAgentRepository(house.journal.database).register(recruited("note"))
    plane = await boot(house, "one", own, factory=autogen.build_agent)
    assert plane._registry.agent("note").on == own.on
    assert not plane._registry.registered
