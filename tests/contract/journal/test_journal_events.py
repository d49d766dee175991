"""Events in: once per source and id, in order, with the wakes they cause."""

import asyncio
from datetime import timedelta

from journal_driver import CLERK, NOON, claim_spec, clerk_wakes, low

from storecrew.domain.control.agents import GoalSet
from storecrew.domain.control.events import PublishAck
from storecrew.domain.shop.inventory import StockRanLow
from storecrew.domain.shop.orders import OrderApproved
from storecrew.journal import events as events_module


async def test_an_event_is_recorded_once_per_source_and_id(driver):
    [first] = await driver.journal.publish([driver.envelope(id="1")], clerk_wakes)
    [again] = await driver.journal.publish([driver.envelope(low("cup"), id="1")], clerk_wakes)
    [other] = await driver.journal.publish(
        [driver.envelope(id="1", source="elsewhere")], clerk_wakes
    )

    assert first == PublishAck(event_id=1, duplicate=False, wakes=(CLERK,))
    assert again == PublishAck(event_id=1, duplicate=True, wakes=())
    assert other == PublishAck(event_id=2, duplicate=False, wakes=(CLERK,))
    recorded = (await driver.journal.events(page=1, per_page=9)).items
    assert [(e.seq, e.source, e.event) for e in recorded] == [
        (2, "elsewhere", low()),
        (1, "test", low()),
    ]


async def test_a_duplicate_within_one_delivery_is_recorded_once(driver):
    envelopes = [driver.envelope(id="1"), driver.envelope(id="2"), driver.envelope(id="1")]

    receipts = await driver.journal.publish(envelopes, clerk_wakes)

    assert [(r.event_id, r.duplicate) for r in receipts] == [(1, False), (2, False), (1, True)]


async def test_ten_copies_at_once_are_one_event_and_one_run(driver):
    copies = [driver.journal.publish([driver.envelope(id="hook")], clerk_wakes) for _ in range(10)]

    receipts = [receipt for [receipt] in await asyncio.gather(*copies)]

    assert sorted(r.duplicate for r in receipts) == [False] + [True] * 9
    assert {r.event_id for r in receipts} == {1}
    assert len(await driver.take(claim_spec(concurrency=10))) == 1


async def test_copies_through_two_processes_are_one_event(drivers):
    one, two = drivers
    copies = [d.journal.publish([d.envelope(id="hook")], clerk_wakes) for d in [one, two] * 5]

    receipts = [receipt for [receipt] in await asyncio.gather(*copies)]

    assert [r.duplicate for r in receipts].count(False) == 1
    assert (await one.journal.events(page=1, per_page=9)).total == 1


async def test_a_copy_25_hours_later_changes_nothing(driver):
    await driver.journal.publish([driver.envelope(id="hook")], clerk_wakes)
    await driver.done((await driver.take())[0])
    driver.now += timedelta(hours=25)

    [again] = await driver.journal.publish([driver.envelope(id="hook")], clerk_wakes)

    assert again.duplicate
    assert await driver.take() == ()


async def test_more_events_than_fit_into_one_question_are_told_apart(driver):
    first = [driver.envelope(id=str(n)) for n in range(600)]
    second = [driver.envelope(id=str(n)) for n in range(300, 900)]

    await driver.journal.publish(first, clerk_wakes)
    receipts = await driver.journal.publish(second, clerk_wakes)

    assert [r.duplicate for r in receipts] == [True] * 300 + [False] * 300
    assert (await driver.journal.events(page=1, per_page=1)).total == 900


async def test_positions_are_handed_out_without_gaps_whoever_publishes(drivers):
    one, two = drivers
    await asyncio.gather(*(d.publish(*[low()] * 3) for d in [one, two] * 6))

    recorded = (await one.journal.events(page=1, per_page=50)).items
    assert [event.seq for event in recorded] == list(range(36, 0, -1))


def facts(driver, *positions):
    return [(n, driver.envelope(low(position=n), id=str(n), source="store")) for n in positions]


async def cursor(driver):
    return (await driver.journal.snapshot("store", NOON)).cursor


async def test_facts_move_the_cursor_past_them(driver):
    assert await cursor(driver) == 0

    assert await driver.journal.relay("store", facts(driver, 1, 2, 4), clerk_wakes) == 3
    assert await cursor(driver) == 4
    assert await driver.journal.relay("store", facts(driver, 5), clerk_wakes) == 1
    assert await cursor(driver) == 5


async def test_facts_relayed_again_change_nothing(driver):
    await driver.journal.relay("store", facts(driver, 1, 2, 3), clerk_wakes)

    assert await driver.journal.relay("store", facts(driver, 1, 2, 3), clerk_wakes) == 0
    assert await driver.journal.relay("store", facts(driver, 2, 3, 4), clerk_wakes) == 1
    assert await driver.journal.relay("store", [], clerk_wakes) == 0

    assert await cursor(driver) == 4
    assert (await driver.journal.events(page=1, per_page=9)).total == 4


async def test_two_processes_that_relay_the_same_facts_record_them_once(drivers):
    one, two = drivers
    moved = await asyncio.gather(
        *(d.journal.relay("store", facts(d, *range(1, 41)), clerk_wakes) for d in [one, two] * 4)
    )

    assert sorted(moved) == [0] * 7 + [40]
    assert await cursor(two) == 40
    recorded = (await one.journal.events(page=1, per_page=99)).items
    assert [event.event.position for event in reversed(recorded)] == list(range(1, 41))


async def test_changes_that_no_agent_made_are_audited_and_those_of_agents_by_their_run(driver):
    by_person = driver.envelope(id="1", source="store", actor="person:owner")
    by_agent = driver.envelope(id="2", source="store", actor="agent:clerk")
    from_elsewhere = driver.envelope(id="3", source="api", actor="person:owner")

    await driver.journal.publish([by_person, by_agent, from_elsewhere], clerk_wakes)

    entries = sorted((e.kind, e.subject, e.actor) for e in await driver.audited())
    assert entries == [
        ("change", "api/3", "person:owner"),
        ("change", "store/1", "person:owner"),
    ]


async def test_the_newest_tick_is_each_agents_own(driver):
    for agent in ("price", "price_2", "price2", "pricex"):
        ticks = [driver.tick(NOON + timedelta(hours=n), agent) for n in range(len(agent))]
        await driver.journal.publish(ticks, lambda _event: ())

    assert (await driver.journal.last_ticks(["price"]))[
        "price"
    ] == "price@2026-03-02T16:00:00+00:00"
    assert (await driver.journal.last_ticks(["price2"]))[
        "price2"
    ] == "price2@2026-03-02T17:00:00+00:00"
    assert await driver.journal.last_ticks(["pri"]) == {}


async def test_what_happened_lately_is_recalled_by_kind_and_time(driver):
    early = driver.now
    await driver.publish(low("mug"), OrderApproved(order_id=1))
    driver.now += timedelta(hours=1)
    await driver.publish(low("cup"), OrderApproved(order_id=2))

    async def recalled(*kinds, since=early, until=driver.now):
        return [row.event for row in await driver.journal.recent_events(kinds, since, until)]

    assert await recalled(StockRanLow) == [low("mug"), low("cup")]
    assert await recalled(OrderApproved, since=driver.now) == [OrderApproved(order_id=2)]
    assert await recalled(OrderApproved, until=early) == [OrderApproved(order_id=1)]
    assert len(await recalled(StockRanLow, OrderApproved)) == 4
    assert await recalled(GoalSet) == []


async def test_a_goal_is_recalled_however_much_happened_since(driver, monkeypatch):
    monkeypatch.setattr(events_module, "RECENT", 3)
    await driver.publish(GoalSet(goal="growth"), GoalSet(goal="service"), low("first"))
    await driver.publish(*(low(f"p{n}") for n in range(9)))

    since, until = driver.now, driver.now
    assert [row.event for row in await driver.journal.recent_events([GoalSet], since, until)] == [
        GoalSet(goal="service")
    ]
    assert len(await driver.journal.recent_events([StockRanLow], since, until)) == 3
