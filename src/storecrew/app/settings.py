"""Everything the owner can set: one file, the environment over it, flags over both."""

import os
from collections.abc import Mapping
from difflib import get_close_matches
from importlib.metadata import version
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge, Gt
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from storecrew.app import sources
from storecrew.domain.commerce import DEFAULT_WAREHOUSE
from storecrew.domain.errors import InvalidSettings
from storecrew.policy.settings import PolicySettings


class Section(BaseModel):
    """A part of the settings: unknown keys are refused, values never change."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, validate_default=True
    )


class OrchestratorSettings(Section):
    """The process: where it listens, where its files are, how much it does at once."""

    host: str = "127.0.0.1"
    """Address to listen on. Loopback, because nothing else is safe before a key is set."""
    port: Annotated[int, Ge(0), Field(le=65535)] = 8000
    """TCP port to listen on; 0 takes a free one. 8000 is what every door of the product names."""
    log_level: str = "info"
    """Least severe log line that is written, in any case; an unknown one counts as info."""
    data_dir: Path = Path("data")
    """Folder of the databases. Relative to the working directory, so a checkout just works."""
    log_dir: Path = Path("logs")
    """Folder of the log files, apart from the data because it is backed up differently."""
    interval_seconds: Annotated[float, Gt(0)] = 10.0
    """Longest pause in seconds between sweeps for overdue, hung and retried work; events and
    due schedules do not wait for it."""
    max_concurrent: Annotated[int, Ge(1)] = 10
    """Runs at once, over all agents. Ten keep a laptop busy without starving its owner."""
    enabled: bool = True
    """Whether schedules and events start runs. When false only a person does."""
    env: str = "development"
    """`production` refuses weak keys; anything else is a place to try things."""
    suppress_health_logs: bool = True
    """Whether probes are left out of the access log, where they would be most of it."""
    disable_access_log: bool = False
    """Whether the access log is off; failed requests are written all the same."""
    service_version: str = Field(default_factory=lambda: version("storecrew"))
    """Version shown by `/` and `/health`: the package's, unless a build has its own name."""

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        if self.host.lower() == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False


class DatabaseSettings(Section):
    """Where the books are kept."""

    url: SecretStr | None = None
    """Postgres URL for the store, the journal and the engine (a schema each). None keeps three
    SQLite files in the data folder, which need no server."""
    path: Path | None = None
    """File of the journal; None is `registry.db` in the data folder. Ignored with a URL."""


class RouteLimits(Section):
    """Requests a minute and caller on the order endpoints; 0 is no limit."""

    mail: Annotated[int, Ge(0)] = 10
    """Orders submitted: more than a person types."""
    warehouse: Annotated[int, Ge(0)] = 20
    """Stock updates: a scanner's pace."""
    approve: Annotated[int, Ge(0)] = 15
    """Approvals: one every four seconds."""
    fulfilled: Annotated[int, Ge(0)] = 10
    """Parcels handed over: a packer's pace."""


class ApiSettings(Section):
    """The HTTP door: who may come in, and how often."""

    api_key: SecretStr | None = None
    """Key that every caller must show. None admits only callers on this machine."""
    cors_origins: tuple[str, ...] = ("http://localhost:3000",)
    """Web origins whose pages may call; the default is the dashboard's development server."""
    rate_limit: Annotated[int, Ge(0)] = 100
    """Writes a minute and caller, reads 20 times that; 0 is no limit. Far above what a person
    or a well-behaved program needs."""
    route_limits: RouteLimits = RouteLimits()
    """Limits of the order endpoints, which hold in place of the general one."""


class StoreSettings(Section):
    """The shop."""

    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "EUR"
    """ISO 4217 code of the shop's money: one, because amounts are never converted."""
    warehouse: Annotated[str, Field(min_length=1)] = DEFAULT_WAREHOUSE
    """Where stock is counted and sold from unless a request names another place."""


class RetentionSettings(Section):
    """How long finished work is kept. The audit is kept for ever."""

    days: Annotated[int, Ge(1)] = 90
    """Days after which events and finished runs are removed: a season to look back on."""


class Settings(BaseSettings):
    """The whole configuration, checked."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, validate_default=True
    )

    orchestrator: OrchestratorSettings = OrchestratorSettings()
    """The process."""
    database: DatabaseSettings = DatabaseSettings()
    """Where the books are kept."""
    api: ApiSettings = ApiSettings()
    """The HTTP door."""
    store: StoreSettings = StoreSettings()
    """The shop."""
    policy: PolicySettings = PolicySettings()
    """What the crew may do alone, and what never."""
    agents: tuple[str, ...] | dict[str, dict[str, Any]] | None = None
    """A list names the agents that run. A mapping holds settings per agent, where
    `enabled: false` stops one. None runs the whole crew as it comes."""
    retention: RetentionSettings = RetentionSettings()
    """How long finished work is kept."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *_others: PydanticBaseSettingsSource,
        **_named: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take only what is handed in: `load_settings` puts the sources together."""
        return (init_settings,)

    def runs(self, agent: str) -> bool:
        """Tell whether the agent is switched on."""
        if isinstance(self.agents, tuple):
            return agent in self.agents
        return bool(self.options(agent).get("enabled", True))

    def options(self, agent: str) -> Mapping[str, Any]:
        """Return the agent's own settings."""
        return self.agents.get(agent, {}) if isinstance(self.agents, dict) else {}

    @property
    def data_dir(self) -> Path:
        """The folder of the databases."""
        return self.orchestrator.data_dir

    @property
    def api_key(self) -> str | None:
        """The key every caller must show, in clear."""
        return self.api.api_key.get_secret_value() if self.api.api_key else None


def load_settings(
    *,
    flags: Mapping[str, Any] | None = None,
    config: Path | None = None,
    environ: Mapping[str, str] | None = None,
    directory: Path | None = None,
) -> Settings:
    """Return the settings: flags over environment over `.env` over file over defaults.

    `flags` nests as the file does; a None in it counts as not given. Raises `InvalidSettings`
    with every problem found.
    """
    folder = directory or Path.cwd()
    env = sources.variables(os.environ if environ is None else environ, folder)
    file = sources.find_file(config, folder)
    layers = [
        sources.read_file(file) if file else {},
        sources.plain(env),
        sources.nested(env, Settings),
        _given(flags or {}),
    ]
    try:
        return Settings(**sources.merged(*layers))
    except ValidationError as error:
        raise InvalidSettings(_problems(error)) from error


def _given(flags: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _given(value) if isinstance(value, Mapping) else value
        for key, value in flags.items()
        if value is not None
    }


def _problems(error: ValidationError) -> list[str]:
    return list(dict.fromkeys(_problem(found) for found in error.errors(include_url=False)))


def _problem(found: Mapping[str, Any]) -> str:
    path = [str(part) for part in found["loc"]]
    key = ".".join(path)
    if found["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return f"{key}: is not a setting; {_advice(path)}"
    message = found["msg"].removeprefix("Input ").removeprefix("Value error, ")
    is_secret = path[-1] in ("api_key", "url")
    return f"{key}: {message}" + ("" if is_secret else f" (it is {found['input']!r})")


def _advice(path: list[str]) -> str:
    known = known_keys(path[:-1])
    if close := get_close_matches(path[-1], known, 1):
        return f"did you mean {close[0]!r}?"
    return f"known here are {', '.join(known)}"


def known_keys(path: list[str]) -> list[str]:
    """Return the keys that may stand under this path of the settings."""
    here: Any = Settings
    for part in path:
        here = here.model_fields[part].annotation
    return list(getattr(here, "model_fields", None) or here.__dataclass_fields__)
