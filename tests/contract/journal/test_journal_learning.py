"""The versions of the models, on each database."""

import asyncio
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from journal_driver import JournalDriver

from storecrew.domain.control.model_registry import ModelKind, ServingStatus, TrainingResult
from storecrew.domain.errors import InvalidInput, NotFound
from storecrew.journal.model_registry import KEPT, SqlModelRegistry
from storecrew.journal.schema.model_registry import model_artifacts

NOW = datetime(2026, 3, 2, 3, tzinfo=UTC)


@pytest.fixture
def book(driver: JournalDriver) -> SqlModelRegistry:
    return SqlModelRegistry(driver.journal.database)


def lesson(
    content: bytes = b"weights", skill: ModelKind = ModelKind.DEMAND, data: str = ""
) -> TrainingResult:
    return TrainingResult(
        kind=skill,
        trained_at=NOW,
        first=date(2025, 3, 1),
        last=date(2026, 3, 1),
        fingerprint=data or content.hex(),
        seconds=1.5,
        facts={"series": 3},
        content=content,
    )


async def test_the_newest_version_serves_and_the_one_before_retires(book: SqlModelRegistry) -> None:
    assert await book.newest(ModelKind.DEMAND) is None
    first = await book.add(lesson(), ServingStatus.SERVING, "first", by="o")
    second = await book.add(lesson(b"better"), ServingStatus.FALLEN_BACK, "worse", by="o")
    await book.add(lesson(b"other", ModelKind.INTENTS), ServingStatus.SERVING, "first", by="o")

    assert (first.number, first.size, first.facts) == (1, 7, {"series": 3})
    assert (first.first, first.last, first.trained_at) == (
        date(2025, 3, 1),
        date(2026, 3, 1),
        NOW,
    )
    listed = await book.versions(ModelKind.DEMAND)
    assert [(v.number, v.serving_status) for v in listed] == [
        (2, ServingStatus.FALLEN_BACK),
        (1, ServingStatus.RETIRED),
    ]
    assert await book.newest(ModelKind.DEMAND) == second
    assert len(await book.versions()) == 3
    assert await book.numbers() == {ModelKind.DEMAND: 2, ModelKind.INTENTS: 1}
    assert await book.content(ModelKind.DEMAND, 2) == b"better"


async def test_scores_are_recorded(book: SqlModelRegistry) -> None:
    made = await book.add(lesson(), ServingStatus.FALLEN_BACK, "did worse", by="o")
    assert await book.scores(ModelKind.DEMAND) == []
    await book.score(made, {"wape": 0.5}, b"per series", date(2026, 3, 9))

    found = await book.version(ModelKind.DEMAND, 1)

    assert (found.accuracy, found.scored_to) == ({"wape": 0.5}, date(2026, 3, 9))
    assert (found.serving_status, found.reason) == (ServingStatus.FALLEN_BACK, "did worse")
    assert await book.scores(ModelKind.DEMAND) == [b"per series"]
    with pytest.raises(NotFound):
        await book.version(ModelKind.DEMAND, 9)


async def test_what_is_damaged_or_old_is_not_handed_out(book: SqlModelRegistry) -> None:
    for n in range(KEPT + 1):
        await book.add(lesson(data=f"f{n}"), ServingStatus.SERVING, "newer", by="o")
    with pytest.raises(NotFound):
        await book.content(ModelKind.DEMAND, 1)
    assert await book.content(ModelKind.DEMAND, 2) == b"weights"

    damage = (
        sa.update(model_artifacts).where(model_artifacts.c.number == 3).values(content=b"other")
    )
    await book.database.write(lambda c: c.execute(damage))

    with pytest.raises(InvalidInput, match="damaged"):
        await book.content(ModelKind.DEMAND, 3)


async def test_two_trainings_at_once_get_a_number_each(book: SqlModelRegistry) -> None:
    added = await asyncio.gather(
        *(book.add(lesson(data=f"f{n}"), ServingStatus.SERVING, "newer", by="o") for n in range(4))
    )

    assert sorted(version.number for version in added) == [1, 2, 3, 4]
    serving = [v for v in await book.versions() if v.serving_status is ServingStatus.SERVING]
    assert [version.number for version in serving] == [4]


async def test_the_same_data_are_not_learnt_twice_and_each_training_is_audited(
    driver: JournalDriver, book: SqlModelRegistry
) -> None:
    first = await book.add(lesson(), ServingStatus.SERVING, "first", by="person:o")
    again = await book.add(lesson(), ServingStatus.SERVING, "again", by="person:o")

    assert again == first
    entries = (await driver.journal.audit(page=1, per_page=10)).items
    assert [(e.actor, e.action) for e in entries] == [
        ("person:o", {"type": "train_model", "skill": "demand", "version": 1})
    ]
