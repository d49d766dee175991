"""From where on something is trouble."""

from typing import Annotated

from pydantic import Field

from storecrew.sdk import AgentSettings

_Count = Annotated[int, Field(ge=1)]
_Positive = Annotated[float, Field(gt=0)]
_Share = Annotated[float, Field(gt=0, le=1)]


class ResolverSettings(AgentSettings):
    """Thresholds and windows."""

    payment_failures: _Count = 5
    """Failures of one payment method within the window before it is analysed: fewer are chance."""
    payment_minutes: _Positive = 60
    """Window in which payments are counted."""
    usual_failure_rate: _Share = 0.05
    """Share of payments that fails on ordinary days: cards without funds, mistyped numbers."""
    max_probability: _Share = 0.002
    """A count that is less probable than this on ordinary days is a fault."""
    trial_minutes: _Positive = 30
    """Minutes after which a payment method that was disabled is tried again; doubled each time."""
    agent_failures: _Count = 3
    """Runs of an agent that failed for good within the window before it is paused."""
    agent_hours: _Positive = 6
    """Window in which failed runs are counted."""
    service_failures: _Count = 3
    """Failures of a service within a day after which a restart helps no more."""
    rejected_observations: _Count = 20
    """Rejected observations of one kind within an hour before a person is called."""
