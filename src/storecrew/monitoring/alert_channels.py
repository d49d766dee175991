"""Where alerts go: to the log, to every address through Apprise, and to Sentry."""

import asyncio
import logging
from collections.abc import Sequence

from storecrew.domain.control.incidents import Incident
from storecrew.monitoring.alerts import AlertKind, SendAlert

log = logging.getLogger(__name__)

_TITLES = {
    AlertKind.BEGAN: "storecrew: {title}",
    AlertKind.REPEATED: "storecrew: still open: {title}",
    AlertKind.ENDED: "storecrew: resolved: {title}",
}


def alert_channels(urls: Sequence[str], *, has_sentry: bool) -> SendAlert:
    """Return the function that sends an alert to these Apprise addresses, and to Sentry."""

    async def send(incident: Incident, alert: AlertKind) -> bool:
        title, body = alert_text(incident, alert)
        log.warning("%s: %s", title, body)
        if has_sentry and alert is AlertKind.BEGAN:
            _to_sentry(title, body, incident)
        kind = "failure" if incident.is_severe else "warning"
        kind = "success" if alert is AlertKind.ENDED else kind
        return not urls or await asyncio.to_thread(_send, urls, title, body, kind)

    return send


def alert_text(incident: Incident, alert: AlertKind) -> tuple[str, str]:
    """Return the title and body of an alert."""
    steps = ", ".join(str(step.get("type", "")) for step in incident.plan)
    parts = {
        "observed": incident.observed,
        "expected": incident.expected,
        "cause": incident.cause,
        "plan": steps,
        "resolution": incident.resolution,
    }
    known = "; ".join(f"{name}: {value}" for name, value in parts.items() if value)
    body = f"{known} (since {incident.opened_at:%Y-%m-%d %H:%M} UTC)"
    return _TITLES[alert].format(title=incident.title), body


def _send(urls: Sequence[str], title: str, body: str, kind: str) -> bool:
    import apprise  # half a second and a hundred services, which only an alert needs

    channels = apprise.Apprise()
    known = [channels.add(url) for url in urls]
    if not all(known):
        log.error("alerts.urls: %d of %d are no addresses", known.count(False), len(urls))
    # one of several that fails must not repeat the alert at the others, so any success counts
    of_kind = apprise.NotifyType(kind)
    results = [one.notify(body=body, title=title, notify_type=of_kind) for one in channels]
    return any(results)


def _to_sentry(title: str, body: str, incident: Incident) -> None:
    import sentry_sdk  # only where it is switched on

    with sentry_sdk.new_scope() as scope:
        scope.set_tag("subject", incident.subject)
        scope.set_tag("incident", str(incident.kind))
        scope.set_extra("detail", body)
        sentry_sdk.capture_message(title, level="error" if incident.is_severe else "warning")
