"""One database as the async world sees it: reads, and writes that share commits."""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from math import inf
from queue import SimpleQueue
from threading import Thread, get_ident
from time import monotonic
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError

from storecrew.database.errors import translated
from storecrew.database.prepared import PreparedConnection
from storecrew.domain.errors import StorageBusy

T = TypeVar("T")
Work = Callable[[Connection], T]

_GROUP = 64
"""Most writes that may share one commit: keeps the wait of the first among them short."""
_WRITABLE_TTL_SECONDS = 5.0
"""How long a write that went well proves that the next one would."""
_LOCK_TIMEOUT_SECONDS = 2.0
"""How long who only asks waits for a database that is locked."""
_ATTEMPTS = 5
"""Tries of a Postgres transaction that lost a conflict."""


@dataclass
class Database:
    """Runs plain functions of a connection, each in one transaction.

    `read` sees one consistent moment. `write` returns after its commit: what it returned
    survives a crash. On SQLite one thread writes and writes that wait together share a commit,
    each in a savepoint of its own, so a failed one leaves no trace and stops no other. On
    Postgres writes run side by side, and one that loses a conflict runs again: a function given
    to `write` must be safe to call twice. Driver errors come out as `Retryable` or
    `StorageDamaged`.
    """

    engine: Engine
    name: str
    inline: bool = False
    """Run on the caller's thread: for databases in memory and for simulation."""
    fault_hook: Callable[[str], None] = lambda _point: None
    """Called at `read`, `write`, `commit` and `committed`: where a simulation may crash it."""
    _readers: ThreadPoolExecutor | None = field(default=None, init=False)
    _queue: "SimpleQueue[_Write | None]" = field(default_factory=SimpleQueue, init=False)
    _writer: Thread | None = field(default=None, init=False)
    _holding: Connection | None = field(default=None, init=False)
    _kept: tuple[int, PreparedConnection] | None = field(default=None, init=False)
    """A thread that works inline keeps its connection, with the thread's number."""
    _writable_at: float = field(default=-inf, init=False)

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite (one writer at a time) and not Postgres."""
        return self.engine.dialect.name == "sqlite"

    async def read(self, work: Work[T]) -> T:
        """Return what `work` returns, in a transaction that sees one moment."""
        if self.inline:
            self.fault_hook("read")
            return self.run(work, deferred=True)
        if self._readers is None:
            self._readers = ThreadPoolExecutor(4, thread_name_prefix=f"{self.name}-reader")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, partial(self.run, work, deferred=True))

    async def write(self, work: Work[T]) -> T:
        """Return what `work` returns, after its commit."""
        if self.inline:
            return self.run(work)
        if not self.is_sqlite:
            return await self._write_beside(work)
        if self._writer is None:
            self._writer = Thread(target=self._serve, name=f"{self.name}-writer", daemon=True)
            self._writer.start()
        write = _Write(work)
        self._queue.put(write)
        result: T = await asyncio.wrap_future(write.done)
        return result

    async def check_writable(self) -> None:
        """Raise as a write would fail now. Really writes at most every few seconds."""
        if monotonic() - self._writable_at < _WRITABLE_TTL_SECONDS:
            return
        try:
            async with asyncio.timeout(_LOCK_TIMEOUT_SECONDS):
                await self.write(_check_writable)
        except TimeoutError as error:
            raise StorageBusy(self.name) from error
        self._writable_at = monotonic()

    def run(self, work: Work[T], *, deferred: bool = False) -> T:
        """Do the work in one transaction on this thread."""
        with translated(self.name), self._connection(deferred=deferred) as connection:
            with _transaction(connection, deferred=deferred):
                if not deferred:
                    self.fault_hook("write")
                result = work(connection)
                if not deferred:
                    self.fault_hook("commit")
            if not deferred:
                self.fault_hook("committed")
            return result

    def _connection(self, *, deferred: bool) -> AbstractContextManager[Connection]:
        """Return a connection for one transaction: on an inline thread's SQLite always the same."""
        if not self.is_sqlite:
            return self.engine.connect()
        if not self.inline:
            return PreparedConnection(self.engine, deferred=deferred)
        if self._kept is None:
            self._kept = get_ident(), PreparedConnection(self.engine)
        owner, kept = self._kept
        if owner != get_ident() or kept.is_busy:
            return PreparedConnection(self.engine, deferred=deferred)
        kept.deferred = deferred
        return nullcontext(kept)

    async def try_advisory_lock(self, what: str) -> bool:
        """Take a lock on a word until closed or dead; False where another process holds it.

        Asked again it tells whether the lock is still held: its connection may have died. On
        SQLite nobody is asked: one folder belongs to one process by its own lock.
        """
        return self.is_sqlite or await asyncio.to_thread(self._try_advisory_lock, what)

    def _try_advisory_lock(self, what: str) -> bool:
        if self._holding is not None and _is_alive(self._holding):
            return True
        self._holding = None
        connection = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        place = sa.func.hashtext(sa.func.concat(sa.func.current_schema(), "/", what))
        taken = sa.select(sa.func.pg_try_advisory_lock(place))
        if connection.execute(taken).scalar_one():
            self._holding = connection  # the lock ends with its connection
            return True
        connection.close()
        return False

    async def close(self) -> None:
        """Finish what was begun, then release every connection."""
        if self._holding is not None:
            await asyncio.to_thread(_rollback, self._holding)
            self._holding = None
        if self._writer is not None:
            self._queue.put(None)
            await asyncio.to_thread(self._writer.join)
            self._writer = None
        if self._readers is not None:
            self._readers.shutdown(wait=True)
            self._readers = None
        self.release()

    def release(self) -> None:
        """Release every connection, which is all that ends a database of inline work only."""
        if self._kept is not None:
            self._kept[1].close()
            self._kept = None
        self.engine.dispose()

    async def _write_beside(self, work: Work[T]) -> T:
        if self._readers is None:
            self._readers = ThreadPoolExecutor(4, thread_name_prefix=f"{self.name}-reader")
        loop = asyncio.get_running_loop()
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return await loop.run_in_executor(self._readers, partial(self.run, work))
            except StorageBusy:
                if attempt == _ATTEMPTS:
                    raise
                await asyncio.sleep(0.01 * 2**attempt)
        raise StorageBusy(self.name)

    def _serve(self) -> None:
        """Write what is asked for, group by group, until told to stop."""
        while (first := self._queue.get()) is not None:
            group = [first]
            while len(group) < _GROUP and not self._queue.empty():
                if (another := self._queue.get()) is None:
                    self._queue.put(None)
                    break
                group.append(another)
            self._commit(group)

    def _commit(self, group: "list[_Write]") -> None:
        # whose caller has left is not begun; what is begun ends, whoever leaves meanwhile
        group = [write for write in group if write.done.set_running_or_notify_cancel()]
        if not group:
            return
        try:
            self.run(lambda connection: _attempt(group, connection, self.name))
        except BaseException as error:  # noqa: BLE001 - every caller must hear of it
            for write in group:
                write.done.set_exception(error)
        else:
            for write in group:
                write.resolve()


def _transaction(connection: Connection, *, deferred: bool) -> AbstractContextManager[Any]:
    """Return the transaction; Postgres hears that it only reads as it begins."""
    if isinstance(connection, PreparedConnection):
        return connection.transaction()
    if deferred:
        connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return connection.begin()


def _rollback(connection: Connection) -> None:
    """Give up what the connection holds before the caller goes on, then end the connection.

    Ending alone is not enough: the server notices it a moment later.
    """
    with contextlib.suppress(DBAPIError):  # a dead connection holds nothing
        connection.execute(sa.select(sa.func.pg_advisory_unlock_all()))
    connection.invalidate()
    connection.close()


def _is_alive(connection: Connection) -> bool:
    """Tell whether the connection still answers; one that does not is given back."""
    try:
        return bool(connection.execute(sa.select(sa.true())).scalar_one())
    except DBAPIError:
        connection.invalidate()
        connection.close()
        return False


def _check_writable(connection: Connection) -> None:
    """Write what stands there already: the disk must take it all the same."""
    if connection.dialect.name == "sqlite":
        version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
        connection.exec_driver_sql(f"PRAGMA user_version = {int(version)}")
    else:
        connection.execute(sa.select(sa.func.pg_current_xact_id()))


def _attempt(group: "list[_Write]", connection: Connection, name: str) -> None:
    if len(group) == 1:  # nobody to be kept apart from
        group[0].result = group[0].work(connection)
        return
    for write in group:
        write.attempt(connection, name)


@dataclass
class _Write:
    """One caller's transaction, and the future that gets its result."""

    work: Work[Any]
    done: "Future[Any]" = field(default_factory=Future)
    result: Any = None
    error: Exception | None = None

    def attempt(self, connection: Connection, name: str) -> None:
        """Do the work in a savepoint; keep the answer until the commit."""
        savepoint = connection.begin_nested()
        try:
            with translated(name):
                self.result = self.work(connection)
        except Exception as error:  # noqa: BLE001 - it belongs to this caller alone
            self.error = error
            try:
                savepoint.rollback()
            except DBAPIError:  # a full disk ended the whole transaction: all hear why
                raise error from None
        else:
            savepoint.commit()

    def resolve(self) -> None:
        """Tell the caller, now that the commit is on disk."""
        if self.error is not None:
            self.done.set_exception(self.error)
        else:
            self.done.set_result(self.result)
