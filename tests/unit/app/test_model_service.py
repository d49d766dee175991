"""The model service: versions, what they answer, how they are judged, what happens without."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from learning_shop import OPENED, LearningShop, open_shop

from storecrew.app.intent_files import read_phrases
from storecrew.domain.control.model_registry import ModelKind, ServingStatus, TrainingResult
from storecrew.domain.errors import InvalidInput, InvalidSettings, NotFound, StorecrewError
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import SetPrice
from storecrew.domain.shop.inventory import SetStock, StockCount
from storecrew.domain.shop.orders import ApproveOrder, FulfilOrder
from storecrew.domain.shop.payments import CapturePayment
from storecrew.journal.schema.model_registry import model_artifacts, versions
from storecrew.learning.predictions import elasticity, forecast, intent
from storecrew.learning.recommendations import for_cart, for_customer
from storecrew.learning.serving import ServedModels
from storecrew.learning.training import TrainingJob
from storecrew.learning.trends import rising_products
from storecrew.models.serialization import pack, unpack


@pytest.fixture
async def shop() -> AsyncIterator[LearningShop]:
    async with open_shop() as opened:
        yield opened


async def trading(shop: LearningShop, days: int = 42) -> None:
    await shop.stocked("mug", "tea", "hat")
    await shop.days(days, mug=4, tea=2)


async def test_r130_a_forecast_has_quantiles_and_a_measured_error(shop: LearningShop) -> None:
    await trading(shop)
    version = await shop.service.train(ModelKind.DEMAND, by="person:o")

    found = await forecast(shop.service, "mug", horizon=7)

    assert (version.number, version.serving_status) == (1, ServingStatus.SERVING)
    assert (version.first, version.last) == (OPENED.date(), date(2026, 2, 15))
    assert version.facts["series"] == 2
    assert (found.version, found.first, found.days[-1]) == (1, date(2026, 2, 16), date(2026, 2, 22))
    assert all(len(row) == 7 for row in [found.mean, *found.quantiles.values()])
    assert found.total == pytest.approx(36, rel=0.2)
    saturday, friday = found.mean[5], found.mean[4]
    assert saturday > 1.5 * friday
    assert found.error["wape"] < 0.5
    assert found.error["days"] > 0
    assert "hindsight" in found.error["basis"]


async def test_the_same_history_is_one_version_and_a_longer_one_another(shop: LearningShop) -> None:
    await trading(shop)
    first = await shop.service.train(ModelKind.DEMAND, by="o")
    again = await shop.service.train(ModelKind.DEMAND, by="o")
    await shop.days(1, mug=4)
    later = await shop.service.train(ModelKind.DEMAND, by="o")

    assert (first.number, again.number, later.number) == (1, 1, 2)
    assert first.fingerprint != later.fingerprint
    assert (
        await shop.service.book.version(ModelKind.DEMAND, 1)
    ).serving_status is ServingStatus.RETIRED


async def test_what_was_fitted_is_used_on_newer_sales_for_a_week(shop: LearningShop) -> None:
    await trading(shop)
    await shop.service.train(ModelKind.DEMAND, by="o")
    await shop.days(6, mug=4, tea=2)
    fresh = await shop.service.train(ModelKind.DEMAND, by="o")
    await shop.days(1, mug=4, tea=2)
    anew = await shop.service.train(ModelKind.DEMAND, by="o")

    assert (fresh.facts["fitted_to"], fresh.last) == ("2026-02-15", date(2026, 2, 21))
    assert (anew.facts["fitted_to"], anew.last) == ("2026-02-22", date(2026, 2, 22))


async def test_what_happens_later_changes_nothing_that_was_learnt(shop: LearningShop) -> None:
    await trading(shop)
    as_of = shop.clock.at
    first = await shop.service.train(ModelKind.DEMAND, by="o")
    await shop.days(5, mug=500, hat=90)
    shop.clock.at = as_of

    again = await shop.service.train(ModelKind.DEMAND, by="o")

    assert again == first


async def test_forecasts_are_compared_with_what_came(shop: LearningShop) -> None:
    await trading(shop)
    await shop.service.train(ModelKind.DEMAND, by="o")
    await shop.days(8, mug=4, tea=2)
    await shop.service.train(ModelKind.DEMAND, by="o")

    old = await shop.service.book.version(ModelKind.DEMAND, 1)
    found = await forecast(shop.service, "mug", horizon=3)

    assert old.scored_to == shop.service.today - timedelta(days=1)
    assert old.accuracy["days"] == 16  # two products, eight days each
    assert old.accuracy["wape"] < 0.5
    assert found.error["basis"] == "earlier forecasts compared with sales"
    assert (found.version, found.error["days"]) == (2, 8)


async def test_a_model_that_does_worse_than_the_simple_one_is_not_asked(shop: LearningShop) -> None:
    await trading(shop)
    learn, spoilt = shop.service.learn, []

    async def spoil(task: TrainingJob, before: bytes) -> TrainingResult:
        lesson = await learn(task, before)
        state = unpack(lesson.content)
        for name in ("served.quantiles", "served.mean"):
            state[name] = state[name] * 9 + 50
        spoilt.append(True)
        return replace(lesson, content=pack(state))

    shop.service.learn = spoil
    bad = await shop.service.train(ModelKind.DEMAND, by="o")
    assert (await forecast(shop.service, "mug", horizon=1)).mean[0] > 50
    await shop.days(8, mug=4, tea=2)

    later = await shop.service.train(ModelKind.DEMAND, by="o")

    assert (bad.serving_status, later.serving_status) == (
        ServingStatus.SERVING,
        ServingStatus.FALLEN_BACK,
    )
    assert "loss" in later.reason
    assert (await forecast(shop.service, "mug", horizon=1)).mean[0] < 20
    assert len(spoilt) == 2


async def test_a_damaged_version_is_left_out_and_forecasts_go_on(shop: LearningShop) -> None:
    await trading(shop)
    await shop.service.train(ModelKind.DEMAND, by="o")
    damage = sa.update(model_artifacts).values(content=b"nothing")
    await shop.journal.database.write(lambda c: c.execute(damage))
    fresh = replace(shop.service, models=ServedModels())

    found = await forecast(fresh, "mug", horizon=3)

    assert found.version is None
    assert found.total > 0
    demand = (await fresh.courses())[0]
    assert demand.failure is not None
    assert "damaged" in demand.failure.problem
    assert ModelKind.DEMAND in await fresh.due()
    mended = await fresh.train(ModelKind.DEMAND, by="o")
    assert (mended.number, (await forecast(fresh, "mug", horizon=3)).version) == (2, 2)


async def test_a_new_shop_has_an_answer_from_the_first_day(shop: LearningShop) -> None:
    await shop.stocked("mug")
    nothing = await forecast(shop.service, "mug", horizon=2)
    await shop.days(1, mug=3)
    after_a_day = await forecast(shop.service, "mug", horizon=2)

    assert (nothing.method, nothing.total, nothing.days) == ("no history", None, ())
    assert 0 < after_a_day.total < 12
    with pytest.raises(NotFound):
        await forecast(shop.service, "nobody sells it", horizon=2)
    with pytest.raises(NotFound, match="warehouse"):
        await forecast(shop.service, "mug", horizon=2, warehouse="moon")


async def test_a_training_without_history_says_so_and_is_not_tried_at_once_again(
    shop: LearningShop,
) -> None:
    with pytest.raises(InvalidInput, match="none between"):
        await shop.service.train(ModelKind.SIMILARITY, by="o")

    course = next(c for c in await shop.service.courses() if c.skill is ModelKind.SIMILARITY)
    assert course.failure is not None
    assert ModelKind.SIMILARITY not in await shop.service.due()
    shop.clock.at += timedelta(hours=25)
    assert ModelKind.SIMILARITY in await shop.service.due()


async def test_what_is_due_depends_on_the_age_of_the_newest_version(shop: LearningShop) -> None:
    await trading(shop)
    assert ModelKind.DEMAND in await shop.service.due()
    await shop.service.train(ModelKind.DEMAND, by="o")
    assert ModelKind.DEMAND not in await shop.service.due()
    shop.clock.at += timedelta(hours=25)
    assert ModelKind.DEMAND in await shop.service.due()
    shop.service.settings = shop.service.settings.model_copy(update={"enabled": False})
    assert await shop.service.due() == []


async def test_two_callers_wait_for_one_training_at_a_time(shop: LearningShop) -> None:
    await trading(shop, 7)
    both = await asyncio.gather(
        *(shop.service.train(ModelKind.SIMILARITY, by="o") for _ in range(2))
    )
    shop.service.begin_training(ModelKind.SIMILARITY, by="o")
    await shop.service.close()

    assert [version.number for version in both] == [1, 1]


async def test_a_training_that_fails_is_told_of(shop: LearningShop) -> None:
    async def fail(_task: TrainingJob, _before: bytes) -> TrainingResult:
        raise StorecrewError("no memory left")

    shop.service.learn = fail
    await shop.service.train_quietly(ModelKind.INTENTS, by="o")

    told = [course.failure.problem for course in await shop.service.courses() if course.failure]
    assert told == ["no memory left"]


async def test_days_on_which_a_shelf_was_empty_are_not_taken_for_days_nobody_wanted_it(
    shop: LearningShop,
) -> None:
    await shop.stocked("mug", units=24 * 4 + 4 * 12)
    await shop.days(28, mug=4)
    left = (await shop.store.stock(["mug"]))[0].available
    assert left == 0
    for order in await shop.store.open_orders():
        await shop.do(ApproveOrder(order_id=order.id))
        await shop.do(CapturePayment(order_id=order.id, reference=f"p{order.id}"))
        await shop.do(FulfilOrder(order_id=order.id))
    await shop.days(10)

    found = await forecast(shop.service, "mug", horizon=7)

    assert found.total > 20


async def test_r125_recommends_what_is_bought_together(shop: LearningShop) -> None:
    await shop.stocked("mug", "tea", "hat", "scarf", "gone")
    for n in range(12):
        await shop.sold(f"a{n}", mug=1, tea=1, gone=1)
        await shop.sold(f"b{n}", hat=1, scarf=1)
    await shop.do(SetStock(levels=(StockCount(sku="gone", on_hand=12),)))
    await shop.days(1)
    version = await shop.service.train(ModelKind.SIMILARITY, by="o")

    beside = await for_cart(shop.service, ["hat"], count=1)
    to_one = await for_customer(shop.service, "b3", count=2)
    to_nobody = await for_customer(shop.service, "stranger", count=3)

    assert version.facts["baskets"] == 24
    assert (beside.version, beside.items[0].sku) == (1, "scarf")
    assert "12 times" in beside.items[0].reason
    assert {one.sku for one in to_one.items} == {"hat", "scarf"}
    assert len(to_nobody.items) == 3
    for offers in (beside, to_one, to_nobody):
        assert all(one.sku != "gone" for one in offers.items)


async def test_before_anything_is_learnt_what_sells_of_late_is_shown(shop: LearningShop) -> None:
    await shop.stocked("mug", "tea")
    await shop.days(3, mug=5, tea=1)

    found = await for_customer(shop.service, "anna", count=5)

    assert found.version is None
    assert [one.sku for one in found.items] == ["mug", "tea"]
    assert found.items[0].reason == "bought often of late"


async def test_elasticities_are_learnt_from_the_shops_own_price_moves(shop: LearningShop) -> None:
    await shop.stocked("mug", "tea")
    await shop.days(20, mug=16, tea=9)
    unmoved = await shop.service.train(ModelKind.ELASTICITY, by="o")
    assert shop.service.models.elasticity_of[""].mean == -2.2
    await shop.do(SetPrice(sku="mug", price=Money.of(12, "EUR")))
    await shop.days(20, mug=5, tea=9)

    moved = await shop.service.train(ModelKind.ELASTICITY, by="o")

    assert (unmoved.facts["products"], moved.facts["products"]) == (0, 1)
    mug, usual = (shop.service.models.elasticity_of[name] for name in ("mug", ""))
    assert mug.mean < usual.mean < -2.2
    assert 0 < mug.error < usual.error
    of_mug, of_tea = [await elasticity(shop.service, sku) for sku in ("mug", "tea")]
    assert (of_mug.mean, of_mug.own, of_mug.version) == (round(mug.mean, 3), True, 2)
    assert (of_tea.mean, of_tea.own) == (round(usual.mean, 3), False)
    with pytest.raises(NotFound):
        await elasticity(shop.service, "nobody sells it")


async def test_what_a_customer_wants_is_learnt_from_phrases_and_the_owners_own(
    shop: LearningShop, tmp_path: Path
) -> None:
    with pytest.raises(NotFound, match="intents"):
        await intent(shop.service, "where is my parcel")
    file = tmp_path / "phrases.yaml"
    phrases = ["can you engrave my mug", "engraving a name on a mug", "engrave it with a name"]
    file.write_text(json.dumps({"engraving": phrases * 2}))
    shop.service.settings = shop.service.settings.model_copy(update={"intent_examples_file": file})
    version = await shop.service.train(ModelKind.INTENTS, by="o")

    parcel = await intent(shop.service, "where is my parcel? I want to track it")
    name = await intent(shop.service, "do you engrave names on mugs")
    odd = await intent(shop.service, "the square root of nine is three")

    assert version.facts["own_phrases"] == 6
    assert (parcel.intent, parcel.known, parcel.version) == ("order_status", True, 1)
    assert name.intent == "engraving"
    assert not (odd.sure and odd.known)
    assert parcel.alternatives[0][0] == parcel.intent


@pytest.mark.parametrize("content", ["[1]", "a: b", "a: ['']", "a: [1]", "a: [", 'a: ["  "]'])
def test_phrases_that_are_none_are_refused_naming_the_file(tmp_path: Path, content: str) -> None:
    file = tmp_path / "phrases.yaml"
    file.write_text(content)
    with pytest.raises(InvalidSettings, match=r"phrases\.yaml"):
        read_phrases(file)


async def test_a_product_that_rises_is_told_from_those_that_always_vary(
    shop: LearningShop,
) -> None:
    await shop.stocked("mug", "tea", "hat")
    await shop.days(20, mug=4, tea=3, hat=2)
    assert await rising_products(shop.service) == []  # too little to compare with
    await shop.days(30, mug=4, tea=3, hat=2)
    assert await rising_products(shop.service) == []
    await shop.days(7, mug=4, tea=3, hat=30)

    (found,) = await rising_products(shop.service)

    assert (found.sku, found.name) == ("hat", "hat")
    assert found.units > 200 > found.expected
    assert found.at_least > 2
    assert found.doubt < 0.1


@pytest.mark.parametrize("skill", [ModelKind.DEMAND, ModelKind.ELASTICITY, ModelKind.SIMILARITY])
async def test_what_another_storecrew_wrote_is_learnt_anew(
    shop: LearningShop, skill: ModelKind
) -> None:
    await trading(shop)
    made = await shop.service.train(skill, by="o")
    foreign = pack({"other": np.zeros(3)})
    seal = {"digest": sha256(foreign).hexdigest(), "fingerprint": "of other arrays"}
    for forged in (
        sa.update(model_artifacts).values(content=foreign),
        sa.update(versions).values(seal),
    ):
        await shop.journal.database.write(lambda c, forged=forged: c.execute(forged))
    await shop.days(9, mug=4, tea=2)
    fresh = replace(shop.service, models=ServedModels(), _unusable={})

    assert (await forecast(fresh, "mug", horizon=3)).total > 0
    again = await fresh.train(skill, by="o")

    assert (made.number, again.number) == (1, 2)
    assert fresh.models.numbers[skill] == 2


async def test_a_second_wish_to_train_joins_the_first(shop: LearningShop) -> None:
    await trading(shop, 7)
    for _ in range(3):
        shop.service.begin_training(ModelKind.SIMILARITY, by="o")
    while (await shop.service.courses())[2].training_since is not None:  # noqa: ASYNC110 - a row tells
        await asyncio.sleep(0)

    assert len(shop.trainings) == 1
