"""Time zones by name: the one place that asks zoneinfo."""

from zoneinfo import ZoneInfo, available_timezones

from storecrew.domain.errors import InvalidInput
from storecrew.domain.suggestions import suggestion


def zone_of(name: str) -> ZoneInfo:
    """Return the time zone of an IANA name; raises `InvalidInput` for whatever is none."""
    try:
        return ZoneInfo(name)
    except Exception as error:  # zoneinfo raises what the file system and the name provoke
        advice = suggestion(str(name), available_timezones(), "names look like 'Europe/Berlin'")
        raise InvalidInput("zone", f"{name!r} is no time zone; {advice}") from error
