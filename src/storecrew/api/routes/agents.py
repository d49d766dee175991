"""The agents: who is on duty, how each is, and every way to wake, stop, add and dismiss one."""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, HTTPException, Query, Request
from fastapi.responses import JSONResponse
from pydantic import Field
from typing_extensions import TypedDict

from storecrew.api import bodies
from storecrew.api.agent_views import (
    AgentStatusView,
    AgentView,
    CrewStatus,
    agent_view,
    crew_status,
    standing_view,
)
from storecrew.api.authentication import CHALLENGE, caller_of, shown_token
from storecrew.api.dependencies import CurrentPlane, CurrentPrincipal, check_scope
from storecrew.api.errors import problem
from storecrew.api.requests import JsonRoute, UnrepeatedRoute
from storecrew.api.roles import ADMIN, ANYONE, OPERATOR, VIEWER, requires
from storecrew.app.agent_service import InvalidAgentToken, NoCapableAgent
from storecrew.app.control_plane import Plane
from storecrew.app.manifests import AgentManifestRequest
from storecrew.domain.errors import InvalidInput, NotFound

router = APIRouter(route_class=JsonRoute, tags=["agents"])
unrepeated = APIRouter(route_class=UnrepeatedRoute, tags=["agents"])
"""Routes whose answers are not kept: they hold a token, or are sent every few seconds."""

Parameters = Annotated[dict[str, Any] | None, Body()]
Wait = Annotated[float, Query(ge=0, le=60)]
_LOOK_AGAIN = 0.1
"""Seconds between two looks at a run that is waited for."""


class AgentDetails(AgentView):
    """What an agent declares of itself, and how it is."""

    status: str
    health: str
    last_run: str | None
    next_run: str | None
    heartbeat_age: float | None
    error_count: int


class AgentHealthResponse(TypedDict):
    """An agent's health alone."""

    agent_id: str
    status: str
    heartbeat_age: float | None
    error_count: int
    last_error: str | None


class Execution(TypedDict):
    """How far a run is."""

    execution_id: str
    agent_id: str
    status: str
    started_at: str
    progress: float
    result: Any


class ExecutionStarted(TypedDict):
    """A run that was asked for, with its result where it has ended."""

    executionId: str
    agentId: str
    status: str
    startedAt: str
    parameters: dict[str, Any]
    message: str


class SystemCapabilities(TypedDict):
    """What the system can do, and who does it."""

    apiVersion: str
    capabilities: list[str]
    agents: list[dict[str, Any]]
    features: dict[str, Any]


AgentListing = TypedDict("AgentListing", {"agents": list[AgentView], "total": int})
AgentCapabilities = TypedDict(
    "AgentCapabilities", {"agent_id": str, "capabilities": list[str], "allowed_actions": list[str]}
)
AgentUpdate = TypedDict("AgentUpdate", {"agent_id": str, "status": str})
AgentPause = TypedDict("AgentPause", {"agent_id": str, "paused": bool})
RunScheduled = TypedDict("RunScheduled", {"status": Literal["scheduled"], "run_id": str})
RunsScheduled = TypedDict("RunsScheduled", {"status": Literal["all scheduled"], "runs": list[str]})
TaskAssigned = TypedDict("TaskAssigned", {"agent_id": str, "execution_id": str, "status": str})


class AssignTaskRequest(bodies.Strict):
    """A task for an agent with a capability."""

    capability: bodies.Name
    parameters: dict[str, Any] = Field(default_factory=dict)


@router.get("/api/agents")
@requires(VIEWER)
async def agents(
    plane: CurrentPlane, capability: str | None = None, tag: str | None = None
) -> AgentListing:
    """List the crew, or those of it that have a capability, or a tag."""
    crew = [
        agent_view(agent)
        for agent in plane.agents.values()
        if capability in (None, *agent.capabilities) and tag in (None, *agent.tags)
    ]
    return {"agents": crew, "total": len(crew)}


@unrepeated.post("/api/agents", response_model=AgentView, responses={201: {"model": AgentView}})
@requires(ADMIN)
@bodies.example(
    agent_id="weather_pricing",
    endpoint="https://agents.example.com/weather",
    purpose="Raises the price of umbrellas when it rains.",
    interval=3600,
    allowed_actions=["SetPrice"],
    capabilities=["pricing"],
)
async def register(
    plane: CurrentPlane, by: CurrentPrincipal, body: AgentManifestRequest
) -> JSONResponse:
    """Put a remote agent on duty. Its token is in this answer and nowhere else."""
    said, token = await plane.crew.register(body, by=by)
    shown = agent_view(plane.agents[said.agent_id])
    if not token:
        return JSONResponse(shown)
    return JSONResponse({**shown, "token": token}, 201)


@router.get("/api/agents/status")
@router.get("/agents/status")
@requires(VIEWER)
async def status(plane: CurrentPlane) -> CrewStatus:
    """Show how each agent is doing."""
    return await crew_status(plane)


@router.get("/api/agents/executions/{execution_id}", response_model=Execution)
@requires(VIEWER)
async def execution(plane: CurrentPlane, execution_id: str) -> dict[str, Any]:
    """Show the progress of a requested run."""
    return await plane.crew.execution(execution_id)


@router.get("/api/agents/{agent_id}")
@requires(VIEWER)
async def agent(plane: CurrentPlane, agent_id: str) -> AgentDetails:
    """Show what an agent declares of itself, and how it is."""
    [standing] = await plane.crew.statuses(agent_id)
    return {**agent_view(standing.agent), **standing_view(standing)}


@router.get("/api/agents/{agent_id}/status", response_model=AgentStatusView)
@requires(VIEWER)
async def agent_status(plane: CurrentPlane, agent_id: str) -> JSONResponse:
    """Show how one agent is doing, and what is left of its day."""
    [standing] = await plane.crew.statuses(agent_id)
    used = await plane.crew.used(standing.agent.name)
    budget = standing.agent.budget
    shown = {
        "runs": {"used": used.runs, "budget": budget.runs},
        "tokens": {"used": used.tokens, "budget": budget.tokens},
        "money": {"used": used.money, "budget": budget.money and budget.money.minor},
    }
    return JSONResponse({**standing_view(standing), "today": shown})


@router.get("/api/agents/{agent_id}/capabilities")
@requires(VIEWER)
async def capabilities(plane: CurrentPlane, agent_id: str) -> AgentCapabilities:
    """Show what an agent can do, and what it may propose."""
    found = plane.crew.find(agent_id)
    return {
        "agent_id": found.name,
        "capabilities": list(found.capabilities),
        "allowed_actions": sorted(action.__name__ for action in found.allowed_actions),
    }


@router.get("/api/agents/{agent_id}/health")
@requires(VIEWER)
async def agent_health(plane: CurrentPlane, agent_id: str) -> AgentHealthResponse:
    """Show an agent's health alone."""
    [standing] = await plane.crew.statuses(agent_id)
    return {
        "agent_id": standing.agent.name,
        "status": str(standing.health),
        "heartbeat_age": standing.health_record.age(standing.now),
        "error_count": standing.health_record.failures,
        "last_error": standing.health_record.error,
    }


@router.delete("/api/agents/{agent_id}")
@requires(ADMIN)
async def deregister(plane: CurrentPlane, by: CurrentPrincipal, agent_id: str) -> AgentUpdate:
    """Take an agent off duty that was registered while the plane ran."""
    await plane.crew.deregister(agent_id, by=by)
    return {"agent_id": agent_id, "status": "dismissed"}


@router.post("/api/agents/{agent_id}/pause")
@requires(OPERATOR)
async def pause(plane: CurrentPlane, by: CurrentPrincipal, agent_id: str) -> AgentPause:
    """Let no run of one agent begin until it is resumed."""
    await plane.crew.pause(agent_id, by=by)
    return {"agent_id": agent_id, "paused": True}


@router.post("/api/agents/{agent_id}/resume")
@requires(OPERATOR)
async def resume(plane: CurrentPlane, by: CurrentPrincipal, agent_id: str) -> AgentPause:
    """Let one agent go on."""
    await plane.crew.resume(agent_id, by=by)
    return {"agent_id": agent_id, "paused": False}


@unrepeated.post("/api/agents/{agent_id}/heartbeat", response_model=AgentUpdate)
@requires(ANYONE)  # its token proves who sends it
async def heartbeat(request: Request, plane: CurrentPlane, agent_id: str) -> JSONResponse:
    """Take a remote agent's sign of life; its own token proves who sends it."""
    token, known = shown_token(request), caller_of(request.scope)
    if not token:
        return problem(request.scope, 401, "this needs the agent's token", headers=CHALLENGE)
    if known is not None:  # a stranger does not learn who is on duty
        plane.crew.find(agent_id)
    try:
        await plane.crew.heartbeat(agent_id, token)
    except InvalidAgentToken:
        return problem(request.scope, 403, "this is not the token of that agent")
    return JSONResponse({"agent_id": agent_id, "status": "ok"})


@router.post("/api/agents/{agent_id}/execute", response_model=ExecutionStarted)
@requires(OPERATOR)
@bodies.example(category="umbrellas")
async def execute(
    request: Request,
    plane: CurrentPlane,
    by: CurrentPrincipal,
    agent_id: str,
    parameters: Parameters = None,
    wait: Wait = 0,
) -> dict[str, Any]:
    """Ask for a run of one agent; with `wait`, answer once it has ended, or so many seconds on."""
    name = _find(plane, request, agent_id)
    given = parameters or {}
    identifier = await plane.request_run(name, by=by, parameters=given)
    shown = await _ended(plane, identifier, wait)
    is_over = shown["status"] in ("completed", "failed")
    return {
        "executionId": identifier,
        "agentId": agent_id,
        "status": shown["status"] if is_over else "started",
        "startedAt": shown["started_at"],
        "parameters": given,
        "message": f"Agent {name} was asked to run",
        **({"result": shown["result"]} if is_over else {}),
    }


def _find(plane: Plane, request: Request, agent_id: str) -> str:
    """Return the agent's name; 400 where there is none, 403 where the caller may not wake it."""
    try:
        name = plane.crew.find(agent_id).name
    except NotFound as error:
        raise InvalidInput("agent_id", f"there is no agent {agent_id!r}") from error
    check_scope(request, name)
    return name


async def _ended(plane: Plane, identifier: str, wait: float) -> dict[str, Any]:
    shown = await plane.crew.execution(identifier)
    try:
        async with asyncio.timeout(wait):
            while shown["status"] not in ("completed", "failed"):
                await asyncio.sleep(_LOOK_AGAIN)
                shown = await plane.crew.execution(identifier)
    except TimeoutError:
        pass
    return shown


@router.post("/run_agent/{name}")
@requires(OPERATOR)
@bodies.example(category="umbrellas")
async def run_agent(
    request: Request,
    plane: CurrentPlane,
    by: CurrentPrincipal,
    name: str,
    parameters: Parameters = None,
) -> RunScheduled:
    """Ask for a run of one agent."""
    found = plane.crew.find(name).name
    check_scope(request, found)
    run = await plane.request_run(found, by=by, parameters=parameters or {})
    return {"status": "scheduled", "run_id": run}


@router.post("/run_all")
@requires(OPERATOR)
async def run_all(plane: CurrentPlane, by: CurrentPrincipal) -> RunsScheduled:
    """Ask for a run of every agent that callers may trigger."""
    allowed = [name for name in plane.agents if plane.settings.api.may_trigger(name)]
    runs = [await plane.request_run(name, by=by) for name in allowed]
    return {"status": "all scheduled", "runs": runs}


@router.post("/api/tasks", status_code=202)
@requires(OPERATOR)
@bodies.example(capability="pricing", parameters={})
async def task(plane: CurrentPlane, by: CurrentPrincipal, body: AssignTaskRequest) -> TaskAssigned:
    """Give a task to the healthy agent of highest priority that has the capability."""
    agents = [a.name for a in plane.agents.values() if body.capability in a.capabilities]
    allowed = [name for name in agents if plane.settings.api.may_trigger(name)]
    if agents and not allowed:
        raise HTTPException(403, "the agents that can are outside AUTHORIZED_AGENTS_SCOPE")
    try:
        name, run = await plane.crew.delegate(
            body.capability, body.parameters, by=by, among=allowed
        )
    except NoCapableAgent as error:
        raise HTTPException(409, str(error)) from error
    return {"agent_id": name, "execution_id": run, "status": "scheduled"}


@router.get("/api/orchestrator/health")
@requires(VIEWER)
async def orchestrator_health(plane: CurrentPlane) -> dict[str, Any]:
    """Show how the orchestrator is."""
    return await plane.crew.status()


@router.get("/api/system/capabilities")
@requires(VIEWER)
async def system_capabilities(plane: CurrentPlane) -> SystemCapabilities:
    """Show what this system can do, and who does it."""
    agents = {name: list(agent.capabilities) for name, agent in plane.agents.items()}
    process = plane.settings.orchestrator
    return {
        "apiVersion": process.service_version,
        "capabilities": sorted({word for words in agents.values() for word in words}),
        "agents": [{"id": name, "capabilities": words} for name, words in agents.items()],
        "features": {
            "orchestration": process.enabled,
            "approvals": True,
            "undo": True,
            "remote_agents": True,
            "workers": plane.settings.database.url is not None,
            "alerts": bool(plane.settings.alerts.urls),
        },
    }
