"""The versions of the models: added, served, scored, and forgotten when many newer ones exist."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.database import Database, from_db_time, reading, to_db_time, writing
from storecrew.domain.codec import encode
from storecrew.domain.control.model_registry import (
    ModelKind,
    ModelVersion,
    ServingStatus,
    TrainingResult,
)
from storecrew.domain.errors import InvalidInput, NotFound
from storecrew.journal import audit
from storecrew.journal.rows import advisory_lock, control_row
from storecrew.journal.schema.model_registry import model_artifacts, versions

KEPT = 20
"""Versions of a skill whose content is kept: enough to score a fortnight's forecasts."""


def _add(
    connection: Connection,
    lesson: TrainingResult,
    standing: ServingStatus,
    reason: str,
    *,
    by: str,
) -> ModelVersion:
    """Record a training, audited, as the skill's newest version; the one before is retired.

    Where the newest one was taught the same data and is sound, that one is returned and
    nothing recorded.
    """
    advisory_lock(connection, "models")
    before = _newest(connection, lesson.kind)
    if before is not None and before.fingerprint == lesson.fingerprint:
        with suppress(NotFound, InvalidInput):  # what is damaged is replaced
            _content(connection, lesson.kind, before.number)
            return before
    number = before.number + 1 if before else 1
    row = {
        "skill": lesson.kind,
        "number": number,
        "trained_at": to_db_time(lesson.trained_at),
        "first_day": lesson.first.isoformat() if lesson.first else None,
        "last_day": lesson.last.isoformat() if lesson.last else None,
        "fingerprint": lesson.fingerprint,
        "seconds": lesson.seconds,
        "facts": json.dumps(encode(lesson.facts)),
        "standing": standing,
        "reason": reason,
        "accuracy": "{}",
        "size": len(lesson.content),
        "digest": sha256(lesson.content).hexdigest(),
    }
    if before is not None and before.serving_status is not ServingStatus.RETIRED:
        retired = {"standing": ServingStatus.RETIRED, "reason": f"version {number} answers"}
        older = _of(versions, lesson.kind, before.number)
        connection.execute(sa.update(versions).where(*older).values(retired))
    connection.execute(sa.insert(versions), row)
    kept = {"skill": lesson.kind, "number": number, "content": lesson.content}
    connection.execute(sa.insert(model_artifacts), kept)
    old = sa.and_(model_artifacts.c.skill == lesson.kind, model_artifacts.c.number <= number - KEPT)
    connection.execute(sa.delete(model_artifacts).where(old))
    action = {"type": "train_model", "skill": lesson.kind, "version": number}
    subject = f"model/{lesson.kind}/{number}"
    noted = control_row(subject, action, actor=by, reason=reason, now=lesson.trained_at)
    audit.append(connection, [noted])
    of_version = sa.select(versions).where(*_of(versions, lesson.kind, number))
    return _version(connection.execute(of_version).one())


def _newest(connection: Connection, skill: ModelKind) -> ModelVersion | None:
    """Return the skill's newest version, or None before the first."""
    of_topic = sa.select(versions).where(versions.c.skill == skill)
    row = connection.execute(of_topic.order_by(versions.c.number.desc()).limit(1)).one_or_none()
    return None if row is None else _version(row)


def _content(connection: Connection, skill: ModelKind, number: int) -> bytes:
    """Return what the version learnt.

    Raises `NotFound` where it is not kept any more, `InvalidInput` where it is damaged.
    """
    query = sa.select(model_artifacts.c.content).where(*_of(model_artifacts, skill, number))
    found = connection.execute(query).scalar_one_or_none()
    if found is None:
        raise NotFound("content of version", f"{skill}/{number}")
    digest = sa.select(versions.c.digest).where(*_of(versions, skill, number))
    if sha256(found).hexdigest() != connection.execute(digest).scalar_one():
        raise InvalidInput("content", f"of version {skill}/{number} is damaged; train again")
    return bytes(found)


def _of(table: sa.Table, skill: ModelKind, number: int) -> "tuple[sa.ColumnElement[bool], ...]":
    return table.c.skill == skill, table.c.number == number


def _version(row: Any) -> ModelVersion:
    return ModelVersion(
        kind=ModelKind(row.skill),
        number=row.number,
        trained_at=from_db_time(row.trained_at),
        first=date.fromisoformat(row.first_day) if row.first_day else None,
        last=date.fromisoformat(row.last_day) if row.last_day else None,
        fingerprint=row.fingerprint,
        seconds=row.seconds,
        facts=json.loads(row.facts),
        size=row.size,
        serving_status=ServingStatus(row.standing),
        reason=row.reason,
        accuracy=json.loads(row.accuracy),
        scored_to=date.fromisoformat(row.scored_to) if row.scored_to else None,
    )


def _note_request(connection: Connection, skill: ModelKind, *, by: str, now: datetime) -> None:
    subject = f"train/{skill}/{audit.position(connection) + 1}"
    action = {"type": "train_model", "model": skill}
    audit.append(connection, [control_row(subject, action, actor=by, reason="train", now=now)])


@dataclass(frozen=True)
class SqlModelRegistry:
    """The journal's part about models, over its database."""

    database: Database

    add = writing(_add)
    note_request = writing(_note_request)

    async def versions(self, skill: ModelKind | None = None) -> Sequence[ModelVersion]:
        """Return the versions of a skill (of all when None), newest first."""
        query = sa.select(versions).order_by(versions.c.skill, versions.c.number.desc())
        if skill is not None:
            query = query.where(versions.c.skill == skill)
        return await self.database.read(lambda c: [_version(row) for row in c.execute(query)])

    newest = reading(_newest)

    async def numbers(self) -> Mapping[ModelKind, int]:
        """Return the number of each skill's newest version; one without versions is left out."""
        newest = sa.func.max(versions.c.number)
        query = sa.select(versions.c.skill, newest).group_by(versions.c.skill)
        return await self.database.read(lambda c: {ModelKind(s): n for s, n in c.execute(query)})

    async def version(self, skill: ModelKind, number: int) -> ModelVersion:
        """Return one version; raises `NotFound`."""
        query = sa.select(versions).where(*_of(versions, skill, number))
        row = await self.database.read(lambda c: c.execute(query).one_or_none())
        if row is None:
            raise NotFound("version", f"{skill}/{number}")
        return _version(row)

    content = reading(_content)

    async def score(
        self, version: ModelVersion, accuracy: Mapping[str, Any], by_series: bytes, to: date
    ) -> None:
        """Record how a version did on what happened up to that day, in all and per series."""
        values = {"accuracy": json.dumps(encode(accuracy)), "scored_to": to.isoformat()}

        def record(connection: Connection) -> None:
            of_version = sa.update(versions).where(*_of(versions, version.kind, version.number))
            connection.execute(of_version.values(values))
            of_content = sa.update(model_artifacts).where(
                *_of(model_artifacts, version.kind, version.number)
            )
            connection.execute(of_content.values(scores=by_series))

        await self.database.write(record)

    async def scores(self, skill: ModelKind) -> Sequence[bytes]:
        """Return how the skill's versions did per series, newest first."""
        query = (
            sa.select(model_artifacts.c.scores)
            .where(model_artifacts.c.skill == skill, model_artifacts.c.scores.is_not(None))
            .order_by(model_artifacts.c.number.desc())
        )
        return await self.database.read(lambda c: [bytes(s) for s in c.execute(query).scalars()])
