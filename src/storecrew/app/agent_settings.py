"""The owner's settings of agents: who runs, on which budget, and the settings of their own."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from storecrew.agents.communications import customer_communications
from storecrew.app.crew import CREW
from storecrew.app.currency_scale import default_amounts
from storecrew.app.custom_agents import custom_agents, importable_agents
from storecrew.app.manifests import agent_ids
from storecrew.app.settings import Settings
from storecrew.domain.errors import InvalidSettings
from storecrew.domain.suggestions import suggestion
from storecrew.sdk import Agent
from storecrew.sdk.schedule import Cron
from storecrew.sdk.settings import parse_settings


def configured_agents(settings: Settings, *, idle: bool = False) -> list[Agent]:
    """Return the agents of this process as the settings want them: switched on, with budgets.

    In a process that is `idle`, which wakes no agent, one of the owner's own that cannot be
    imported is left out.

    Raises `InvalidSettings` that names each unknown agent, unknown key and wrong value.
    """
    own = [_in_shop_time(agent, settings.policy.zone) for agent in CREW]
    others = importable_agents(settings) if idle else custom_agents(settings)
    agents = [agent for agent in [*own, *others] if settings.runs(agent.name)]
    if problems := [*_unknown_agents(settings), *_wrong_settings(settings, agents)]:
        raise InvalidSettings(problems)
    return [_with_budget(agent, settings) for agent in agents]


def agent_options(settings: Settings) -> dict[str, Mapping[str, Any]]:
    """Return each agent's own settings, unparsed; amounts are in the shop's currency.

    Messages to customers know the quiet hours.
    """
    own = {name: section.options for name, section in settings.agent_sections.items()}
    for agent in CREW:
        if amounts := default_amounts(agent.settings, settings.store.currency):
            own[agent.name] = {**amounts, **own.get(agent.name, {})}
    policy, name = settings.policy, customer_communications.name
    quiet = {
        "quiet_from": policy.quiet_from,
        "quiet_until": policy.quiet_until,
        "zone": policy.zone,
    }
    return {**own, name: {**quiet, **own.get(name, {})}}


def _unknown_agents(settings: Settings) -> Iterator[str]:
    """Yield a problem for each name that is no agent of the crew, of the owner or of a file.

    An agent that registers itself over HTTP is declared by `source: remote`.
    """
    yield from unknown_names(settings, _named_agents(settings))


def unknown_names(settings: Settings, named: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield a problem for each key and the name in it that is no agent's."""
    sections = settings.agent_sections
    sourced = {name for name, section in sections.items() if section.source}
    known = sorted({agent.name for agent in CREW} | sourced | agent_ids(settings.agents_dir))
    for key, name in named:
        if name not in known:
            advice = suggestion(name, known, f"known are {', '.join(known)}", cutoff=0.5)
            subject = "" if key == f"agents.{name}" else f"{name!r} "
            yield f"{key}: {subject}is not an agent; {advice}"


def _named_agents(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield each key of the settings that names an agent, and the name."""
    listed = settings.agents if isinstance(settings.agents, tuple) else settings.agent_sections
    yield from ((f"agents.{name}", name) for name in listed)
    for line in settings.policy.autonomy:
        if (agent := line.rpartition(".")[0]) != "*":
            yield f"policy.autonomy.{line}", agent


def _wrong_settings(settings: Settings, agents: Iterable[Agent]) -> Iterator[str]:
    options = agent_options(settings)
    for agent in agents:
        try:
            parse_settings(agent.settings, agent.name, options.get(agent.name, {}))
        except InvalidSettings as error:
            yield from error.problems


def _in_shop_time(agent: Agent, zone: str) -> Agent:
    """Return an agent of the shipped crew whose clock times are the shop's."""
    if not isinstance(agent.schedule, Cron):
        return agent
    return replace(agent, schedule=replace(agent.schedule, zone=zone))


def _with_budget(agent: Agent, settings: Settings) -> Agent:
    """Return the agent with the budget that the settings give it, else its own."""
    section = settings.agent_sections.get(agent.name)
    if section is None or section.budget is None:
        return agent
    return replace(agent, budget=section.budget.in_currency(settings.store.currency))
