"""Pages kept with what a server needs to know to say "unchanged": in memory, and in a folder."""

import hashlib
import json
import os
from collections import OrderedDict
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class CachedPage:
    """A page as it was last sent."""

    url: str
    """Of the request that was answered with it."""
    content: bytes
    media_type: str
    charset: str | None
    etag: str | None
    last_modified: str | None

    @property
    def conditions(self) -> dict[str, str]:
        """Return the headers that make a request conditional (RFC 9110 §13.1)."""
        pairs = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in pairs.items() if value}


class PageCache:
    """Keeps the pages used last, up to so many bytes in memory and as many in the folder.

    A file that is damaged or missing is only a page that must be sent again.
    """

    def __init__(self, limit: int, folder: Path | None = None) -> None:
        self._limit = limit
        self._folder = folder
        self._pages: OrderedDict[str, CachedPage] = OrderedDict()
        self._bytes = 0

    def get(self, url: str) -> CachedPage | None:
        """Return the page kept for this URL, or None."""
        kept = self._pages.get(url) or self._read(url)
        if kept is not None:
            self._remember(kept)
        return kept

    def put(self, page: CachedPage) -> None:
        """Keep the page if it can ever be asked for conditionally."""
        self._drop(page.url)
        if not page.conditions or len(page.content) > self._limit:
            return
        self._remember(page)
        if self._folder is not None:
            with suppress(OSError):
                self._write(self._folder, page)

    def _remember(self, page: CachedPage) -> None:
        before = self._pages.pop(page.url, None)
        self._pages[page.url] = page
        self._bytes += len(page.content) - (len(before.content) if before else 0)
        while self._bytes > self._limit and self._pages:
            _, oldest = self._pages.popitem(last=False)
            self._bytes -= len(oldest.content)

    def _drop(self, url: str) -> None:
        before = self._pages.pop(url, None)
        self._bytes -= len(before.content) if before else 0
        if self._folder is not None:
            with suppress(OSError):
                _file(self._folder, url).unlink(missing_ok=True)

    def _read(self, url: str) -> CachedPage | None:
        if self._folder is None:
            return None
        with suppress(OSError):
            digest, _, rest = _file(self._folder, url).read_bytes().partition(b"\n")
            if hashlib.sha256(rest).hexdigest().encode() == digest:
                said, _, content = rest.partition(b"\n")
                return CachedPage(**json.loads(said), content=content)
        return None

    def _write(self, folder: Path, page: CachedPage) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        stored = asdict(page)
        content = stored.pop("content")
        rest = json.dumps(stored).encode() + b"\n" + content
        target = _file(folder, page.url)
        fresh = target.with_suffix(".new")
        fresh.write_bytes(hashlib.sha256(rest).hexdigest().encode() + b"\n" + rest)
        os.replace(fresh, target)
        _trim(folder, self._limit)


def _file(folder: Path, url: str) -> Path:
    return folder / f"{hashlib.sha256(url.encode()).hexdigest()}.page"


def _trim(folder: Path, limit: int) -> None:
    """Remove the oldest files until the rest is within the limit."""
    found = [(path, path.stat()) for path in folder.glob("*.page")]
    total = sum(stat.st_size for _, stat in found)
    for path, stat in sorted(found, key=lambda each: each[1].st_mtime):
        if total <= limit:
            return
        path.unlink(missing_ok=True)
        total -= stat.st_size
