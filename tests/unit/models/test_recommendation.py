"""What is bought together is recommended together."""

import numpy as np
import pytest

from storecrew.domain.errors import InvalidInput
from storecrew.models.recommendation import Purchases, Similarities, train
from storecrew.models.serialization import pack, unpack


def shop(baskets: list[list[int]], items: int, **more) -> Purchases:
    flat = [(n % 211, n, item, n // 10) for n, basket in enumerate(baskets) for item in basket]
    customer, basket, item, day = (np.array(column) for column in zip(*flat, strict=True))
    return Purchases(
        items=[f"S{n}" for n in range(items)],
        customer=customer,
        basket=basket,
        item=item,
        day=day,
        **more,
    )


def pairs(rng: np.random.Generator, count: int = 400, items: int = 20) -> list[list[int]]:
    """Baskets of two that belong together (0 and 1, 2 and 3, …) and one by chance."""
    firsts = rng.integers(0, items // 2, count) * 2
    return [[first, first + 1, int(rng.integers(items))] for first in firsts.tolist()]


@pytest.fixture(scope="module")
def trained() -> Similarities:
    return train(shop(pairs(np.random.default_rng(1)), 20))


def test_recommends_what_is_bought_together(trained):
    best = trained.complete(["S4"], 3)[0]

    assert best.sku == "S5"
    assert best.reason.startswith("bought together with S4")


def test_nothing_in_the_cart_is_suggested(trained):
    assert not {"S4", "S6"} & {s.sku for s in trained.complete(["S4", "S6"], 20)}


def test_an_empty_cart_and_an_unknown_customer_see_what_is_popular(trained):
    assert [s.reason for s in trained.complete([], 2)] == ["bought often of late"] * 2
    assert [s.reason for s in trained.for_customer({}, 2)] == ["bought often of late"] * 2


def test_a_regular_purchase_comes_again_unless_only_new_ones_are_wanted(trained):
    bought = {"S8": (9.0, trained.today - 1)}

    assert trained.for_customer(bought, 3)[0].sku == "S8"
    assert trained.for_customer(bought, 3, new_only=True)[0].sku == "S9"


def test_similarities_survive_packing(trained):
    again = Similarities.restore(unpack(pack(trained.state())))

    assert again.complete(["S4", "S7"], 9) == trained.complete(["S4", "S7"], 9)


def test_a_damaged_state_is_refused(trained):
    state = {**trained.state(), "together": np.zeros(3, np.int32)}
    with pytest.raises(InvalidInput):
        Similarities.restore(state)
    with pytest.raises(InvalidInput):
        Similarities.restore({"items": np.array(["a"])})
