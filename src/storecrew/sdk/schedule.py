"""When an agent wakes by the clock: pure functions from one tick to the next."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

from storecrew.domain.errors import InvalidInput
from storecrew.domain.zones import zone_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIELDS = 5
"""Minute, hour, day, month, weekday; a sixth would be seconds, which cron does not know."""


@dataclass(frozen=True)
class Every:
    """Ticks at fixed distances on a grid that starts at the epoch (UTC) plus an offset.

    The grid does not depend on when the process started, so two schedulers name the same ticks.
    """

    interval: timedelta
    offset: timedelta | None = None
    """None lets the registry choose one by the agent's name, so that not all tick at once."""

    def latest(self, now: datetime) -> datetime:
        """Return the newest tick at or before now."""
        return now - (now - _EPOCH - (self.offset or timedelta(0))) % self.interval

    def after(self, tick: datetime) -> datetime:
        """Return the first tick after this moment."""
        return self.latest(tick) + self.interval


@dataclass(frozen=True)
class Cron:
    """Ticks by a five-field cron expression, in a time zone.

    Over a change of clocks a tick in the skipped hour moves to its end, and a tick in the
    doubled hour happens once; one whose minute or hour begins with `*` goes by the clock on the
    wall: never in what is skipped, twice in what is doubled.
    """

    expression: str
    zone: str = "UTC"

    def latest(self, now: datetime) -> datetime:
        """Return the newest tick at or before now."""
        just_after = now.replace(microsecond=0) + timedelta(seconds=1)
        tick = next(self._ticks(just_after, reverse=True))
        # In the second of two doubled hours ticks of the first one still lie between.
        while (following := self.after(tick)) <= now:
            tick = following
        return tick

    def after(self, tick: datetime) -> datetime:
        """Return the first tick after this moment."""
        # In the second of two doubled hours the walk begins with ticks of the first one.
        return next(at for at in self._ticks(tick) if at > tick)

    def _ticks(self, moment: datetime, *, reverse: bool = False) -> Iterator[datetime]:
        zone = zone_of(self.zone)
        offset = _offset(moment, zone)
        minute, hour, *_ = self.expression.split()
        if not (minute.startswith("*") or hour.startswith("*")):
            wall = CronSim(self.expression, _wall(moment, offset), reverse=reverse)
            return (_once(at, zone) for at in wall)
        there = _offset(next(self._at_offset(moment, offset, reverse=reverse)), zone)
        # Where the clocks change before the tick comes, only ticks of the new offset are left.
        ticks = self._at_offset(moment, there, reverse=reverse)
        return (at for at in ticks if _offset(at, zone) == there)

    def _at_offset(
        self, moment: datetime, offset: timedelta, *, reverse: bool
    ) -> Iterator[datetime]:
        """Yield the ticks as if the zone never changed its clocks."""
        wall = CronSim(self.expression, _wall(moment, offset), reverse=reverse)
        return ((at - offset).replace(tzinfo=UTC) for at in wall)


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta(0)


def _wall(moment: datetime, offset: timedelta) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None) + offset


def _once(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the first moment with this time on the wall, or the end of the hour that skips it."""
    at = wall.replace(tzinfo=zone).astimezone(UTC)
    while _wall(at, _offset(at, zone)) != wall:
        wall += timedelta(minutes=1)
        at = wall.replace(tzinfo=zone).astimezone(UTC)
    return at


Schedule = Every | Cron


def every(
    *,
    days: float = 0,
    hours: float = 0,
    minutes: float = 0,
    seconds: float = 0,
    offset: timedelta | None = None,
) -> Every:
    """Wake at fixed distances of a second or more.

    `offset` says how long after midnight UTC of the epoch the grid begins: `timedelta(0)` wakes an
    hourly agent on the hour. Without one, agents of equal intervals are spread over the interval.
    """
    interval = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if interval < timedelta(seconds=1):  # ticks are named by the second
        raise InvalidInput("every", "the distance must be at least a second")
    return Every(interval, offset)


def cron(expression: str, *, zone: str = "UTC") -> Cron:
    """Wake by a cron expression of five fields, such as `0 6 * * mon`."""
    try:
        CronSim(expression, _EPOCH)
    except Exception as error:  # the parser raises more than its own error
        raise InvalidInput("cron", f"{expression!r}: {error}") from error
    if len(expression.split()) != _FIELDS:
        raise InvalidInput("cron", f"{expression!r} does not have {_FIELDS} fields")
    zone_of(zone)
    return Cron(expression, zone)
