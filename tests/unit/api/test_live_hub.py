"""The live view: each watcher hears of each change once, in order, and none holds up another."""

import asyncio
import json
from dataclasses import dataclass, field

import pytest
from in_memory_api import NOW

from storecrew.api import update_hub
from storecrew.api.update_hub import Subscriber, UpdateHub
from storecrew.domain.control.updates import LiveUpdate, Topic
from storecrew.domain.errors import StorageBusy

ALL = list(Topic)


@dataclass
class Told:
    """A journal that knows nothing but updates."""

    rows: list[LiveUpdate] = field(default_factory=list)
    forgotten: int = 0
    failing: bool = False
    looks: int = 0

    def publish_update(self, *bodies, topic=Topic.SERVICE) -> None:
        for body in bodies:
            seq = self.rows[-1].seq + 1 if self.rows else 1
            self.rows.append(LiveUpdate(seq=seq, topic=topic, at=NOW, body={"n": body}))

    async def newest_update(self) -> int:
        return self.rows[-1].seq if self.rows else 0

    async def updates(self, since, *, topics=tuple(Topic), limit=500):
        self.looks += 1
        if self.failing:
            raise StorageBusy("journal")
        if since < self.forgotten or since > await self.newest_update():
            return None
        return [u for u in self.rows if u.seq > since and u.topic in topics][:limit]


@pytest.fixture
def journal() -> Told:
    return Told()


@pytest.fixture
def hub(journal) -> UpdateHub:
    return UpdateHub(journal)


async def heard(watcher: Subscriber, count: int) -> list[dict]:
    """Return the next messages."""
    found = []
    async with asyncio.timeout(30):
        async for text in watcher.messages():
            found.append(json.loads(text))
            if len(found) == count:
                break
    return found


async def test_a_watcher_hears_what_comes_after_it_joined(hub, journal):
    journal.publish_update("before")
    watcher = await hub.join(ALL, None)
    journal.publish_update("first", "second")

    messages = await heard(watcher, 2)
    assert messages == [
        {"type": "service", "n": "first", "timestamp": NOW.isoformat(), "seq": 2},
        {"type": "service", "n": "second", "timestamp": NOW.isoformat(), "seq": 3},
    ]
    await hub.leave(watcher)


async def test_since_replays_the_gap_and_then_goes_on(hub, journal):
    journal.publish_update(*range(5))
    watcher = await hub.join(ALL, 3)
    journal.publish_update(5, 6)

    assert [m["seq"] for m in await heard(watcher, 4)] == [4, 5, 6, 7]
    await hub.leave(watcher)


async def test_who_joins_late_with_an_old_position_makes_nobody_hear_twice(hub, journal):
    journal.publish_update(*range(3))
    early = await hub.join(ALL, None)
    journal.publish_update(*range(3))
    first = await heard(early, 3)
    late = await hub.join(ALL, 0)
    journal.publish_update("new")

    assert [m["seq"] for m in await heard(late, 7)] == [1, 2, 3, 4, 5, 6, 7]
    assert [m["seq"] for m in first + await heard(early, 1)] == [4, 5, 6, 7]
    await hub.leave(early)
    await hub.leave(late)


async def test_only_the_topics_asked_for_are_heard(hub, journal):
    watcher = await hub.join([Topic.RUN], None)
    journal.publish_update("service")
    journal.publish_update("run", topic=Topic.RUN)

    assert [m["type"] for m in await heard(watcher, 1)] == ["run"]
    await hub.leave(watcher)


@pytest.mark.parametrize("since", [1, 99])
async def test_a_position_that_cannot_be_replayed_gets_one_reset(hub, journal, since):
    journal.publish_update(*range(5))
    journal.forgotten = 3
    watcher = await hub.join(ALL, since)
    journal.publish_update("new")

    assert [(m["type"], m["seq"]) for m in await heard(watcher, 2)] == [
        ("reset", 5),
        ("service", 6),
    ]
    await hub.leave(watcher)


async def test_a_position_of_another_shop_gets_a_reset_although_nothing_happened(hub):
    watcher = await hub.join(ALL, 7)
    assert await heard(watcher, 1) == [{"type": "reset", "seq": 0}]
    await hub.leave(watcher)


async def test_a_slow_watcher_is_reset_and_the_others_hear_everything(hub, journal, monkeypatch):
    monkeypatch.setattr(update_hub, "_HELD", 10)
    slow, quick = await hub.join(ALL, None), await hub.join(ALL, None)
    seen = []
    for n in range(30):
        journal.publish_update(n)
        seen += await heard(quick, 1)

    assert [m["seq"] for m in seen] == list(range(1, 31))
    assert await heard(slow, 1) == [{"type": "reset", "seq": 30}]
    journal.publish_update("new")
    assert [m["seq"] for m in await heard(slow, 1)] == [31]
    await hub.leave(slow)
    await hub.leave(quick)


async def test_a_busy_journal_is_read_again(hub, journal):
    watcher = await hub.join(ALL, None)
    journal.failing = True
    journal.publish_update("kept")
    looks = journal.looks
    async with asyncio.timeout(30):
        while journal.looks < looks + 2:  # noqa: ASYNC110 - a count tells
            await asyncio.sleep(0.01)
    journal.failing = False

    assert [m["n"] for m in await heard(watcher, 1)] == ["kept"]
    await hub.leave(watcher)


async def test_nobody_reads_the_journal_when_nobody_watches(hub, journal):
    watcher = await hub.join(ALL, None)
    await hub.leave(watcher)
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "live-view"]
    again = await hub.join(ALL, None)
    journal.publish_update("seen")
    assert [m["n"] for m in await heard(again, 1)] == ["seen"]
    await hub.leave(again)
