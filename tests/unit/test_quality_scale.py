"""The page of the crew says of each agent what is true: its declaration, its proofs, its scale."""

import re
from pathlib import Path
from runpy import run_path

import pytest
import yaml

from storecrew.app.crew import CREW
from support.crew_scenarios import SCENARIOS

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
LEFT_OUT = run_path(str(ROOT / "benchmarks" / "ablation.py"))["AGENTS"]
"""Which agents each row of the ablation leaves out."""


def worth_without_doubt(page: str) -> set[str]:
    """Return the agents whose worth in profit is positive at both ends of its interval."""
    found = set()
    table = page.partition("<!-- ablation -->")[2].partition("<!-- /ablation -->")[0]
    number = r"([+-][\d,]+) ± ([\d,]+)"
    for row, lost, half in re.findall(
        rf"^\| without ([\w ]+) \| \d+ \| {number} \|", table, re.MULTILINE
    ):
        difference, around = (int(each.replace(",", "")) for each in (lost, half))
        if difference + around < 0:
            found.update(LEFT_OUT[row])
    return found


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
    assert (scale == "gold") is (name in worth_without_doubt(PAGE))
    if scale in ("silver", "gold"):
        assert name in SCENARIOS


@pytest.mark.parametrize(
    ("profit", "is_gold"),
    [("-777 ± 149", True), ("-1,777 ± 1,049", True), ("-13 ± 119", False), ("-70 ± 70", False),
     ("+0 ± 0", False), ("+500 ± 10", False)],
)  # fmt: skip
def test_gold_is_a_measured_worth_beyond_its_interval(profit, is_gold):
    row = f"| without pricing | 10 | {profit} | +5 ± 91 |"
    page = f"<!-- ablation -->\n{row}\n<!-- /ablation -->\n| without inventory | 10 | -9 ± 1 |"
    assert worth_without_doubt(page) == ({"pricing_optimizer"} if is_gold else set())


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
