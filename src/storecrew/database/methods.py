"""Methods of a repository that are functions of a connection, each run as one transaction."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy.engine import Connection

from storecrew.database.database import Database

P = ParamSpec("P")
T = TypeVar("T")
Function = Callable[Concatenate[Connection, P], T]
Method = Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]


class _HasDatabase(Protocol):
    @property
    def database(self) -> Database: ...


def reading(function: Function[P, T]) -> Method[P, T]:
    """Return a method that calls the function in a transaction that sees one moment."""

    @wraps(function)
    async def method(self: _HasDatabase, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.database.read(lambda c: function(c, *args, **kwargs))

    return method


def writing(function: Function[P, T]) -> Method[P, T]:
    """Return a method that calls the function in a transaction, and returns after its commit."""

    @wraps(function)
    async def method(self: _HasDatabase, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.database.write(lambda c: function(c, *args, **kwargs))

    return method
