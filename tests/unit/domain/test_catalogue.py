"""Products found by the names people use, and how much of them to buy."""

import pytest
from hypothesis import given, strategies as st

from storecrew.domain.codec import decode
from storecrew.domain.errors import InvalidInput
from storecrew.domain.money import Money
from storecrew.domain.ports.models import ReplenishmentPolicy
from storecrew.domain.shop.catalog import Product, ProductIndex
from storecrew.domain.shop.orders import ParsedLine


def product(sku, name):
    return Product(sku=sku, name=name, price=Money.of(1, "EUR"))


MUG, CUP, TWIN = product("M1", "Blue Mug"), product("C1", "M1"), product("X", "blue mug")


@pytest.mark.parametrize("said", ["M1", "m1", "Blue Mug", " blue   MUG "])
def test_a_product_is_found_by_sku_before_name_and_by_the_first_of_a_name(said):
    assert ProductIndex([MUG, CUP, TWIN]).find(said) is MUG


def test_what_is_not_in_the_catalogue_is_named():
    names = ProductIndex([MUG])
    wanted = [ParsedLine(name="m1", quantity=2), ParsedLine(name="blue mug", quantity=1)]

    assert names.find_all(wanted) == ((MUG, 2), (MUG, 1))
    with pytest.raises(InvalidInput, match="'Lamp' is not in the catalogue"):
        names.find_all([*wanted, ParsedLine(name="Lamp", quantity=1)])


@given(st.integers(-50, 50), st.integers(0, 30), st.integers(0, 60), st.integers(1, 12))
def test_what_is_bought_is_whole_packs_that_just_reach_the_level(position, point, more, pack):
    advice = ReplenishmentPolicy(reorder_point=point, order_up_to=point + more, pack_size=pack)

    bought = advice.quantity(position)

    assert bought % pack == 0
    if position > point:
        assert bought == 0
    else:
        assert position + bought >= advice.order_up_to
        assert bought == 0 or position + bought - pack < advice.order_up_to


@pytest.mark.parametrize("value", ["three", 3, None])
def test_a_value_of_several_plain_kinds_is_taken_as_json_tells_it(value):
    assert decode(str | int | None, value) == value
