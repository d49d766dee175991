"""Agents that the owner wrote are imported by name, or it is said why not."""

import textwrap

import pytest

from storecrew.app.custom_agents import custom_agents
from storecrew.app.settings import load_settings
from storecrew.domain.errors import InvalidSettings


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """Return a function that reads settings with this section of agents."""
    code = """
        from storecrew.sdk import agent, every

        @agent(schedule=every(hours=1))
        async def greeter(event, ctx):
            '''Say hello.'''
            for proposal in ():
                yield proposal

        something = 5
    """
    (tmp_path / "authors_own_shop.py").write_text(textwrap.dedent(code))
    (tmp_path / "authors_broken_shop.py").write_text("import authors_no_such_module\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return lambda agents: load_settings(flags={"agents": agents}, environ={}, directory=tmp_path)


def test_an_agent_is_imported_by_its_source(shop):
    [agent] = custom_agents(shop({"greeter": {"source": "authors_own_shop:greeter", "warmth": 3}}))
    assert (agent.name, agent.purpose) == ("greeter", "Say hello.")


def test_one_that_is_switched_off_is_not_imported(shop):
    assert custom_agents(shop({"x": {"source": "authors_broken_shop:x", "enabled": False}})) == []


@pytest.mark.parametrize(
    "source", ["authors_own_shop", 7, "a b:c", ":greeter", "authors_own_shop:"]
)
def test_a_source_that_names_no_module_and_agent_is_refused(shop, source):
    with pytest.raises(InvalidSettings, match=r"^agents\.greeter\.source: "):
        shop({"greeter": {"source": source}})


def test_agents_without_a_source_are_the_shipped_ones(shop):
    assert custom_agents(shop({"oversight": {"enabled": True}})) == []
    assert custom_agents(shop(["oversight"])) == []


@pytest.mark.parametrize(
    ("name", "source", "problem"),
    [
        ("greeter", "authors_no_such_module:greeter", "PYTHONPATH"),
        ("greeter", "authors_broken_shop:greeter", "authors_no_such_module"),
        ("greeter", "authors_own_shop:nobody", "is no agent"),
        ("greeter", "authors_own_shop:something", "is no agent"),
        ("hello", "authors_own_shop:greeter", "'greeter'"),
    ],
)
def test_what_cannot_be_imported_is_told_with_its_key(shop, name, source, problem):
    with pytest.raises(InvalidSettings, match=problem) as raised:
        custom_agents(shop({name: {"source": source}}))
    assert f"agents.{name}.source" in str(raised.value)
