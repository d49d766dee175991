"""The settings of agents are checked by name, key and value before anything runs."""

from dataclasses import replace
from datetime import time
from decimal import Decimal

import pytest

from storecrew.app.agent_settings import agent_options, configured_agents
from storecrew.app.crew import CREW
from storecrew.app.settings import load_settings
from storecrew.domain.control.agents import Budget
from storecrew.domain.errors import InvalidSettings
from storecrew.domain.money import Money


@pytest.fixture
def load(tmp_path):
    """Return a function that reads settings with this section of agents."""

    def read(agents, **more):
        return load_settings(flags={"agents": agents, **more}, environ={}, directory=tmp_path)

    return read


@pytest.mark.parametrize(
    ("agents", "key", "problem"),
    [
        (["pricing"], "pricing", "is not an agent; did you mean 'pricing_optimizer'?"),
        ({"warehose": {}}, "warehose", "is not an agent; did you mean 'warehouse'?"),
        (
            {"inventory": {"servise": 0.9}},
            "inventory.servise",
            "is not a setting; did you mean 'service'?",
        ),
        (
            {"warehouse": {"step": 1}},
            "warehouse.step",
            "is not a setting; the agent has none of its own",
        ),
        ({"inventory": {"service": 97}}, "inventory.service", "should be less than 1 (it is 97)"),
        (
            {"inventory": {"service": True}},
            "inventory.service",
            "should not be true or false (it is True)",
        ),
        (
            {"oversight": {"report_hour": 24}},
            "oversight.report_hour",
            "should be less than or equal to 23 (it is 24)",
        ),
        (
            {"customer_communications": {"zone": 3}},
            "customer_communications.zone",
            "should be a valid string (it is 3)",
        ),
    ],
)
def test_an_unknown_agent_key_or_unit_is_named(load, agents, key, problem):
    settings = load(agents)
    with pytest.raises(InvalidSettings) as raised:
        configured_agents(settings)
    assert raised.value.problems == (f"agents.{key}: {problem}",)


def test_a_name_that_is_like_no_other_is_told_all_that_there_are_in_order(load):
    with pytest.raises(InvalidSettings) as raised:
        configured_agents(load({"zzz": {}}))
    names = ", ".join(sorted(each.name for each in CREW))
    assert raised.value.problems == (f"agents.zzz: is not an agent; known are {names}",)


def test_every_problem_is_named_at_once(load):
    settings = load({"nobody": {}, "inventory": {"service": 2}, "warehouse": {"x": 1}})
    with pytest.raises(InvalidSettings) as raised:
        configured_agents(settings)
    assert len(raised.value.problems) == 3


def test_agents_of_a_file_and_those_that_register_themselves_may_have_settings(load, tmp_path):
    (tmp_path / "agents.d").mkdir()
    (tmp_path / "agents.d" / "far.yaml").write_text("agent_id: restocker\n")
    sections = {"restocker": {"any": 1}, "elsewhere": {"source": "remote", "any": [2]}}
    settings = load(sections, agents_dir=tmp_path / "agents.d")
    assert [each.name for each in configured_agents(settings)] == [each.name for each in CREW]
    assert agent_options(settings)["elsewhere"] == {"any": [2]}


def test_an_agent_that_is_switched_off_does_not_run_and_a_budget_is_the_owners(load):
    settings = load({"warehouse": {"enabled": "false"}, "inventory": {"budget": {"money": "2.50"}}})
    agents = {each.name: each for each in configured_agents(settings)}
    assert agents.keys() == {each.name for each in CREW} - {"warehouse"}
    assert agents["inventory"].budget == Budget(money=Money(Decimal("2.50"), "EUR"))
    [shipped] = [each for each in CREW if each.name == "inventory"]
    assert agents["inventory"] == replace(shipped, budget=agents["inventory"].budget)


def test_messages_keep_the_policys_quiet_hours_unless_told_otherwise(load):
    name = "customer_communications"
    settings = load({name: {"quiet_from": "22:00"}}, policy={"quiet_until": "09:00"})
    found = agent_options(settings)[name]
    assert (found["quiet_from"], found["quiet_until"]) == ("22:00", time(9))
