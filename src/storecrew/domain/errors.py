"""Everything the product raises on purpose: one class per thing a caller can do differently."""

from collections.abc import Sequence
from datetime import datetime


class StorecrewError(Exception):
    """Root of every deliberate error."""


class Retryable(StorecrewError):
    """The same call may succeed later, unchanged."""


class NotFound(StorecrewError):
    """There is no such thing."""

    def __init__(self, kind: str, key: object) -> None:
        super().__init__(f"no {kind} with key {key!r}")
        self.kind = kind
        self.key = key


class InvalidInput(StorecrewError):
    """A value did not pass validation; nothing was changed."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class ConfirmationRequired(StorecrewError):
    """A person has to repeat the action with `anyway`; nothing was changed."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}; `anyway` does it all the same")
        self.field = field
        self.problem = problem


class InvalidSettings(StorecrewError):
    """The configuration has unknown or wrong keys."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


class CurrencyMismatch(InvalidSettings):
    """The books are kept in another currency than the settings say."""

    def __init__(self, kept: str, given: str) -> None:
        super().__init__(
            [
                f"store.currency: is {given}, but the books are kept in {kept}; amounts are never "
                f"converted: set it to {kept}, or begin new books in another data_dir"
            ]
        )
        self.kept = kept


class NotPermitted(StorecrewError):
    """An agent did something that it never declared."""

    def __init__(self, agent: str, what: str) -> None:
        super().__init__(f"agent {agent!r} may not {what}")
        self.agent = agent
        self.what = what


class KeyReused(StorecrewError):
    """The idempotency key was used before, for another action."""

    def __init__(self, key: str) -> None:
        super().__init__(f"key {key!r} was already used for another action")
        self.key = key


class AlreadyDecided(StorecrewError):
    """The proposal has its answer; a second one is refused."""

    def __init__(self, proposal: str, status: str) -> None:
        super().__init__(f"proposal {proposal!r} is {status}, not waiting")
        self.proposal = proposal
        self.status = status


class AlreadyRegistered(StorecrewError):
    """Another agent is on duty under this name."""

    def __init__(self, agent: str) -> None:
        super().__init__(
            f"another agent is registered as {agent!r}; take it off duty first, or choose a name"
        )
        self.agent = agent


class NotUndoable(StorecrewError):
    """The effect has no inverse, and this is why."""

    def __init__(self, proposal: str, reason: str) -> None:
        super().__init__(f"proposal {proposal!r} cannot be undone: {reason}")
        self.proposal = proposal
        self.reason = reason


class StorageBusy(Retryable):
    """Another process or transaction held the database for too long."""

    def __init__(self, database: str) -> None:
        super().__init__(f"database {database!r} is locked by another process; try again")
        self.database = database


class StorageFull(Retryable):
    """No space is left for the database; nothing was changed."""

    def __init__(self, database: str) -> None:
        super().__init__(f"no space left for database {database!r}; free some and try again")
        self.database = database


class StorageUnavailable(Retryable):
    """The database cannot be reached."""

    def __init__(self, database: str, problem: str) -> None:
        super().__init__(f"database {database!r} cannot be reached: {problem}")
        self.database = database
        self.problem = problem


class StorageDamaged(StorecrewError):
    """The database cannot be read or written as it is: damaged or read-only."""

    def __init__(self, database: str, problem: str) -> None:
        super().__init__(f"database {database!r} is unusable: {problem}; restore it from a backup")
        self.database = database
        self.problem = problem


class OutcomeUnknown(Retryable):
    """The shop did not answer in time; the action may or may not have happened."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the shop did not confirm {key!r}; the same key is safe to repeat")
        self.key = key


class Paused(Retryable):
    """The crew is paused; nothing is applied until it is resumed."""

    def __init__(self) -> None:
        super().__init__("the crew is paused")


class Deferred(Retryable):
    """What a run is about has to wait; the run begins again then. No failure of anybody."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"waits until {until:%Y-%m-%d %H:%M} UTC")
        self.until = until


class StaleAttempt(Retryable):
    """Another worker carried this run further at the same time; its record counts."""

    def __init__(self, run: str) -> None:
        super().__init__(f"run {run!r} was carried on by another worker")
        self.run = run


class AgentTimeout(StorecrewError):
    """An agent did not finish proposing before its deadline."""

    def __init__(self, agent: str, seconds: float) -> None:
        super().__init__(f"agent {agent!r} was still proposing after {seconds:g} s")
        self.agent = agent
        self.seconds = seconds
