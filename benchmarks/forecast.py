"""Demand: forecasts beside Prophet and seasonal naive; see benchmarks/models/demand.py."""

import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "models"))
runpy.run_module("demand", run_name="__main__")
