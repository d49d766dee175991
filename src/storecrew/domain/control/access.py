"""Roles, principals, keys, users, and the attempts that were denied."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

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
class Principal:
    """An authenticated caller."""

    name: str
    role: Role
    by_cookie: bool = False
    """Whether a browser proved it unasked, so that a write needs a second proof."""

    @property
    def actor(self) -> str:
        """The caller as the audit names them."""
        return f"person:{self.name}"


LOCAL = Principal(name="local", role=Role.ADMIN)
"""Whoever sits at this machine while nobody has been given a key."""


@dataclass(frozen=True, kw_only=True)
class ApiKey:
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
class CredentialSnapshot:
    """Everybody whom the book lets in at one moment."""

    closed: bool = False
    """Whether anybody was ever given a key or a password: then callers prove who they are."""
    keys: Mapping[str, Principal] = field(default_factory=dict[str, Principal])
    """Callers by the SHA-256 of their key."""
    sessions: Mapping[str, tuple[Principal, datetime]] = field(
        default_factory=dict[str, tuple[Principal, datetime]]
    )
    """Callers by the SHA-256 of their session's token, and when it ends."""


@dataclass(frozen=True, kw_only=True)
class DeniedAttempt:
    """Attempts of one caller that were refused for one reason, within a minute or so."""

    kind: str
    """`unauthorized`, `forbidden`, `misdirected` or `oversized`."""
    actor: str
    what: str
    """Method and path of the last of them."""
    reason: str
    count: int


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
