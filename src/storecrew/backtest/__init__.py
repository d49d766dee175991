"""The crew against a plain owner, in the same simulated shop."""

from storecrew.backtest.plain_owner import PlainOwner
from storecrew.backtest.trial import Operate, Report, run_days, warm_up

__all__ = ["Operate", "PlainOwner", "Report", "run_days", "warm_up"]
