"""Money is exact, and never of two currencies at once."""

from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from storecrew.domain.errors import InvalidInput
from storecrew.domain.money import Money, exponent


def test_amounts_add_subtract_multiply_and_compare():
    ten = Money.of(10, "EUR")

    assert ten + Money.of("0.10", "EUR") == Money.of("10.10", "EUR")
    assert ten - Money.of(1, "EUR") == Money.of(9, "EUR")
    assert -ten == Money.of(-10, "EUR")
    assert ten * 3 == Money.of(30, "EUR")
    assert ten > Money.of("9.99", "EUR")
    assert not ten > Money.of(10, "EUR")
    assert str(Money.of("1234.5", "EUR")) == "1,234.50 EUR"
    assert str(Money.of("1234.5", "JPY")) == "1,234 JPY"
    assert str(Money.of("1234.5", "KWD")) == "1,234.500 KWD"


def test_currencies_do_not_mix():
    euro, dollar = Money.of(1, "EUR"), Money.of(1, "USD")

    for mix in (lambda: euro + dollar, lambda: euro - dollar, lambda: euro < dollar):
        with pytest.raises(InvalidInput) as refused:
            mix()
        assert (refused.value.field, refused.value.problem) == ("currency", "USD is not EUR")
    assert euro != dollar


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_amount_is_refused(amount: str):
    with pytest.raises(InvalidInput) as refused:
        Money.of(amount, "EUR")
    assert refused.value.field == "amount"
    assert refused.value.problem == f"{amount} is not a finite number"


@pytest.mark.parametrize("currency", ["", "eur", "EURO", "€", "É€R"])
def test_what_is_no_currency_is_refused(currency: str):
    with pytest.raises(InvalidInput) as refused:
        Money.of(1, currency)
    assert refused.value.field == "currency"
    assert refused.value.problem == f"{currency!r} is not a three-letter ISO 4217 code"


@pytest.mark.parametrize(
    ("currency", "amount", "minor"),
    [("EUR", "1.005", 101), ("JPY", "1.5", 2), ("KWD", "1.5", 1500)],
)
def test_minor_units_are_the_currencys_own_and_rounded_half_up(
    currency: str, amount: str, minor: int
):
    money = Money.of(amount, currency)

    assert money.minor == minor
    assert money.rounded() == Money.from_minor(minor, currency)
    assert 10 ** exponent(currency) == Money.of(1, currency).minor


@given(st.integers(-(10**12), 10**12), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_minor_units_survive_the_way_there_and_back(minor: int, currency: str):
    money = Money.from_minor(minor, currency)

    assert money.minor == minor
    assert money.amount == Decimal(minor) / 10 ** exponent(currency)
