"""Which role each route needs: declared on its handler, read when a request comes in."""

from collections.abc import Callable
from typing import Any, TypeVar

from storecrew.domain.control.access import Principal, Role

VIEWER, OPERATOR, ADMIN = Role.VIEWER, Role.OPERATOR, Role.ADMIN
ANYONE = None
"""Open to strangers: probes, and routes that ask for a proof of their own."""

Handler = TypeVar("Handler", bound=Callable[..., Any])
_declared: dict[Callable[..., Any], Role | None] = {}


def requires(role: Role | None) -> Callable[[Handler], Handler]:
    """Declare the least role that a handler's routes need."""

    def declare(handler: Handler) -> Handler:
        _declared[handler] = role
        return handler

    return declare


def role_of(handler: Callable[..., Any]) -> Role | None:
    """Return the declared role; raises `LookupError` where a handler declares none."""
    if handler not in _declared:
        raise LookupError(f"{handler.__module__}.{handler.__qualname__} declares no role")
    return _declared[handler]


def may(caller: Principal | None, needed: Role | None) -> bool:
    """Tell whether the caller may use a route that needs this role."""
    return needed is None or (caller is not None and caller.role.covers(needed))
