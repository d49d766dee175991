"""The loop: it goes on whatever fails, and stops without losing anything."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta

from house import settle

from storecrew.domain.actions import SendMessage, SetCost, SetPrice
from storecrew.domain.commerce import Customer
from storecrew.domain.errors import StorageBusy
from storecrew.domain.events import StockRanLow
from storecrew.domain.money import Money
from storecrew.domain.proposals import Verdict
from storecrew.domain.runs import ApprovalStatus, RunStatus
from storecrew.orchestrator.inline import InlineEngine
from storecrew.orchestrator.orchestrator import LoopSettings, Orchestrator
from storecrew.orchestrator.planning import plan
from storecrew.sdk import Proposal, agent, every

BRISK = LoopSettings(poll=timedelta(milliseconds=1), gather=timedelta(0))


def low(sku="mug"):
    return StockRanLow(sku=sku, warehouse="main", position=1, reorder_point=5, daily_demand=1.0)


def noter(heard):
    @agent(on=StockRanLow)
    async def note(event, ctx):
        """Note what it was told."""
        await heard.put(event.sku)
        for nothing in ():
            yield nothing

    return note


class Flaky:
    """A port of which one call fails a few times."""

    def __init__(self, port, name, times):
        self._port, self._name, self.left = port, name, times

    def __getattr__(self, name):
        found = getattr(self._port, name)
        if name != self._name:
            return found

        async def call(*args, **options):
            if self.left:
                self.left -= 1
                raise StorageBusy(name)
            return await found(*args, **options)

        return call


@dataclass
class Beside:
    """An engine that carries runs out on tasks of their own."""

    refusals: int = 0
    pruned: int = 0
    pruned_twice: asyncio.Event = field(default_factory=asyncio.Event)
    stopped: bool = False
    carry_out: object = None
    tasks: tuple = ()

    async def start(self, carry_out):
        self.carry_out = carry_out

    async def submit(self, run_id):
        if self.refusals:
            self.refusals -= 1
            raise OSError("the engine's own disk is full")
        self.tasks += (asyncio.create_task(self.carry_out(run_id)),)

    async def prune(self, before):
        self.pruned += 1
        if self.pruned == 2:
            self.pruned_twice.set()
        return 3

    async def stop(self):
        self.stopped = True
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


async def boot(house, engine, *agents, settings=BRISK, **ports):
    house.agents = agents
    plane = Orchestrator(replace(house.pipeline(), **ports), engine, settings)
    await plane.start(alone=False)
    return plane


async def served(plane, until):
    """Serve until something has happened, then stop in order."""
    loop = asyncio.create_task(plane.serve())
    async with asyncio.timeout(20):
        found = await until
    plane.request_stop()
    await loop
    await plane.stop()
    return found


async def test_the_loop_does_what_comes_until_it_is_stopped(house):
    heard = asyncio.Queue()
    plane = await boot(house, Beside(), noter(heard))

    async def news():
        await plane.publish([house.news(low("a"))])
        first = await heard.get()
        await plane.publish([house.news(low("b"))])
        return first, await heard.get()

    assert await served(plane, news()) == ("a", "b")
    assert [run.status for run in await house.runs()] == [RunStatus.DONE] * 2


async def test_a_sweep_that_fails_is_swept_again(house):
    heard = asyncio.Queue()
    store = Flaky(house.store, "outbox", 2)
    plane = await boot(house, Beside(), noter(heard), store=store)
    await plane.publish([house.news(low())])

    assert await served(plane, heard.get()) == "mug"
    assert store.left == 0


async def test_a_run_that_the_engine_did_not_take_is_offered_again(house):
    heard = asyncio.Queue()
    plane = await boot(house, Beside(refusals=2), noter(heard))
    await plane.publish([house.news(low())])

    assert await served(plane, heard.get()) == "mug"
    assert len(plane.begun) == 1


async def test_old_records_are_forgotten_once_a_day(house):
    engine = Beside()
    heard = asyncio.Queue()
    plane = await boot(house, engine, noter(heard))

    async def two_days():
        for sku in ("a", "b", "c"):
            await plane.publish([house.news(low(sku))])
            await heard.get()
        house.later(days=2)
        await engine.pruned_twice.wait()

    await served(plane, two_days())
    assert engine.pruned == 2


async def test_stopping_waits_for_what_is_under_way(house):
    begun, go_on = asyncio.Event(), asyncio.Event()

    @agent(on=StockRanLow)
    async def slow(event, ctx):
        """Take its time."""
        begun.set()
        await go_on.wait()
        for nothing in ():
            yield nothing

    plane = await boot(house, Beside(), slow)
    await plane.publish([house.news(low())])
    await plane.sweep()
    await begun.wait()

    stopping = asyncio.create_task(plane.stop())
    await asyncio.sleep(0)
    go_on.set()
    await stopping

    assert [run.status for run in await house.runs()] == [RunStatus.DONE]


async def test_what_takes_too_long_is_left_to_the_next_start(house):
    tries = []

    @agent(on=StockRanLow)
    async def stuck(event, ctx):
        """Hang, the first time."""
        tries.append(event.sku)
        if len(tries) == 1:
            await asyncio.Event().wait()
        for nothing in ():
            yield nothing

    engine = Beside()
    plane = await boot(house, engine, stuck)
    await plane.publish([house.news(low())])
    await plane.sweep()
    await plane.stop(patience=timedelta(milliseconds=5))
    assert engine.stopped
    assert [run.status for run in await house.runs()] == [RunStatus.RUNNING]

    await settle(await house.boot())
    assert [run.status for run in await house.runs()] == [RunStatus.DONE]


async def test_a_failure_is_written_down_before_the_end_though_the_journal_is_busy(house):
    @agent(on=StockRanLow)
    async def broken(event, ctx):
        """Fail."""
        raise ValueError(event.sku)
        yield low()

    journal = Flaky(house.journal, "fail", 2)
    engine = Beside()
    plane = await boot(house, engine, broken, journal=journal)
    await plane.publish([house.news(low())])
    await plane.sweep()
    await plane.stop()

    assert engine.stopped
    assert [run.status for run in await house.runs()] == [RunStatus.RETRYING]


async def test_a_plane_that_is_stopping_begins_nothing(house):
    heard = asyncio.Queue()
    plane = await boot(house, Beside(), noter(heard))
    await plane.publish([house.news(low())])
    plane.request_stop()

    await plane.sweep()
    await plane.stop()

    assert heard.empty()
    await settle(await house.boot())
    assert await heard.get() == "mug"


def test_waking_a_plane_that_does_not_run_is_no_trouble(house):
    Orchestrator(house.pipeline(), Beside()).wake()


# --- clocks that jump --------------------------------------------------------------------------


@dataclass
class Jumping:
    """A clock that is set forth and back."""

    at: object

    def now(self):
        return self.at


def hourly(ticks):
    @agent(schedule=every(hours=1))
    async def tick(event, ctx):
        """Note the hour."""
        ticks.append(f"{event.due:%H:%M}")
        for nothing in ():
            yield nothing

    return tick


async def test_a_clock_that_jumps_doubles_no_tick_and_loses_only_missed_ones(house):
    ticks = []
    clock = house.clock = Jumping(house.clock.now())
    plane = await house.boot(hourly(ticks))
    for minutes in (0, 61, -60, 30, 29, 2, 180, -180, 260):
        clock.at += timedelta(minutes=minutes)
        await settle(plane)
        plane = await house.boot()  # who starts anew remembers no less
        await settle(plane)

    assert ticks == ["06:00", "07:00", "10:00", "11:00"]


async def test_a_tick_forgotten_with_its_time_does_not_come_again(house):
    ticks = []
    plane = await house.boot(hourly(ticks))
    await settle(plane)
    house.later(minutes=30)
    await plane.publish([house.news(low())])
    house.later(minutes=10)
    await house.journal.prune(house.clock.now())

    plane = await house.boot()
    await settle(plane)
    house.later(minutes=30)
    await settle(plane)

    assert ticks == ["06:00", "07:00"]
    assert not await house.verify()


async def test_a_clock_set_back_delays_a_retry_and_loses_nothing(house):
    tries = []

    @agent(on=StockRanLow)
    async def shaky(event, ctx):
        """Fail at first."""
        tries.append(event.sku)
        if len(tries) == 1:
            raise ValueError(event.sku)
        for nothing in ():
            yield nothing

    clock = house.clock = Jumping(house.clock.now())
    plane = await house.boot(shaky)
    await plane.publish([house.news(low())])
    await settle(plane)
    clock.at -= timedelta(hours=1)
    await settle(plane)
    clock.at += timedelta(hours=1, minutes=1)
    await settle(plane)

    assert [run.status for run in await house.runs()] == [RunStatus.DONE]


# --- plans and answers that no other test meets ------------------------------------------------


def to_price(amount, sku="mug"):
    return Proposal(action=SetPrice(sku=sku, price=Money.of(amount, "EUR")), reason="")


async def test_agents_that_wake_each_other_in_a_circle_are_planned_to_an_end(house):
    woken = []

    @agent(on=StockRanLow, schedule=every(days=1))
    async def circle(event, ctx):
        """Find again what woke it."""
        woken.append(event)
        yield low()

    await house.boot(circle)

    assert await plan(house.pipeline(), ["circle"]) == []
    assert len(woken) == 10


async def test_what_wakes_agents_outside_a_plan_stays_out_of_it(house):
    @agent(schedule=every(days=1))
    async def finder(event, ctx):
        """Find."""
        yield low()

    heard = asyncio.Queue()
    await house.boot(finder, noter(heard))

    assert await plan(house.pipeline(), ["finder"]) == []
    assert heard.empty()


async def test_undoing_what_a_person_changed_takes_back_what_was_done(house):
    @agent(on=StockRanLow, may=[SetPrice])
    async def scarcity(event, ctx):
        """Ask for too much."""
        yield to_price("15")

    await house.stock()
    plane = await house.boot(scarcity)
    await plane.publish([house.news(low())])
    await settle(plane)
    [asked] = (await house.journal.approvals(page=1, per_page=9)).items
    other = SetPrice(sku="mug", price=Money.of("10.50", "EUR"))
    await plane.answer(asked.filed.id, ApprovalStatus.APPROVED, by="owner", changed=other)
    await settle(plane)
    assert (await house.store.product("mug")).price == Money.of("10.50", "EUR")

    await plane.undo(asked.filed.id, by="owner")
    await settle(plane)

    assert (await house.store.product("mug")).price == Money.of(10, "EUR")
    assert not await house.verify()


# --- steps that were done and not written down -------------------------------------------------


class Forgetful(Flaky):
    """A journal that cannot be written when it is told what the store did."""

    def __init__(self, port):
        super().__init__(port, "advance", 1)

    async def advance(self, step):
        if step.settled and self.left:
            self.left -= 1
            raise StorageBusy("journal")
        return await self._port.advance(step)


async def after_a_lost_record(house, change=None):
    """Let a price be set and not recorded, something change, and the run be tried again."""

    @agent(on=StockRanLow, may=[SetPrice])
    async def scarcity(event, ctx):
        """Raise the price."""
        yield to_price("10.50")

    await house.stock()
    house.agents = (scarcity,)
    plane = await boot(house, InlineEngine(), scarcity, journal=Forgetful(house.journal))
    await plane.publish([house.news(low())])
    await settle(plane)
    if change is not None:
        await house.store.apply(change, key="change")
    house.later(minutes=1)
    await settle(plane)
    [story] = await house.stories()
    return story


async def test_what_was_done_and_not_recorded_is_recorded_by_the_next_try(house):
    story = await after_a_lost_record(house)

    assert story.outcome.applied
    assert len(await house.store.price_changes(house.clock.now() - timedelta(days=1))) == 2
    assert not await house.verify()


async def test_what_was_done_stays_done_though_it_would_be_refused_by_now(house):
    dearer = SetCost(sku="mug", cost=Money.of("10.40", "EUR"))
    story = await after_a_lost_record(house, dearer)

    assert story.outcome.applied
    assert (await house.store.product("mug")).price == Money.of("10.50", "EUR")
    assert not await house.verify()


async def test_a_yes_that_was_carried_out_and_not_recorded_is_recorded_by_the_next_try(house):
    @agent(on=StockRanLow, may=[SetPrice])
    async def scarcity(event, ctx):
        """Ask."""
        yield to_price("15")

    await house.stock()
    plane = await boot(house, InlineEngine(), scarcity, journal=Forgetful(house.journal))
    await plane.publish([house.news(low())])
    await settle(plane)
    [asked] = (await house.journal.approvals(page=1, per_page=9)).items
    await plane.answer(asked.filed.id, ApprovalStatus.APPROVED, by="owner")
    await settle(plane)
    house.later(minutes=1)
    await settle(plane)

    story = await house.journal.story(asked.filed.id)
    assert (story.outcome.applied, story.decision.by) == (True, "owner")
    assert not await house.verify()


async def test_an_attempt_that_another_has_taken_over_from_does_nothing(house):
    heard = asyncio.Queue()
    plane = await boot(house, Beside(), noter(heard))
    await plane.publish([house.news(low())])
    taken = await house.journal.take(house.pipeline().registry.intakes(), house.clock.now(), 1)
    await house.journal.take_over()

    await house.pipeline().carry_out(taken.runs[0], 1)
    assert heard.empty()
    await house.pipeline().carry_out(taken.runs[0], 2)
    assert await heard.get() == "mug"


async def test_what_a_message_rests_on_is_looked_up(house):
    @agent(on=StockRanLow, may=[SendMessage])
    async def writer(event, ctx):
        """Write to one who is known and one who is not."""
        for customer in ("ann", "nobody"):
            yield Proposal(
                action=SendMessage(customer=customer, purpose="service", title="t", body="b"),
                reason="",
            )

    await house.store.put_customers([Customer(id="ann", name="Ann")])
    house.later(hours=6)
    plane = await house.boot(writer)
    await plane.publish([house.news(low())])
    await settle(plane)

    told = {s.filed.proposal.action.customer: s.decision for s in await house.stories()}
    assert told["ann"].verdict is Verdict.ALLOW
    assert told["nobody"].reason == "there is no customer 'nobody'"
    assert not await house.verify()
