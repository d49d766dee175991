"""What the owner may say about reading the web."""

from dataclasses import dataclass
from importlib.metadata import version
from typing import Annotated

from annotated_types import Le

from storecrew.domain.errors import InvalidInput


@dataclass(frozen=True, kw_only=True)
class FetchSettings:
    """How politely, how much and from where the web is read."""

    contact: str = ""
    """Address (mail or page) named in the User-Agent, so that a site's owner can ask; a crawler
    that cannot be asked is blocked sooner."""
    request_interval: Annotated[float, Le(86_400)] = 2.0
    """Seconds between the end of one request to a host and the next; robots.txt may ask for more.
    Two is slower than a reader who clicks."""
    queue_timeout: Annotated[float, Le(86_400)] = 60.0
    """Seconds that a fetch waits for its turn at most; where more are asked for it is refused with
    the time to come back at."""
    timeout: Annotated[float, Le(86_400)] = 20.0
    """Seconds that one request may take in all, from connecting to the last byte."""
    max_bytes: Annotated[int, Le(10**10)] = 8_000_000
    """Bytes of a body, after decompression, at most: a large product page has half a million."""
    redirects: Annotated[int, Le(100)] = 5
    """Redirects followed at most; each is judged like the first address."""
    cache_bytes: Annotated[int, Le(10**12)] = 64_000_000
    """Bytes of bodies kept, in memory and in the folder each, so that unchanged pages are not
    sent again."""
    allow_private: bool = False
    """Whether private networks and this machine may be read. Off: addresses come from feeds and
    pages, and anybody can write those."""

    def __post_init__(self) -> None:
        """Refuse limits that would be none, and a contact that could not be sent."""
        for name in ("request_interval", "queue_timeout", "redirects", "cache_bytes"):
            if not getattr(self, name) >= 0:
                raise InvalidInput(name, "must not be negative")
        for name in ("timeout", "max_bytes"):
            if not getattr(self, name) > 0:
                raise InvalidInput(name, "must be above zero")
        if not (self.contact.isascii() and self.contact.isprintable()):
            raise InvalidInput("contact", "must be plain text: it goes into a header")

    @property
    def user_agent(self) -> str:
        """Return what a site sees, e.g. `storecrew/1.0 (+https://example.com/bot)`."""
        named = f"{TOKEN}/{version('storecrew')}"
        return f"{named} (+{self.contact})" if self.contact else named


TOKEN = "storecrew"  # noqa: S105 - the product token of RFC 9309, by which robots.txt names us
"""What a robots.txt calls us."""
