"""When customers may be written to: pure functions of the shop's quiet hours."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo


@dataclass(frozen=True, kw_only=True)
class QuietHours:
    """The hours of the business day in which no message is sent; equal ends mean no hours."""

    start: time = time(20, 0)
    end: time = time(8, 0)
    zone: str = "UTC"

    def over(self, moment: datetime) -> datetime:
        """Return when customers may be written to: the moment itself outside of quiet hours."""
        local = moment.astimezone(ZoneInfo(self.zone))
        now = local.time()
        spans_midnight = self.start > self.end
        is_quiet = now >= self.start or now < self.end
        if not spans_midnight:
            is_quiet = self.start <= now < self.end
        if not is_quiet:
            return moment
        day = local.date() + timedelta(days=1 if spans_midnight and now >= self.start else 0)
        return datetime.combine(day, self.end, ZoneInfo(self.zone)).astimezone(UTC)


def hours_from(settings: Mapping[str, Any]) -> QuietHours:
    """Return the quiet hours of the agent's settings, which are the policy's unless they differ."""
    usual = QuietHours()
    return QuietHours(
        start=_time(settings.get("quiet_from"), usual.start),
        end=_time(settings.get("quiet_until"), usual.end),
        zone=str(settings.get("zone", usual.zone)),
    )


def _time(given: Any, usual: time) -> time:
    if given is None:
        return usual
    return given if isinstance(given, time) else time.fromisoformat(str(given))
