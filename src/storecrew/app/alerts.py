"""Telling people: through Apprise wherever the settings say, and Sentry where it is switched on."""

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from storecrew.app.settings import Settings
from storecrew.domain.control.health import AgentIncident
from storecrew.domain.errors import Retryable
from storecrew.domain.ports.clock import Clock
from storecrew.domain.ports.repositories import HealthRepository
from storecrew.orchestrator.alerts import AlertKind, AlertRules, Alerts
from storecrew.policy.rules.messages import is_quiet

log = logging.getLogger(__name__)

WATCH_SECONDS = 15.0
"""How often the serving process looks whether somebody has to be told."""
_WORDS = {
    AlertKind.BEGAN: "agent {agent} is unwell",
    AlertKind.REPEATED: "agent {agent} is still unwell",
    AlertKind.ENDED: "agent {agent} is well again",
}


def alerts_of(
    settings: Settings, book: HealthRepository, clock: Clock, *, threshold: int | None = None
) -> Alerts:
    """Return what finds incidents and tells of them, under these settings."""
    own = settings.alerts
    rules = AlertRules(
        threshold=threshold or own.threshold,
        max_age=timedelta(seconds=own.max_age_seconds),
        repeat=timedelta(hours=own.repeat_hours) if own.repeat_hours else None,
        is_quiet=_quiet(own.quiet_hours, settings.policy.zone),
    )
    name = f"{socket.gethostname()}/{os.getpid()}"
    return Alerts(repository=book, clock=clock, send=_teller(settings), name=name, rules=rules)


async def watch(alerts: Alerts, leads: Callable[[], bool]) -> None:
    """Look for incidents every quarter of a minute, where this process leads, until cancelled."""
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        try:
            if leads():
                await alerts.poll()
        except Retryable as error:  # the next look finds what this one missed
            log.warning("could not look for incidents: %s", error)


def _quiet(hours: str, zone: str) -> Callable[[datetime], bool]:
    if not hours:
        return lambda _now: False
    start, end = (time.fromisoformat(part) for part in hours.split("-"))
    return lambda now: is_quiet(now.astimezone(ZoneInfo(zone)).time(), start, end)


def _teller(settings: Settings) -> Callable[[AgentIncident, AlertKind], Awaitable[bool]]:
    urls = [url.get_secret_value() for url in settings.alerts.urls]
    has_sentry = settings.orchestrator.sentry_dsn is not None

    async def tell(incident: AgentIncident, news: AlertKind) -> bool:
        title = f"storecrew: {_WORDS[news].format(agent=incident.agent)}"
        body = f"{incident.detail} (since {incident.opened_at:%Y-%m-%d %H:%M} UTC)"
        log.warning("%s: %s", title, body)
        if has_sentry and news is AlertKind.BEGAN:
            _to_sentry(title, body, incident)
        return not urls or await asyncio.to_thread(_notify, urls, title, body, news, incident)

    return tell


def call_somebody(settings: Settings) -> Callable[[str, str], Awaitable[bool]]:
    """Return the function that alerts a person; it returns False where no channel answered."""
    urls = [url.get_secret_value() for url in settings.alerts.urls]

    async def tell(title: str, body: str) -> bool:
        log.warning("%s: %s", title, body)
        return not urls or await asyncio.to_thread(_send, urls, title, body, "failure")

    return tell


def _notify(
    urls: list[str], title: str, body: str, news: AlertKind, incident: AgentIncident
) -> bool:
    kind = "failure" if incident.is_severe else "warning"
    return _send(urls, title, body, "success" if news is AlertKind.ENDED else kind)


def _send(urls: list[str], title: str, body: str, word: str) -> bool:
    import apprise  # half a second and a hundred services, which only an alert needs

    kind = apprise.NotifyType(word)
    board = apprise.Apprise()
    known = [board.add(url) for url in urls]
    if not all(known):
        log.error("alerts.urls: %d of %d are no addresses", known.count(False), len(urls))
    # one of several that fails must not have the others told twice, so any success counts
    results = [target.notify(body=body, title=title, notify_type=kind) for target in board]
    return any(results)


def _to_sentry(title: str, body: str, incident: AgentIncident) -> None:
    import sentry_sdk  # only where it is switched on

    with sentry_sdk.new_scope() as scope:
        scope.set_tag("agent", incident.agent)
        scope.set_tag("incident", str(incident.kind))
        scope.set_extra("detail", body)
        sentry_sdk.capture_message(title, level="error" if incident.is_severe else "warning")
