"""In which order services start: what one depends on comes before it."""

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from storecrew.domain.errors import InvalidInput


def dependency_order(depends_on: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the services so that each follows what it depends on.

    Raises `InvalidInput` for a circle, and for a dependency that nobody knows.
    """
    for service, needed in depends_on.items():
        for other in needed:
            if other not in depends_on:
                known = ", ".join(sorted(depends_on)) or "none"
                problem = f"{service!r} depends on {other!r}, which is no service; known: {known}"
                raise InvalidInput("depends_on", problem)
    try:
        return list(TopologicalSorter(depends_on).static_order())
    except CycleError as error:
        circle = " → ".join(reversed(error.args[1]))
        raise InvalidInput("depends_on", f"services wait for each other: {circle}") from None
