"""The order machine and the words of an order."""

from itertools import product

import pytest
from hypothesis import given, strategies as st

from storecrew.domain.errors import InvalidInput
from storecrew.domain.shop.orders import (
    MAX_QUANTITY,
    TRANSITIONS,
    OrderStatus,
    ParsedLine,
    check_name,
    check_quantity,
    is_legal,
    parse_order,
    parse_stock,
)

LEGAL = {
    (None, "received"),
    ("received", "approved"),
    ("received", "cancelled"),
    ("approved", "awaiting_payment"),
    ("approved", "cancelled"),
    ("awaiting_payment", "awaiting_delivery"),
    ("awaiting_payment", "cancelled"),
    ("awaiting_delivery", "delivered"),
    ("delivered", "returned"),
    ("returned", "refunded"),
}


@pytest.mark.parametrize(("previous", "status"), list(product([None, *OrderStatus], OrderStatus)))
def test_r104_order_machine_allows_these_moves_and_no_other(
    previous: OrderStatus | None, status: OrderStatus
):
    assert is_legal(previous, status) is ((previous, status) in LEGAL)


def test_order_machine_has_a_rule_for_every_state():
    assert TRANSITIONS.keys() == {None, *OrderStatus}


def test_order_text_is_read_line_by_line():
    assert parse_order("Product A:5, Product B:10") == (
        ParsedLine("Product A", 5),
        ParsedLine("Product B", 10),
    )
    assert parse_order(" Cup (red) & co.:1 ") == (ParsedLine("Cup (red) & co.", 1),)


@pytest.mark.parametrize(
    "text",
    [
        "Product<script>:1",
        "A:-5",
        "A:0",
        "A:+1",
        "A:1.5kg",
        "A:5units",
        "A:1.5",
        "A:1e3",
        "A:٣",
        "A:",
        ":5",
        "A",
        "",
        "A:1,,B:2",
        "A:1000001",
        "A:99999999999999999999",
        "x" * 101 + ":1",
        "Prоduct:1",
        "A\u200b:1",
        "A😀:1",
    ],
)
def test_order_text_that_is_not_an_order_is_refused(text: str):
    with pytest.raises(InvalidInput):
        parse_order(text)


def test_order_text_names_the_bad_part():
    with pytest.raises(InvalidInput) as refused:
        parse_order("Good:1, Bad:1.5kg")

    assert "Bad:1.5kg" in refused.value.problem


def test_order_text_has_a_longest_order():
    assert len(parse_order(",".join(["A:1"] * 500))) == 500
    with pytest.raises(InvalidInput):
        parse_order(",".join(["A:1"] * 501))


def test_stock_text_may_say_units():
    assert parse_stock("Product A:100units, B:50 units, C:7") == (
        ParsedLine("Product A", 100),
        ParsedLine("B", 50),
        ParsedLine("C", 7),
    )


def test_names_are_normalised_so_that_one_name_is_one_product():
    assert check_name(" Cafe\u0301 ") == "Café"
    assert check_name("カップ") == "カップ"


@given(st.integers())
def test_quantities_are_positive_and_bounded(quantity: int):
    if 1 <= quantity <= MAX_QUANTITY:
        assert check_quantity(quantity) == quantity
    else:
        with pytest.raises(InvalidInput):
            check_quantity(quantity)


@given(st.text(max_size=30))
def test_any_order_text_is_read_or_refused(text: str):
    try:
        wanted = parse_order(text)
    except InvalidInput:
        return
    assert all(1 <= w.quantity <= MAX_QUANTITY and w.name == check_name(w.name) for w in wanted)
