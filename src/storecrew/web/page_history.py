"""What a page showed at the visit before, so that a rebuilt page is not taken for a new price."""

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from storecrew.domain.codec import decode, encode
from storecrew.domain.errors import InvalidInput
from storecrew.models.extraction import ProductPage, compare
from storecrew.models.extraction.layout import Kind

_USED_TO = 3
"""Visits on which another layout looked alike before it counts as the page's own: one may be an
error page, three on different days are not."""


@dataclass(frozen=True, kw_only=True)
class _Kept:
    """The visit that others are compared with, and an odd one since, with how often."""

    known: ProductPage
    odd: ProductPage | None = None
    times: int = 0


@dataclass(frozen=True)
class PageHistory:
    """Keeps one small file per address in a folder."""

    folder: Path

    def judge(self, url: str, page: ProductPage | None) -> str:
        """Return why the page cannot be compared with the visit before, "" where it can.

        The first visit with a price is what others are compared with. Another layout that was
        seen alike three times becomes what others are compared with; another product never does,
        until a person has the page forgotten.
        """
        file = self._file(url)
        kept = _read(file)
        if kept is None:
            if page is not None and page.price is not None:
                _write(file, _Kept(known=page))
            return ""
        comparison = compare(kept.known, page)
        if comparison.believable and page is not None:
            _write(file, _Kept(known=page))
            return ""
        if comparison.kind is not Kind.REPLACED:
            _write(file, _after(kept, page))
        return comparison.reason

    def forget(self, url: str) -> None:
        """Forget what the page showed: the next visit is the first."""
        self._file(url).unlink(missing_ok=True)

    def _file(self, url: str) -> Path:
        return self.folder / f"{sha256(url.encode()).hexdigest()}.json"


def _after(kept: _Kept, page: ProductPage | None) -> _Kept:
    if page is None or page.price is None:
        return _Kept(known=kept.known)
    alike = kept.odd is not None and compare(kept.odd, page).believable
    times = kept.times + 1 if alike else 1
    if times >= _USED_TO:
        return _Kept(known=page)
    return _Kept(known=kept.known, odd=page, times=times)


def _read(file: Path) -> _Kept | None:
    """Return what was kept; a file that cannot be read is as none."""
    try:
        content: Any = json.loads(file.read_text("utf-8"))
        return decode(_Kept, content)
    except (OSError, ValueError, InvalidInput):
        return None


def _write(file: Path, kept: _Kept) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(encode(kept)), "utf-8")
    fresh.replace(file)
