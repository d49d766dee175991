"""From where on something is trouble: the resolver's section of `storecrew.yaml`."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from storecrew.domain.errors import InvalidInput


@dataclass(frozen=True, kw_only=True)
class ResolverSettings:
    """Thresholds and windows."""

    payment_failures: int = 5
    """Failures of one way to pay within the window before it is looked at: fewer are bad luck."""
    payment_minutes: float = 60
    """Window in which payments are counted."""
    usual_failures: float = 0.05
    """Share of payments that fails on ordinary days: cards without funds, mistyped numbers."""
    chance: float = 0.002
    """A count so rare on ordinary days is a fault."""
    trial_minutes: float = 30
    """Minutes after which a way to pay that was switched off is tried again; doubled each time."""
    agent_failures: int = 3
    """Runs of an agent that failed for good within the window before it is paused."""
    agent_hours: float = 6
    """Window in which failed runs are counted."""
    service_failures: int = 3
    """Failures of a service within a day after which a restart helps no more."""
    odd_values: int = 20
    """Rejected observations of one kind within an hour before a person is called."""

    def __post_init__(self) -> None:
        """Refuse what is no threshold."""
        for each in fields(self):
            if not getattr(self, each.name) > 0:
                raise InvalidInput(each.name, "must be above zero")


def terms_from(settings: Mapping[str, Any]) -> ResolverSettings:
    """Return the terms of the agent's settings, defaults where they say nothing."""
    known = {each.name: type(each.default) for each in fields(ResolverSettings)}
    return ResolverSettings(
        **{n: _number(n, v, known[n]) for n, v in settings.items() if n in known}
    )


def _number(name: str, value: Any, kind: type) -> Any:
    try:
        return kind(str(value))
    except ValueError:
        raise InvalidInput(name, f"{value!r} is not a number") from None
