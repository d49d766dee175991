"""The crew under its own orchestrator, journal and policy earns more than a plain owner.

Both run the same simulated shop of the same seed, which answers to prices, stock-outs and delays.
"""

import asyncio
from pathlib import Path

from storecrew.app import load_settings
from storecrew.backtest.demo import demo_settings
from storecrew.backtest.experiments import TrialSettings, crew_trial, plain_trial

TRIAL = TrialSettings(days=45, seed=2, size=48, units=22, step=4)


def test_the_crew_earns_more_than_a_plain_owner_in_the_same_market(tmp_path: Path) -> None:
    flags = {"orchestrator": {"data_dir": str(tmp_path)}}
    settings = demo_settings(load_settings(flags=flags, environ={}))

    result, owner = asyncio.run(crew_trial(settings, TRIAL)), plain_trial(TRIAL)

    crew = result.crew
    assert crew.profit > owner.profit
    assert crew.margin > owner.margin
    assert crew.lost_sales < owner.lost_sales
    assert crew.on_time > 0.9 > owner.on_time
    assert crew.cancelled < owner.cancelled
    assert crew.complaints < owner.complaints
    assert result.applied > crew.orders  # what was earned was proposed, judged and applied
    assert result.audit_entries >= result.applied
    assert result.discrepancies == 0
