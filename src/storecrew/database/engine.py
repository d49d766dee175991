"""SQLAlchemy engines set up for books: every commit on disk, bounded waits, foreign keys on."""

import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool, StaticPool

from storecrew.database.prepared import PreparedConnection
from storecrew.database.private_files import make_private_file


@dataclass(frozen=True, kw_only=True)
class Durability:
    """How SQLite keeps what it was told."""

    synchronous: str = "FULL"
    """`FULL`: a commit survives a power cut. `OFF` only for data that can be made again."""
    busy_seconds: float = 10.0
    """How long to wait for another process's write, in seconds, before saying so."""


DURABLE = Durability()
DISPOSABLE = Durability(synchronous="OFF")


_STATEMENTS = 512
"""Statements that a SQLite connection keeps parsed; there are more than the driver's own 128."""


def connect(
    url: str, *, schema: str = "", durability: Durability = DURABLE, pool_size: int = 5
) -> Engine:
    """Return an engine for `sqlite:///path`, `sqlite://` (memory) or a Postgres URL.

    `schema` is where tables live on Postgres; a SQLite file is a schema of its own.

    On SQLite a transaction begins IMMEDIATE unless the connection carries the execution option
    `deferred`, so that a writer never fails half-way for a lock that it could have had at first.
    """
    parsed = sa.make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return _postgres(parsed, schema, durability, pool_size)
    in_memory = parsed.database in (None, "", ":memory:")
    if not in_memory:
        make_private_file(Path(str(parsed.database)))
    engine = sa.create_engine(
        parsed,
        poolclass=StaticPool if in_memory else QueuePool,
        connect_args={
            "check_same_thread": False,
            "timeout": durability.busy_seconds,
            "cached_statements": _STATEMENTS,
        },
        **({} if in_memory else {"pool_size": pool_size, "max_overflow": 0}),
    )
    _prepare_connections(engine, durability)
    _begin_immediate(engine)
    return engine


def connect_for_library(url: str, *, schema: str = "", pool_size: int = 20) -> Engine:
    """Return an engine as durable as `connect`'s for a library that begins its own transactions."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return _postgres(parsed, schema, DURABLE, pool_size)
    make_private_file(Path(str(parsed.database)))
    arguments = {"check_same_thread": False, "timeout": 30.0, "isolation_level": "IMMEDIATE"}
    engine = sa.create_engine(parsed, connect_args=arguments, pool_size=pool_size, max_overflow=0)
    _prepare_connections(engine, DURABLE)
    return engine


def _postgres(url: sa.URL, schema: str, durability: Durability, pool_size: int) -> Engine:
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    wait = int(durability.busy_seconds * 1000)
    options = f"-c lock_timeout={wait} -c idle_in_transaction_session_timeout=60000"
    if schema:
        options += f" -c search_path={schema}"
    engine = sa.create_engine(
        url, connect_args={"options": options}, pool_size=pool_size, max_overflow=0
    )
    _ping_idle_connections(engine)
    return engine


_IDLE_SECONDS = 1.0
"""How long a connection may lie unused before it has to prove that its server is still there."""


def _ping_idle_connections(engine: Engine) -> None:
    """Replace connections whose server has gone, without asking before every transaction."""

    @event.listens_for(engine, "checkin")
    def rest(_connection: object, record: ConnectionPoolEntry) -> None:
        record.info["rests_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def prove(connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: object) -> None:
        now = time.monotonic()
        if now - record.info.get("rests_since", now) < _IDLE_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error


def _prepare_connections(engine: Engine, durability: Durability) -> None:
    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        # SQLite before 3.42 lacks unixepoch('subsec'), which the durable engine's tables use.
        connection.create_function("unixepoch", 1, lambda _modifier: time.time())
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={durability.synchronous}")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA cache_size=-32000")


def _begin_immediate(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def leave_to_sqlalchemy(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # its begin event decides, not the driver

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        driver: Any = connection.connection.dbapi_connection
        if driver.in_transaction:
            return  # it was begun without SQLAlchemy, which joins it now
        deferred = connection.get_execution_options().get("deferred", False)
        if isinstance(connection, PreparedConnection):
            deferred = connection.deferred
        connection.exec_driver_sql("BEGIN" if deferred else "BEGIN IMMEDIATE")
