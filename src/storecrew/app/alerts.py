"""Alerts under the settings: when they are sent, and where to."""

import os
import socket
from collections.abc import Callable
from datetime import datetime, time, timedelta

from storecrew.app.settings import Settings
from storecrew.database import Database
from storecrew.domain.ports.clock import Clock
from storecrew.domain.zones import zone_of
from storecrew.journal.health import SqlHealthRepository
from storecrew.journal.incidents import SqlIncidentRepository
from storecrew.monitoring.alert_channels import alert_channels
from storecrew.monitoring.alerts import AlertRules, Alerts
from storecrew.policy.rules.messages import is_quiet


def alerts_of(
    settings: Settings, database: Database, clock: Clock, *, threshold: int | None = None
) -> Alerts:
    """Return the alerts of the incidents in the journal's database."""
    own = settings.alerts
    rules = AlertRules(
        threshold=threshold or own.threshold,
        max_age=timedelta(seconds=own.max_age_seconds),
        repeat=timedelta(hours=own.repeat_hours) if own.repeat_hours else None,
        is_quiet=_quiet(own.quiet_hours, settings.policy.zone),
    )
    return Alerts(
        health=SqlHealthRepository(database),
        incidents=SqlIncidentRepository(database),
        clock=clock,
        send=alert_channels(
            [url.get_secret_value() for url in own.urls],
            has_sentry=settings.orchestrator.sentry_dsn is not None,
        ),
        name=f"{socket.gethostname()}/{os.getpid()}",
        rules=rules,
    )


def _quiet(hours: str, zone: str) -> Callable[[datetime], bool]:
    if not hours:
        return lambda _now: False
    start, end = (time.fromisoformat(part) for part in hours.split("-"))
    return lambda now: is_quiet(now.astimezone(zone_of(zone)).time(), start, end)
