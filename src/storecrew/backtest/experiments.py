"""Trials: a shop is made up from a seed, and run by the crew or by a plain owner."""

import asyncio
import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial

from storecrew.app.bootstrap import assemble
from storecrew.app.database_urls import database_url
from storecrew.app.learning import model_service
from storecrew.app.settings import Settings
from storecrew.backtest.baseline_owner import BaselineOwner
from storecrew.backtest.manual_operator import answers, looked_at
from storecrew.backtest.trial import WARM_UP_DAYS, TrialReport, run_days, warm_up
from storecrew.database import DISPOSABLE
from storecrew.domain.control.approvals import ApprovalStatus
from storecrew.domain.control.events import EventEnvelope
from storecrew.domain.control.model_registry import ModelKind, TrainingResult
from storecrew.domain.errors import AlreadyDecided
from storecrew.journal import SqlJournal, open_journal
from storecrew.journal.control_actions import SqlControlActions
from storecrew.learning.service import ModelService
from storecrew.learning.training import TrainingJob, run_training
from storecrew.orchestrator.inline import InlineEngine
from storecrew.orchestrator.loop_settings import LoopSettings
from storecrew.orchestrator.orchestrator import Orchestrator
from storecrew.policy import Policy
from storecrew.stores.simulated import SimulatedShop, VirtualClock
from storecrew.stores.sql import SqlStore, open_store

START = datetime(2026, 1, 5, tzinfo=UTC)
"""The first day of every trial, a Monday: a seed then always gives the same result."""
MORNING = 8
"""The hour at which the owner answers the crew's questions."""
_LEARNS_EVERY = 28
"""Days after which the crew of a trial learns anew what is bought together."""

TrialProgress = Callable[[str, int, int], None]
"""Called with what is being done, how many days of it are done, and how many there are."""


@dataclass(frozen=True, kw_only=True)
class TrialSettings:
    """One shop, for so many days after the plain owner has run it for sixty."""

    days: int
    seed: int
    currency: str = "EUR"
    size: int = 120
    """Products."""
    units: float = 55.0
    """Units a day that they sell in all at list prices."""
    step: int = 1
    """Hours between two looks at the shop, a divisor of 8: fewer looks are a faster trial."""

    @property
    def clock(self) -> VirtualClock:
        """A clock at the beginning of the warm-up."""
        return VirtualClock(START - timedelta(days=WARM_UP_DAYS))


@dataclass(frozen=True, kw_only=True)
class TrialResult:
    """What the crew made of a trial's shop, and how."""

    crew: TrialReport
    proposals: int
    applied: int
    asked: int
    denied: int
    refused: int
    """Allowed by the policy, but no longer possible when the store was to do it."""
    audit_entries: int
    discrepancies: int
    """Lines of the books that do not add up: 0."""


def plain_trial(trial: TrialSettings) -> TrialReport:
    """Run the plain owner's shop in memory."""

    async def run() -> TrialReport:
        clock = trial.clock
        shop, _ = await _open_shop("sqlite://", trial, clock)
        await warm_up(shop, clock)
        owner = BaselineOwner(shop.store, shop.is_fraud)
        report = await run_days(shop, owner.operate, clock, trial.days, step=trial.step)
        await shop.store.close()
        return report

    with _garbage_collected_rarely():
        return asyncio.run(run())


@contextmanager
def _garbage_collected_rarely() -> Iterator[None]:
    """Look for cycles of garbage rarely: a trial makes few, and each look goes through them all."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


async def crew_trial(
    settings: Settings,
    trial: TrialSettings,
    progress: TrialProgress = lambda _what, _done, _all: None,
) -> TrialResult:
    """Run the crew's shop in the data folder."""
    with _garbage_collected_rarely():
        return await _crew_trial(settings, trial, progress)


async def _crew_trial(
    settings: Settings, trial: TrialSettings, progress: TrialProgress
) -> TrialResult:
    history = partial(progress, f"Preparing {WARM_UP_DAYS} days of history")
    history(0, WARM_UP_DAYS)
    clock = trial.clock
    shop, books = await _open_shop(database_url(settings, "orders.db"), trial, clock)
    await warm_up(shop, clock, progress=history)
    progress("Training the crew's models", 0, 1)
    url = database_url(settings, "registry.db")
    journal = open_journal(url, durability=DISPOSABLE, inline=True)
    crew = await _Crew.hire(
        settings, shop, journal, _model_service(settings, books, journal, clock)
    )
    days = partial(progress, f"Running {trial.days} days with the crew")
    days(0, trial.days)
    report = await run_days(shop, crew.operate, clock, trial.days, progress=days, step=trial.step)
    progress("Checking the books", 0, 1)
    counts = await journal.count_results(crew.orchestrator.started_runs)
    audit = await journal.audit(page=1, per_page=1)
    on_plane = await SqlControlActions(journal.database).applied_keys()
    keys = [*await shop.store.applied_keys(), *on_plane]
    wrong = [*await shop.store.verify(), *await journal.verify(keys)]
    await journal.close()
    await shop.store.close()
    return TrialResult(crew=report, audit_entries=audit.total, discrepancies=len(wrong), **counts)


async def _open_shop(
    url: str, trial: TrialSettings, clock: VirtualClock
) -> tuple[SimulatedShop, SqlStore]:
    books = await open_store(
        url, clock=clock, currency=trial.currency, durability=DISPOSABLE, inline=True
    )
    shop = await SimulatedShop.open(
        books,
        seed=trial.seed,
        clock=clock,
        currency=trial.currency,
        size=trial.size,
        units=trial.units,
    )
    return shop, books


def _model_service(
    settings: Settings, books: SqlStore, journal: SqlJournal, clock: VirtualClock
) -> ModelService:
    """Return a model service that trains in this process, on the trial's databases."""

    async def learn(task: TrainingJob, before: bytes) -> TrainingResult:
        return await run_training(task, books, before)

    return model_service(settings, books, journal, clock, learn)


@dataclass
class _Crew:
    """The control plane on the shop's virtual clock, and the owner who answers its questions."""

    orchestrator: Orchestrator
    journal: SqlJournal
    shop: SimulatedShop
    models: ModelService
    learnt: datetime | None = field(default=None)
    """When the crew learned last what is bought together."""

    @classmethod
    async def hire(
        cls, settings: Settings, shop: SimulatedShop, journal: SqlJournal, models: ModelService
    ) -> "_Crew":
        pipeline = replace(
            assemble(settings, shop.store, journal, models.clock, models.models),
            policy=Policy(settings.policy),
        )
        loop = LoopSettings(wait_for_batches=False)
        crew = cls(Orchestrator(pipeline, InlineEngine(), loop), journal, shop, models)
        await models.train_quietly(ModelKind.INTENTS, by="trial")
        await crew.orchestrator.start(alone=True)
        return crew

    async def operate(self, now: datetime, news: Sequence[EventEnvelope]) -> None:
        """Hear the news and do all that is due; each morning the owner sees to what waits."""
        if self.learnt is None or now - self.learnt >= timedelta(days=_LEARNS_EVERY):
            self.learnt = now
            await self.models.train_quietly(ModelKind.SIMILARITY, by="trial")
        if news:
            await self.orchestrator.publish(news)
        if now.hour == MORNING:
            await self._answer()
            await self._look(now)
        while (await self.orchestrator.sweep()).progress:
            pass

    async def _answer(self) -> None:
        waiting = await self.journal.approvals(page=1, per_page=200)
        for approval in waiting.items:
            try:
                yes = ApprovalStatus.APPROVED
                await self.orchestrator.decide(approval.filed.id, yes, by="owner")
            except AlreadyDecided:
                continue  # it expired overnight

    async def _look(self, now: datetime) -> None:
        """Answer the customers and look at the orders that the crew left to a person."""
        store = self.shop.store
        actions = [
            *await answers(store, also_open=False),
            *await looked_at(store, self.shop.is_fraud),
        ]
        for number, action in enumerate(actions):
            key = f"owner/{now.isoformat(timespec='minutes')}/{number}"
            await store.apply(action, key=key, actor="person:owner")
