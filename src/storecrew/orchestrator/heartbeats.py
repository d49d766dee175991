"""Health from outside: what a script, a cron job or a timer asks. Reads the journal, or says no."""

from collections.abc import Mapping
from contextlib import closing
from datetime import timedelta
from typing import Any

from storecrew.domain.control.health import THRESHOLD, report
from storecrew.orchestrator.journal_client import open_journal_client


def verify_heartbeats(max_age_seconds: float = 120) -> dict[str, Any]:
    """Return every agent's health; raises `JournalNotFound` without a journal.

    An agent that waits for events is healthy while its worker beats; one not heard of for longer
    than `max_age_seconds` is stale, one whose last runs failed is in error.
    """
    with closing(open_journal_client()) as client:
        return report(client.agent_health(), client.clock.now(), timedelta(seconds=max_age_seconds))


async def send_health_alerts(threshold_error_count: int = THRESHOLD) -> dict[str, list[str]]:
    """Alert the targets in `alerts.urls` of each unhealthy agent, once per incident.

    Returns the incidents by what became of them: `sent`, `recovered`, `held`.
    """
    with closing(open_journal_client()) as client:
        report = await client.alert(threshold_error_count)
    return {"sent": [*report.sent], "recovered": [*report.recovered], "held": [*report.held]}


def get_health_status() -> Mapping[str, Any]:
    """Return the orchestrator's health; raises `JournalNotFound` without a journal."""
    with closing(open_journal_client()) as client:
        return client.status()
