"""Everything about the settings that can be checked before anything runs."""

import os
from collections.abc import Callable, Iterator

import apprise

from storecrew.app.agent_settings import configured_agents, unknown_names
from storecrew.app.clocks import SystemClock
from storecrew.app.intent_files import read_phrases
from storecrew.app.manifests import from_files
from storecrew.app.service_files import read_services
from storecrew.app.settings import Settings
from storecrew.domain.errors import InvalidSettings
from storecrew.web.ssrf_guard import OutboundPolicy


def settings_problems(settings: Settings) -> list[str]:
    """Return what is wrong with the settings of agents, and with the files that they name."""
    scope = (("api.authorized_agents", name) for name in settings.api.authorized_agents)
    problems = [*unknown_names(settings, (each for each in scope if each[1] != "*"))]
    for check in (_agents, _agent_files, _service_files, _phrases):
        try:
            check(settings)
        except InvalidSettings as error:
            problems += error.problems
    return list(dict.fromkeys([*problems, *_missing_files(settings), *_alert_addresses(settings)]))


def _agents(settings: Settings) -> object:
    return configured_agents(settings)


def _agent_files(settings: Settings) -> object:
    outbound = OutboundPolicy(settings.remote_agents.allow_private)
    now = SystemClock().now()
    return from_files(settings.agents_dir, settings.store.currency, outbound, now)


def _service_files(settings: Settings) -> object:
    return read_services(settings.orchestrator.services_dir)


def _phrases(settings: Settings) -> object:
    file = settings.models.intent_examples_file
    return None if file is None or not file.exists() else read_phrases(file)


def _missing_files(settings: Settings) -> Iterator[str]:
    named = {
        "orchestrator.tls_cert": settings.orchestrator.tls_cert,
        "orchestrator.tls_key": settings.orchestrator.tls_key,
        "models.intent_examples_file": settings.models.intent_examples_file,
    }
    for key, path in named.items():
        if path is not None and not (path.is_file() and os.access(path, os.R_OK)):
            yield f"{key}: there is no readable file {str(path)!r}"


def _alert_addresses(settings: Settings) -> Iterator[str]:
    for place, url in enumerate(settings.alerts.urls):
        if not _accepted(apprise.Apprise().add, url.get_secret_value()):
            yield f"alerts.urls.{place}: Apprise does not know this kind of address"


def _accepted(add: Callable[[str], bool], url: str) -> bool:
    try:
        return add(url)
    except Exception:  # noqa: BLE001 - each of its plug-ins parses by itself
        return False
