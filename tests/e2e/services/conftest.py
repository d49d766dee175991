"""A stage per test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from stage import Stage, stage_in


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage_in(tmp_path, recovery={"backoff_seconds": 0.05}) as stage:
        yield stage
