"""The article of a page, without menus, adverts and comments, by trafilatura."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from storecrew.models.extraction.document import clean, parse

_LONGEST = 100_000


@dataclass(frozen=True, kw_only=True)
class NewsArticle:
    """A text to read."""

    title: str
    text: str
    published: datetime | None
    """Midnight UTC of the day; None where the page says none."""


def article(content: bytes, url: str, charset: str | None = None) -> NewsArticle | None:
    """Return the page's article, or None where it has none.

    Raises `InvalidInput` for more than 8 MB.
    """
    from trafilatura import bare_extraction  # only reading pages needs it

    document = parse(content, url, charset)
    if document is None:
        return None
    try:
        found: Any = bare_extraction(
            document.root, url=url, include_comments=False, with_metadata=True
        )
    except Exception:  # noqa: BLE001 - the boundary of the library: it finds no article
        return None
    if found is None or not found.text:
        return None
    title = clean(found.title) or document.first("//title") or ""
    return NewsArticle(title=title, text=found.text[:_LONGEST], published=_day(found.date))


def _day(said: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(said or "").replace(tzinfo=UTC)
    except ValueError:
        return None
