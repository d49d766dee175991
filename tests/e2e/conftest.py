"""Tests of real processes and servers: a starved machine may fail one, which then runs once more.

The closing line tells of it ("1 rerun"); what fails twice fails. Tests that guard money and stock
(tests/crash, tests/contract, tests/unit) have no second try.
"""

import sys
from pathlib import Path

import pytest

_HERE = Path(__file__).parent
STORIES = _HERE.parents[1] / "examples" / "08-stories"
sys.path.insert(0, str(STORIES))  # so that tests may tell them, too


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.flaky(reruns=1))
