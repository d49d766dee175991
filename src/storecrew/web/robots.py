"""What a site's robots.txt allows (RFC 9309), by Protego."""

from dataclasses import dataclass

from protego import Protego

from storecrew.web.settings import TOKEN

MAX_BYTES = 512_000
"""Bytes of a robots.txt that count; RFC 9309 §2.5 asks for at least 500 KiB."""
FRESH = 86_400.0
"""Seconds that an answer holds (RFC 9309 §2.4)."""
DOUBTFUL = 600.0
"""Seconds that "cannot tell" holds: nothing is read meanwhile, but soon asked again."""
_LONGEST_DELAY = 3600.0


@dataclass(frozen=True)
class RobotsRules:
    """What may be read of one origin."""

    rules: Protego | None
    """None: nothing may be read."""
    until: float
    """On the clock of whoever keeps it."""

    def allow(self, url: str) -> bool:
        """Tell whether the page may be read."""
        try:
            return self.rules is not None and bool(self.rules.can_fetch(url, TOKEN))
        except Exception:  # noqa: BLE001 - the boundary of the library: in doubt it is not read
            return False

    @property
    def delay(self) -> float:
        """Return the seconds between requests that the site asks for."""
        try:
            delay = self.rules.crawl_delay(TOKEN) if self.rules is not None else None
        except Exception:  # noqa: BLE001 - the boundary of the library
            return _LONGEST_DELAY
        if delay is None or not delay > 0:  # also where it is no number
            return 0.0
        return min(float(delay), _LONGEST_DELAY)


def judge(status: int, content: bytes, now: float) -> RobotsRules:
    """Return what an answer to the request for robots.txt allows.

    Found: what it says. Client errors: all (RFC 9309 §2.3.1.3), but for 429. Server errors and no
    answer (status 0): nothing, for a while (§2.3.1.4).
    """
    if 200 <= status < 300:
        text = content[:MAX_BYTES].decode("utf-8", "replace").removeprefix("\ufeff")
        try:
            return RobotsRules(Protego.parse(text), now + FRESH)
        except Exception:  # noqa: BLE001 - the boundary of the library: what it says is not known
            return RobotsRules(None, now + DOUBTFUL)
    if 400 <= status < 500 and status != 429:
        return RobotsRules(Protego.parse(""), now + FRESH)
    return RobotsRules(None, now + DOUBTFUL)
