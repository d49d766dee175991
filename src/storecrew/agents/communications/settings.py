"""When customers may be written to."""

from datetime import UTC, datetime, time, timedelta

from storecrew.domain.zones import zone_of
from storecrew.policy.settings import Zone
from storecrew.sdk import AgentSettings


class CommunicationsSettings(AgentSettings):
    """The hours of the business day in which no message is sent; the policy's unless they differ.

    Equal ends mean no hours.
    """

    quiet_from: time = time(20, 0)
    """From this time of the shop's day no message is sent."""
    quiet_until: time = time(8, 0)
    """From this time of the shop's day messages are sent again."""
    zone: Zone = "UTC"
    """The shop's time zone (IANA name)."""

    def end_of_quiet_hours(self, moment: datetime) -> datetime:
        """Return when customers may be written to: the moment itself outside of quiet hours."""
        local = moment.astimezone(zone_of(self.zone))
        now = local.time()
        spans_midnight = self.quiet_from > self.quiet_until
        is_quiet = now >= self.quiet_from or now < self.quiet_until
        if not spans_midnight:
            is_quiet = self.quiet_from <= now < self.quiet_until
        if not is_quiet:
            return moment
        day = local.date() + timedelta(days=1 if spans_midnight and now >= self.quiet_from else 0)
        return datetime.combine(day, self.quiet_until, zone_of(self.zone)).astimezone(UTC)
