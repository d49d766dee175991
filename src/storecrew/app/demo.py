"""The demo: the crew runs a simulated shop beside a plain owner, same shop, same seed."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from storecrew.app.assembly import assemble, database_url
from storecrew.app.settings import Settings
from storecrew.backtest import PlainOwner, Report, run_days, warm_up
from storecrew.database import DISPOSABLE
from storecrew.domain.errors import AlreadyDecided, StorecrewError
from storecrew.domain.events import Published
from storecrew.domain.runs import ApprovalStatus
from storecrew.journal import SqlJournal, open_journal
from storecrew.orchestrator.inline import InlineEngine
from storecrew.orchestrator.orchestrator import LoopSettings, Orchestrator
from storecrew.policy import Policy
from storecrew.stores.simulated import SimulatedShop, VirtualClock
from storecrew.stores.sql import open_store

START = datetime(2026, 1, 5, tzinfo=UTC)
"""The first day of every trial, a Monday: a seed then always gives the same result."""
MORNING = 8
"""The hour at which the owner answers the crew's questions."""
MARKER = "demo.txt"
"""Marks a data folder whose shop is made up and may be made anew."""

DayProgress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class DemoReport:
    """What the crew and the plain owner made of the same shop."""

    seed: int
    crew: Report
    baseline: Report
    proposals: int
    applied: int
    asked: int
    denied: int
    refused: int
    """Allowed by the policy, but no longer possible when the store was to do it."""
    audit_entries: int
    discrepancies: int
    """Lines of the books that do not add up: 0."""


class NotADemo(StorecrewError):
    """The data folder holds a shop that the demo did not make."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{str(folder)!r} holds a real shop; give the demo another --data-dir")
        self.folder = folder


@dataclass
class ShiftedClock:
    """Goes on from where a simulation ended, at the pace of the machine's clock."""

    start: datetime
    opened: datetime

    @classmethod
    def going_on_from(cls, moment: datetime) -> "ShiftedClock":
        """Return a clock that shows the moment now."""
        return cls(moment, datetime.now(UTC))

    def now(self) -> datetime:
        """Return the present moment of the demo's shop."""
        return self.start + (datetime.now(UTC) - self.opened)


async def run_demo(
    settings: Settings, *, days: int, seed: int, progress: DayProgress = lambda _done, _all: None
) -> DemoReport:
    """Run both trials, the crew's in the data folder, and return what came of them.

    The plain owner's shop runs in a process of its own, so that both cores are used.
    """
    prepare_folder(settings)
    with ProcessPoolExecutor(1) as pool:
        loop = asyncio.get_running_loop()
        plain = loop.run_in_executor(pool, plain_trial, days, seed, settings.store.currency)
        report = await crew_trial(settings, days=days, seed=seed, progress=progress)
        return replace(report, baseline=await plain)


def end_of(days: int) -> datetime:
    """Return the moment at which a trial of so many days ends."""
    return START + timedelta(days=days)


def demo_settings(settings: Settings) -> Settings:
    """Return the settings with a policy under which the crew acts alone within its limits."""
    autonomy = {"*.*": "limits", **settings.policy.autonomy}
    policy = replace(settings.policy, autonomy=autonomy)
    return settings.model_copy(update={"policy": policy})


def prepare_folder(settings: Settings) -> None:
    """Empty the data folder of an earlier demo; raise `NotADemo` for any other shop."""
    folder = settings.data_dir
    folder.mkdir(parents=True, exist_ok=True)
    marker = folder / MARKER
    if (folder / "orders.db").exists() and not marker.exists():
        raise NotADemo(folder)
    for file in folder.glob("*.db*"):
        file.unlink()
    marker.write_text("The shop in this folder is made up by `storecrew demo`.\n")


def plain_trial(days: int, seed: int, currency: str) -> Report:
    """Run the plain owner's shop in memory."""

    async def run() -> Report:
        clock = VirtualClock(START - timedelta(days=60))
        shop = await _open_shop("sqlite://", clock, seed, currency)
        await warm_up(shop, clock)
        report = await run_days(shop, PlainOwner(shop).operate, clock, days)
        await shop.close()
        return report

    return asyncio.run(run())


async def crew_trial(
    settings: Settings, *, days: int, seed: int, progress: DayProgress
) -> DemoReport:
    """Run the crew's shop in the data folder; the report's baseline is the crew's own."""
    clock = VirtualClock(START - timedelta(days=60))
    currency = settings.store.currency
    shop = await _open_shop(database_url(settings, "orders.db"), clock, seed, currency)
    await warm_up(shop, clock)
    url = database_url(settings, "registry.db")
    journal = open_journal(url, durability=DISPOSABLE, inline=True)
    crew = await _Crew.hire(demo_settings(settings), shop, journal, clock)
    report = await run_days(shop, crew.operate, clock, days, progress)
    counts = await journal.tally(crew.orchestrator.begun)
    audit = await journal.audit(page=1, per_page=1)
    wrong = [*await shop.verify(), *await journal.verify(await shop.applied_keys())]
    await journal.close()
    await shop.close()
    return DemoReport(
        seed=seed,
        crew=report,
        baseline=report,
        audit_entries=audit.total,
        discrepancies=len(wrong),
        **counts,
    )


async def _open_shop(url: str, clock: VirtualClock, seed: int, currency: str) -> SimulatedShop:
    books = await open_store(
        url, clock=clock, currency=currency, durability=DISPOSABLE, inline=True
    )
    return await SimulatedShop.open(books, seed=seed, clock=clock, currency=currency)


@dataclass
class _Crew:
    """The control plane on the shop's virtual clock, and the owner who answers its questions."""

    orchestrator: Orchestrator
    journal: SqlJournal

    @classmethod
    async def hire(
        cls, settings: Settings, shop: SimulatedShop, journal: SqlJournal, clock: VirtualClock
    ) -> "_Crew":
        pipeline = replace(
            assemble(settings, shop, journal, clock),
            policy=Policy(settings.policy),
        )
        loop = LoopSettings(patient=False)
        crew = cls(Orchestrator(pipeline, InlineEngine(), loop), journal)
        await crew.orchestrator.start(alone=True)
        return crew

    async def operate(self, now: datetime, news: Sequence[Published]) -> None:
        """Hear the news and do all that is due; each morning the owner says yes to what waits."""
        if news:
            await self.orchestrator.publish(news)
        if now.hour == MORNING:
            await self._answer()
        while (await self.orchestrator.sweep()).progress:
            pass

    async def _answer(self) -> None:
        waiting = await self.journal.approvals(page=1, per_page=200)
        for approval in waiting.items:
            try:
                yes = ApprovalStatus.APPROVED
                await self.orchestrator.answer(approval.filed.id, yes, by="owner")
            except AlreadyDecided:
                continue  # it expired overnight
