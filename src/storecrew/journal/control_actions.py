"""Control actions on the plane itself: effect and key are one transaction.

Whatever the crew may do to the plane is a row of the journal: a wish for a service, a halt, the
run of an undo, an incident, a request. So nothing can come between a deed and its record.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.database import Database, reading, to_db_time, writing
from storecrew.domain import codec
from storecrew.domain.actions import Command
from storecrew.domain.control.agents import AssignTask, PauseAgent, ResumeAgent
from storecrew.domain.control.events import EventEnvelope, RunRequested
from storecrew.domain.control.incidents import CloseIncident, OpenIncident
from storecrew.domain.control.proposals import Outcome, Proposal, Result, RevertProposal
from storecrew.domain.control.services import DesiredState, RestartService, ServiceNotManaged
from storecrew.domain.errors import KeyReused, NotFound
from storecrew.domain.ports.journal import SubscribersOf
from storecrew.domain.undo import opposite
from storecrew.journal import agents, incidents, reads, services, switches
from storecrew.journal.events import REQUESTS, publish
from storecrew.journal.rows import advisory_lock, dump
from storecrew.journal.schema.incidents import operations


@dataclass(frozen=True, kw_only=True)
class OperationContext:
    """The plane around an operation."""

    now: datetime
    agents: Collection[str]
    """Who is on duty."""
    subscribers_of: SubscribersOf


@dataclass(frozen=True, kw_only=True)
class OperationResult:
    """What a control action changed, or why it was refused."""

    code: str = ""
    message: str = ""
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    detail: Mapping[str, Any] | None = None


_Handler: TypeAlias = Callable[[Connection, Command, OperationContext], OperationResult]


def _apply(connection: Connection, keyed: Command, scene: OperationContext) -> Outcome:
    """Do the operation once per key; a key seen before returns its first outcome.

    Raises `KeyReused` where the key was used for another operation.
    """
    advisory_lock(connection, "operations")
    fingerprint = sha256(dump(keyed.action).encode()).hexdigest()
    known = sa.select(operations).where(operations.c.key == keyed.key)
    if (row := connection.execute(known).one_or_none()) is not None:
        if row.fingerprint != fingerprint:
            raise KeyReused(keyed.key)
        return codec.decode(Outcome, json.loads(row.outcome))
    outcome = _to_outcome(keyed.key, _handler_of(connection, keyed, scene))
    values = {
        "key": keyed.key,
        "fingerprint": fingerprint,
        "kind": type(keyed.action).__name__,
        "subject": keyed.action.subject,
        "result": outcome.result,
        "outcome": dump(outcome),
        "at": to_db_time(scene.now),
    }
    connection.execute(sa.insert(operations), values)
    return outcome


def _outcome(connection: Connection, key: str) -> Outcome | None:
    """Return the outcome recorded under this key, or None."""
    query = sa.select(operations.c.outcome).where(operations.c.key == key)
    found = connection.execute(query).scalar()
    return None if found is None else codec.decode(Outcome, json.loads(found))


def _handler_of(connection: Connection, keyed: Command, scene: OperationContext) -> OperationResult:
    handler = _HANDLERS.get(type(keyed.action).__name__)
    if handler is None:
        return OperationResult(code="unsupported", message="the plane knows no such operation")
    try:
        return handler(connection, keyed, scene)
    except NotFound as error:
        return OperationResult(code="not_found", message=str(error))
    except ServiceNotManaged as error:
        return OperationResult(code="unsupported", message=str(error))


def _to_outcome(key: str, done: OperationResult) -> Outcome:
    return Outcome(
        key=key,
        result=Result.REFUSED if done.code else Result.APPLIED,
        code=done.code,
        message=done.message,
        before=done.before or {},
        after=done.after or {},
        detail=done.detail or {},
    )


def _restart(connection: Connection, keyed: Command, scene: OperationContext) -> OperationResult:
    action = keyed.action
    assert isinstance(action, RestartService)  # noqa: S101 - the table below says so
    entry = services.restart(connection, action.service, by=keyed.actor, now=scene.now)
    return OperationResult(
        before={"desired": entry.desired.value, "generation": entry.generation},
        after={"desired": DesiredState.RUNNING.value, "generation": entry.generation + 1},
    )


def _pause(connection: Connection, keyed: Command, scene: OperationContext) -> OperationResult:
    action = keyed.action
    assert isinstance(action, PauseAgent | ResumeAgent)  # noqa: S101 - the table below says so
    value = isinstance(action, PauseAgent)
    if action.agent not in scene.agents:
        raise NotFound("agent", action.agent)
    was = agents.is_paused(connection, action.agent)
    if was is value:
        state = "paused" if value else "not paused"
        return OperationResult(code="stale", message=f"agent {action.agent!r} is {state}")
    agents.set_suspended(connection, action.agent, value, by=keyed.actor, now=scene.now)
    return OperationResult(before={"paused": was}, after={"paused": value})


def _revert(connection: Connection, keyed: Command, scene: OperationContext) -> OperationResult:
    action = keyed.action
    assert isinstance(action, RevertProposal)  # noqa: S101 - the table below says so
    story = reads.story(connection, action.proposal_id)
    if story.outcome is None:
        return OperationResult(code="invalid", message="nothing was done")
    done = story.filed.proposal.action
    if story.approval is not None and story.approval.changed is not None:
        done = story.approval.changed
    back = opposite(done, story.outcome)
    if isinstance(back, str):
        return OperationResult(code="invalid", message=back)
    detail = {"undoes": action.proposal_id}
    proposal = Proposal(action=back, reason=f"undo {action.proposal_id}", evidence=detail)
    run = switches.begin_revert(connection, story, proposal, actor=keyed.actor, now=scene.now)
    return OperationResult(after={"run": run}, detail={"run": run})


def _open(connection: Connection, keyed: Command, scene: OperationContext) -> OperationResult:
    action = keyed.action
    assert isinstance(action, OpenIncident)  # noqa: S101 - the table below says so
    if not incidents.open_incident(connection, action, scene.now):
        return OperationResult(code="already_open", message=f"incident {action.incident!r} is open")
    return OperationResult(after={"status": incidents.OPEN}, detail={"incident": action.incident})


def _close(connection: Connection, keyed: Command, scene: OperationContext) -> OperationResult:
    action = keyed.action
    assert isinstance(action, CloseIncident)  # noqa: S101 - the table below says so
    if not incidents.close_incident(connection, action.incident, action.reason, scene.now):
        return OperationResult(code="stale", message=f"incident {action.incident!r} is closed")
    return OperationResult(before={"status": incidents.OPEN}, after={"status": incidents.CLOSED})


def _delegate(connection: Connection, keyed: Command, scene: OperationContext) -> OperationResult:
    action = keyed.action
    assert isinstance(action, AssignTask)  # noqa: S101 - the table below says so
    if action.agent not in scene.agents:
        raise NotFound("agent", action.agent)
    parameters = {**action.parameters, "task": action.task, "due_at": to_db_time(action.due_at)}
    request = RunRequested(agent=action.agent, by=keyed.actor, parameters=parameters)
    item = EventEnvelope(
        source=REQUESTS, external_id=keyed.key, event=request, at=scene.now, actor=keyed.actor
    )
    [receipt] = publish(connection, [item], scene.subscribers_of)
    execution = f"{action.agent}@{receipt.event_id}"
    return OperationResult(after={"execution": execution}, detail={"execution": execution})


_HANDLERS: Mapping[str, _Handler] = {
    RestartService.__name__: _restart,
    PauseAgent.__name__: _pause,
    ResumeAgent.__name__: _pause,
    RevertProposal.__name__: _revert,
    OpenIncident.__name__: _open,
    CloseIncident.__name__: _close,
    AssignTask.__name__: _delegate,
}


@dataclass(frozen=True)
class SqlControlActions:
    """The journal's part about operations, over its database."""

    database: Database

    apply = writing(_apply)
    outcome = reading(_outcome)

    async def applied_keys(self) -> Sequence[str]:
        """Return the keys under which something was done."""
        query = sa.select(operations.c.key).where(operations.c.result == Result.APPLIED)
        ordered = query.order_by(operations.c.key)
        return await self.database.read(lambda c: list(c.execute(ordered).scalars()))

    async def restarts(self, since: datetime) -> Mapping[str, int]:
        """Return how often the crew restarted each service since then."""
        query = (
            sa.select(operations.c.subject, sa.func.count())
            .where(
                operations.c.kind == RestartService.__name__,
                operations.c.at >= to_db_time(since),
                operations.c.result == Result.APPLIED,
            )
            .group_by(operations.c.subject)
        )
        return await self.database.read(
            lambda c: {s.removeprefix("service:"): int(n) for s, n in c.execute(query)}
        )
