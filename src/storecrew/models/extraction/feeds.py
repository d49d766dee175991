"""Feeds (RSS, Atom, RDF) as entries with a title, a text and a time, by feedparser."""

import html
import io
import re
from calendar import timegm
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from storecrew.domain.errors import InvalidInput
from storecrew.domain.input_text import clean

MAX_BYTES = 4_000_000
"""Bytes of a feed at most; a usual one has a tenth of a million."""
_ENTRIES = 1000
_ENTITIES = 300
_ENTITY = re.compile(rb"<!ENTITY\s", re.IGNORECASE)
_PLAIN_ENTITY = re.compile(
    rb"<!ENTITY\s+[\w.-]+\s+(\"[^\"&%<]{0,50}\"|'[^'&%<]{0,50}'|[\"']&#\w{1,8};[\"'])\s*>",
    re.IGNORECASE,
)
_TAG = re.compile(r"<[^<>]{0,2000}>")
_LONGEST = 20_000
"""Characters of an entry's text that are kept."""


@dataclass(frozen=True, kw_only=True)
class FeedEntry:
    """One piece of news."""

    title: str
    link: str
    """Empty where it is no http(s) address."""
    text: str
    """Summary or content, without markup."""
    published: datetime | None
    """Aware, UTC; None where the feed says nothing that is a time."""


@dataclass(frozen=True, kw_only=True)
class Feed:
    """What a feed holds now."""

    title: str
    entries: Sequence[FeedEntry]


def feed(content: bytes, url: str = "") -> Feed:
    """Return the feed's entries in its own order, at most a thousand; a broken feed as far as read.

    Raises `InvalidInput` where the content is no feed, has more than 4 MB, or declares entities
    that could unfold into more (an XML bomb) or reach outside.
    """
    import feedparser  # only reading feeds needs it

    _refuse_bombs(content)
    headers = {"content-location": url} if url else {}
    try:
        parsed = feedparser.parse(io.BytesIO(content), response_headers=headers)
    except (LookupError, UnicodeError):
        raise InvalidInput("content", "is in no encoding of text") from None
    except Exception as error:
        raise InvalidInput("content", f"is no feed: {type(error).__name__}") from error
    if not parsed.get("version") and not parsed.entries:
        raise InvalidInput("content", "is no feed: neither RSS nor Atom")
    entries = [_entry(each) for each in parsed.entries[:_ENTRIES]]
    return Feed(title=_plain(parsed.feed.get("title")), entries=entries)


def _refuse_bombs(content: bytes) -> None:
    if len(content) > MAX_BYTES:
        raise InvalidInput("content", f"{len(content)} bytes; a feed has at most {MAX_BYTES}")
    narrow = content.replace(b"\0", b"")  # so that UTF-16 and UTF-32 hide nothing
    declared = len(_ENTITY.findall(narrow))
    if declared > _ENTITIES or declared > len(_PLAIN_ENTITY.findall(narrow)):
        raise InvalidInput("content", "declares entities that could unfold without end")


def _entry(said: Any) -> FeedEntry:
    inside = said.get("content") or [{}]
    text = inside[0].get("value") or said.get("summary") or ""
    return FeedEntry(
        title=_plain(said.get("title")),
        link=_link(said.get("link")),
        text=_plain(text),
        published=_moment(dict.get(said, "published_parsed") or dict.get(said, "updated_parsed")),
    )


def _plain(said: Any) -> str:
    """Return text without markup."""
    text = _TAG.sub(" ", str(said or "")[: 4 * _LONGEST])
    return " ".join(clean(html.unescape(text)).split())[:_LONGEST]


def _link(said: Any) -> str:
    text = clean(str(said or "")[:_LONGEST]).strip()
    try:
        return text if urlsplit(text).scheme in ("http", "https") else ""
    except ValueError:
        return ""


def _moment(said: Any) -> datetime | None:
    """Return a time that feedparser read (always UTC)."""
    try:
        return datetime.fromtimestamp(timegm(said), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
