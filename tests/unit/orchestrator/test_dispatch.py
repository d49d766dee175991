"""Who wakes when: coalescing, order, concurrency, priority, retries, ticks."""

from datetime import timedelta

import pytest

from storecrew.domain.control.runs import RunStatus
from storecrew.domain.errors import InvalidSettings, NotFound, StorageBusy
from storecrew.domain.shop.catalog import ObservationRejected, SetPrice
from storecrew.domain.shop.inventory import StockRanLow
from storecrew.orchestrator.registry import Registry
from storecrew.sdk import agent, cron, every
from support.in_memory_plane import settle


def low(sku="mug", position=1):
    return StockRanLow(
        sku=sku, warehouse="main", position=position, reorder_point=5, daily_demand=1.0
    )


def recording_agent(seen, **options):
    @agent(on=StockRanLow, name=options.pop("name", "noter"), **options)
    async def note(events, ctx):
        """Note what it was told."""
        batch = events if isinstance(events, tuple | list) else [events]
        seen.append([(e.sku, e.position) for e in batch])
        for nothing in ():
            yield nothing

    return note


async def test_waiting_events_become_one_run(in_memory_plane):
    seen = []
    plane = await in_memory_plane.boot(recording_agent(seen, batch=10))
    await plane.publish([in_memory_plane.news(low(position=n)) for n in range(25)])
    await settle(plane)

    assert [len(batch) for batch in seen] == [10, 10, 5]
    assert [p for batch in seen for _, p in batch] == list(range(25))


async def test_a_batch_may_wait_to_fill_but_not_for_ever(in_memory_plane):
    seen = []
    plane = await in_memory_plane.boot(
        recording_agent(seen, batch=10, batch_window=timedelta(minutes=5))
    )
    await plane.publish([in_memory_plane.news(low())])
    swept = await plane.sweep()
    assert not seen
    assert swept.next_due == in_memory_plane.clock.now() + timedelta(minutes=5)

    in_memory_plane.later(minutes=5)
    await settle(plane)
    assert seen == [[("mug", 1)]]


async def test_a_full_batch_does_not_wait(in_memory_plane):
    seen = []
    plane = await in_memory_plane.boot(
        recording_agent(seen, batch=2, batch_window=timedelta(hours=5))
    )
    await plane.publish([in_memory_plane.news(low()), in_memory_plane.news(low())])
    await settle(plane)
    assert len(seen) == 1


async def test_events_on_one_subject_wait_for_each_other_and_others_pass(in_memory_plane):
    running = []

    class Stuck(Exception):
        pass

    @agent(on=StockRanLow, concurrency=5)
    async def picky(event, ctx):
        """Fail on mugs."""
        running.append((event.sku, event.position))
        if event.sku == "mug":
            raise Stuck
        for nothing in ():
            yield nothing

    plane = await in_memory_plane.boot(picky, attempts=5)
    await plane.publish([in_memory_plane.news(low("mug", 1)), in_memory_plane.news(low("mug", 2))])
    await plane.publish([in_memory_plane.news(low("cup", 3))])
    await settle(plane)

    assert ("cup", 3) in running
    assert ("mug", 2) not in running


async def test_an_agent_never_exceeds_its_concurrency(in_memory_plane):
    seen = []
    await in_memory_plane.boot(recording_agent(seen, concurrency=2))
    plane = await in_memory_plane.boot(recording_agent(seen, concurrency=2))
    await plane.publish([in_memory_plane.news(low(str(n))) for n in range(5)])

    taken = await in_memory_plane.journal.claim_runs(
        Registry(in_memory_plane.agents).claim_specs(), in_memory_plane.clock.now(), 10
    )

    assert len(taken.runs) == 2


async def test_the_more_important_agent_runs_first(in_memory_plane):
    seen = []
    plane = await in_memory_plane.boot(
        recording_agent([], name="minor"),
        recording_agent(seen, name="major", priority=5),
        max_concurrent=1,
    )
    await plane.publish([in_memory_plane.news(low())])
    await plane.sweep()

    assert [run.agent for run in await in_memory_plane.runs()] == ["major"]


async def test_a_failed_run_is_tried_again_after_a_pause(in_memory_plane):
    tries = []

    @agent(on=StockRanLow)
    async def shaky(event, ctx):
        """Fail at first."""
        tries.append(event.sku)
        if len(tries) < 3:
            raise ValueError(event.sku)
        for nothing in ():
            yield nothing

    plane = await in_memory_plane.boot(shaky)
    await plane.publish([in_memory_plane.news(low())])
    await settle(plane)
    assert [run.status for run in await in_memory_plane.runs()] == [RunStatus.RETRYING]
    for _ in range(3):
        in_memory_plane.later(minutes=1)
        await settle(plane)

    assert len(tries) == 3
    assert [run.status for run in await in_memory_plane.runs()] == [RunStatus.DONE]


async def test_a_poisonous_event_is_parked_and_the_others_go_on(in_memory_plane):
    seen = []

    @agent(on=StockRanLow, batch=10)
    async def brittle(events, ctx):
        """Break on poison."""
        if any(event.sku == "poison" for event in events):
            raise ValueError("poison")
        seen.extend(event.sku for event in events)
        for nothing in ():
            yield nothing

    plane = await in_memory_plane.boot(brittle, attempts=2)
    await plane.publish([in_memory_plane.news(low(sku)) for sku in ("a", "poison", "b")])
    for _ in range(6):
        await settle(plane)
        in_memory_plane.later(minutes=10)

    assert sorted(seen) == ["a", "b"]
    assert sorted(run.status for run in await in_memory_plane.runs()) == [
        "done",
        "done",
        "failed",
        "split",
    ]
    [failed] = [run for run in await in_memory_plane.runs() if run.status is RunStatus.FAILED]
    assert (await in_memory_plane.journal.run(failed.id)).events[0].event.sku == "poison"


async def test_trouble_that_may_pass_is_never_given_up_on(in_memory_plane):
    tries = []

    @agent(on=StockRanLow)
    async def unlucky(event, ctx):
        """Meet a locked database, often."""
        tries.append(event.sku)
        if len(tries) < 9:
            raise StorageBusy("orders")
        for nothing in ():
            yield nothing

    plane = await in_memory_plane.boot(unlucky)
    await plane.publish([in_memory_plane.news(low())])
    for _ in range(12):
        await settle(plane)
        in_memory_plane.later(minutes=10)

    assert [run.status for run in await in_memory_plane.runs()] == [RunStatus.DONE]


async def test_missed_ticks_count_as_one_and_none_is_doubled(in_memory_plane):
    ticks = []

    @agent(schedule=every(hours=1, offset=timedelta(0)))
    async def hourly(event, ctx):
        """Note the hour."""
        ticks.append(event.due.hour)
        for nothing in ():
            yield nothing

    plane = await in_memory_plane.boot(hourly)
    await settle(plane)
    in_memory_plane.later(hours=5, minutes=10)
    await settle(plane)
    plane = await in_memory_plane.boot(hourly)
    await settle(plane)

    assert ticks == [6, 11]


async def test_two_schedulers_do_not_double_a_tick(in_memory_plane):
    ticks = []

    @agent(schedule=cron("0 * * * *"))
    async def hourly(event, ctx):
        """Note the hour."""
        ticks.append(event.due.hour)
        for nothing in ():
            yield nothing

    first = await in_memory_plane.boot(hourly)
    second = await in_memory_plane.boot(hourly)
    for _ in range(3):
        await first.sweep()
        await second.sweep()
        in_memory_plane.later(hours=1)

    assert ticks == [6, 7, 8]


async def test_a_switched_off_orchestrator_runs_by_hand_only(in_memory_plane):
    seen = []

    @agent(schedule=every(hours=1, offset=timedelta(0)), name="clerk")
    async def clerk(event, ctx):
        """Note who called."""
        seen.append(type(event).__name__)
        for nothing in ():
            yield nothing

    plane = await in_memory_plane.boot(clerk, enabled=False)
    await settle(plane)
    await plane.request_run("clerk", key="k", by="owner", parameters={})
    await settle(plane)

    assert seen == ["RunRequested"]


def test_agent_names_are_unique_and_not_reserved():
    registry = Registry([recording_agent([])])
    for name in ("noter", "settlement", "undo", "a@b"):
        with pytest.raises(InvalidSettings):
            registry.register(recording_agent([], name=name))
    with pytest.raises(NotFound):
        registry.agent("nobody")


def test_an_event_wakes_who_subscribed_to_it():
    registry = Registry([recording_agent([], name="one"), recording_agent([], name="two")])
    rejected = ObservationRejected(sku="a", what="", value="", reason="")
    assert registry.subscribers_of(low()) == ("one", "two")
    assert registry.subscribers_of(rejected) == ()


async def test_a_run_in_chunks_settles_every_proposal(in_memory_plane):
    from storecrew.domain.money import Money
    from storecrew.sdk import Proposal

    skus = [f"s{n:04}" for n in range(1100)]
    for sku in skus[:3]:
        await in_memory_plane.stock(sku)

    @agent(on=StockRanLow, allowed_actions=[SetPrice])
    async def repricer(event, ctx):
        """Reprice everything, known or not."""
        for sku in skus:
            price = SetPrice(sku=sku, price=Money.of("10.10", "EUR"))
            yield Proposal(action=price, reason="all of it")

    plane = await in_memory_plane.boot(repricer)
    await plane.publish([in_memory_plane.news(low())])
    await settle(plane)

    [run] = [run for run in await in_memory_plane.runs() if run.agent == "repricer"]
    counts = await in_memory_plane.journal.count_results([run.id])
    assert counts == {"proposals": 1100, "applied": 3, "asked": 0, "denied": 1097, "refused": 0}
    assert run.status is RunStatus.DONE
    assert not await in_memory_plane.verify()


async def test_what_waits_for_its_batch_is_looked_at_again_only_when_something_changed(
    in_memory_plane, monkeypatch
):
    seen, looks = [], []
    claim = type(in_memory_plane.journal).claim_runs

    async def counted(journal, *args, **kwargs):
        looks.append(1)
        return await claim(journal, *args, **kwargs)

    monkeypatch.setattr(type(in_memory_plane.journal), "claim_runs", counted)
    plane = await in_memory_plane.boot(
        recording_agent(seen, batch=3, batch_window=timedelta(minutes=5))
    )
    await plane.publish([in_memory_plane.news(low("a"))])
    swept = [await plane.sweep() for _ in range(5)]
    assert (len(looks), seen) == (1, [])
    assert {one.next_due for one in swept} == {in_memory_plane.clock.now() + timedelta(minutes=5)}

    await plane.publish([in_memory_plane.news(low("b")), in_memory_plane.news(low("c"))])
    await settle(plane)
    assert seen == [[("a", 1), ("b", 1), ("c", 1)]]

    await plane.publish([in_memory_plane.news(low("d"))])
    await plane.sweep()
    in_memory_plane.later(minutes=5)
    await settle(plane)
    assert seen[1:] == [[("d", 1)]]
