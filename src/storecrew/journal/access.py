"""Keys, people and sessions: who is let in. Every change is audited with its actor."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.database import Database, from_db_time, reading, to_db_time, writing
from storecrew.domain.control.access import (
    ApiKey,
    CredentialSnapshot,
    DeniedAttempt,
    NameTaken,
    Principal,
    Role,
    User,
)
from storecrew.domain.errors import NotFound
from storecrew.journal import audit
from storecrew.journal.rows import advisory_lock, dump
from storecrew.journal.schema.access import keys, sessions, users
from storecrew.journal.schema.journal import key_values

MAX_SESSIONS = 20
"""Sessions one person may have at once; the oldest ends when another begins."""
_CLOSED = "access_closed"
_GONE = "gone/"
"""Before the names of persons who were removed: none is given again."""
_KNOWN = sa.select(key_values.c.name).where(key_values.c.name == sa.bindparam("name"))


def _load_credentials(connection: Connection, now: datetime) -> CredentialSnapshot:
    """Return everybody who is let in at this moment."""
    closed = sa.select(key_values.c.value).where(key_values.c.name == _CLOSED)
    live = sa.select(keys.c.name, keys.c.role, keys.c.digest).where(keys.c.revoked_at.is_(None))
    open_sessions = (
        sa.select(users.c.name, users.c.role, sessions.c.digest, sessions.c.ends_at)
        .join(users, users.c.name == sessions.c.user_name)
        .where(sessions.c.ends_at > to_db_time(now))
    )
    return CredentialSnapshot(
        closed=bool(connection.execute(closed).scalar()),
        keys={
            row.digest: Principal(name=row.name, role=Role(row.role))
            for row in connection.execute(live)
        },
        sessions={
            row.digest: (
                Principal(name=row.name, role=Role(row.role), by_cookie=True),
                from_db_time(row.ends_at),
            )
            for row in connection.execute(open_sessions)
        },
    )


def _add_key(connection: Connection, key: ApiKey, digest: str) -> None:
    """Keep a new key under the SHA-256 of its token; its name must be free for ever."""
    _claim(connection, key.name)
    row = {
        "id": key.id,
        "name": key.name,
        "role": key.role,
        "digest": digest,
        "created_at": to_db_time(key.created_at),
        "created_by": key.created_by,
        "revoked_at": None,
        "revoked_by": "",
    }
    connection.execute(sa.insert(keys), row)
    action = {"type": "add_key", "name": key.name, "role": key.role}
    _record(connection, action, by=key.created_by, now=key.created_at)


def _revoke_key(connection: Connection, name: str, *, by: str, now: datetime) -> None:
    """Let the key open nothing from now on; raises `NotFound`."""
    advisory_lock(connection, "access")
    live = keys.c.name == name, keys.c.revoked_at.is_(None)
    change = sa.update(keys).where(*live).values(revoked_at=to_db_time(now), revoked_by=by)
    if not connection.execute(change).rowcount:
        raise NotFound("key", name)
    _record(connection, {"type": "revoke_key", "name": name}, by=by, now=now)


def _keys(connection: Connection) -> list[ApiKey]:
    """Return every key, also the revoked ones, by name."""
    return [
        ApiKey(
            id=row.id,
            name=row.name,
            role=Role(row.role),
            created_at=from_db_time(row.created_at),
            created_by=row.created_by,
            revoked_at=from_db_time(row.revoked_at) if row.revoked_at else None,
            revoked_by=row.revoked_by,
        )
        for row in connection.execute(sa.select(keys).order_by(keys.c.name))
    ]


def _add_user(connection: Connection, user: User, password_hash: str) -> None:
    """Keep a new person; the name must be free."""
    _claim(connection, user.name)
    row = {
        "name": user.name,
        "role": user.role,
        "password": password_hash,
        "created_at": to_db_time(user.created_at),
        "created_by": user.created_by,
    }
    connection.execute(sa.insert(users), row)
    action = {"type": "add_user", "name": user.name, "role": user.role}
    _record(connection, action, by=user.created_by, now=user.created_at)


def _remove_user(connection: Connection, name: str, *, by: str, now: datetime) -> None:
    """Forget the person and end their sessions; raises `NotFound`."""
    advisory_lock(connection, "access")
    connection.execute(sa.delete(sessions).where(sessions.c.user_name == name))
    if not connection.execute(sa.delete(users).where(users.c.name == name)).rowcount:
        raise NotFound("user", name)
    gone = f"{_GONE}{name.lower()}"  # the audit names this person for ever, and no other by it
    if connection.execute(_KNOWN, {"name": gone}).scalar() is None:
        connection.execute(sa.insert(key_values), {"name": gone, "value": "true"})
    _record(connection, {"type": "remove_user", "name": name}, by=by, now=now)


def _users(connection: Connection) -> list[User]:
    """Return everybody who may log in, by name."""
    return [
        User(
            name=row.name,
            role=Role(row.role),
            created_at=from_db_time(row.created_at),
            created_by=row.created_by,
        )
        for row in connection.execute(sa.select(users).order_by(users.c.name))
    ]


def _begin_session(
    connection: Connection, name: str, digest: str, *, now: datetime, ends_at: datetime
) -> Role:
    """Keep a session under the SHA-256 of its token; raises `NotFound` without the person."""
    advisory_lock(connection, "access")
    role = connection.execute(sa.select(users.c.role).where(users.c.name == name)).scalar()
    if role is None:
        raise NotFound("user", name)
    connection.execute(sa.delete(sessions).where(sessions.c.ends_at <= to_db_time(now)))
    mine = sa.select(sessions.c.digest).where(sessions.c.user_name == name)
    kept = mine.order_by(sessions.c.created_at.desc()).limit(MAX_SESSIONS - 1)
    newest = list(connection.execute(kept).scalars())
    connection.execute(
        sa.delete(sessions).where(sessions.c.user_name == name, sessions.c.digest.not_in(newest))
    )
    row = {
        "digest": digest,
        "user_name": name,
        "created_at": to_db_time(now),
        "ends_at": to_db_time(ends_at),
    }
    connection.execute(sa.insert(sessions), row)
    _record(connection, {"type": "log_in"}, by=f"person:{name}", now=now)
    return Role(role)


def _end_session(connection: Connection, digest: str, *, now: datetime) -> None:
    """Forget a session."""
    advisory_lock(connection, "access")
    whose = sa.select(sessions.c.user_name).where(sessions.c.digest == digest)
    name = connection.execute(whose).scalar()
    if name is not None:
        connection.execute(sa.delete(sessions).where(sessions.c.digest == digest))
        _record(connection, {"type": "log_out"}, by=f"person:{name}", now=now)


def _record_denied_attempts(
    connection: Connection, refusals: Sequence[DeniedAttempt], now: datetime
) -> None:
    """Audit attempts that were refused."""
    for refusal in refusals:
        action = {
            "type": refusal.kind,
            "what": refusal.what,
            "count": refusal.count,
        }
        outcome = {"result": "refused", "reason": refusal.reason}
        _record(connection, action, by=refusal.actor, now=now, **outcome)


def _claim(connection: Connection, name: str) -> None:
    """Check that the name is unused in the audit, and close the open access."""
    advisory_lock(connection, "access")
    for table in (keys, users):
        same = sa.select(table.c.name).where(sa.func.lower(table.c.name) == name.lower())
        if connection.execute(same).scalar() is not None:
            raise NameTaken(name)
    if connection.execute(_KNOWN, {"name": f"{_GONE}{name.lower()}"}).scalar() is not None:
        raise NameTaken(name)
    if connection.execute(_KNOWN, {"name": _CLOSED}).scalar() is None:
        connection.execute(sa.insert(key_values), {"name": _CLOSED, "value": "true"})


def _record(
    connection: Connection,
    action: Mapping[str, Any],
    *,
    by: str,
    now: datetime,
    result: str = "recorded",
    reason: str = "",
) -> None:
    advisory_lock(connection, "audit")
    row = {
        "at": to_db_time(now),
        "kind": "access",
        "subject": f"{action['type']}/{audit.position(connection) + 1}",
        "actor": by,
        "action": dump(action),
        "result": result,
        "reason": reason or action["type"],
        "before": "{}",
        "after": "{}",
        "policy_version": "",
        "approved_by": "",
    }
    audit.append(connection, [row])


@dataclass(frozen=True)
class SqlCredentialRepository:
    """The book of keys, people and sessions, in the journal's database."""

    database: Database

    load_credentials = reading(_load_credentials)
    add_key = writing(_add_key)
    revoke_key = writing(_revoke_key)
    keys = reading(_keys)
    add_user = writing(_add_user)
    remove_user = writing(_remove_user)
    users = reading(_users)

    async def password_hash(self, name: str) -> str | None:
        """Return the hash of the user's password, None for an unknown user."""
        query = sa.select(users.c.password).where(users.c.name == name)
        return await self.database.read(lambda c: c.execute(query).scalar())

    begin_session = writing(_begin_session)
    end_session = writing(_end_session)
    record_denied_attempts = writing(_record_denied_attempts)
