"""Bundles sell together what belongs together, and always keep the margin."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, strategies as st

from storecrew.domain.errors import InvalidInput
from storecrew.models.recommendation import (
    ActivityKind,
    Behaviour,
    Purchases,
    Similarities,
    Worth,
    behaviour_aggregates,
    bundle_price,
    bundles,
    train,
    upsells,
)

TENTH = Decimal("0.1")
cents = st.integers(1, 10**6).map(lambda n: Decimal(n) / 100)
shares = st.integers(0, 95).map(lambda n: Decimal(n) / 100)


@pytest.fixture(scope="module")
def trained() -> Similarities:
    rng = np.random.default_rng(3)
    firsts = rng.integers(0, 6, 300) * 2
    item = np.stack([firsts, firsts + 1, rng.integers(0, 12, 300)], axis=1)
    rows = np.repeat(np.arange(300), 3)
    return train(
        Purchases(
            items=[f"S{n}" for n in range(12)],
            customer=rows % 90,
            basket=rows,
            item=item.ravel(),
            day=rows // 5,
        )
    )


def worths(price: str = "10", cost: str = "4") -> dict[str, Worth]:
    return {f"S{n}": Worth(price=Decimal(price), cost=Decimal(cost)) for n in range(12)}


@given(prices=st.lists(st.tuples(cents, cents), min_size=1, max_size=4), off=shares, floor=shares)
def test_r127_bundle_keeps_margin(prices, off, floor):
    parts = [Worth(price=price, cost=cost) for price, cost in prices]
    price = bundle_price(parts, discount=off, floor=floor)

    if price is not None:
        cost = sum(part.cost for part in parts)
        assert (price - cost) >= floor * price
        assert price < sum(part.price for part in parts)


@given(price=cents, cost=cents, more=cents, off=shares, floor=shares)
def test_a_higher_cost_never_means_a_lower_price_of_a_bundle(price, cost, more, off, floor):
    def priced(each: Decimal) -> Decimal:
        parts = [Worth(price=price, cost=each)] * 2
        return bundle_price(parts, discount=off, floor=floor) or 2 * price

    assert priced(cost + more) >= priced(cost)


def test_bundles_are_pairs_that_belong_together(trained):
    found = bundles(trained, worths(), discount=TENTH, floor=TENTH)

    assert {frozenset(b.skus) for b in found[:6]} == {
        frozenset({f"S{n}", f"S{n + 1}"}) for n in range(0, 12, 2)
    }
    assert all(b.lift > 1 and b.price == 18 and b.saving == 2 for b in found)
    assert len({frozenset(b.skus) for b in found}) == len(found)


def test_no_bundle_where_the_margin_leaves_no_room(trained):
    assert bundles(trained, worths(cost="9.50"), discount=TENTH, floor=TENTH) == []


def test_upsells_go_with_the_cart_and_earn_something(trained):
    known = worths()
    known["S1"] = Worth(price=Decimal(10), cost=Decimal(10))

    assert upsells(trained, ["S2"], known)[0].sku == "S3"
    assert "S1" not in [s.sku for s in upsells(trained, ["S0"], known)]


@pytest.mark.parametrize(
    ("price", "cost"), [("0", "1"), ("-1", "0"), ("NaN", "0"), ("1", "-0.01"), ("1", "Infinity")]
)
def test_a_worth_that_is_none_is_refused(price, cost):
    with pytest.raises(InvalidInput):
        Worth(price=Decimal(price), cost=Decimal(cost))


@pytest.mark.parametrize("share", ["1", "-0.1", "NaN"])
def test_a_share_that_is_none_is_refused(share):
    worth = Worth(price=Decimal(2), cost=Decimal(1))
    with pytest.raises(InvalidInput):
        bundle_price([worth], discount=Decimal(share), floor=TENTH)
    with pytest.raises(InvalidInput):
        bundle_price([worth], discount=TENTH, floor=Decimal(share))


def test_r128_behaviour_aggregates_by_customer_and_product():
    acts = [
        Behaviour(customer="ann", sku="A", act=ActivityKind.VIEWED, day=1),
        Behaviour(customer="ann", sku="A", act=ActivityKind.BOUGHT, day=1, units=2, spent=8.0),
        Behaviour(customer="ann", sku="B", act=ActivityKind.BOUGHT, day=11, units=1, spent=3.0),
        Behaviour(customer="ann", sku="A", act=ActivityKind.RETURNED, day=12),
        Behaviour(customer=None, sku="A", act=ActivityKind.VIEWED, day=2),
    ]
    found = behaviour_aggregates(acts)
    ann, a = found.customers["ann"], found.products["A"]

    assert (ann.units, ann.spent, ann.first, ann.last, ann.rhythm) == (3, 11.0, 1, 12, 10.0)
    assert (a.acts[ActivityKind.VIEWED], a.conversion, a.return_rate) == (2, 0.5, 1.0)
    assert list(found.customers) == ["ann"]
    assert behaviour_aggregates(reversed(acts)) == found


def test_behaviour_that_is_none_is_refused():
    with pytest.raises(InvalidInput):
        behaviour_aggregates(
            [Behaviour(customer=None, sku="A", act=ActivityKind.BOUGHT, day=1, units=0)]
        )
