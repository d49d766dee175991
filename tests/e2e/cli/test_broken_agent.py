"""An agent of one's own that cannot be imported fails what needs it, and nothing else."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
BROKEN = ["import no_such_module", "1 / 0", "def", "raise SystemError", "x = 5"]


@pytest.mark.parametrize("code", BROKEN)
def test_only_what_wakes_agents_fails(shop: Run, tmp_path: Path, monkeypatch, code: str):
    name = f"broken_{BROKEN.index(code)}"
    (tmp_path / f"{name}.py").write_text(code)
    (tmp_path / "storecrew.yaml").write_text(f"agents: {{mine: {{source: {name}:mine}}}}")
    monkeypatch.syspath_prepend(str(tmp_path))

    shop("products", "set", "A", "--price", "1")
    shop("stock", "set", "A", "1")
    shop("orders", "list")
    shop("verify")
    for words in (["run"], ["plan"], ["config", "check"]):
        assert "agents.mine.source" in shop(*words, fails=1)


def test_a_run_in_which_an_agent_failed_says_so_and_exits_with_1(
    shop: Run, tmp_path: Path, monkeypatch
):
    (tmp_path / "failing_agent.py").write_text(
        "from storecrew import agent, every\n"
        "@agent(schedule=every(hours=1))\n"
        "async def mine(event, ctx):\n"
        "    raise ValueError('no')\n"
        "    yield\n"
    )
    (tmp_path / "storecrew.yaml").write_text("agents: {mine: {source: failing_agent:mine}}")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "a run of mine failed" in shop("run", fails=1)
