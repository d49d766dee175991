"""When an agent wakes by the clock: pure functions from one tick to the next."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from storecrew.domain.errors import InvalidInput

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Every:
    """Ticks at fixed distances on a grid that starts at the epoch (UTC) plus an offset.

    The grid does not depend on when the process started, so two schedulers name the same ticks.
    """

    interval: timedelta
    offset: timedelta = timedelta(0)

    def latest(self, now: datetime) -> datetime:
        """Return the newest tick at or before now."""
        return now - (now - _EPOCH - self.offset) % self.interval

    def after(self, tick: datetime) -> datetime:
        """Return the first tick after this moment."""
        return self.latest(tick) + self.interval


@dataclass(frozen=True)
class Cron:
    """Ticks by a five-field cron expression, in a time zone.

    Over a change of clocks a tick in the skipped hour moves to its end, and a tick in the
    doubled hour happens once.
    """

    expression: str
    zone: str = "UTC"

    def latest(self, now: datetime) -> datetime | None:
        """Return the newest tick at or before now, or None if the last one is years ago."""
        local = (now + timedelta(seconds=1)).astimezone(ZoneInfo(self.zone))
        tick = next(CronSim(self.expression, local, reverse=True), None)
        return tick.astimezone(UTC) if tick else None

    def after(self, tick: datetime) -> datetime:
        """Return the first tick after this moment."""
        return next(CronSim(self.expression, tick.astimezone(ZoneInfo(self.zone)))).astimezone(UTC)


Schedule = Every | Cron


def every(*, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> Every:
    """Wake at fixed distances."""
    interval = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if interval <= timedelta(0):
        raise InvalidInput("every", "the distance must be positive")
    return Every(interval)


def cron(expression: str, *, zone: str = "UTC") -> Cron:
    """Wake by a cron expression such as `0 6 * * mon`."""
    try:
        CronSim(expression, _EPOCH)
    except CronSimError as error:
        raise InvalidInput("cron", f"{expression!r}: {error}") from error
    return Cron(expression, zone)
