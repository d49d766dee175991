"""The order machine and the words of an order."""

from datetime import UTC, date, datetime
from itertools import product

import pytest
from hypothesis import given, strategies as st

from storecrew.domain.errors import InvalidInput
from storecrew.domain.money import Money
from storecrew.domain.shop.orders import (
    MAX_QUANTITY,
    TRANSITIONS,
    DailySales,
    Line,
    Lines,
    Order,
    OrderStatus,
    ParsedLine,
    PlaceOrder,
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
        "x" * 201 + ":1",
        "Prоduct:1",
        "A\u200b:1",
        "A\u202e:1",
        "Te\na:1",
    ],
)
def test_order_text_that_is_not_an_order_is_refused(text: str):
    with pytest.raises(InvalidInput):
        parse_order(text)


@pytest.mark.parametrize(
    ("text", "field", "problem"),
    [
        ("Good:1, Bad:1.5kg", "quantity", "'1.5kg' in 'Bad:1.5kg' is not a whole number"),
        ("Good:1, Bad ", "order", "'Bad' is not of the form Name:quantity"),
        ("A:0", "quantity", "0 is not between 1 and 1000000"),
        (":5", "product", "a name has 1 to 200 characters"),
        ("A\u200bB:1", "product", "'\\u200b' is not allowed in 'A\\u200bB'"),
        ("My Сup:1", "product", "'Сup' in 'My Сup' mixes scripts: CYRILLIC, LATIN"),
        ("Αlpha:1", "product", "'Αlpha' in 'Αlpha' mixes scripts: GREEK, LATIN"),
        (",".join(["A:1"] * 501), "order", "501 lines; at most 500 are allowed"),
    ],
)
def test_order_text_that_is_refused_names_the_bad_part(text: str, field: str, problem: str):
    with pytest.raises(InvalidInput) as refused:
        parse_order(text)

    assert (refused.value.field, refused.value.problem) == (field, problem)


def test_order_text_has_a_longest_order_and_a_longest_name():
    assert len(parse_order(",".join(["A:1"] * 500))) == 500
    assert parse_order("x" * 200 + ":1000000") == (ParsedLine("x" * 200, 1_000_000),)


def test_the_last_colon_divides_name_and_quantity():
    assert parse_order("A:B:1, C:2") == (ParsedLine("A:B", 1), ParsedLine("C", 2))


def test_a_comma_may_stand_in_a_name_of_an_order_and_in_none_of_a_count():
    assert parse_order("Tea, green:1, C:2") == (ParsedLine("Tea, green", 1), ParsedLine("C", 2))
    with pytest.raises(InvalidInput, match="'Tea' is not of the form"):
        parse_stock("Tea, green:1")


def test_stock_text_may_say_units():
    assert parse_stock("Product A:100units, B:50 units, C:7") == (
        ParsedLine("Product A", 100),
        ParsedLine("B", 50),
        ParsedLine("C", 7),
    )


def test_names_are_normalised_so_that_one_name_is_one_product():
    assert check_name(" Cafe\u0301 ") == "Café"
    assert check_name("カップ") == "カップ"
    assert check_name("Cup_2.0 (a/b) & 'c' +d-e") == "Cup_2.0 (a/b) & 'c' +d-e"
    assert check_name("चाय") == "चाय"
    assert check_name("\U00017000\U00017001") == "\U00017000\U00017001"


def order(total: str, paid: str, payments: int) -> Order:
    at = datetime(2026, 3, 2, tzinfo=UTC)
    return Order(
        id=1,
        status=OrderStatus.RECEIVED,
        lines=(),
        total=Money.of(total, "EUR"),
        paid=Money.of(paid, "EUR"),
        payments=payments,
        placed_at=at,
        updated_at=at,
    )


@pytest.mark.parametrize(
    ("total", "paid", "payments", "is_paid"),
    [
        ("10", "10", 1, True),
        ("10", "11", 1, True),
        ("10", "9.99", 1, False),
        ("0.01", "0.01", 0, True),
        ("0", "0", 0, False),
        ("0", "0", 1, True),
    ],
)
def test_an_order_is_paid_when_its_whole_total_is_there(total, paid, payments, is_paid):
    assert order(total, paid, payments).is_paid is is_paid


def test_lines_of_one_product_are_summed_in_order_of_sku():
    lines = [Line(sku="b", quantity=1), Line(sku="a", quantity=2), Line(sku="b", quantity=3)]
    assert Lines.merge_lines(lines).items == (Line(sku="a", quantity=2), Line(sku="b", quantity=4))


def test_actions_on_orders_name_their_subject():
    assert PlaceOrder(lines=(), customer="ada").subject == "customer:ada"
    assert PlaceOrder(lines=()).subject == "customer:"


def test_sales_cover_as_many_days_as_their_rows():
    assert DailySales(date(2026, 3, 2), {"a": [1, 2, 3]}).days == 3
    assert DailySales(date(2026, 3, 2)).days == 0


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
