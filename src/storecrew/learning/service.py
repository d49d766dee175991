"""Trains models in processes of their own, stores their versions, serves and scores them."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from storecrew.domain.control.model_registry import (
    ModelKind,
    ModelVersion,
    ServingStatus,
    TrainingResult,
)
from storecrew.domain.errors import InvalidInput, NotFound, StorecrewError
from storecrew.domain.ports.clock import Clock, FixedClock
from storecrew.domain.ports.repositories import ModelRegistry
from storecrew.learning import training_worker
from storecrew.learning.evaluation import AccuracyRecord, days_seen, judged, merged, scored
from storecrew.learning.serving import ServedModels
from storecrew.learning.settings import ModelSettings
from storecrew.learning.training import TrainingJob, part, units_sold
from storecrew.models.demand import Forecasts
from storecrew.models.serialization import pack, unpack
from storecrew.stores.sql import SqlStore
from storecrew.supervisor.jobs import run_job

LONGEST_TRAINING = 3_600.0
"""Seconds after which a training is ended: the bar for 30,000 products."""
_SCORED = 14
"""Versions whose forecasts are compared with what happened."""
_PASSED_ON = ("PATH", "HOME", "LANG", "TZ", "PYTHONPATH", "VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE")
"""What a training gets of our environment: no secrets but the store's URL, on its stdin."""
_log = structlog.get_logger(__name__)

ReadPhrases = Callable[[Path], Mapping[str, Sequence[str]]]
"""Reads the owner's own phrases per intent from a file; raises `InvalidSettings`."""
Learn = Callable[[TrainingJob, bytes], Awaitable[TrainingResult]]


async def learn_apart(task: TrainingJob, before: bytes) -> TrainingResult:
    """Do a training in a process of its own, which takes its memory with it when it ends."""
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    asked = training_worker.asked(task, before)
    answer = await run_job(
        training_worker.MODULE, asked, environment=environment, timeout=LONGEST_TRAINING
    )
    return training_worker.read(answer)


@dataclass(frozen=True, kw_only=True)
class TrainingFailure:
    """A training that brought nothing."""

    at: datetime
    problem: str


@dataclass(frozen=True, kw_only=True)
class TrainingStatus:
    """What a skill is like now: its newest version, and whether one is being trained."""

    skill: ModelKind
    version: ModelVersion | None
    training_since: datetime | None
    failure: TrainingFailure | None
    """Why the last training brought nothing; None where it did."""

    unusable: bool = False
    """Whether the newest version cannot be read."""

    def is_due(self, oldest: datetime) -> bool:
        """Tell whether nothing usable was learnt, or tried, since that moment."""
        if self.unusable:
            return self.training_since is None
        tried = [self.version.trained_at] if self.version else []
        tried += [self.failure.at] if self.failure else []
        return self.training_since is None and max(tried, default=oldest) <= oldest


@dataclass(kw_only=True)
class ModelService:
    """Training, serving and scoring of models. One per process."""

    book: ModelRegistry
    store: SqlStore
    store_url: str
    """The store's database, for trainings in processes of their own."""
    settings: ModelSettings
    read_phrases: ReadPhrases
    clock: Clock
    learn: Learn = learn_apart
    """Does one training."""
    models: ServedModels = field(default_factory=ServedModels)
    _locks: dict[ModelKind, asyncio.Lock] = field(default_factory=dict[ModelKind, asyncio.Lock])
    _since: dict[ModelKind, datetime] = field(default_factory=dict[ModelKind, datetime])
    _failures: "dict[ModelKind, TrainingFailure]" = field(default_factory=dict)
    _unusable: dict[ModelKind, int] = field(default_factory=dict[ModelKind, int])
    """Versions that could not be read; each is tried once."""
    _begun: "set[asyncio.Task[Any]]" = field(default_factory=set)

    @property
    def today(self) -> date:
        """The UTC day that is not over yet."""
        return self.clock.now().astimezone(UTC).date()

    def at(self, moment: datetime) -> "ModelService":
        """Return the service as of that moment."""
        return replace(self, clock=FixedClock(moment))

    async def courses(self) -> Sequence[TrainingStatus]:
        """Return how each skill is, in the order of `ModelKind`."""
        return [
            TrainingStatus(
                skill=skill,
                version=await self.book.newest(skill),
                training_since=self._since.get(skill),
                failure=self._failures.get(skill),
                unusable=skill in self._unusable,
            )
            for skill in ModelKind
        ]

    async def train(self, skill: ModelKind, *, by: str) -> ModelVersion:
        """Train on the shop's history up to now, and return the version that answers from then on.

        The same history twice gives one version. Raises `InvalidInput` where there is nothing to
        learn from yet, and `JobFailed`.
        """
        async with self._locks.setdefault(skill, asyncio.Lock()):
            self._since.setdefault(skill, self.clock.now())
            try:
                lesson = await self._lesson(skill)
                standing, reason = await self._standing(skill)
                version = await self.book.add(lesson, standing, reason, by=by)
            except StorecrewError as error:
                self._failures[skill] = TrainingFailure(at=self.clock.now(), problem=str(error))
                raise
            finally:
                self._since.pop(skill, None)
            self._failures.pop(skill, None)
        await self.refresh()
        return version

    async def request_training(self, skill: ModelKind, *, by: str) -> None:
        """Begin a training that a person asked for, and return at once."""
        await self.book.note_request(skill, by=by, now=self.clock.now())
        self.begin_training(skill, by=by)

    def begin_training(self, skill: ModelKind, *, by: str) -> None:
        """Begin a training, unless one is under way, and return at once; `courses` tells of it."""
        if skill in self._since:
            return
        self._since[skill] = self.clock.now()
        task = asyncio.create_task(self.train_quietly(skill, by=by), name=f"training {skill}")
        self._begun.add(task)
        task.add_done_callback(self._begun.discard)

    async def train_quietly(self, skill: ModelKind, *, by: str) -> None:
        """Train; what fails is kept for `courses`, and tried again when it is due anew."""
        try:
            await self.train(skill, by=by)
        except StorecrewError as error:
            _log.warning("training failed", skill=str(skill), error=str(error))

    async def close(self) -> None:
        """End the trainings that were begun."""
        for task in self._begun:
            task.cancel()
        await asyncio.gather(*self._begun, return_exceptions=True)

    async def refresh(self) -> None:
        """Take up versions that are newer than what is held; one that is damaged is left out."""
        for skill, number in (await self.book.numbers()).items():
            if number in (self.models.numbers.get(skill), self._unusable.get(skill)):
                continue
            try:
                version = await self.book.version(skill, number)
                content = await self.book.content(skill, number)
                records = await self._records(skill)
                state = await asyncio.to_thread(unpack, content)
                await asyncio.to_thread(self.models.hold, version, state, records)
                self._unusable.pop(skill, None)
            except (InvalidInput, NotFound) as error:
                self._unusable[skill] = number
                self._failures[skill] = TrainingFailure(at=self.clock.now(), problem=str(error))
                _log.warning("version not usable", skill=str(skill), error=str(error))

    async def score(self) -> None:
        """Compare the forecasts of the last versions with what was sold since."""
        for version in (await self.book.versions(ModelKind.DEMAND))[:_SCORED]:
            await self._score(version)

    async def due(self) -> Sequence[ModelKind]:
        """Return the skills whose newest version is older than it may be."""
        if not self.settings.enabled:
            return []
        oldest = self.clock.now() - timedelta(hours=self.settings.retrain_interval_hours)
        return [course.skill for course in await self.courses() if course.is_due(oldest)]

    async def _lesson(self, skill: ModelKind) -> TrainingResult:
        own = self.settings
        task = TrainingJob(
            skill=skill,
            store=self.store_url,
            currency=self.store.currency,
            as_of=self.clock.now().isoformat(),
            history_days=own.history_days,
            horizon_days=own.horizon_days,
            forecaster=own.forecaster,
            refit_days=own.refit_days,
            phrases=self.read_phrases(file) if (file := own.intent_examples_file) else {},
        )
        return await self.learn(task, await self._before(skill))

    async def _before(self, skill: ModelKind) -> bytes:
        """Return what the newest version learnt, nothing where there is none to build upon."""
        newest = await self.book.newest(skill)
        if newest is None or skill is not ModelKind.DEMAND:
            return b""
        try:
            return await self.book.content(skill, newest.number)
        except (InvalidInput, NotFound):
            return b""

    async def _standing(self, skill: ModelKind) -> tuple[ServingStatus, str]:
        """Return how a new version begins: by what the ones before it did."""
        if skill is not ModelKind.DEMAND:
            return ServingStatus.SERVING, "the newest"
        await self.score()
        versions = await self.book.versions(skill)
        seen = [
            days_seen(_first_day(v), _horizon(v), self.today) for v in versions[:_SCORED] if v.last
        ]
        return judged(merged(await self._records(skill)), max(seen, default=0))

    async def _records(self, skill: ModelKind) -> list[AccuracyRecord]:
        blobs = (await self.book.scores(skill))[:_SCORED]
        return [AccuracyRecord.restore(unpack(blob)) for blob in blobs]

    async def _score(self, version: ModelVersion) -> None:
        first = _first_day(version)
        days = days_seen(first, _horizon(version), self.today)
        last = first + timedelta(days=days - 1)
        if days == 0 or version.scored_to == last:
            return
        try:
            state = unpack(await self.book.content(version.kind, version.number))
            made, simple = (Forecasts.restore(part(state, name)) for name in ("served", "simple"))
        except (InvalidInput, NotFound):
            return  # nothing is left to compare, or another storecrew wrote it
        units = await units_sold(self.store, first, last)
        record = await asyncio.to_thread(scored, made, simple, units)
        await self.book.score(version, record.total(), pack(record.state()), last)


def _first_day(version: ModelVersion) -> date:
    assert version.last is not None  # noqa: S101 - demand is always learnt from days
    return version.last + timedelta(days=1)


def _horizon(version: ModelVersion) -> int:
    return int(version.facts.get("horizon", 0))
