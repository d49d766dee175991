"""Putting an agent of one's own process on duty: register, serve its calls, beat."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from storecrew.domain.codec import encode
from storecrew.domain.errors import StorecrewError
from storecrew.domain.ports.models import Models
from storecrew.domain.ports.store import StoreView
from storecrew.sdk import wire
from storecrew.sdk.agent import Agent
from storecrew.sdk.client import DEFAULT_URL, Client, RequestRejected, headers
from storecrew.sdk.remote import RemoteAgent, RemoteStore
from storecrew.sdk.schedule import Cron, Every
from storecrew.sdk.service import BEAT_SECONDS

_CONFLICT = 409


class TokenLost(StorecrewError):
    """The agent is on duty, and its token, which is told only once, is not in the file."""

    def __init__(self, agent: str, file: Path) -> None:
        super().__init__(
            f"agent {agent!r} is registered and {str(file)!r} does not hold its token; "
            f"put it back, or dismiss the agent first: DELETE /api/agents/{agent}"
        )
        self.agent = agent
        self.file = file


def manifest_of(agent: Agent, endpoint: str) -> dict[str, Any]:
    """Return what the agent says of itself, as `POST /api/agents` takes it."""
    schedule = agent.schedule
    said: dict[str, Any] = {
        "agent_id": agent.name,
        "endpoint": endpoint,
        "purpose": agent.purpose,
        "on": sorted(event.__name__ for event in agent.on),
        "allowed_actions": sorted(action.__name__ for action in agent.allowed_actions),
        "publishes": sorted(event.__name__ for event in agent.publishes),
        "capabilities": list(agent.capabilities),
        "tags": list(agent.tags),
        "priority": agent.priority,
        "max_concurrent_tasks": agent.concurrency,
        "deadline": agent.deadline.total_seconds(),
        "batch": agent.batch,
        "budget": _budget(agent),
    }
    if isinstance(schedule, Every):
        said["interval"] = schedule.interval.total_seconds()
    elif isinstance(schedule, Cron):
        said |= {"cron": schedule.expression, "zone": schedule.zone}
    return said


def _budget(agent: Agent) -> dict[str, Any]:
    budget: dict[str, Any] = encode(agent.budget) or {}
    if budget.get("money") is not None:
        budget["money"] = budget["money"]["amount"]
    return {part: limit for part, limit in budget.items() if limit is not None}


@dataclass
class AgentPresence:
    """An agent's place in the crew: registered under its token, which is kept in a file."""

    agent: Agent
    endpoint: str
    plane: Client
    token_file: Path
    token: str = field(default="", init=False)

    def register(self) -> None:
        """Register, or find that the agent is registered just so.

        Whoever holds the token may change the declaration. Raises `TokenLost`, `Unreachable` or
        `RequestRejected`.
        """
        self.token = self._kept()
        manifest = manifest_of(self.agent, self.endpoint)
        try:
            answer = self.plane.post("/api/agents", manifest)
        except RequestRejected as error:
            if error.status != _CONFLICT or not self.token:
                raise
            self.plane.delete(f"/api/agents/{self.agent.name}")
            answer = self.plane.post("/api/agents", manifest)
        if token := answer.get("token"):
            self._keep(token)
        elif not self.token:
            raise TokenLost(self.agent.name, self.token_file)

    def heartbeat(self) -> None:
        """Say that the agent lives."""
        teller = Client(self.plane.url, api_key=self.token)
        teller.post(f"/api/agents/{self.agent.name}/heartbeat")

    def heartbeat_until(self, ended: threading.Event) -> None:
        """Beat at once and then regularly; a plane that is away is told at the next beat."""
        while True:
            with suppress(StorecrewError):
                self.heartbeat()
            if ended.wait(BEAT_SECONDS):
                return

    def _kept(self) -> str:
        return self.token_file.read_text("utf-8").strip() if self.token_file.exists() else ""

    def _keep(self, token: str) -> None:
        self.token = token
        private = os.open(self.token_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(private, "w", encoding="utf-8") as file:
            file.write(token + "\n")


def serve(  # noqa: PLR0913 - all but the agent are read by name
    agent: Agent,
    *,
    models: Models | None = None,
    plane: str = DEFAULT_URL,
    host: str = "127.0.0.1",
    port: int = 9000,
    endpoint: str = "",
    api_key: str | None = None,
    token_file: Path | None = None,
) -> None:
    """Put the agent on duty at the plane and answer its calls, until SIGTERM or Ctrl-C.

    `endpoint` is the URL under which the plane reaches this process, where that is not
    `host:port`. `api_key` must be an admin's the first time, and afterwards one that reads.
    The token that registration gives is kept in `token_file` (`<name>.token` here).
    """
    import httpx  # neither is needed where agents run inside the plane
    import uvicorn

    here = endpoint or f"http://{host}:{port}/"
    file = token_file or Path(f"{agent.name}.token")
    duty = AgentPresence(agent, here, Client(plane, api_key=api_key), file)
    duty.register()
    http = httpx.AsyncClient(base_url=plane, headers=headers(api_key), timeout=30.0)
    served = RemoteAgent(
        agent=agent,
        key=wire.signing_key(duty.token),
        store=cast("StoreView", RemoteStore(http, agent.name)),
        models=models,
    )
    ended = threading.Event()
    beating = threading.Thread(
        target=duty.heartbeat_until, args=(ended,), name="heartbeat", daemon=True
    )
    beating.start()
    try:
        uvicorn.run(served, host=host, port=port, lifespan="off", log_level="warning")
    finally:
        ended.set()
