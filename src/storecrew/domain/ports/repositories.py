"""The journal's repositories: agents, health, incidents, credentials, models, kept responses."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from storecrew.domain.control.access import ApiKey, CredentialSnapshot, DeniedAttempt, Role, User
from storecrew.domain.control.agents import BusinessDay, RegisteredAgent, Suspension, Usage
from storecrew.domain.control.health import AgentHealth
from storecrew.domain.control.idempotency import StoredResponse
from storecrew.domain.control.incidents import Incident, IncidentKind, OpenIncident
from storecrew.domain.control.model_registry import (
    ModelKind,
    ModelVersion,
    ServingStatus,
    TrainingResult,
)
from storecrew.domain.control.runs import Run
from storecrew.domain.control.skipped_inputs import SkippedInput


class AgentRepository(Protocol):
    """The journal's part about the crew itself. Each method is one transaction."""

    async def register(self, factory: RegisteredAgent) -> bool:
        """Register an agent; False where it is registered exactly so already.

        Raises `AlreadyRegistered` where another declaration stands under its name.
        """
        ...

    async def deregister(self, agent: str, *, by: str, now: datetime) -> None:
        """Take a registered agent off duty, or raise `NotFound`. What it has begun ends."""
        ...

    async def registered(self) -> list[RegisteredAgent]:
        """Return every registered agent, in order of registration."""
        ...

    async def suspend(self, agent: str, *, by: str, now: datetime) -> None:
        """Pause one agent: no run of it begins until it is resumed."""
        ...

    async def resume(self, agent: str, *, by: str, now: datetime) -> None:
        """Let a paused agent go on."""
        ...

    async def suspensions(self) -> Mapping[str, tuple[Suspension, str]]:
        """Return who stands still, why, and on which day (empty for a pause)."""
        ...

    async def last_runs(self, agents: Collection[str]) -> Mapping[str, Run]:
        """Return each agent's newest run, without its events; who never ran is left out."""
        ...

    async def statistics(self, day: BusinessDay) -> Mapping[str, int]:
        """Count the runs of a day by what became of them, and what waits for one."""
        ...

    async def used(self, agent: str, day: BusinessDay) -> Usage:
        """Return what the agent used up on this day."""
        ...

    async def request(self, run: str) -> Mapping[str, Any] | None:
        """Return when and for whom a run was asked for, and the run it became part of.

        None where nobody asked under this id. Keys: `agent`, `at`, `parameters`, `run`.
        """
        ...


class HealthRepository(Protocol):
    """The journal's part about health. Each method is one transaction."""

    async def agent_health(self) -> list[AgentHealth]:
        """Return every agent on duty with what is known of it, by name."""
        ...

    async def heartbeat(self, agents: Sequence[str], now: datetime, *, worker: str = "") -> None:
        """Record that these agents were heard of."""
        ...


class IncidentRepository(Protocol):
    """The journal's part about incidents. Each method is one transaction."""

    async def incidents(
        self,
        *,
        status: str | None = None,
        kinds: Collection[IncidentKind] = tuple(IncidentKind),
        limit: int = 200,
    ) -> Sequence[Incident]:
        """Return incidents of these kinds and this status (all when None), newest first."""
        ...

    async def incident(self, incident_id: str) -> Incident:
        """Return one incident, or raise `NotFound`."""
        ...

    async def close_incident(
        self, incident_id: str, *, reason: str, by: str, now: datetime
    ) -> None:
        """Close an incident for a person; raises `NotFound`. What is closed stays closed."""
        ...

    async def open_agent_incident(
        self, agent: str, kind: IncidentKind, detail: str, now: datetime
    ) -> bool:
        """Open an incident of an agent's health; False where one of the agent is open."""
        ...

    async def close_agent_incident(
        self, agent: str, now: datetime, *, silently: bool = False
    ) -> bool:
        """Close the agent's incident, False where none is open. `silently` suppresses its alert."""
        ...

    async def report_incident(self, action: OpenIncident, *, now: datetime) -> bool:
        """Open an incident that the plane itself found, audited; False where it is open."""
        ...

    async def resolve_incident(self, name: str, *, reason: str, now: datetime) -> bool:
        """Close an incident whose trouble is over, audited; False where none is open."""
        ...

    async def unnotified(self) -> Sequence[Incident]:
        """Return open incidents, and closed ones whose end was not alerted yet, oldest first."""
        ...

    async def claim_notification(
        self, incident: Incident, by: str, now: datetime, hold: timedelta
    ) -> bool:
        """Reserve the right to alert of an incident for a while; False where another has it.

        Also where another alerted of it since it was read.
        """
        ...

    async def mark_notified(self, incident: Incident, now: datetime) -> None:
        """Record that the alert of the incident, or of its end, was sent."""
        ...

    async def release_notification(self, incident: Incident) -> None:
        """Let another try to alert of it, as no channel answered."""
        ...


class CredentialRepository(Protocol):
    """Where keys, people and their sessions are kept. Every change is audited with its actor."""

    async def load_credentials(self, now: datetime) -> CredentialSnapshot:
        """Return everybody who is let in at this moment."""
        ...

    async def add_key(self, key: ApiKey, digest: str) -> None:
        """Keep a new key under the SHA-256 of its token; its name must be free for ever."""
        ...

    async def revoke_key(self, name: str, *, by: str, now: datetime) -> None:
        """Let the key open nothing from now on; raises `NotFound`."""
        ...

    async def keys(self) -> Sequence[ApiKey]:
        """Return every key, also the revoked ones, by name."""
        ...

    async def add_user(self, user: User, password_hash: str) -> None:
        """Keep a new person; the name must be free."""
        ...

    async def remove_user(self, name: str, *, by: str, now: datetime) -> None:
        """Forget the person and end their sessions; raises `NotFound`."""
        ...

    async def users(self) -> Sequence[User]:
        """Return everybody who may log in, by name."""
        ...

    async def password_hash(self, name: str) -> str | None:
        """Return the hash of the user's password, None for an unknown user."""
        ...

    async def begin_session(
        self, name: str, digest: str, *, now: datetime, ends_at: datetime
    ) -> Role:
        """Keep a session under the SHA-256 of its token; raises `NotFound` without the person."""
        ...

    async def end_session(self, digest: str, *, now: datetime) -> None:
        """Forget a session."""
        ...

    async def record_denied_attempts(
        self, refusals: Sequence[DeniedAttempt], now: datetime
    ) -> None:
        """Audit attempts that were refused."""
        ...


class ModelRegistry(Protocol):
    """The versions of the models."""

    async def note_request(self, skill: ModelKind, *, by: str, now: datetime) -> None:
        """Record in the audit that a person asked for a training."""
        ...

    async def add(
        self, lesson: TrainingResult, standing: ServingStatus, reason: str, *, by: str
    ) -> ModelVersion:
        """Record a training, audited, as the skill's newest version; the one before is retired.

        Where the newest one was taught the same data and is sound, that one is returned and
        nothing recorded.
        """
        ...

    async def versions(self, skill: ModelKind | None = None) -> Sequence[ModelVersion]:
        """Return the versions of a skill (of all when None), newest first."""
        ...

    async def newest(self, skill: ModelKind) -> ModelVersion | None:
        """Return the skill's newest version, or None before the first."""
        ...

    async def numbers(self) -> Mapping[ModelKind, int]:
        """Return the number of each skill's newest version; one without versions is left out."""
        ...

    async def version(self, skill: ModelKind, number: int) -> ModelVersion:
        """Return one version; raises `NotFound`."""
        ...

    async def content(self, skill: ModelKind, number: int) -> bytes:
        """Return what the version learnt.

        Raises `NotFound` where it is not kept any more, `InvalidInput` where it is damaged.
        """
        ...

    async def score(
        self, version: ModelVersion, accuracy: Mapping[str, Any], by_series: bytes, to: date
    ) -> None:
        """Record how a version did on what happened up to that day, in all and per series."""
        ...

    async def scores(self, skill: ModelKind) -> Sequence[bytes]:
        """Return how the skill's versions did per series, newest first."""
        ...


class IdempotencyStore(Protocol):
    """Where answers are kept for some days."""

    async def find(self, key: str) -> StoredResponse | None:
        """Return the answer that was given under this key."""
        ...

    async def keep(self, key: str, reply: StoredResponse, now: datetime) -> None:
        """Keep an answer; the first under a key stays. Forgets those that are too old."""
        ...


class SkippedInputRepository(Protocol):
    """Counts of what came from outside and was not acted on."""

    async def record(self, source: str, reason: str, sample: str, now: datetime) -> None:
        """Count one input; the sample replaces the one before."""
        ...

    async def counts(self, source: str | None = None) -> Sequence[SkippedInput]:
        """Return the counts of one source (of all when None), the newest first."""
        ...


class KeyValues(Protocol):
    """Short texts by name that outlive a restart."""

    async def find(self, name: str) -> str | None:
        """Return what is kept under the name."""
        ...

    async def keep(self, name: str, value: str) -> None:
        """Keep the value in place of an earlier one."""
        ...
