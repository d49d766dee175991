"""Intents learnt with a sentence encoder: learnt anew with another one, never asked without it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from encoder_folder import EXTRA, write_folder
from learning_shop import LearningShop, open_shop

from storecrew.app.model_answers import intent
from storecrew.app.model_desk import ModelDesk
from storecrew.app.served_models import ServedModels
from storecrew.domain.errors import InvalidInput, NotFound
from storecrew.domain.learning import Skill
from storecrew.models.intents import training
from storecrew.models.intents.machines import Blend

pytestmark = EXTRA
QUESTION = "where is my parcel? I want to track it"


@pytest.fixture
async def shop(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LearningShop]:
    def blended(_trials: object, blend: Blend) -> Blend:
        return replace(blend, share=0.1)  # random weights help nobody

    monkeypatch.setattr(training, "_blended", blended)
    async with open_shop() as opened:
        yield opened


def use(desk: ModelDesk, folder: Path | None) -> None:
    models = desk.settings.models.model_copy(update={"encoder": folder})
    desk.settings = desk.settings.model_copy(update={"models": models})


def begun_anew(desk: ModelDesk) -> ModelDesk:
    """Return the desk as another process would open it."""
    return replace(desk, models=ServedModels(), _unusable={}, _failures={})


async def test_what_was_learnt_with_an_encoder_is_asked_with_it(
    shop: LearningShop, tmp_path: Path
) -> None:
    use(shop.desk, write_folder(tmp_path / "encoder"))
    version = await shop.desk.train(Skill.INTENTS, by="o")
    again = await shop.desk.train(Skill.INTENTS, by="o")
    here = await intent(shop.desk, QUESTION)
    there = await intent(begun_anew(shop.desk), QUESTION)

    assert (version.number, again.number) == (1, 1)
    assert version.facts["encoder_share"] == 0.1
    assert here == there
    assert here.intent == "order_status"


async def test_with_another_encoder_it_is_learnt_anew(shop: LearningShop, tmp_path: Path) -> None:
    plain = await shop.desk.train(Skill.INTENTS, by="o")
    use(shop.desk, write_folder(tmp_path / "encoder"))
    first = await shop.desk.train(Skill.INTENTS, by="o")
    write_folder(tmp_path / "encoder", seed=1)
    changed = begun_anew(shop.desk)
    with pytest.raises(NotFound, match=r"another now: learn again"):
        await intent(changed, QUESTION)
    second = await changed.train(Skill.INTENTS, by="o")

    assert "encoder_share" not in plain.facts
    assert [each.number for each in (plain, first, second)] == [1, 2, 3]
    assert (await intent(changed, QUESTION)).version == 3


async def test_without_its_encoder_nobody_is_answered_until_it_is_learnt_anew(
    shop: LearningShop, tmp_path: Path
) -> None:
    use(shop.desk, write_folder(tmp_path / "encoder"))
    await shop.desk.train(Skill.INTENTS, by="o")
    bare = begun_anew(shop.desk)
    use(bare, None)

    with pytest.raises(NotFound, match=r"learnt with one and there is none now: learn again"):
        await intent(bare, QUESTION)
    assert not bare.models.intent([QUESTION])[0].known
    assert Skill.INTENTS in await bare.due()
    version = await bare.train(Skill.INTENTS, by="o")

    assert (await intent(bare, QUESTION)).version == version.number == 2


async def test_a_folder_that_went_away_is_told_of_and_not_tried_every_minute(
    shop: LearningShop, tmp_path: Path
) -> None:
    folder = write_folder(tmp_path / "encoder")
    use(shop.desk, folder)
    await shop.desk.train(Skill.INTENTS, by="o")
    (folder / "model.safetensors").unlink()
    desk = begun_anew(shop.desk)
    await desk.refresh()
    first = await desk.due()
    await desk.train_quietly(Skill.INTENTS, by="system")
    course = next(c for c in await desk.courses() if c.skill is Skill.INTENTS)
    second = await desk.due()
    desk.clock.at += timedelta(hours=25)  # type: ignore[attr-defined]

    assert course.unusable
    assert course.failure is not None
    assert "model.safetensors" in course.failure.problem
    assert Skill.INTENTS in first
    assert Skill.INTENTS not in second
    assert Skill.INTENTS in await desk.due()


async def test_a_training_without_its_folder_says_what_is_missing(
    shop: LearningShop, tmp_path: Path
) -> None:
    use(shop.desk, tmp_path / "nowhere")

    with pytest.raises(InvalidInput, match=r"models\.encoder: .*config\.json.*no such file"):
        await shop.desk.train(Skill.INTENTS, by="o")


async def test_a_running_crew_answers_on_while_a_newer_version_cannot_be_used(
    shop: LearningShop, tmp_path: Path
) -> None:
    plain = await shop.desk.train(Skill.INTENTS, by="o")
    other = begun_anew(shop.desk)
    use(other, write_folder(tmp_path / "encoder"))
    await other.train(Skill.INTENTS, by="o")

    assert (await intent(shop.desk, QUESTION)).version == plain.number
    assert shop.desk.problem(Skill.INTENTS) is not None
