"""Ticks: whose comes next, without looking at all the others, and none of them twice."""

import heapq
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from storecrew.domain.control.events import ClockTicked, EventEnvelope
from storecrew.domain.ports.journal import Journal
from storecrew.orchestrator.registry import Registry
from storecrew.sdk.schedule import Schedule


@dataclass
class ScheduleHeap:
    """The schedules of many agents, by the moment at which each has to be looked at next."""

    _heap: list[tuple[datetime, int, str, Schedule]] = field(
        default_factory=list[tuple[datetime, int, str, Schedule]]
    )
    _entries: dict[str, int] = field(default_factory=dict[str, int])
    _numbers: "count[int]" = field(default_factory=count)

    def schedule(self, name: str, schedule: Schedule, at: datetime) -> None:
        """Have an agent looked at from a moment on, in place of whatever was known of it."""
        number = self._entries[name] = next(self._numbers)
        heapq.heappush(self._heap, (at, number, name, schedule))

    def cancel(self, name: str) -> None:
        """Look at an agent no more."""
        self._entries.pop(name, None)

    def due(self, now: datetime) -> Iterator[tuple[str, datetime]]:
        """Yield each agent that has to be looked at, with its newest tick."""
        while self._heap and self._heap[0][0] <= now:
            _, number, name, schedule = heapq.heappop(self._heap)
            if self._entries.get(name) == number:
                self.schedule(name, schedule, schedule.after(now))
                yield name, schedule.latest(now)

    @property
    def next_due(self) -> datetime | None:
        """When the next agent has to be looked at."""
        while self._heap and self._entries.get(self._heap[0][2]) != self._heap[0][1]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None


@dataclass
class ScheduleDispatcher:
    """Publishes the newest tick of each schedule; ticks missed meanwhile count as one."""

    journal: Journal
    registry: Registry
    _heap: ScheduleHeap = field(default_factory=ScheduleHeap)
    _last: dict[str, str] = field(default_factory=dict[str, str])
    """The name of each agent's newest tick; empty before its first."""
    _held: set[str] = field(default_factory=set[str])
    """Agents that stood still when a tick of theirs came."""
    _version: int = -1

    def forget(self) -> None:
        """Read again what has ticked, as another process ticked meanwhile."""
        self._last.clear()
        self._version = -1

    async def tick(
        self, now: datetime, suspended: Collection[str] = frozenset()
    ) -> tuple[int, datetime | None]:
        """Publish what is due; return how many ticks, and when the next one is."""
        await self._sync_with_registry(now)
        for name in self._held - set(suspended):
            self._held.discard(name)
            self._put(name, now)
        due = [tick for name, at in self._heap.due(now) if (tick := self._new(name, at, now))]
        held = [tick for tick in due if _agent(tick) in suspended]
        self._held |= {_agent(tick) for tick in held}
        due = [tick for tick in due if tick not in held]
        if due:
            await self.journal.publish(due, self.registry.subscribers_of)
            self._last |= {_agent(tick): tick.external_id for tick in due}
        return len(due), self._heap.next_due

    def _new(self, name: str, at: datetime, now: datetime) -> EventEnvelope | None:
        """Return the tick, or None where it was published before."""
        tick = f"{name}@{at.isoformat(timespec='seconds')}"
        if tick <= self._last.get(name, ""):
            return None
        event = ClockTicked(agent=name, due=at)
        return EventEnvelope(source="clock", external_id=tick, event=event, at=now, actor="system")

    async def _sync_with_registry(self, now: datetime) -> None:
        """Put who is new on the timetable, and strike who is gone."""
        if self._version == self.registry.version:
            return
        agents = self.registry.agents
        scheduled = [name for name, agent in agents.items() if agent.schedule is not None]
        if fresh := [name for name in scheduled if name not in self._last]:
            known = await self.journal.last_ticks(fresh)
            self._last |= {name: known.get(name, "") for name in fresh}
        for name in self._last.keys() - set(scheduled):
            del self._last[name]
            self._heap.cancel(name)
        for name in fresh:
            self._put(name, now)
        self._version = self.registry.version

    def _put(self, name: str, now: datetime) -> None:
        agent = self.registry.agents.get(name)
        if agent is not None and agent.schedule is not None:
            self._heap.schedule(name, agent.schedule, now)


def _agent(tick: EventEnvelope) -> str:
    return tick.event.subject.removeprefix("agent:")
