"""Anomalies: NAB and injected faults; see benchmarks/models/anomalies.py."""

import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "models"))
runpy.run_module("anomalies", run_name="__main__")
