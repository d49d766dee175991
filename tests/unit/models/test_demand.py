"""Forecasts of demand: never absurd, never from the future, sensible from the first day."""

import sys
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import arrays

from storecrew.domain.errors import InvalidInput, NotFound
from storecrew.models.demand import LEVELS, DemandHistory, DemandModel, Forecasts, train
from storecrew.models.serialization import pack, unpack

FIRST = date(2024, 1, 1)


def shop(series: int = 16, days: int = 150, seed: int = 0, level: float = 3.0) -> DemandHistory:
    """Poisson sales with a strong weekly rhythm, closed on Sundays."""
    chance = np.random.default_rng(seed)
    week = np.array([0.5, 0.8, 1.0, 1.2, 1.5, 2.0, 0.0])
    levels = level * chance.lognormal(0, 0.7, series)
    units = chance.poisson(levels[:, None] * week[np.arange(days) % 7])
    return DemandHistory(first=FIRST, series=[f"S{n}" for n in range(series)], units=units)


def of(units: object, **more: object) -> DemandHistory:
    array = np.asarray(units, dtype=float)
    names = [f"S{n}" for n in range(len(array))]
    return DemandHistory(first=FIRST, series=names, units=array, **more)  # type: ignore[arg-type]


def sound(made: Forecasts) -> None:
    """Assert what must hold for any forecast."""
    assert np.isfinite(made.mean).all()
    assert np.isfinite(made.quantiles).all()
    assert (made.mean >= 0).all()
    assert (made.quantiles >= 0).all()
    assert (np.diff(made.quantiles, axis=1) >= 0).all()
    assert made.mean.shape == (len(made.series), made.horizon)
    assert made.quantiles.shape == (len(made.series), len(LEVELS), made.horizon)


@pytest.fixture(scope="module")
def learned() -> tuple[DemandHistory, DemandModel]:
    history = shop()
    return history, train(history)


def test_a_grown_shop_is_learned_from(learned: tuple[DemandHistory, DemandModel]) -> None:
    history, model = learned
    made = model.forecast(history)
    sound(made)
    assert set(made.method) == {"learned"}
    truth = shop(days=164).units[:, 150:]
    naive = history.units[:, -7:][:, np.arange(14) % 7]
    assert np.abs(made.mean - truth).mean() < 0.9 * np.abs(naive - truth).mean()
    sundays = [n for n in range(14) if (150 + n) % 7 == 6]
    assert made.mean[:, sundays].mean() < 0.05 * made.mean.mean()


def test_the_same_history_and_seed_give_the_same_forecast(
    learned: tuple[DemandHistory, DemandModel],
) -> None:
    history, model = learned
    again = train(history).forecast(history)
    assert np.array_equal(again.quantiles, model.forecast(history).quantiles)


def test_no_forecast_sees_the_future() -> None:
    """What comes after the origin may be anything: nothing learned or forecast changes."""
    long = shop(days=170)
    shifted = replace(
        long, units=np.concatenate([long.units[:, :150], 9 + long.units[:, 130:150]], 1)
    )
    one, other = (train(each.until(150)) for each in (long, shifted))
    assert pack(one.state()) == pack(other.state())
    first, second = (m.forecast(h.until(150)) for m, h in ((one, long), (other, shifted)))
    assert np.array_equal(first.mean, second.mean)
    assert np.array_equal(first.quantiles, second.quantiles)


def test_what_is_learned_of_an_origin_rests_on_earlier_days_alone() -> None:
    from storecrew.models.demand.features import Table, features

    chance = np.random.default_rng(1)
    history = shop(days=400)
    stock = chance.random(history.units.shape) > 0.2
    price = chance.uniform(1, 2, history.units.shape)
    history = replace(history, in_stock=stock, price=price)
    changed = replace(
        history,
        units=np.where(np.arange(400) < 300, history.units, 77.0),
        price=np.where(np.arange(400) < 300, price, 5.0),
        in_stock=np.where(np.arange(400) < 300, stock, ~stock),
    )
    rows = np.arange(16)
    for origin in (95, 200, 300):
        one, _ = features(Table.of(history), rows, origin, 14)
        other, _ = features(Table.of(changed), rows, origin, 14)
        np.testing.assert_array_equal(one, other)


def test_a_model_survives_being_stored(learned: tuple[DemandHistory, DemandModel]) -> None:
    history, model = learned
    restored = DemandModel.restore(unpack(pack(model.state())))
    made, again = model.forecast(history), restored.forecast(history)
    assert np.array_equal(made.mean, again.mean)
    stored = Forecasts.restore(unpack(pack(made.state())))
    np.testing.assert_allclose(stored.quantiles, made.quantiles, rtol=1e-6)
    assert (stored.first, stored.last) == (made.first, made.last)
    assert stored.of("S3").method == "learned"


@pytest.mark.parametrize("kind", [DemandModel, Forecasts])
def test_a_damaged_state_is_refused(kind: type[DemandModel] | type[Forecasts]) -> None:
    with pytest.raises(InvalidInput):
        kind.restore({"horizon": np.array(14)})


def test_flags_that_were_not_learned_from_are_refused(
    learned: tuple[DemandHistory, DemandModel],
) -> None:
    history, model = learned
    with pytest.raises(InvalidInput, match="flags"):
        model.forecast(replace(history, flags=np.zeros((1, 164))))


def test_an_unknown_series_has_no_forecast(learned: tuple[DemandHistory, DemandModel]) -> None:
    history, model = learned
    with pytest.raises(NotFound):
        model.forecast(history).of("nobody")


@pytest.mark.parametrize("days", [0, 1, 3, 8, 20, 60])
def test_a_new_shop_has_forecasts_from_the_first_day(days: int) -> None:
    history = shop(days=days)
    made = train(history).forecast(history)
    sound(made)
    assert set(made.method) <= {"unsold", "pooled", "profile"}
    if days >= 20:
        truth = shop(days=400).units.mean()
        assert made.mean.mean() == pytest.approx(truth, rel=0.25)


def test_a_shop_without_products_has_empty_forecasts() -> None:
    made = train(of(np.zeros((0, 30)))).forecast(of(np.zeros((0, 30))))
    sound(made)
    assert made.mean.shape == (0, 14)


def test_a_new_product_in_a_grown_shop_leans_on_the_others() -> None:
    units = shop(days=150).units.copy()
    units[0, :145] = 0
    history = of(units)
    made = train(history).forecast(history)
    assert made.method[0] == "pooled"
    assert made.method[1] == "learned"
    assert made.mean[0].mean() > 0


def test_nothing_but_zeros_promises_nothing() -> None:
    history = of(np.zeros((5, 200)))
    made = train(history).forecast(history)
    sound(made)
    assert made.mean.max() == 0
    assert set(made.method) == {"unsold"}


def test_a_product_with_one_sale_is_no_bestseller() -> None:
    units = shop(days=150).units.copy()
    units[0] = 0
    units[0, 149] = 1
    history = of(units)
    made = train(history).forecast(history)
    sound(made)
    assert made.mean[0].mean() < 0.5


def test_constant_sales_go_on() -> None:
    history = of(np.full((3, 200), 4.0))
    made = train(history).forecast(history)
    sound(made)
    np.testing.assert_allclose(made.mean, 4.0, rtol=0.2)


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("units", {"units": np.full((16, 150), np.nan)}),
        ("units", {"units": np.full((16, 150), -1.0)}),
        ("units", {"units": np.full((16, 150), 1e12)}),
        ("units", {"units": np.ones((15, 150))}),
        ("units", {"units": np.ones(16)}),
        ("series", {"series": ["same"] * 16}),
        ("price", {"price": np.full((16, 150), np.inf)}),
        ("price", {"price": np.ones((16, 100))}),
        ("price", {"price": np.ones((150,))}),
        ("flags", {"flags": np.full((2, 150), np.nan)}),
        ("flags", {"flags": np.ones((2, 15, 150))}),
        ("in_stock", {"in_stock": np.ones((16, 100), bool)}),
    ],
)
def test_an_impossible_history_is_refused(field: str, change: dict[str, object]) -> None:
    with pytest.raises(InvalidInput) as refused:
        replace(shop(), **change)  # type: ignore[arg-type]
    assert refused.value.field == field


def test_an_unknown_forecaster_is_refused() -> None:
    with pytest.raises(InvalidInput, match="none of storecrew, prophet, statsforecast"):
        train(shop(), forecaster="oracle")


@pytest.mark.parametrize("name", ["prophet", "statsforecast"])
def test_a_forecaster_that_is_not_installed_says_how_to_get_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(InvalidInput, match=rf"pip install 'storecrew\[{name}\]'"):
        train(shop(), forecaster=name)


def test_statsforecast_may_forecast_instead() -> None:
    pytest.importorskip("statsforecast")
    units = shop(series=3, days=90).units.copy()
    units[1, :80] = 0
    history = of(units)
    model = train(history, forecaster="statsforecast")
    made = DemandModel.restore(model.state()).forecast(history)
    sound(made)
    assert made.method == ("statsforecast", "pooled", "statsforecast")


def test_prophet_may_forecast_instead() -> None:
    pytest.importorskip("prophet")
    history = shop(series=2, days=90)
    made = train(history, forecaster="prophet").forecast(history)
    sound(made)
    assert set(made.method) == {"prophet"}
    assert made.mean.mean() == pytest.approx(history.units.mean(), rel=0.5)


@pytest.mark.parametrize("horizon", [0, -1, 91])
def test_an_impossible_horizon_is_refused(horizon: int) -> None:
    with pytest.raises(InvalidInput):
        train(shop(), horizon=horizon)


def test_lines_of_one_day_add_up_and_later_ones_count_for_nothing() -> None:
    second = date(2024, 1, 2)
    lines = [(FIRST, "a", 1), (FIRST, "a", 2), (second, "b", 5), (date(2024, 1, 4), "a", 99)]
    history = DemandHistory.from_rows(lines, end=date(2024, 1, 4))
    assert history.series == ["a", "b"]
    assert history.units.tolist() == [[3, 0, 0], [0, 5, 0]]
    assert history.end == date(2024, 1, 4)


@pytest.mark.parametrize("days", [40, 150])
def test_sold_out_days_do_not_pull_the_forecast_down(days: int) -> None:
    """Where a third of the days were sold out early, ignoring it forecasts far too little."""
    wanted = shop(days=days + 14)
    chance = np.random.default_rng(3)
    sold_out = (chance.random((16, days)) < 0.35) & (wanted.units[:, :days] > 0)
    sold = np.where(sold_out, np.floor(wanted.units[:, :days] * 0.2), wanted.units[:, :days])
    truth = wanted.units[:, days:].mean()
    blind = of(sold)
    told = of(sold, in_stock=~sold_out)
    bias = [train(h).forecast(h).mean.mean() / truth - 1 for h in (blind, told)]
    assert bias[0] < -0.15
    assert abs(bias[1]) < 0.6 * abs(bias[0])


def test_a_promotion_known_ahead_raises_the_forecast() -> None:
    chance = np.random.default_rng(5)
    flag = np.zeros((1, 244))
    flag[0, 3::20] = flag[0, 4::20] = flag[0, 12::20] = 1
    flag[0, 230:] = 0
    flag[0, 235] = 1
    units = chance.poisson(4 * (1 + 2 * flag[:, :230]), (12, 230))
    history = of(units, flags=flag)
    made = train(history).forecast(history)
    assert made.mean[:, 5].mean() > 1.7 * made.mean[:, 4].mean()


def test_a_price_known_ahead_moves_the_forecast() -> None:
    chance = np.random.default_rng(6)
    price = np.repeat(chance.choice([8.0, 10.0], (12, 35)), 7, axis=1)
    price[:, 231:238], price[:, 238:] = 8, 10
    units = chance.poisson(4 * (price[:, :231] / 10) ** -3)
    history = of(units, price=price)
    made = train(history).forecast(history)
    assert made.mean[:, :7].mean() > 1.4 * made.mean[:, 7:].mean()


@settings(max_examples=40)
@given(
    arrays(
        np.float64,
        st.tuples(st.integers(0, 4), st.integers(0, 75)),
        elements=st.one_of(st.integers(0, 5), st.floats(0, 1e9)),
    ),
    st.integers(1, 20),
)
def test_any_short_history_gives_sound_forecasts(units: np.ndarray, horizon: int) -> None:
    model = DemandModel(horizon=horizon, first=FIRST, last=FIRST, learned=None)
    made = model.forecast(of(units))
    sound(made)
    assert made.mean.shape == (len(units), horizon)


def test_quantiles_between_the_levels_kept_lie_between(
    learned: tuple[DemandHistory, DemandModel],
) -> None:
    history, model = learned
    one = model.forecast(history).of("S0")
    assert (one.quantile(0.9) <= one.quantile(0.93)).all()
    assert (one.quantile(0.93) <= one.quantile(0.95)).all()
    assert (one.quantile(0.01) == one.quantile(0.05)).all()
    with pytest.raises(InvalidInput):
        one.quantile(1.0)


def test_stock_decisions_get_the_level_ahead_and_a_gamma_spread(
    learned: tuple[DemandHistory, DemandModel],
) -> None:
    history, model = learned
    made = model.forecast(history)
    one = made.demand("S0")
    level = history.units[0, -28:].mean()
    low, high = sorted((made.of("S0").mean.mean(), level))
    assert 0.8 * low <= one.daily <= 1.2 * high
    assert one.quantile(0.9, 7) < one.quantile(0.9, 14) < one.quantile(0.99, 14)
