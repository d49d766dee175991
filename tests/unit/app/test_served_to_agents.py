"""What agents reach of what was learnt, while it is fresh."""

from collections.abc import AsyncIterator
from datetime import date, timedelta

import pytest
from learning_shop import LearningShop, open_shop

from storecrew.domain.control.model_registry import ModelKind
from storecrew.models.basic import BasicModels


@pytest.fixture
async def shop() -> AsyncIterator[LearningShop]:
    async with open_shop() as opened:
        yield opened


async def test_a_forecast_is_served_while_it_is_fresh(shop: LearningShop) -> None:
    await shop.stocked("mug")
    await shop.days(40, mug=4)
    await shop.service.train(ModelKind.DEMAND, by="o")
    models, today = shop.service.models, shop.clock.at.date()

    found = models.forecast_of("mug", today)
    assert found is not None
    assert 3 < found.daily < 8
    assert models.forecast_of("mug", today + timedelta(days=3)) is not None
    assert models.forecast_of("mug", today + timedelta(days=4)) is None
    assert models.forecast_of("mug", today - timedelta(days=1)) is None
    assert models.forecast_of("hat", today) is None
    assert models.forecast_of("mug", today, "north") is None
    assert models.accuracy_of("mug")["basis"]
    assert models.accuracy_of("hat") == {}


async def test_what_goes_together_is_served(shop: LearningShop) -> None:
    await shop.stocked("mug", "tea", "hat", "scarf")
    for n in range(12):
        await shop.sold(f"a{n}", mug=1, tea=1)
        await shop.sold(f"b{n}", hat=1, scarf=1)
    await shop.days(9)
    await shop.service.train(ModelKind.SIMILARITY, by="o")
    models = shop.service.models

    assert models.related_products(["hat"], 1)[0].sku == "scarf"
    pairs = models.product_affinities(5)
    assert {frozenset(pair.skus) for pair in pairs} == {
        frozenset({"mug", "tea"}),
        frozenset({"hat", "scarf"}),
    }
    assert {pair.days for pair in pairs} == {9.0}  # as long as there were orders, no longer
    bought = {"mug": (1.0, shop.clock.at.toordinal())}
    assert models.recommend_for_customer(bought, 2, shop.clock.at.date())[0].sku in {"mug", "tea"}


def test_before_anything_was_learnt_nothing_is_said() -> None:
    models = BasicModels()
    assert models.accuracy_of("mug") == {}
    assert models.learned_elasticity("mug") is None
    assert models.related_products(["mug"], 3) == ()
    assert models.recommend_for_customer({}, 3, date(2026, 1, 5)) == ()
    assert models.product_affinities(3) == ()
