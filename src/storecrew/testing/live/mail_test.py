"""A campaign through a real mail server while the process that sends it is killed."""

import asyncio
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from storecrew.app.clocks import SystemClock
from storecrew.domain.shop.customers import Customer, SetConsent
from storecrew.domain.shop.messages import MailReport
from storecrew.domain.shop.promotions import StartCampaign
from storecrew.stores.sql import SqlStore, open_store
from storecrew.stores.sql.message_queue import SqlMessageQueue
from storecrew.testing.live.server import PROGRAM, environment

CAMPAIGN = "spring tea"
_LOOK_AGAIN = 0.02
_PATIENCE = 300.0
"""Seconds after which a test gives up."""


@dataclass(frozen=True, kw_only=True)
class MailTrial:
    """How many letters, and what goes wrong."""

    recipients: int = 1_500
    no_mailbox: float = 0.05
    """Share of recipients whose address does not exist."""
    opted_out: float = 0.02
    """Share who opt out after the campaign was queued and before anything was sent."""
    opt_out_while_down: float = 0.02
    """Share who opt out while no process runs."""
    kills: tuple[float, ...] = (0.5,)
    """Shares of the letters after which the process is killed."""


@dataclass
class Inboxes:
    """What arrived where."""

    bad: frozenset[str]
    taken: Counter[str] = field(default_factory=Counter[str])
    refused: Counter[str] = field(default_factory=Counter[str])

    async def handle_RCPT(  # noqa: N802 - the mail server's own names
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        """Refuse addresses that do not exist."""
        if address in self.bad:
            self.refused[address] += 1
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 fine"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        """Keep a letter."""
        self.taken[envelope.rcpt_tos[0]] += 1
        return "250 kept"


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What a trial showed."""

    report: MailReport
    inboxes: Inboxes
    out_before: frozenset[str]
    """Addresses whose owners opted out before anything was sent."""
    out_later: frozenset[str]
    """Of those who opted out while no process ran: who had no letter until then."""
    seconds: float
    """That processes were sending."""
    kills: int

    @property
    def twice(self) -> list[str]:
        """Addresses that a letter arrived at more than once."""
        return sorted(address for address, count in self.inboxes.taken.items() if count > 1)

    @property
    def unwanted(self) -> list[str]:
        """Addresses of people who opted out and were written to all the same."""
        return sorted((self.out_before | self.out_later) & self.inboxes.taken.keys())


async def deliver(folder: Path, trial: MailTrial) -> Delivery:
    """Send a campaign, kill the sender on the way, start it again, and let it finish."""
    customers = [_customer(number) for number in range(trial.recipients)]
    step = round(1 / trial.no_mailbox) if trial.no_mailbox else trial.recipients + 1
    bad = frozenset(p.email or "" for p in customers[::step])
    store = await open_store(
        f"sqlite:///{_data(folder)}/orders.db", clock=SystemClock(), currency="EUR"
    )
    try:
        await _queue(store, customers)
        before = customers[1 : 1 + round(trial.opted_out * trial.recipients)]
        await _opt_out(store, before, "before")
        async with _serving(Inboxes(bad)) as (inboxes, port):
            seconds, later = await _send(folder, trial, store, customers, (inboxes, port))
        report = await SqlMessageQueue(store.database, store.clock).report(CAMPAIGN)
    finally:
        await store.close()
    return Delivery(
        report=report,
        inboxes=inboxes,
        out_before=frozenset(p.email or "" for p in before),
        out_later=later,
        seconds=seconds,
        kills=len(trial.kills),
    )


async def _send(
    folder: Path,
    trial: MailTrial,
    store: SqlStore,
    people: Sequence[Customer],
    server: tuple[Inboxes, int],
) -> tuple[float, frozenset[str]]:
    """Run the sender until all is sent; return its seconds, and who opted out on the way."""
    inboxes, port = server
    seconds, out = 0.0, frozenset[str]()
    for share in trial.kills:
        goal = share * trial.recipients
        seconds += await _run(folder, port, lambda goal=goal: inboxes.taken.total() >= goal)
        last = people[-round(trial.opt_out_while_down * trial.recipients) :]
        await _opt_out(store, last, f"down/{share}")
        out |= {p.email or "" for p in last} - inboxes.taken.keys()
    box = SqlMessageQueue(store.database, store.clock)

    async def is_done() -> bool:
        report = await box.report(CAMPAIGN)
        return not report.waiting and not report.sending

    return seconds + await _run(folder, port, is_done, kill=False), out


async def _run(folder: Path, port: int, until: Any, *, kill: bool = True) -> float:
    """Run a sender until something holds, then end it; return how long it was sending."""
    process = _begin(folder, port)
    began = time.monotonic()
    try:
        await _wait(until, process, began)
        took = time.monotonic() - began
    finally:
        if kill:
            process.kill()
        else:
            process.terminate()
        await asyncio.to_thread(process.wait, 30)
    return took


def _begin(folder: Path, port: int) -> "subprocess.Popen[bytes]":
    with (folder / "sender.log").open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - our own program
            [*PROGRAM, "worker", "--data-dir", str(_data(folder))],
            env=environment(_settings(port)),
            cwd=folder,
            stdout=log,
            stderr=log,
        )


async def _wait(until: Any, process: "subprocess.Popen[bytes]", began: float) -> None:
    while True:
        found = until()
        if found if isinstance(found, bool) else await found:
            return
        if process.poll() is not None or time.monotonic() - began > _PATIENCE:
            raise RuntimeError(f"the sender ended or hangs (exit code {process.poll()})")
        await asyncio.sleep(_LOOK_AGAIN)


def _settings(port: int) -> dict[str, str]:
    return {
        "STORECREW_AGENTS": "[]",
        "STORECREW_MODELS__ENABLED": "false",
        "STORECREW_POLICY__QUIET_FROM": "00:00",
        "STORECREW_POLICY__QUIET_UNTIL": "00:00",
        "STORECREW_MAIL__SENDER": "shop@shop.example",
        "STORECREW_MAIL__PUBLIC_URL": "https://shop.example",
        "STORECREW_MAIL__SMTP__HOST": "127.0.0.1",
        "STORECREW_MAIL__SMTP__PORT": str(port),
        "STORECREW_MAIL__SMTP__SECURITY": "plain",
        "STORECREW_MAIL__SMTP__RATE_PER_MINUTE": "0",
    }


@asynccontextmanager
async def _serving(inboxes: Inboxes) -> AsyncIterator[tuple[Inboxes, int]]:
    from aiosmtpd.smtp import SMTP  # for tests alone; the product does not depend on it

    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(inboxes, hostname="mx"), "127.0.0.1", 0)
    try:
        yield inboxes, int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        await server.wait_closed()


async def _queue(store: SqlStore, people: Sequence[Customer]) -> None:
    for first in range(0, len(people), 1_000):
        await store.put_customers(people[first : first + 1_000])
    campaign = StartCampaign(
        name=CAMPAIGN,
        segment="everybody",
        title="The new harvest",
        body="Hello,\n\nthe new harvest is here.\n\nhttps://shop.example/tea",
        recipients=tuple(person.id for person in people),
        ends_at=store.clock.now() + timedelta(days=14),
    )
    outcome = await store.apply(campaign, key="campaign")
    if outcome.after.get("queued") != len(people):
        raise RuntimeError(f"the campaign was not queued: {outcome}")


async def _opt_out(store: SqlStore, people: Sequence[Customer], when: str) -> None:
    for person in people:
        action = SetConsent(customer=person.id, marketing=False)
        await store.apply(action, key=f"out/{when}/{person.id}")


def _customer(number: int) -> Customer:
    name = f"c{number:05d}"
    return Customer(
        id=name, name=f"Customer {number}", email=f"{name}@c.example", marketing_consent=True
    )


def _data(folder: Path) -> Path:
    data = folder / "data"
    data.mkdir(exist_ok=True)
    return data
