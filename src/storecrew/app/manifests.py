"""What an agent outside of the plane says of itself: over HTTP, or as a file of `agents_dir`."""

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from storecrew.app.remote import schedule_of
from storecrew.app.settings import AgentBudget
from storecrew.app.yaml_files import read_yaml
from storecrew.domain.codec import ACTIONS, EVENTS, REPORTABLE
from storecrew.domain.control.agents import AgentManifest, AgentOrigin, RegisteredAgent
from storecrew.domain.control.events import ClockTicked, RunRequested
from storecrew.domain.errors import InvalidInput, InvalidSettings
from storecrew.domain.events import Event
from storecrew.sdk import wire
from storecrew.web.ssrf_guard import OutboundPolicy

_NOT_HEARD = frozenset({ClockTicked, RunRequested, Event})
"""Events that reach an agent by its schedule or a person's wish, and not because it asks."""
HEARD = frozenset(name for name, kind in EVENTS.items() if kind not in _NOT_HEARD)
_MIN_TOKEN = 24
_Word = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\w.:-]+$")]


class AgentManifestRequest(BaseModel):
    """The declaration of a remote agent."""

    model_config = ConfigDict(extra="forbid")

    agent_id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
    endpoint: Annotated[str, Field(max_length=2000)]
    purpose: Annotated[str, Field(max_length=500)] = ""
    on: Annotated[tuple[str, ...], Field(max_length=50)] = ()
    interval: Annotated[float, Ge(1), Le(31 * 86400)] | None = None
    cron: Annotated[str, Field(max_length=100)] | None = None
    zone: Annotated[str, Field(max_length=64)] = "UTC"
    allowed_actions: Annotated[tuple[str, ...], Field(max_length=50)] = ()
    publishes: Annotated[tuple[str, ...], Field(max_length=50)] = ()
    capabilities: Annotated[tuple[_Word, ...], Field(max_length=50)] = ()
    tags: Annotated[tuple[_Word, ...], Field(max_length=50)] = ()
    priority: Annotated[int, Ge(-1000), Le(1000)] = 0
    max_concurrent_tasks: Annotated[int, Ge(1), Le(100)] = 1
    deadline: Annotated[float, Gt(0), Le(3600)] = 30.0
    batch: Annotated[int, Ge(1), Le(500)] = 1
    budget: AgentBudget = AgentBudget()

    @model_validator(mode="after")
    def _known_words(self) -> "AgentManifestRequest":
        for field, names, known in (
            ("on", self.on, HEARD),
            ("allowed_actions", self.allowed_actions, ACTIONS.keys()),
            ("publishes", self.publishes, REPORTABLE.keys()),
        ):
            if unknown := sorted(set(names) - known):
                raise ValueError(f"{field}: {unknown[0]!r} is none of {', '.join(sorted(known))}")
        if self.interval is not None and self.cron is not None:
            raise ValueError("interval and cron: give one of them")
        return self

    def declaration(self, currency: str, outbound: OutboundPolicy) -> AgentManifest:
        """Return the declaration; raises `InvalidInput` for a schedule or address that is none."""
        outbound.check(self.endpoint)
        given = self.model_dump(exclude={"budget", "token_env"})
        manifest = AgentManifest(**given, budget=self.budget.in_currency(currency))
        schedule_of(manifest)
        return manifest


class AgentFileManifest(AgentManifestRequest):
    """The same in a file, with the name of the variable that holds the agent's token."""

    token_env: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]


def agent_ids(folder: Path) -> set[str]:
    """Return the names of the agents that are declared in a folder; raises `InvalidSettings`."""
    return {str(_read(path).get("agent_id")) for path in _files(folder)}


def from_files(
    folder: Path, currency: str, outbound: OutboundPolicy, now: datetime
) -> list[RegisteredAgent]:
    """Return the agents declared in a folder, a `*.yaml` file each.

    Raises `InvalidSettings` with the problems of every file.
    """
    found: list[RegisteredAgent] = []
    problems: list[str] = []
    for path in _files(folder):
        try:
            found.append(_from_file(path, currency, outbound, now))
        except InvalidSettings as error:
            problems += error.problems
    if problems:
        raise InvalidSettings(problems)
    return found


def _files(folder: Path) -> list[Path]:
    return sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")])


def _read(path: Path) -> dict[str, Any]:
    given = read_yaml(path)
    if "True" in given:  # YAML takes the word `on` for a yes
        given["on"] = given.pop("True")
    return given


def _from_file(
    path: Path, currency: str, outbound: OutboundPolicy, now: datetime
) -> RegisteredAgent:
    try:
        body = AgentFileManifest(**_read(path))
        manifest = body.declaration(currency, outbound)
    except ValidationError as error:
        found = [f"{path}: {_place(e['loc'])}{e['msg']}" for e in error.errors(include_url=False)]
        raise InvalidSettings(found) from error
    except InvalidInput as error:
        raise InvalidSettings([f"{path}: {error}"]) from error
    token = os.environ.get(body.token_env, "")
    if len(token) < _MIN_TOKEN:
        problem = f"{path}: {body.token_env} must hold the agent's token, {_MIN_TOKEN}+ characters"
        raise InvalidSettings([problem])
    return manifest_agent(manifest, AgentOrigin.FILE, token, by=f"file:{path.name}", now=now)


def manifest_agent(
    said: AgentManifest, origin: AgentOrigin, token: str, *, by: str, now: datetime
) -> RegisteredAgent:
    """Return an agent as the journal keeps it: of its token only what cannot be turned back."""
    return RegisteredAgent(
        declaration=said,
        origin=origin,
        at=now,
        by=by,
        token_hash=wire.token_hash(token) if token else "",
        signing_key=wire.signing_key(token) if token else "",
    )


def _place(location: tuple[Any, ...]) -> str:
    return ".".join(map(str, location)) + ": " if location else ""
