"""Who may ask for what: roles, callers, and the book in which keys and people are kept."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from storecrew.domain.errors import InvalidInput, StorecrewError

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._@-]{0,63}")
_TAKEN = frozenset({"local", "api", "system"})
"""Names under which the audit knows callers that are in no book."""


class Role(StrEnum):
    """How far a caller may go; each may what the one before may."""

    VIEWER = "viewer"
    """Reads."""
    OPERATOR = "operator"
    """Also decides proposals, runs agents, works on orders and services."""
    ADMIN = "admin"
    """Also registers services and agents, edits settings, users and keys."""

    def covers(self, needed: "Role") -> bool:
        """Tell whether this role may do what needs that one."""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(needed)


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Somebody who proved who they are."""

    name: str
    role: Role
    by_cookie: bool = False
    """Whether a browser proved it unasked, so that a write needs a second proof."""

    @property
    def actor(self) -> str:
        """The caller as the audit names them."""
        return f"person:{self.name}"


LOCAL = Caller(name="local", role=Role.ADMIN)
"""Whoever sits at this machine while nobody has been given a key."""


@dataclass(frozen=True, kw_only=True)
class Key:
    """A key as it is listed: everything but the key."""

    id: str
    name: str
    role: Role
    created_at: datetime
    created_by: str
    revoked_at: datetime | None = None
    revoked_by: str = ""


@dataclass(frozen=True, kw_only=True)
class User:
    """A person who logs in, without the password's hash."""

    name: str
    role: Role
    created_at: datetime
    created_by: str


@dataclass(frozen=True, kw_only=True)
class Admitted:
    """Everybody whom the book lets in at one moment."""

    closed: bool = False
    """Whether anybody was ever given a key or a password: then callers prove who they are."""
    keys: Mapping[str, Caller] = field(default_factory=dict[str, Caller])
    """Callers by the SHA-256 of their key."""
    sessions: Mapping[str, tuple[Caller, datetime]] = field(
        default_factory=dict[str, tuple[Caller, datetime]]
    )
    """Callers by the SHA-256 of their session's token, and when it ends."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Attempts of one caller that were refused for one reason, within a minute or so."""

    kind: str
    """`unauthorized`, `forbidden`, `misdirected` or `oversized`."""
    actor: str
    what: str
    """Method and path of the last of them."""
    reason: str
    count: int


class AccessBook(Protocol):
    """Where keys, people and their sessions are kept. Every change is audited with its actor."""

    async def admitted(self, now: datetime) -> Admitted:
        """Return everybody who is let in at this moment."""
        ...

    async def add_key(self, key: Key, digest: str) -> None:
        """Keep a new key under the SHA-256 of its token; its name must be free for ever."""
        ...

    async def revoke_key(self, name: str, *, by: str, now: datetime) -> None:
        """Let the key open nothing from now on; raises `NotFound`."""
        ...

    async def keys(self) -> Sequence[Key]:
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
        """Return the hash of the person's password, None for somebody unknown."""
        ...

    async def begin_session(
        self, name: str, digest: str, *, now: datetime, ends_at: datetime
    ) -> Role:
        """Keep a session under the SHA-256 of its token; raises `NotFound` without the person."""
        ...

    async def end_session(self, digest: str, *, now: datetime) -> None:
        """Forget a session."""
        ...

    async def note_refusals(self, refusals: Sequence[Refusal], now: datetime) -> None:
        """Audit attempts that were refused."""
        ...


class NameTaken(StorecrewError):
    """The name stands for another key or person, perhaps one that is gone."""

    def __init__(self, name: str) -> None:
        super().__init__(f"a key or person {name!r} is known already; choose another name")
        self.name = name


def checked_name(name: str) -> str:
    """Return the name of a key or person; raises `InvalidInput` where it will not do."""
    if not _NAME.fullmatch(name):
        raise InvalidInput("name", "must be 1 to 64 letters, digits or ._@-, a letter first")
    if name.lower() in _TAKEN:
        raise InvalidInput("name", f"{name!r} stands for another caller; choose another")
    return name
