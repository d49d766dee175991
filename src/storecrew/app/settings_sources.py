"""Where settings come from: the YAML file, `.env`, the environment, and the older names in it."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsError

from storecrew.domain.errors import InvalidSettings

PREFIX = "STORECREW_"
FILES = ("storecrew.yaml", "config/orchestrator.yaml")
"""Searched in this order in the working directory; the first one found is read."""

PLAIN_NAMES = {
    "HOST": ("orchestrator", "host"),
    "PORT": ("orchestrator", "port"),
    "LOG_LEVEL": ("orchestrator", "log_level"),
    "ORCHESTRATOR_INTERVAL_SECONDS": ("orchestrator", "interval_seconds"),
    "ORCHESTRATOR_MAX_CONCURRENT": ("orchestrator", "max_concurrent"),
    "ENABLE_ROYALGPT_ORCHESTRATION": ("orchestrator", "enabled"),
    "SUPPRESS_HEALTH_LOGS": ("orchestrator", "suppress_health_logs"),
    "DISABLE_ACCESS_LOG": ("orchestrator", "disable_access_log"),
    "SERVICE_VERSION": ("orchestrator", "service_version"),
    "ENV": ("orchestrator", "env"),
    "LOG_FORMAT": ("orchestrator", "log_format"),
    "SENTRY_DSN": ("orchestrator", "sentry_dsn"),
    "API_KEY_ROYALGPT": ("api", "api_key"),
    "AUTHORIZED_AGENTS_SCOPE": ("api", "authorized_agents"),
    "DATABASE_URL": ("database", "url"),
}
"""Variables that platforms and older deployments set, and the keys they stand for."""

NO_SETTINGS = {"STORECREW_SHARED", "STORECREW_TEST_POSTGRES"}
"""Variables with our prefix that tell the tests where their data and their server are."""


def find_file(config: Path | None, directory: Path) -> Path | None:
    """Return the settings file: the one named, else the first of the usual ones that exists."""
    if config is not None:
        if not config.is_file():
            raise InvalidSettings([f"--config: there is no file {str(config)!r}"])
        return config
    return next((f for name in FILES if (f := directory / name).is_file()), None)


def variables(environ: Mapping[str, str], directory: Path) -> dict[str, str]:
    """Return `.env` with the real environment over it; empty ones count as not set.

    A secret may be named by the file it stands in: `API_KEY_ROYALGPT_FILE`.
    """
    found = _dotenv(directory / ".env")
    found.update(environ)
    for name in _IN_FILES:
        if path := found.get(f"{name}_FILE"):
            found.setdefault(name, _secret_of(f"{name}_FILE", Path(path)))
    return {name: value for name, value in found.items() if value}


def _dotenv(path: Path) -> dict[str, str | None]:
    try:
        return dict(dotenv_values(path, interpolate=False))
    except Exception as error:  # whatever its parser meets in a file
        raise InvalidSettings([f"{path}: cannot be read as NAME=value lines: {error}"]) from error


_IN_FILES = ("API_KEY_ROYALGPT", "DATABASE_URL", "SENTRY_DSN")
"""Secrets that may stand in a file, as orchestrators of containers hand them over."""


def _secret_of(name: str, path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSettings([f"{name}: cannot read {str(path)!r}"]) from error


def plain(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings that the variables without our prefix stand for."""
    settings: dict[str, Any] = {}
    for name, (section, key) in PLAIN_NAMES.items():
        if name in environ:
            settings.setdefault(section, {})[key] = environ[name]
    return settings


def nested(environ: Mapping[str, str], settings: type[BaseSettings]) -> dict[str, Any]:
    """Return the settings in `STORECREW_SECTION__KEY` variables; a list or mapping is JSON."""
    ours = {name: value for name, value in environ.items() if _is_ours(name)}
    sections = {name.upper().removeprefix(PREFIX).partition("__")[0]: name for name in ours}
    if unknown := [n for s, n in sections.items() if s.lower() not in settings.model_fields]:
        known = ", ".join(PREFIX + name.upper() for name in settings.model_fields)
        raise InvalidSettings([f"{n}: is no setting; they begin with {known}" for n in unknown])
    try:
        return {key: _decoded(value) for key, value in _Environment(settings, ours)().items()}
    except (SettingsError, ValueError) as error:
        raise InvalidSettings([f"environment: {error}; write lists as JSON"]) from error


def _is_ours(name: str) -> bool:
    return name.upper().startswith(PREFIX) and name.upper() not in NO_SETTINGS


def merged(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the layers as one, key by key; a later one wins."""
    whole: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            below = whole.get(key)
            if isinstance(below, Mapping) and isinstance(value, Mapping):
                whole[key] = merged(below, value)
            else:
                whole[key] = value
    return whole


def key_paths(layer: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the path of each key that a layer sets, as `section.key`."""
    for key, value in layer.items():
        if isinstance(value, Mapping) and value:
            yield from key_paths(value, (*path, str(key)))
        else:
            yield ".".join((*path, str(key)))


def _decoded(value: Any) -> Any:
    """Read JSON lists and mappings wherever they stand."""
    if isinstance(value, Mapping):
        return {key: _decoded(inner) for key, inner in value.items()}
    return json.loads(value) if isinstance(value, str) and value[:1] in ("[", "{") else value


class _Environment(EnvSettingsSource):
    """Reads nested variables from the mapping it is given."""

    def __init__(self, settings: type[BaseSettings], environ: Mapping[str, str]) -> None:
        self._given = {name.lower(): value for name, value in environ.items()}
        super().__init__(settings, env_prefix=PREFIX, env_nested_delimiter="__")

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return self._given
