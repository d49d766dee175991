"""Settings that an agent declares: typed fields, checked when the process starts."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator

from storecrew.domain.errors import InvalidSettings
from storecrew.domain.suggestions import suggestion


class AgentSettings(BaseModel):
    """Base of an agent's settings: unknown keys are refused, values never change.

    A field has a type, a default and, as `Annotated[..., Field(gt=0)]`, its bounds; the line
    below it documents it. Units stand in the name: `hold_days`, `discount_percent`.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        validate_default=True,
    )

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_switch_as_number(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse true and false where the field is not a switch: Python counts them as 1 and 0."""
        field = cls.model_fields[info.field_name or ""]
        if isinstance(value, bool) and field.annotation is not bool:
            raise ValueError("should not be true or false")
        return value


class UncheckedSettings(AgentSettings):
    """Settings that are handed on as they are: those of an agent in another process."""

    model_config = ConfigDict(extra="allow")


S = TypeVar("S", bound=AgentSettings)


def parse_settings(kind: type[S], agent: str, given: Mapping[str, Any]) -> S:
    """Return the agent's settings, defaults where nothing is given.

    Raises `InvalidSettings` that names each wrong key as `agents.AGENT.KEY`.
    """
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        problems = [_problem(kind, agent, found) for found in error.errors(include_url=False)]
        raise InvalidSettings(problems) from error


def _problem(kind: type[AgentSettings], agent: str, found: Any) -> str:
    key = ".".join(["agents", agent, *map(str, found["loc"])])
    if found["type"] == "extra_forbidden":
        known = sorted(kind.model_fields)
        advice = suggestion(str(found["loc"][-1]), known, f"known are {', '.join(known)}")
        return f"{key}: is not a setting; {advice if known else 'the agent has none of its own'}"
    message = found["msg"].removeprefix("Input ").removeprefix("Value error, ")
    return f"{key}: {message}" + (f" (it is {found['input']!r})" if found["loc"] else "")
