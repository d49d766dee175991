"""Single actions that are asked for at the same time share one transaction."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from storecrew.domain.actions import Command
from storecrew.domain.control.proposals import Outcome

Apply = Callable[[Sequence[Command]], Awaitable[Sequence[Outcome]]]


class GroupCommit:
    """Collects what arrives while a transaction is under way into the next one.

    A busy shop then pays for one set of statements and one commit per group of orders, an idle
    one waits for nobody. An action that cannot share (its key was used for another action) is
    applied by itself, and so are its companions. Belongs to one event loop.
    """

    def __init__(self, apply: Apply, most: int) -> None:
        self._apply = apply
        self._most = most
        self._waiting: deque[tuple[Command, asyncio.Future[Outcome]]] = deque()
        self._working: asyncio.Task[None] | None = None

    async def apply(self, command: Command) -> Outcome:
        """Return the outcome of the action, after the commit that it was part of."""
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((command, answer))
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work(), name="orders-gathering")
        return await answer

    async def _work(self) -> None:
        while self._waiting:
            count = min(self._most, len(self._waiting))
            group = [self._waiting.popleft() for _ in range(count)]
            try:
                outcomes = await self._apply([keyed for keyed, _ in group])
            except Exception as error:  # noqa: BLE001 - each must hear of its own
                await self._apply_individually(group, error)
            else:
                for (_, answer), outcome in zip(group, outcomes, strict=True):
                    _resolve(answer, outcome)

    async def _apply_individually(
        self, group: Sequence[tuple[Command, "asyncio.Future[Outcome]"]], error: Exception
    ) -> None:
        """Apply each by itself; a single one has had its try."""
        for keyed, answer in group:
            if len(group) == 1:
                _resolve(answer, error)
                continue
            try:
                _resolve(answer, (await self._apply([keyed]))[0])
            except Exception as own:  # noqa: BLE001 - it belongs to this caller
                _resolve(answer, own)


def _resolve(answer: "asyncio.Future[Outcome]", what: Outcome | Exception) -> None:
    if answer.done():  # the caller went away
        return
    if isinstance(what, Exception):
        answer.set_exception(what)
    else:
        answer.set_result(what)
