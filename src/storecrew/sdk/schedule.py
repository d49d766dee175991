"""When an agent wakes by the clock: pure functions from one tick to the next."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from storecrew.domain.errors import InvalidInput

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIELDS = 5
"""Minute, hour, day, month, weekday; a sixth would be seconds, which cron does not know."""


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

    def latest(self, now: datetime) -> datetime:
        """Return the newest tick at or before now."""
        just_after = now.replace(microsecond=0) + timedelta(seconds=1)
        tick = next(CronSim(self.expression, self._local(just_after), reverse=True)).astimezone(UTC)
        # In the second of two doubled hours ticks of the first one still lie between.
        while (following := self.after(tick)) <= now:
            tick = following
        return tick

    def after(self, tick: datetime) -> datetime:
        """Return the first tick after this moment."""
        ticks = (at.astimezone(UTC) for at in CronSim(self.expression, self._local(tick)))
        # In the second of two doubled hours the walk begins with ticks of the first one.
        return next(at for at in ticks if at > tick)

    def _local(self, moment: datetime) -> datetime:
        return moment.astimezone(ZoneInfo(self.zone))


Schedule = Every | Cron


def every(*, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> Every:
    """Wake at fixed distances of a second or more."""
    interval = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if interval < timedelta(seconds=1):  # ticks are named by the second
        raise InvalidInput("every", "the distance must be at least a second")
    return Every(interval)


def cron(expression: str, *, zone: str = "UTC") -> Cron:
    """Wake by a cron expression of five fields, such as `0 6 * * mon`."""
    try:
        CronSim(expression, _EPOCH)
    except CronSimError as error:
        raise InvalidInput("cron", f"{expression!r}: {error}") from error
    if len(expression.split()) != _FIELDS:
        raise InvalidInput("cron", f"{expression!r} does not have {_FIELDS} fields")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InvalidInput("zone", f"{zone!r} is no time zone") from error
    return Cron(expression, zone)
