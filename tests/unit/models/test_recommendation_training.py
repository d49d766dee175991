"""Similarities rest on the past alone, on any input, at any size."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from storecrew.domain.errors import InvalidInput
from storecrew.models.recommendation import Purchases, ease, stacking, train
from storecrew.models.recommendation.interactions import diagonal, gram, weighted


def bought(count: int = 600, items: int = 30, seed: int = 0, **more) -> Purchases:
    """Baskets of a pair that belongs together and one item by chance."""
    rng = np.random.default_rng(seed)
    first = rng.integers(0, items // 2, count) * 2
    item = np.stack([first, first + 1, rng.integers(0, items, count)], axis=1).ravel()
    basket = np.repeat(np.arange(count), 3)
    return Purchases(
        items=[f"S{n}" for n in range(items)],
        customer=basket % (count // 4),
        basket=basket,
        item=item,
        day=basket // 4,
        **more,
    )


def same(one, other) -> bool:
    states = one.state(), other.state()
    return all((states[0][name] == states[1][name]).all() for name in states[0])


def test_what_is_learned_by_a_day_does_not_change_with_what_comes_after():
    past = bought()
    rng = np.random.default_rng(5)
    later = past.day >= 100
    future = Purchases(
        items=past.items,
        customer=past.customer,
        basket=past.basket,
        item=np.where(later, rng.permutation(past.item), past.item),
        day=np.where(later, past.day + 50, past.day),
    )

    assert same(train(past.until(100)), train(future.until(100)))


def test_recipes_are_compared_on_what_they_have_not_seen():
    past = bought()
    before, after = past.until(120), past.only(past.day >= 120)
    cases = stacking._taste_cases(before, after)

    assert cases is not None
    assert not (cases.wanted & cases.shut).any()


def test_the_order_of_the_rows_means_nothing():
    past = bought()
    mixed = past.only(np.ones(past.item.size, bool))
    order = np.random.default_rng(1).permutation(past.item.size)
    mixed = Purchases(
        items=past.items,
        customer=past.customer[order],
        basket=past.basket[order],
        item=past.item[order],
        day=past.day[order],
    )
    cart = ["S2", "S9"]
    first, second = (train(each).complete(cart, 5) for each in (past, mixed))

    assert [s.sku for s in first] == [s.sku for s in second]


def test_the_closed_form_is_a_ridge_regression_on_all_other_items():
    past = bought(200, 8)
    rows = weighted(past.basket, past.item, np.zeros(past.item.size), 8)
    whole = gram(rows).astype(np.float64)
    found, _ = ease.solve(gram(rows), 0.7)
    others = np.arange(8) != 3
    wanted = np.linalg.solve(whole[others][:, others] + 0.7 * np.eye(7), whole[others, 3])

    assert found[others, 3] == pytest.approx(wanted, abs=1e-4)
    assert found[3, 3] == 0


def test_items_beyond_the_head_have_nearly_the_weights_of_the_whole_regression(monkeypatch):
    past = bought(800, 40)
    rows = weighted(past.basket, past.item, np.zeros(past.item.size), 40)
    whole = ease.partners(rows, 1.0, 0.1)
    monkeypatch.setattr(ease, "HEAD", 10)
    parts = ease.partners(rows, 1.0, 0.1)

    def dense(partners):
        table = np.zeros((40, 41))
        np.put_along_axis(
            table, np.where(partners.place < 0, 40, partners.place), partners.weight, 1
        )
        return table[:, :40]

    one, other = dense(whole), dense(parts)
    head = np.argsort(-diagonal(rows), kind="stable")[:10]
    assert np.isin(other.argmax(axis=1), one.argsort(axis=1)[:, -2:]).all()
    assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.9
    assert (one[head].argmax(axis=1) == other[head].argmax(axis=1)).mean() > 0.8


def test_items_that_nobody_bought_neither_change_weights_nor_have_any(monkeypatch):
    past = bought(800, 40)
    few, many = (weighted(past.basket, past.item, np.zeros(past.item.size), n) for n in (40, 4000))
    monkeypatch.setattr(ease, "HEAD", 10)
    one, other = (ease.partners(rows, 1.0, 0.0) for rows in (few, many))
    assert np.array_equal(one.place, other.place[:40, :40])
    assert np.allclose(one.weight, other.weight[:40, :40], atol=1e-6)
    assert (other.place[40:] == -1).all()
    nothing = ease.partners(many * np.float32(0), 1.0, 0.0)
    assert (nothing.place == -1).all()


def test_titles_speak_for_what_nobody_has_bought_yet():
    past = bought(titles=[f"lamp{n // 2} shade" if n < 29 else "lamp0 new" for n in range(30)])
    kept = past.only(~np.isin(past.item, [29]))

    assert "S29" in [s.sku for s in train(kept).complete(["S0"], 8)]


NOTHING = np.zeros(0, np.int64)


def test_a_shop_without_orders_has_nothing_to_suggest():
    empty = Purchases(items=["A", "B"], customer=NOTHING, basket=NOTHING, item=NOTHING, day=NOTHING)
    found = train(empty)

    assert found.complete(["A"], 5) == []
    assert found.for_customer({"A": (1.0, 0)}, 5, new_only=True) == []
    void = Purchases(items=[], customer=NOTHING, basket=NOTHING, item=NOTHING, day=NOTHING)
    assert train(void).complete(["A"], 5) == []


def test_one_sale_is_enough_to_be_popular():
    one = np.array([0])
    found = train(Purchases(items=["A", "B"], customer=one, basket=one, item=one, day=one))

    assert [s.sku for s in found.complete(["B"], 5)] == ["A"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"item": np.array([0, 2])},
        {"item": np.array([-1, 0])},
        {"day": np.array([0.5, 1.0])},
        {"day": np.array([np.nan, 1.0])},
        {"basket": np.array([1])},
        {"customer": np.array(["a", "b"])},
        {"customer": np.zeros((2, 1), int)},
        {"items": ["A", "A"]},
        {"titles": ["only one"]},
    ],
)
def test_purchases_that_are_none_are_refused(wrong):
    two = np.array([0, 1])
    given = {"items": ["A", "B"], "customer": two, "basket": two, "item": two, "day": two}
    with pytest.raises(InvalidInput):
        Purchases(**{**given, **wrong})


def test_a_negative_count_is_refused():
    with pytest.raises(InvalidInput):
        train(bought(50, 4)).complete([], -1)


@given(
    lines=st.lists(
        st.tuples(st.integers(-1, 5), st.integers(0, 8), st.integers(0, 6), st.integers(-50, 50)),
        min_size=1,
        max_size=60,
    ),
    cart=st.lists(st.sampled_from([f"S{n}" for n in range(9)]), max_size=5),
)
@settings(max_examples=60)
def test_any_purchases_give_finite_scores_and_no_item_twice(lines, cart):
    customer, basket, item, day = (np.array(column) for column in zip(*lines, strict=True))
    found = train(
        Purchases(
            items=[f"S{n}" for n in range(7)], customer=customer, basket=basket, item=item, day=day
        )
    )
    for offers in (found.complete(cart, 7), found.for_customer(dict.fromkeys(cart, (1.0, 3)), 7)):
        assert np.isfinite([s.score for s in offers]).all()
        assert len({s.sku for s in offers}) == len(offers)
    assert not set(cart) & {s.sku for s in found.complete(cart, 7)}
