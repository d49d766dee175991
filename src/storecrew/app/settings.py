"""Everything the owner can set: one file, the environment over it, flags over both."""

import os
from collections.abc import Mapping
from decimal import Decimal
from importlib.metadata import version
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    SecretStr,
    Tag,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from storecrew.app import settings_sources
from storecrew.app.currency_scale import default_limits
from storecrew.app.setting_types import (
    AlertUrl,
    Currency,
    DatabaseUrl,
    Folder,
    ListenHost,
    OneLine,
    Origin,
    QuietHours,
    SentryDsn,
)
from storecrew.app.settings_problems import LIST, MAPPING, problems_of
from storecrew.app.yaml_files import read_yaml
from storecrew.domain.codec import REPORTABLE
from storecrew.domain.control.agents import Budget
from storecrew.domain.errors import InvalidInput, InvalidSettings
from storecrew.domain.money import Money
from storecrew.domain.shop.inventory import DEFAULT_WAREHOUSE
from storecrew.learning.settings import ModelSettings
from storecrew.mail.settings import MailSettings
from storecrew.policy.settings import HostName, PolicySettings
from storecrew.web.settings import FetchSettings


def _listed(value: Any) -> Any:
    """Take a comma list for a list, as older deployments write it."""
    if isinstance(value, str):
        return tuple(name.strip() for name in value.split(",") if name.strip())
    return value


def _translated(given: Any, build: ValidatorFunctionWrapHandler) -> Any:
    """Build a value whose class checks itself; its error becomes one of validation."""
    try:
        return build(given)
    except InvalidInput as error:
        raise ValueError(f"{error.field}: {error.problem}") from error


_Seconds = Annotated[float, Gt(0), Le(86_400)]
_Rate = Annotated[int, Ge(0), Le(10**9)]


class Section(BaseModel):
    """A part of the settings: unknown keys are refused, values never change."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        validate_default=True,
    )


class OrchestratorSettings(Section):
    """The process: where it listens, where its files are, how much it does at once."""

    host: ListenHost = "127.0.0.1"
    """Address to listen on. Loopback, because nothing else is safe before a key is set."""
    port: Annotated[int, Ge(0), Field(le=65535)] = 8000
    """TCP port to listen on; 0 takes a free one. 8000 is what every door of the product names."""
    log_level: OneLine = "info"
    """Least severe log line that is written, in any case; an unknown one counts as info."""
    data_dir: Folder = Path("data")
    """Folder of the databases. Relative to the working directory, so a checkout just works."""
    log_dir: Folder = Path("logs")
    """Folder of the log files, apart from the data because it is backed up differently."""
    services_dir: Folder = Path("services")
    """Folder of the YAML files that describe services, one each. It need not exist."""
    interval_seconds: Annotated[float, Gt(0), Le(86_400)] = 10.0
    """Longest pause in seconds between sweeps for overdue, hung and retried work; events and
    due schedules do not wait for it."""
    max_concurrent: Annotated[int, Ge(1), Le(10_000)] = 10
    """Runs at once, over all agents. Ten keep a laptop busy without starving its owner."""
    enabled: bool = True
    """Whether schedules and events start runs. When false only a person does."""
    env: OneLine = "development"
    """`production` refuses weak keys; anything else is a place to try things."""
    suppress_health_logs: bool = True
    """Whether probes are left out of the access log, where they would be most of it."""
    disable_access_log: bool = False
    """Whether the access log is off; failed requests are written all the same."""
    log_format: Literal["text", "json"] = "text"
    """`text` is for people, `json` writes one object a line for programs that collect logs."""
    tls_cert: Folder | None = None
    """PEM file with the server's certificate. None serves plain HTTP, for this machine or behind
    a proxy that encrypts."""
    tls_key: Folder | None = None
    """PEM file with the certificate's private key; needed with it."""
    sentry_dsn: SentryDsn | None = None
    """Where unhandled errors are sent, without secrets. None sends them nowhere."""
    service_version: OneLine = Field(default_factory=lambda: version("storecrew"))
    """Version shown by `/` and `/health`: the package's, unless a build has its own name."""

    @model_validator(mode="after")
    def _certificate_with_key(self) -> "OrchestratorSettings":
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key are given together, or neither")
        return self

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

    url: DatabaseUrl | None = None
    """Postgres URL for the store, the journal and the engine (a schema each). None keeps three
    SQLite files in the data folder, which need no server."""
    path: Folder | None = None
    """File of the journal; None is `registry.db` in the data folder. Ignored with a URL."""


class RouteLimits(Section):
    """Requests a minute and caller on the order endpoints; 0 is no limit."""

    mail: _Rate = 10
    """Orders submitted: more than a person types."""
    warehouse: _Rate = 20
    """Stock updates: a scanner's pace."""
    approve: _Rate = 15
    """Approvals: one every four seconds."""
    fulfilled: _Rate = 10
    """Parcels handed over: a packer's pace."""


class ApiSettings(Section):
    """The HTTP API: who may call it, and how often."""

    api_key: SecretStr | None = None
    """Key that every caller must show. None admits only callers on this machine."""
    cors_origins: tuple[Literal["*"] | Origin, ...] = ("http://localhost:3000",)
    """Web origins whose pages may call; the default is the dashboard's development server."""
    hosts: tuple[HostName, ...] = ()
    """Names under which others may call, once there is a key; this machine's own always count.
    Empty takes any name: a key, unlike an address, cannot be borrowed by a page in a browser."""
    session_hours: Annotated[float, Gt(0), Field(le=24 * 31)] = 12.0
    """Hours after which a person logs in again: a working day."""
    authorized_agents: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ("*",)
    """Agents that callers may trigger; `*` is any. Schedules and events are not affected."""
    rate_limit: _Rate = 100
    """Writes a minute and caller, reads 20 times that; 0 is no limit. Far above what a person
    or a well-behaved program needs."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses or networks of proxies before this server. From them, and from no other caller,
    the address in X-Forwarded-For counts for limits, the audit and the log."""
    max_connections: Annotated[int, Ge(1), Le(10**6)] = 1000
    """Most open connections; fewer where the process may not open so many files. Above it, and
    above the limit of an address, idle connections and half-sent requests are closed first."""
    max_connections_per_address: Annotated[int, Ge(1), Le(10**6)] = 200
    """Most open connections of one address; at most half of all."""
    header_timeout: _Seconds = 10.0
    """Seconds in which a request's headers must come."""
    body_timeout: _Seconds = 60.0
    """Seconds in which a request's body, 1 MB at most, must come."""
    keep_alive_timeout: Annotated[int, Ge(1), Le(86_400)] = 5
    """Seconds for which a connection stays open between two requests."""
    route_limits: RouteLimits = RouteLimits()
    """Limits of the order endpoints, which hold in place of the general one."""

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for each in networks:
            try:
                ip_network(each, strict=False)
            except ValueError as error:
                raise ValueError(f"{each!r} is no address or network: {error}") from error
        return networks

    def may_trigger(self, agent: str) -> bool:
        """Tell whether callers may trigger this agent."""
        return "*" in self.authorized_agents or agent in self.authorized_agents


class WebhookSettings(Section):
    """One system that reports what happened there."""

    secret: Annotated[SecretStr, Field(min_length=16)]
    """Key under which its deliveries are signed (HMAC-SHA256 over the body)."""
    previous_secret: Annotated[SecretStr, Field(min_length=16)] | None = None
    """The key of before, which still counts while the other side changes over."""
    tolerance_seconds: Annotated[int, Ge(0), Le(31_536_000)] = 300
    """Oldest delivery in seconds that is taken where the sender signs the time; 0 takes any age."""
    topics: tuple[OneLine, ...] = ()
    """Topics under which the same content is an event of its own. Senders name the topic in a
    header that is not signed, so under any other topic repeated content is a repeated delivery."""
    events: tuple[str, ...] = ()
    """Events of the product that it may record, such as `StockReported`. All else is kept in the
    sender's own words, which change nothing by themselves."""

    @field_validator("events")
    @classmethod
    def _reportable(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := sorted(set(names) - REPORTABLE.keys()):
            raise ValueError(f"{unknown[0]!r} is none of {', '.join(sorted(REPORTABLE))}")
        return names


class MonitoringSettings(Section):
    """How services are asked for their health, unless they say otherwise."""

    interval: _Seconds = 30.0
    """Seconds between two questions to a service. A new one is asked every second until it is
    well; memory is looked at twice a second whatever stands here."""
    timeout: _Seconds = 10.0
    """Seconds after which an answer is late, and the service unhealthy."""
    enabled: bool = True
    """Whether services are asked at all. Without it a hang goes unnoticed."""


class RecoverySettings(Section):
    """How services that end are started again, unless they say otherwise."""

    enabled: bool = True
    """Whether they are. Without it a service that ends is `failed` at once."""
    max_retries: Annotated[int, Ge(0), Le(1_000_000)] = 3
    """Restarts in a row; after the last one it is `failed` until a person starts it. Five minutes
    in good health wipe the count."""
    backoff_seconds: Annotated[float, Ge(0), Le(86_400)] = 30.0
    """Seconds before the second restart, doubled for each further one; the first comes at once."""


class StoreSettings(Section):
    """The shop."""

    currency: Currency = "EUR"
    """ISO 4217 code of the shop's money: one, because amounts are never converted."""
    warehouse: OneLine = DEFAULT_WAREHOUSE
    """Where stock is counted and sold from unless a request names another place."""


class RemoteAgentSettings(Section):
    """Agents that run elsewhere and are woken by a call."""

    allow_private: bool = False
    """Whether their endpoints may lie on this machine or a private network. Off, because whoever
    registers one could else let the plane call what stands behind the firewall."""


class AgentBudget(Section):
    """What an agent may use up on one day of the shop; what is not named has no limit."""

    runs: Annotated[int, Ge(0), Le(10**9)] | None = None
    """Runs."""
    tokens: Annotated[int, Ge(0), Le(10**15)] | None = None
    """Tokens of language models."""
    money: Annotated[Decimal, Ge(0), Le(10**12)] | None = None
    """Amount in the shop's currency that its actions spend."""

    def in_currency(self, currency: str) -> Budget:
        """Return the budget in the shop's currency."""
        money = None if self.money is None else Money(self.money, currency)
        return Budget(runs=self.runs, tokens=self.tokens, money=money)


class AgentSection(Section):
    """What the owner sets for one agent: the keys below, and those that the agent declares."""

    model_config = ConfigDict(extra="allow")

    enabled: bool = True
    """Whether the agent runs."""
    budget: AgentBudget | None = None
    """What it may use up on one day; None leaves what the agent declares."""
    source: Annotated[str, Field(pattern=r"^(remote|[\w.]+:\w+)$")] | None = None
    """Where an agent of the owner's own stands, as `module:name`, or `remote` for one that
    registers itself over HTTP."""

    @property
    def options(self) -> Mapping[str, Any]:
        """The agent's own settings, unparsed."""
        return self.model_extra or {}


class AlertSettings(Section):
    """Who is alerted of incidents, and when."""

    urls: tuple[AlertUrl, ...] = ()
    """Where to tell it, as Apprise writes addresses: `mailto://`, `slack://`, `pagerduty://` and
    a hundred more; `json://` calls a webhook. None tells nobody."""
    threshold: Annotated[int, Ge(1), Le(10**6)] = 5
    """Failures of an agent in a row before somebody is told: what passes by itself is no alert."""
    max_age_seconds: _Seconds = 120.0
    """Age in seconds after which a heartbeat is stale: eight missed ones."""
    quiet_hours: QuietHours = ""
    """Hours of the shop (`policy.zone`), such as `22:00-07:00`, in which alerts of stale agents and
    of what is over wait until they end. Empty is never quiet."""
    repeat_hours: Annotated[float, Ge(0), Le(87_600)] = 0.0
    """Hours after which an incident that is still open is told again; 0 tells each one once."""


class RetentionSettings(Section):
    """How long finished work is kept. The audit is kept for ever."""

    days: Annotated[int, Ge(1), Le(36_500)] = 90
    """Days after which events and finished runs are removed: a season to look back on."""


class Settings(BaseSettings):
    """The whole configuration, checked."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, validate_default=True
    )

    orchestrator: OrchestratorSettings = OrchestratorSettings()
    """The process."""
    secret_key: Annotated[SecretStr, Field(min_length=32)] | None = None
    """Key under which the journal's secrets are encrypted, and the audit's anchors signed
    (STORECREW_SECRET_KEY). None generates one into `secret.key` of the data folder; several
    machines on one database need the same."""
    database: DatabaseSettings = DatabaseSettings()
    """Where the books are kept."""
    api: ApiSettings = ApiSettings()
    """The HTTP door."""
    monitoring: MonitoringSettings = MonitoringSettings()
    """How services are asked for their health."""
    recovery: RecoverySettings = RecoverySettings()
    """How services are started again."""
    store: StoreSettings = StoreSettings()
    """The shop."""
    policy: PolicySettings = PolicySettings()
    """What the crew may do alone, and what never."""
    agents: Annotated[
        Annotated[tuple[str, ...], Tag(LIST)] | Annotated[dict[str, AgentSection], Tag(MAPPING)],
        Discriminator(lambda given: MAPPING if isinstance(given, Mapping) else LIST),
    ] = {}
    """A list names the agents that run. A mapping holds settings per agent, where
    `enabled: false` stops one and `budget` (`runs`, `tokens`, `money`) is what it may use up on a
    day. Without either the whole crew runs as it comes."""
    agents_dir: Folder = Path("agents.d")
    """Folder with a `*.yaml` file for each remote agent. Relative to the working directory."""
    remote_agents: RemoteAgentSettings = RemoteAgentSettings()
    """Agents that run elsewhere."""
    alerts: AlertSettings = AlertSettings()
    """Who is alerted of incidents, and when."""
    models: ModelSettings = ModelSettings()
    """What the crew knows of the shop's numbers."""
    web: Annotated[FetchSettings, WrapValidator(_translated)] = FetchSettings()
    """How pages of others are read."""
    mail: MailSettings = MailSettings()
    """Letters to customers, and the mailbox they write to."""
    retention: RetentionSettings = RetentionSettings()
    """How long finished work is kept."""
    webhooks: dict[str, WebhookSettings] = {}
    """Systems that may report to `/webhooks/{name}`, by name. None may until it has a secret."""

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
        section = self.agents.get(agent)
        return section is None or section.enabled

    @property
    def agent_sections(self) -> Mapping[str, AgentSection]:
        """What is set for single agents, by name."""
        return self.agents if isinstance(self.agents, dict) else {}

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
    layers = _layers(flags or {}, config, environ, directory)
    try:
        given = settings_sources.merged(*(layer for _, layer in layers))
        return Settings(**settings_sources.merged(_limits_in_currency(given), given))
    except ValidationError as error:
        raise InvalidSettings(problems_of(error, Settings)) from error


def _limits_in_currency(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the policy's amounts of money where the shop's currency is not the default one."""
    store = given.get("store")
    currency = store.get("currency") if isinstance(store, Mapping) else None
    if not isinstance(currency, str) or not isinstance(given.get("policy", {}), Mapping):
        return {}
    return {"policy": default_limits(currency)}


def settings_origins(
    *, flags: Mapping[str, Any] | None = None, config: Path | None = None
) -> dict[str, str]:
    """Return where each key that is set comes from, by its path; what is not named is a default."""
    origins: dict[str, str] = {}
    for origin, layer in _layers(flags or {}, config, None, None):
        origins.update(dict.fromkeys(settings_sources.key_paths(layer), origin))
    return origins


def _layers(
    flags: Mapping[str, Any],
    config: Path | None,
    environ: Mapping[str, str] | None,
    directory: Path | None,
) -> list[tuple[str, Mapping[str, Any]]]:
    """Return what each source sets, the strongest last."""
    folder = directory or Path.cwd()
    env = settings_sources.variables(os.environ if environ is None else environ, folder)
    file = settings_sources.find_file(config, folder)
    return [
        (str(file), read_yaml(file) if file else {}),
        ("environment", settings_sources.plain(env)),
        ("environment", settings_sources.nested(env, Settings)),
        ("flag", _given(flags)),
    ]


def _given(flags: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _given(value) if isinstance(value, Mapping) else value
        for key, value in flags.items()
        if value is not None
    }
