"""Services as their owner describes them, in a YAML file or in a request: strictly read."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from storecrew.app.yaml_files import read_yaml
from storecrew.domain.control.services import (
    HealthCheckConfig,
    Resources,
    RestartPolicy,
    ServiceSpec,
)
from storecrew.domain.errors import InvalidInput, InvalidSettings
from storecrew.supervisor import bytes_of, dependency_order, share_of
from storecrew.supervisor.launch import words

RESERVED = {"orchestrator", "dashboard", "announce", "logs"}
"""Names that log files and routes already have."""


_OWN_LOG = re.compile(r"orchestrator-[0-9]+")
"""Logs of the processes beside the first."""


def _free(name: str) -> str:
    if name.lower() in RESERVED or _OWN_LOG.fullmatch(name.lower()):
        raise ValueError(f"{name!r} is a name of storecrew's own; choose another")
    return name


ServiceId = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$"),
    AfterValidator(_free),
]
_Line = Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00-\x1f]*$")]
_Command = Annotated[
    str, StringConstraints(min_length=1, max_length=4000, pattern=r"^[^\x00-\x1f]*$")
]
Url = Annotated[
    str, StringConstraints(max_length=500, pattern=r"^(https?://|\$\{)[^\s\x00-\x1f]+$")
]


def _text(value: Any) -> Any:
    """Take a whole number for its digits, as YAML reads a port without quotes."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


_Name = Annotated[str, StringConstraints(max_length=200, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
_Value = Annotated[
    str, BeforeValidator(_text), StringConstraints(max_length=20_000, pattern=r"^[^\x00]*$")
]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class RestartPolicyFields(_Part):
    """How often a service that ends is started again; what is left out is as in `recovery`."""

    max_retries: Annotated[int, Ge(0), Le(1_000_000)] | None = None
    backoff_seconds: Annotated[float, Ge(0), Le(86_400)] | None = None


class ResourceFields(_Part):
    """The most that a service and its children may use."""

    max_memory: str | None = None
    max_cpu: str | None = None

    @field_validator("max_memory")
    @classmethod
    def _size(cls, text: str | None) -> str | None:
        return _read(bytes_of, text)

    @field_validator("max_cpu")
    @classmethod
    def _share(cls, text: str | None) -> str | None:
        return _read(share_of, text)


def _read(parse: Any, text: str | None) -> str | None:
    try:
        if text is not None:
            parse(text)
    except InvalidInput as error:
        raise ValueError(error.problem) from None
    return text


class HealthCheckFields(_Part):
    """How often it is asked for its health; what is left out is as in `monitoring`."""

    interval: Annotated[float, Gt(0), Le(86_400)] | None = None
    timeout: Annotated[float, Gt(0), Le(600)] | None = None


class ServiceFile(_Part):
    """A service: the keys of its YAML file, which are those of its registration as well."""

    id: ServiceId
    name: _Line = ""
    type: _Line = "service"
    executable: _Command
    health_endpoint: Url | None = None
    api_endpoint: Url | None = None
    auto_start: bool = False
    restart_policy: RestartPolicyFields = RestartPolicyFields()
    resources: ResourceFields = ResourceFields()
    environment: Annotated[dict[_Name, _Value], Field(max_length=200)] = Field(
        default_factory=dict[str, str]
    )
    depends_on: Annotated[list[ServiceId], Field(max_length=100)] = Field(default_factory=list[str])
    user: Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_-]{0,31}$")] | None = None
    working_directory: _Line | None = None
    stop_timeout: Annotated[float, Ge(0), Le(3600)] = 10.0
    health: HealthCheckFields = HealthCheckFields()
    health_status: Literal["json", "any-2xx"] = "json"

    @field_validator("executable")
    @classmethod
    def _splits(cls, value: str) -> str:
        return _read(words, value) or ""

    @model_validator(mode="after")
    def _not_itself(self) -> "ServiceFile":
        if self.id in self.depends_on:
            raise ValueError("depends_on: a service cannot depend on itself")
        return self

    def spec(self) -> ServiceSpec:
        """Return it as the supervisor takes it."""
        return ServiceSpec(
            id=self.id,
            name=self.name,
            type=self.type,
            executable=self.executable,
            health_endpoint=self.health_endpoint,
            api_endpoint=self.api_endpoint,
            auto_start=self.auto_start,
            restart_policy=RestartPolicy(**self.restart_policy.model_dump()),
            resources=Resources(**self.resources.model_dump()),
            environment=dict(self.environment),
            depends_on=tuple(self.depends_on),
            user=self.user,
            working_directory=self.working_directory,
            stop_timeout=self.stop_timeout,
            health=HealthCheckConfig(**self.health.model_dump(), status=self.health_status),
        )


def read_services(folder: Path) -> list[ServiceSpec]:
    """Return the services that the YAML files of a folder describe, by file name.

    Raises `InvalidSettings` with every unknown or wrong key of every file.
    """
    found: dict[str, ServiceSpec] = {}
    problems: list[str] = []
    for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
        try:
            spec = ServiceFile.model_validate(read_yaml(path)).spec()
        except ValidationError as error:
            problems += [f"{path}: {problem}" for problem in _problems(error)]
            continue
        except InvalidSettings as error:
            problems += error.problems
            continue
        if spec.id in found:
            problems.append(f"{path}: id: another file describes {spec.id!r}; choose another id")
        found[spec.id] = spec
    if problems:
        raise InvalidSettings(problems)
    try:
        dependency_order({spec.id: spec.depends_on for spec in found.values()})
    except InvalidInput as error:
        raise InvalidSettings([f"{folder}: {error}"]) from None
    return list(found.values())


def _problems(error: ValidationError) -> list[str]:
    return [_problem(found) for found in error.errors(include_url=False)]


def _problem(found: Mapping[str, Any]) -> str:
    key = ".".join(str(part) for part in found["loc"])
    if found["type"] == "extra_forbidden":
        return f"{key}: is no key of a service; known are {', '.join(ServiceFile.model_fields)}"
    message = found["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return f"{key}: {message}" if key else message
