"""Agents of the owner's own: named in the settings by the module they stand in."""

from contextlib import suppress
from importlib import import_module

from storecrew.app.settings import Settings
from storecrew.domain.errors import InvalidSettings
from storecrew.sdk import Agent

REMOTE = "remote"
"""The source of an agent in another process, which registers itself."""


def custom_agents(settings: Settings) -> list[Agent]:
    """Import the agents whose settings have a `source`; raises `InvalidSettings` naming the key."""
    return [
        _imported(name, section.source)
        for name, section in settings.agent_sections.items()
        if section.enabled and section.source not in (None, REMOTE)
    ]


def importable_agents(settings: Settings) -> list[Agent]:
    """Return those of them that can be imported: what a command that wakes no agent needs."""
    found = []
    for name, section in settings.agent_sections.items():
        if section.enabled and section.source not in (None, REMOTE):
            with suppress(InvalidSettings):
                found.append(_imported(name, section.source))
    return found


def _imported(name: str, source: str | None) -> Agent:
    key = f"agents.{name}.source"
    module, _, attribute = str(source).partition(":")
    try:
        agent = getattr(import_module(module), attribute, None)
    except Exception as error:
        cause = str(error) if isinstance(error, ImportError) else repr(error)
        problem = f"{key}: cannot import {module!r} ({cause}); is its folder on PYTHONPATH?"
        raise InvalidSettings([problem]) from error
    if not isinstance(agent, Agent):
        raise InvalidSettings([f"{key}: {source!r} is no agent; declare it with `@agent(...)`"])
    if agent.name != name:
        raise InvalidSettings([f"{key}: that agent is called {agent.name!r}; use this as the key"])
    return agent
