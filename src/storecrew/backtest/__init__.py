"""The crew against a plain owner, in the same simulated shop."""

from storecrew.backtest.baseline_owner import BaselineOwner
from storecrew.backtest.trial import Operate, TrialReport, run_days, warm_up

__all__ = ["BaselineOwner", "Operate", "TrialReport", "run_days", "warm_up"]
