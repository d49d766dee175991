"""Causes: the part that moved a number is named, and noise names nobody."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp

from storecrew.domain.errors import InvalidInput
from storecrew.models.causes import Breakdown, causes

COUNTRIES = [f"country {n}" for n in range(8)]
PRODUCTS = [f"product {n}" for n in range(60)]


def shop(
    seed: int, *, fault: tuple[int, float] | None = None, all_of_it: float = 1.0, days: int = 28
):
    """Orders by country and by product; `fault` is a country and what is left of its orders."""
    chance = np.random.default_rng(seed)
    by_country = chance.dirichlet(np.full(8, 1.5)) * 200
    by_product = chance.dirichlet(np.full(60, 0.5))
    rates = np.outer(by_country, by_product)[:, :, None].repeat(28, axis=2)
    rates[..., -1] *= all_of_it
    if fault:
        rates[fault[0], :, -1] *= fault[1]
    orders = chance.poisson(chance.gamma(8, rates / 8))
    return {
        "country": Breakdown(names=COUNTRIES, values=orders.sum(1)),
        "product": Breakdown(names=PRODUCTS, values=orders.sum(0)),
    }


def test_noise_names_nobody():
    named = [any(c.telling for c in causes(shop(seed))) for seed in range(40)]
    assert sum(named) <= 7  # at a false-discovery rate of 0.05 two are expected


def test_the_country_that_broke_down_is_named_first():
    first = []
    for seed in range(20):
        told = shop(seed)
        largest = int(np.argsort(np.asarray(told["country"].values).sum(1))[-2])
        first.append(causes(shop(seed, fault=(largest, 0.1)))[0].part == COUNTRIES[largest])
    assert np.mean(first) >= 0.9


def test_when_the_whole_shop_slows_no_part_is_named():
    named = [any(c.telling for c in causes(shop(seed, all_of_it=0.4))) for seed in range(20)]
    assert sum(named) <= 4


def test_contributions_add_up_to_the_change():
    found = [c for c in causes(shop(3, fault=(2, 0.2))) if c.dimension == "country"]
    values = np.asarray(shop(3, fault=(2, 0.2))["country"].values, float)
    change = values[:, -1].sum() - values[:, :-1].mean(axis=1).sum()
    assert sum(c.contribution for c in found) == pytest.approx(change)
    assert sum(c.share for c in found) == pytest.approx(1)


def test_a_ratio_is_told_apart_from_its_traffic():
    chance = np.random.default_rng(5)
    visits = chance.poisson(np.repeat([[4000.0], [2000], [1000]], 28, axis=1)).astype(float)
    visits[0, -1] *= 2  # more visitors are no cause of a lower rate
    rate = np.full((3, 28), 0.05)
    rate[1, -1] = 0.01
    orders = chance.binomial(visits.astype(int), rate)
    names = ["search", "mail", "advert"]
    found = causes({"channel": Breakdown(names=names, values=orders, exposure=visits)})
    assert [c.part for c in found if c.telling] == ["mail"]
    whole = orders[:, -1].sum() / visits[:, -1].sum()
    before = orders[:, :-1].sum() / visits[:, :-1].sum()
    assert sum(c.contribution for c in found) == pytest.approx(whole - before)
    assert found[0].expected == pytest.approx(0.05, rel=0.05)


@given(
    hnp.arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(6, 20)),
               elements=st.floats(0, 1e9)),
)  # fmt: skip
def test_any_numbers_give_finite_answers(values):
    names = [str(n) for n in range(len(values))]
    for exposure in (None, values[::-1]):
        for cause in causes({"x": Breakdown(names=names, values=values, exposure=exposure)}):
            numbers = (cause.actual, cause.expected, cause.contribution, cause.surprise, cause.q)
            assert np.isfinite(numbers).all()
            assert 0 <= cause.q <= 1


@pytest.mark.parametrize(
    ("values", "recent"),
    [
        ([[1.0] * 3], 1), ([[1.0] * 30], 7), ([[np.nan] * 30], 1), ([[-1.0] * 30], 1),
        ([[1.0] * 30] * 2, 1), ([["x"] * 30], 1), ([1.0] * 30, 1), ([[1.0] * 30], 0),
        ([[1e20] * 30], 1),
    ],
)  # fmt: skip
def test_tables_that_are_none_are_refused(values, recent):
    with pytest.raises(InvalidInput):
        causes({"x": Breakdown(names=["a"], values=values)}, recent=recent)


def test_nothing_to_break_down_has_no_causes():
    assert causes({}) == []
    assert causes({"x": Breakdown(names=[], values=np.zeros((0, 30)))}) == []
    assert not causes({"x": Breakdown(names=["a"], values=np.zeros((1, 30)))})[0].telling
