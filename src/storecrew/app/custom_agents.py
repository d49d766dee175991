"""Agents of the owner's own: named in the settings by the module they stand in."""

from importlib import import_module

from storecrew.app.settings import Settings
from storecrew.domain.errors import InvalidSettings
from storecrew.sdk import Agent

SOURCE = "source"
"""The key of an agent's settings that says where it stands, as `module:name`."""


def authored(settings: Settings) -> list[Agent]:
    """Import the agents whose settings have a `source`; raises `InvalidSettings` naming the key."""
    if not isinstance(settings.agents, dict):
        return []
    found = []
    for name, options in settings.agents.items():
        if SOURCE in options and settings.runs(name):
            found.append(_imported(name, options[SOURCE]))
    return found


def _imported(name: str, source: object) -> Agent:
    key = f"agents.{name}.{SOURCE}"
    module, colon, attribute = str(source).partition(":")
    if not (module and colon and attribute):
        raise InvalidSettings([f"{key}: must be `module:name` (it is {source!r})"])
    try:
        agent = getattr(import_module(module), attribute, None)
    except ImportError as error:
        problem = f"{key}: cannot import {module!r} ({error}); is its folder on PYTHONPATH?"
        raise InvalidSettings([problem]) from error
    if not isinstance(agent, Agent):
        raise InvalidSettings([f"{key}: {source!r} is no agent; declare it with `@agent(...)`"])
    if agent.name != name:
        raise InvalidSettings([f"{key}: that agent is called {agent.name!r}; use this as the key"])
    return agent
