"""Keys, passwords and sessions: made here, kept as hashes, looked up without a database read."""

import asyncio
import hmac
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from time import monotonic
from typing import TYPE_CHECKING

from storecrew.domain.control.access import (
    ApiKey,
    CredentialSnapshot,
    DeniedAttempt,
    Principal,
    Role,
    User,
    checked_name,
)
from storecrew.domain.errors import InvalidInput, NotFound
from storecrew.domain.ports.clock import Clock
from storecrew.domain.ports.repositories import CredentialRepository

if TYPE_CHECKING:
    from argon2 import PasswordHasher

FRESH_SECONDS = 1.0
"""How long the book's last answer is believed: a key revoked elsewhere opens nothing after it."""
MIN_PASSWORD, MAX_PASSWORD = 12, 256
"""Characters of a password: too many to guess, too few to keep the hash busy."""
_TOKEN_BYTES = 32
"""256 random bits: nobody guesses one, so that a plain hash of it may be kept."""
_NOBODY = (
    "$argon2id$v=19$m=65536,t=3,p=4$c3RvcmVjcmV3LW5vYm9keQ$"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)
"""Hash that no password has, so that an unknown name takes as long as a wrong password."""


@dataclass(frozen=True, kw_only=True)
class LogIn:
    """A session that began."""

    caller: Principal
    token: str
    """What the browser shows from now on."""
    ends_at: datetime


@dataclass
class Access:
    """Lets callers in, and keeps the book of those who may come.

    Whoever changes the book through this object is believed at once; what another process
    changed counts within a second.
    """

    book: CredentialRepository
    clock: Clock
    ticks: Callable[[], float] = monotonic
    """Seconds that no change of clocks moves."""
    _known: CredentialSnapshot = field(default_factory=CredentialSnapshot, init=False)
    _read_at: float | None = field(default=None, init=False)
    _changes: int = field(default=0, init=False)
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    _hashing: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def admitted(self) -> CredentialSnapshot:
        """Return everybody who is let in, as of at most a second ago."""
        if not self._is_fresh:
            async with self._reading:  # one reads for all who wait
                if not self._is_fresh:
                    began, changes = self.ticks(), self._changes
                    self._known = await self.book.load_credentials(self.clock.now())
                    self._read_at = began if changes == self._changes else None
        return self._known

    @property
    def ever_closed(self) -> bool:
        """Whether the book, when it was last read, said that callers prove themselves."""
        return self._known.closed

    def _forget(self) -> None:
        """Read the book again before the next answer, also where it is being read just now."""
        self._changes += 1
        self._read_at = None

    @property
    def _is_fresh(self) -> bool:
        return self._read_at is not None and self.ticks() - self._read_at < FRESH_SECONDS

    async def by_key(self, token: str) -> Principal | None:
        """Return whose key this is."""
        return (await self.admitted()).keys.get(digest(token))

    async def by_session(self, token: str) -> Principal | None:
        """Return whose session this is, while it lasts."""
        found = (await self.admitted()).sessions.get(digest(token))
        if found is None or found[1] <= self.clock.now():
            return None
        return found[0]

    async def add_key(self, name: str, role: Role, *, by: str) -> str:
        """Make a key and return it: this is the only time that it can be seen."""
        token = f"sck_{secrets.token_urlsafe(_TOKEN_BYTES)}"
        key = ApiKey(
            id=secrets.token_hex(8),
            name=checked_name(name),
            role=role,
            created_at=self.clock.now(),
            created_by=by,
        )
        await self.book.add_key(key, digest(token))
        self._forget()
        return token

    async def revoke_key(self, name: str, *, by: str) -> None:
        """Let the key open nothing from now on; raises `NotFound`."""
        await self.book.revoke_key(name, by=by, now=self.clock.now())
        self._forget()

    async def keys(self) -> Sequence[ApiKey]:
        """Return every key, also the revoked ones, by name."""
        return await self.book.keys()

    async def add_user(self, name: str, role: Role, password: str, *, by: str) -> None:
        """Let a person log in with a password."""
        if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
            raise InvalidInput("password", f"must have {MIN_PASSWORD} to {MAX_PASSWORD} characters")
        now = self.clock.now()
        user = User(name=checked_name(name), role=role, created_at=now, created_by=by)
        async with self._hashing:
            hashed = await asyncio.to_thread(lambda: _hasher().hash(password))
        await self.book.add_user(user, hashed)
        self._forget()

    async def remove_user(self, name: str, *, by: str) -> None:
        """End the person's sessions and let them log in no more; raises `NotFound`."""
        await self.book.remove_user(name, by=by, now=self.clock.now())
        self._forget()

    async def users(self) -> Sequence[User]:
        """Return everybody who may log in, by name."""
        return await self.book.users()

    async def log_in(self, name: str, password: str, *, lasts: timedelta) -> LogIn | None:
        """Begin a session, or return None: for a wrong password as for an unknown name.

        Passwords are compared one at a time and off the event loop, so that many attempts take
        neither the memory nor the processors away from others.
        """
        known = await self.book.password_hash(name)
        async with self._hashing:
            is_right = await asyncio.to_thread(_is_password, known or _NOBODY, password)
        if known is None or not is_right:
            return None
        token, now = secrets.token_urlsafe(_TOKEN_BYTES), self.clock.now()
        try:
            role = await self.book.begin_session(name, digest(token), now=now, ends_at=now + lasts)
        except NotFound:  # removed meanwhile
            return None
        self._forget()
        caller = Principal(name=name, role=role, by_cookie=True)
        return LogIn(caller=caller, token=token, ends_at=now + lasts)

    async def log_out(self, token: str) -> None:
        """End a session."""
        await self.book.end_session(digest(token), now=self.clock.now())
        self._forget()

    async def note_refusals(self, refusals: Sequence[DeniedAttempt]) -> None:
        """Audit attempts that were refused."""
        await self.book.record_denied_attempts(refusals, self.clock.now())


def digest(token: str) -> str:
    """Return what is kept of a token: its SHA-256."""
    return sha256(token.encode()).hexdigest()


def csrf_token(session_token: str) -> str:
    """Return the second proof that writes with this session's cookie need.

    It follows from the cookie, which scripts cannot read and other sites do not know, so that
    nothing more needs to be kept.
    """
    return hmac.digest(session_token.encode(), b"csrf", "sha256").hex()


def _hasher() -> "PasswordHasher":
    from argon2 import PasswordHasher  # only who logs in pays for it

    return PasswordHasher()


def _is_password(hashed: str, password: str) -> bool:
    from argon2.exceptions import VerificationError

    try:
        return _hasher().verify(hashed, password)
    except VerificationError:
        return False
