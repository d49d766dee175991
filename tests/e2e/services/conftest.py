"""A supervised folder per test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from service_scenario import ServiceScenario, scenario_in


@pytest.fixture
async def scenario(tmp_path: Path) -> AsyncIterator[ServiceScenario]:
    async with scenario_in(tmp_path, recovery={"backoff_seconds": 0.05}) as scenario:
        yield scenario
