"""Health from outside: what a script, a cron job or a timer asks. Reads the journal, or says no."""

from collections.abc import Mapping
from contextlib import closing
from datetime import timedelta
from typing import Any

from storecrew.domain.health import THRESHOLD, report
from storecrew.orchestrator.doorway import open_doorway


def verify_heartbeats(max_age_seconds: float = 120) -> dict[str, Any]:
    """Return how every agent is; raises `NoJournal` where nobody can know.

    An agent that waits for events is healthy while its worker beats; one not heard of for longer
    than `max_age_seconds` is stale, one whose last runs failed is in error.
    """
    with closing(open_doorway()) as door:
        return report(door.pulses(), door.clock.now(), timedelta(seconds=max_age_seconds))


async def send_health_alerts(threshold_error_count: int = THRESHOLD) -> dict[str, list[str]]:
    """Tell whoever `alerts.urls` names of each agent that is unwell, once per incident.

    Returns the incidents by what became of them: `sent`, `recovered`, `held`.
    """
    with closing(open_doorway()) as door:
        told = await door.alert(threshold_error_count)
    return {"sent": [*told.sent], "recovered": [*told.recovered], "held": [*told.held]}


def get_health_status() -> Mapping[str, Any]:
    """Return how the orchestrator is; raises `NoJournal` where nobody can know."""
    with closing(open_doorway()) as door:
        return door.status()
