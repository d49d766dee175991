"""Time zones by name: the one place that asks zoneinfo."""

from difflib import get_close_matches
from zoneinfo import ZoneInfo, available_timezones

from storecrew.domain.errors import InvalidInput


def zone_of(name: str) -> ZoneInfo:
    """Return the time zone of an IANA name; raises `InvalidInput` for whatever is none."""
    try:
        return ZoneInfo(name)
    except Exception as error:  # zoneinfo raises what the file system and the name provoke
        close = get_close_matches(str(name), sorted(available_timezones()), 1)
        advice = f"did you mean {close[0]!r}?" if close else "names look like 'Europe/Berlin'"
        raise InvalidInput("zone", f"{name!r} is no time zone; {advice}") from error
