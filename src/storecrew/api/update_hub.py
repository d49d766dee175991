"""The live view: one reading of the journal for all who watch, each told at its own pace."""

import asyncio
import json
import logging
from collections import deque
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from storecrew.domain.control.updates import LiveUpdate, Topic
from storecrew.domain.errors import StorecrewError
from storecrew.domain.ports.journal import JournalView

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.05
"""Between two looks at the journal while somebody watches: faster than a person sees."""
_HELD = 1_000
"""Messages held for a watcher that reads slowly; then it is told to look anew instead."""


@dataclass(eq=False)
class Subscriber:
    """One who watches: what it wants, what it has seen, and what still waits for it."""

    topics: frozenset[Topic]
    seen: int
    """The newest update it was told of, or need not be."""
    _held: deque[tuple[int, str]] = field(default_factory=deque[tuple[int, str]])
    _more: asyncio.Event = field(default_factory=asyncio.Event)
    _lost: int | None = None

    def tell(self, seq: int, text: str) -> None:
        """Hold a message until it is read. Never waits: past the bound all is let go of."""
        if len(self._held) >= _HELD:
            self.miss(seq)
        elif self._lost is not None:
            self._lost = seq
        else:
            self._held.append((seq, text))
        self._more.set()

    def miss(self, seq: int) -> None:
        """Let the watcher know that it must look anew, and go on from this position."""
        self._held.clear()
        self._lost = seq
        self._more.set()

    async def messages(self) -> AsyncIterator[str]:
        """Yield what there is to tell, each update once and in order, for ever."""
        while True:
            await self._more.wait()
            if self._lost is not None:
                self.seen, self._lost = self._lost, None
                yield _text("reset", self.seen)
            elif self._held:
                seq, text = self._held.popleft()
                if seq > self.seen:
                    self.seen = seq
                    yield text
            else:
                self._more.clear()


class UpdateHub:
    """Reads the journal's updates once for all subscribers; idle without subscribers."""

    def __init__(self, journal: JournalView) -> None:
        self._journal = journal
        self._watchers: set[Subscriber] = set()
        self._position = 0
        self._reading: asyncio.Task[None] | None = None

    async def join(self, topics: Collection[Topic], since: int | None) -> Subscriber:
        """Begin to tell a watcher of these topics what came after a position (None: from now)."""
        newest = await self._journal.newest_update()
        watcher = Subscriber(frozenset(topics), newest if since is None else since)
        if since is not None:
            missed = await self._journal.updates(since, topics=watcher.topics, limit=_HELD)
            if missed is None or len(missed) == _HELD:
                watcher.seen = newest
                watcher.miss(newest)
            else:
                _tell([watcher], missed)
                newest = missed[-1].seq if missed else min(since, newest)
        self._watchers.add(watcher)
        if self._reading is None:
            self._position = newest
            self._reading = asyncio.create_task(self._read(), name="live-view")
        else:  # what came between the look and the joining
            self._position = min(self._position, newest)
        return watcher

    async def leave(self, watcher: Subscriber) -> None:
        """Tell the watcher nothing more."""
        self._watchers.discard(watcher)
        if not self._watchers and self._reading is not None:
            reading, self._reading = self._reading, None
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading

    async def _read(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                await self._look()
            except StorecrewError as error:  # busy or away: the same is read at the next look
                log.info("updates could not be read: %s", error)
            except Exception:  # watchers must not wait for a task that died
                log.exception("updates could not be read")

    async def _look(self) -> None:
        position = self._position
        found = await self._journal.updates(position)
        if position != self._position:
            return  # a subscriber joined meanwhile who wants earlier ones
        if found is None:
            self._position = await self._journal.newest_update()
            for watcher in self._watchers:
                watcher.miss(self._position)
        elif found:
            self._position = found[-1].seq
            _tell(self._watchers, found)


def hello(seq: int) -> str:
    """Return the first message of a connection: from where it goes on."""
    return _text("hello", seq)


def _tell(watchers: Iterable[Subscriber], updates: Iterable[LiveUpdate]) -> None:
    """Hand each watcher the updates of its topics; each is put into words once."""
    watchers = tuple(watchers)
    for update in updates:
        content = {
            "type": update.topic,
            **update.body,
            "timestamp": update.at.isoformat(),
            "seq": update.seq,
        }
        text = json.dumps(content, ensure_ascii=False)
        for watcher in watchers:
            if update.topic in watcher.topics:
                watcher.tell(update.seq, text)


def _text(kind: str, seq: int) -> str:
    return json.dumps({"type": kind, "seq": seq})
