"""The forecast against what a shop would use instead, on one made-up shop."""

from datetime import date

import numpy as np

from storecrew.models.demand import LEVELS, DemandHistory, train
from storecrew.models.metrics import pinball

DAYS, AHEAD, SERIES = 200, 14, 24


def test_r121_demand_is_forecast_with_less_loss_than_seasonal_naive() -> None:
    chance = np.random.default_rng(3)
    weekday = np.array([1.0, 0.8, 0.9, 1.1, 1.6, 2.4, 0.3])[np.arange(DAYS + AHEAD) % 7]
    level = chance.gamma(2.0, 3.0, size=(SERIES, 1))
    units = chance.poisson(level * weekday).astype(float)
    known, ahead = units[:, :DAYS], units[:, DAYS:]
    history = DemandHistory(
        first=date(2026, 1, 5), series=[f"s{n}" for n in range(SERIES)], units=known
    )

    made = train(history, horizon=AHEAD).forecast(history)

    naive = np.concatenate([known[:, -7:], known[:, -7:]], axis=1)
    for level_ in (0.5, 0.9):
        ours = made.quantiles[:, LEVELS.index(level_)]
        loss, bar = (float(np.mean(pinball(ahead, each, level_))) for each in (ours, naive))
        assert loss < 0.9 * bar
    assert set(made.method) == {"learned"}
