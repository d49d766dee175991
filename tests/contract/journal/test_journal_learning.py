"""The versions of the models, on each database."""

import asyncio
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from journal_desk import Desk

from storecrew.domain.errors import InvalidInput, NotFound
from storecrew.domain.learning import Lesson, Skill, Standing
from storecrew.journal.learning import KEPT, SqlVersions
from storecrew.journal.model_tables import contents

NOW = datetime(2026, 3, 2, 3, tzinfo=UTC)


@pytest.fixture
def book(desk: Desk) -> SqlVersions:
    return SqlVersions(desk.journal.database)


def lesson(content: bytes = b"weights", skill: Skill = Skill.DEMAND, data: str = "") -> Lesson:
    return Lesson(
        skill=skill,
        trained_at=NOW,
        first=date(2025, 3, 1),
        last=date(2026, 3, 1),
        fingerprint=data or content.hex(),
        seconds=1.5,
        facts={"series": 3},
        content=content,
    )


async def test_the_newest_version_serves_and_the_one_before_retires(book: SqlVersions) -> None:
    assert await book.newest(Skill.DEMAND) is None
    first = await book.add(lesson(), Standing.SERVING, "first", by="o")
    second = await book.add(lesson(b"better"), Standing.FALLEN_BACK, "worse", by="o")
    await book.add(lesson(b"other", Skill.INTENTS), Standing.SERVING, "first", by="o")

    assert (first.number, first.size, first.facts) == (1, 7, {"series": 3})
    assert (first.first, first.last, first.trained_at) == (
        date(2025, 3, 1),
        date(2026, 3, 1),
        NOW,
    )
    listed = await book.versions(Skill.DEMAND)
    assert [(v.number, v.standing) for v in listed] == [
        (2, Standing.FALLEN_BACK),
        (1, Standing.RETIRED),
    ]
    assert await book.newest(Skill.DEMAND) == second
    assert len(await book.versions()) == 3
    assert await book.numbers() == {Skill.DEMAND: 2, Skill.INTENTS: 1}
    assert await book.content(Skill.DEMAND, 2) == b"better"


async def test_scores_are_recorded(book: SqlVersions) -> None:
    made = await book.add(lesson(), Standing.FALLEN_BACK, "did worse", by="o")
    assert await book.scores(Skill.DEMAND) == []
    await book.score(made, {"wape": 0.5}, b"per series", date(2026, 3, 9))

    found = await book.version(Skill.DEMAND, 1)

    assert (found.accuracy, found.scored_to) == ({"wape": 0.5}, date(2026, 3, 9))
    assert (found.standing, found.reason) == (Standing.FALLEN_BACK, "did worse")
    assert await book.scores(Skill.DEMAND) == [b"per series"]
    with pytest.raises(NotFound):
        await book.version(Skill.DEMAND, 9)


async def test_what_is_damaged_or_old_is_not_handed_out(book: SqlVersions) -> None:
    for n in range(KEPT + 1):
        await book.add(lesson(data=f"f{n}"), Standing.SERVING, "newer", by="o")
    with pytest.raises(NotFound):
        await book.content(Skill.DEMAND, 1)
    assert await book.content(Skill.DEMAND, 2) == b"weights"

    damage = sa.update(contents).where(contents.c.number == 3).values(content=b"other")
    await book.database.write(lambda c: c.execute(damage))

    with pytest.raises(InvalidInput, match="damaged"):
        await book.content(Skill.DEMAND, 3)


async def test_two_trainings_at_once_get_a_number_each(book: SqlVersions) -> None:
    added = await asyncio.gather(
        *(book.add(lesson(data=f"f{n}"), Standing.SERVING, "newer", by="o") for n in range(4))
    )

    assert sorted(version.number for version in added) == [1, 2, 3, 4]
    serving = [v for v in await book.versions() if v.standing is Standing.SERVING]
    assert [version.number for version in serving] == [4]


async def test_the_same_data_are_not_learnt_twice_and_each_training_is_audited(
    desk: Desk, book: SqlVersions
) -> None:
    first = await book.add(lesson(), Standing.SERVING, "first", by="person:o")
    again = await book.add(lesson(), Standing.SERVING, "again", by="person:o")

    assert again == first
    entries = (await desk.journal.audit(page=1, per_page=10)).items
    assert [(e.actor, e.action) for e in entries] == [
        ("person:o", {"type": "train_model", "skill": "demand", "version": 1})
    ]
