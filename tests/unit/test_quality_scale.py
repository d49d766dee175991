"""The page of the crew says of each agent what is true: its declaration, its proofs, its scale."""

import re
from pathlib import Path

import pytest
import yaml

from storecrew.app.crew import CREW

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "agents.md").read_text("utf-8")
AGENTS = {agent.name: agent for agent in CREW}
LABELS = ("Wakes on", "Proposes", "Evidence", "Limits", "Undo", "Measured")
ROWS = {
    name: (scale, proof)
    for name, scale, proof in re.findall(
        r"^\| (\w+) \| (bronze|silver|gold) \| (\S+) \|$", PAGE, re.MULTILINE
    )
}
ABLATION = (ROOT / "benchmarks" / "ablation.py").read_text("utf-8")


def scenes() -> set[str]:
    text = (ROOT / "tests/unit/orchestrator/crew_stage.py").read_text("utf-8")
    return set(re.findall(r"^async def (\w+)\(stage: Stage\) -> Event:", text, re.MULTILINE))


def section(name: str) -> str:
    found = re.search(rf"^## {name}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"docs/agents.md has no section on {name}"
    return found.group(1)


def test_every_agent_has_its_row_and_nobody_else():
    assert ROWS.keys() == AGENTS.keys()


@pytest.mark.parametrize("name", sorted(AGENTS))
def test_an_agents_section_says_all_of_it(name):
    text = section(name)
    assert [label for label in LABELS if f"- **{label}**" not in text] == []
    missing = [
        kind.__name__ for kind in AGENTS[name].allowed_actions if f"`{kind.__name__}`" not in text
    ]
    assert missing == []


@pytest.mark.parametrize("name", sorted(AGENTS))
def test_an_agent_declares_what_it_is_and_does(name):
    agent = AGENTS[name]
    assert agent.purpose.endswith((".", ":"))
    assert agent.capabilities
    assert agent.tags
    assert agent.on or agent.schedule
    tests = (ROOT / "tests" / "unit" / "agents").glob("test_*.py")
    assert any(re.search(rf"\b{name}\b", path.read_text("utf-8")) for path in tests)


@pytest.mark.parametrize("name", sorted(AGENTS))
def test_an_agent_is_of_the_scale_it_claims(name):
    scale, proof = ROWS[name]
    assert (ROOT / proof).is_file()
    if scale in ("silver", "gold"):
        assert name in scenes()
    if scale == "gold":
        assert f'"{name}"' in ABLATION
        assert proof.startswith("benchmarks/")


@pytest.mark.parametrize("name", sorted(AGENTS))
def test_the_page_lists_every_setting_with_its_default(name):
    listed = {}
    if line := re.search(
        r"^- \*\*Settings\*\*.*?(?=^- \*\*)", section(name), re.MULTILINE | re.DOTALL
    ):
        listed = dict(re.findall(r"`(\w+): ([^`]+)`", line.group(0)))
    kind = AGENTS[name].settings
    assert listed.keys() == kind.model_fields.keys()
    given = {key: yaml.safe_load(value) for key, value in listed.items() if ":" not in value}
    given |= {key: value for key, value in listed.items() if ":" in value}  # YAML's base 60
    assert kind(**given) == kind()
