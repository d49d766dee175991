"""Customers, other systems and a person at a live server, who repeat what was not answered."""

import asyncio
import random
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from storecrew.testing.live.connection import Connection, HttpResponse, request
from storecrew.testing.live.shop import COSTLY, CURRENCY, PRICE, sku

SOURCE = "elsewhere"
"""Where the events come from."""
_ANSWER_WITHIN = 20.0
_BUSY = 503


@dataclass
class Acknowledged:
    """What the server answered: each of these it must keep."""

    orders: dict[str, int] = field(default_factory=dict[str, int])
    """Order id per Idempotency-Key."""
    moves: set[tuple[int, str]] = field(default_factory=set[tuple[int, str]])
    """Order and the state it was said to be in."""
    payments: dict[str, int] = field(default_factory=dict[str, int])
    """Order id per reference."""
    events: dict[str, int] = field(default_factory=dict[str, int])
    """Position per id of an event."""
    mails: set[str] = field(default_factory=set[str])
    """Customers whose one order came as an event."""
    deliveries: set[int] = field(default_factory=set[int])
    """Orders reported as delivered."""
    questions: set[str] = field(default_factory=set[str])
    """Proposals that were seen to wait for a person."""
    approved: set[str] = field(default_factory=set[str])
    """Those among them that the person said yes to."""
    wrong: list[str] = field(default_factory=list[str])
    """Answers that must not be."""
    counts: Counter[str] = field(default_factory=Counter[str])
    """Requests `repeated` because no answer came, and answers `busy`."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """How much is asked for."""

    clients: int = 8
    think_seconds: float = 0.05
    """Pause of a client between two orders."""
    events_per_second: float = 200
    reporters: int = 16
    """Connections that the events arrive on."""
    products: int = 200


class LoadClient:
    """Asks until it is answered, over a connection that it mends."""

    def __init__(self, port: int, heard: Acknowledged) -> None:
        self._port, self._heard = port, heard
        self._connection: Connection | None = None

    async def ask(
        self, method: str, path: str, content: object = None, key: str | None = None
    ) -> HttpResponse:
        """Return the answer, however often the server dies before it comes."""
        message = request(method, path, content, {"idempotency-key": key} if key else None)
        while True:
            try:
                async with asyncio.timeout(_ANSWER_WITHIN):
                    answer = await self._once(message)
            except (OSError, TimeoutError) as error:
                if isinstance(error, ConnectionResetError | TimeoutError):
                    self._heard.counts["repeated"] += 1
                self.hang_up()
                await asyncio.sleep(0.02)
                continue
            if answer.status != _BUSY:
                return answer
            self._heard.counts["busy"] += 1
            await asyncio.sleep(0.05)

    async def _once(self, message: bytes) -> HttpResponse:
        if self._connection is None:
            self._connection = await Connection.open(self._port)
        return await self._connection.ask(message)

    def hang_up(self) -> None:
        """Close the connection; the next question opens another."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None


class Traffic:
    """All callers of one server, until told to stop; what is under way is seen to its answer."""

    def __init__(self, port: int, load: Load, seed: int) -> None:
        self.heard = Acknowledged()
        self._port, self._load, self._seed = port, load, seed
        self._stopping = asyncio.Event()
        self._paid: deque[int] = deque()
        self._tasks: list[asyncio.Task[None]] = []
        self._next_event = 0
        self._began = 0.0

    def start(self) -> None:
        """Begin to call."""
        self._began = asyncio.get_running_loop().time()
        self._tasks = [asyncio.create_task(self._client(n)) for n in range(self._load.clients)]
        self._tasks += [asyncio.create_task(self._reporter()) for _ in range(self._load.reporters)]
        self._tasks.append(asyncio.create_task(self._person()))

    async def stop(self) -> Acknowledged:
        """Ask nothing new, wait for the answers under way, and return all of them."""
        self._stopping.set()
        await asyncio.gather(*self._tasks)
        return self.heard

    async def cancel(self) -> None:
        """Drop everything at once."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- customers -------------------------------------------------------------------------

    async def _client(self, number: int) -> None:
        rng = random.Random(f"{self._seed}/client/{number}")  # noqa: S311 - a load, no secret
        caller = LoadClient(self._port, self.heard)
        count = 0
        while not self._stopping.is_set():
            key = f"client-{number}-{count}"
            body = {"lines": _lines(rng, count, self._load.products), "customer": key}
            if (order := await self._order(caller, key, body)) and count % 3 == 0:
                await self._see_through(caller, key, order, fulfil=count % 2 == 0)
            if count % 10 == 9:
                await self._order(caller, key, body)
            count += 1
            await asyncio.sleep(rng.uniform(0, 2 * self._load.think_seconds))
        caller.hang_up()

    async def _order(self, caller: LoadClient, key: str, body: Mapping[str, Any]) -> int:
        answer = await caller.ask("POST", "/api/orders", body, key)
        if answer.status != 201:
            self._wrong(f"order {key}", answer)
            return 0
        order = int(answer.json()["id"])
        if self.heard.orders.setdefault(key, order) != order:
            self.heard.wrong.append(f"{key} was order {self.heard.orders[key]}, then {order}")
        self.heard.moves.add((order, "received"))
        return order

    async def _see_through(self, caller: LoadClient, key: str, order: int, *, fulfil: bool) -> None:
        """Approve, pay and perhaps fulfil; the crew may have been quicker, except in paying."""
        await self._move(caller, f"{key}/approve", order, "approve", "awaiting_payment")
        reference = f"pay-{key}"
        answer = await caller.ask(
            "POST", f"/api/orders/{order}/payments", {"reference": reference}, f"{key}/pay"
        )
        if answer.status != 200:
            self._wrong(f"payment {reference}", answer)
            return
        self.heard.payments[reference] = order
        if fulfil:
            await self._move(caller, f"{key}/fulfil", order, "fulfil", "awaiting_delivery")
        self._paid.append(order)

    async def _move(self, caller: LoadClient, key: str, order: int, verb: str, state: str) -> None:
        answer = await caller.ask("POST", f"/api/orders/{order}/{verb}", key=key)
        if answer.status == 200:
            self.heard.moves.add((order, state))
        elif answer.status != 409:
            self._wrong(f"{verb} of order {order}", answer)

    # --- other systems ---------------------------------------------------------------------

    async def _reporter(self) -> None:
        caller = LoadClient(self._port, self.heard)
        while not self._stopping.is_set():
            number = self._next_event
            self._next_event += 1
            due = self._began + number / self._load.events_per_second
            await asyncio.sleep(due - asyncio.get_running_loop().time())
            await self._report(caller, number)
        caller.hang_up()

    async def _report(self, caller: LoadClient, number: int) -> None:
        name = f"event-{number}"
        body = {"id": name, "source": SOURCE, **self._event(number)}
        answer = await caller.ask("POST", "/api/events", body)
        if answer.status != 202:
            self._wrong(name, answer)
            return
        self.heard.events[name] = int(answer.json()["event_id"])
        if body["event_type"] == "MailReceived":
            self.heard.mails.add(body["data"]["customer"])
        elif body["event_type"] == "DeliveryConfirmed":
            self.heard.deliveries.add(body["data"]["order_id"])
        if number % 20 == 0:
            again = (await caller.ask("POST", "/api/events", body)).json()
            if not again["duplicate"] or again["event_id"] != self.heard.events[name]:
                self.heard.wrong.append(f"{name} again: {again}")

    def _event(self, number: int) -> dict[str, Any]:
        if number % 10 == 3:
            data: dict[str, Any] = {"mail": f"{sku(number % self._load.products)}:1"}
            data["customer"] = f"mail-{number}"
            return {"event_type": "MailReceived", "data": data}
        if number % 10 == 7 and self._paid:
            return {"event_type": "DeliveryConfirmed", "data": {"order_id": self._paid.popleft()}}
        cents = PRICE.minor - 50 + number % 100
        price = {"amount": f"{cents // 100}.{cents % 100:02}", "currency": CURRENCY}
        data = {"sku": sku(number % self._load.products), "competitor": "rival", "price": price}
        return {"event_type": "CompetitorPriceObserved", "data": data}

    # --- the owner -------------------------------------------------------------------------

    async def _person(self) -> None:
        """Look at the questions, and say yes to every second one."""
        caller = LoadClient(self._port, self.heard)
        while not self._stopping.is_set():
            answer = await caller.ask("GET", "/api/approvals?per_page=50")
            waiting = [each["filed"]["id"] for each in answer.json()]
            self.heard.questions.update(waiting)
            if chosen := [proposal for proposal in waiting if sum(proposal.encode()) % 2]:
                await self._say_yes(caller, chosen[0])
            await asyncio.sleep(0.2)
        caller.hang_up()

    async def _say_yes(self, caller: LoadClient, proposal: str) -> None:
        path = f"/api/approvals/{proposal.replace('+', '%2B')}/approve"
        answer = await caller.ask("POST", path)
        if answer.status == 200:
            self.heard.approved.add(proposal)
        elif answer.status != 409:  # the agent may have asked anew meanwhile
            self._wrong(f"approval of {proposal}", answer)

    def _wrong(self, what: str, answer: HttpResponse) -> None:
        self.heard.wrong.append(f"{what}: {answer.status} {answer.body[:300]!r}")


def _lines(rng: random.Random, count: int, products: int) -> list[dict[str, Any]]:
    if count % 25 == 10:
        return [{"product": COSTLY, "quantity": 1}]
    chosen = rng.sample(range(products), rng.randint(1, 3))
    return [{"product": sku(n), "quantity": rng.randint(1, 3)} for n in chosen]
