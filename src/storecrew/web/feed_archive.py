"""What feeds said in the last weeks: a feed itself holds a few days, from which nothing rises."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from storecrew.domain.codec import decode, encode
from storecrew.domain.errors import InvalidInput
from storecrew.domain.ports.web import FeedItem

KEPT = timedelta(days=84)
"""Twelve weeks: as long as the sales that rising products are told from."""
_MOST = 5000
_LONGEST = 500
"""Characters of an entry's text that are kept; its first sentences say what it is about."""


@dataclass(frozen=True)
class FeedArchive:
    """Keeps one file per feed in a folder."""

    folder: Path

    def add(self, url: str, items: Sequence[FeedItem], now: datetime) -> Sequence[FeedItem]:
        """Return what the feed holds and held, newest first; each entry once.

        An entry without a date, or with one that is still to come, was published when it was first
        seen.
        """
        file = self.folder / f"{sha256(url.encode()).hexdigest()}.json"
        known = {_name(each): each for each in _read(file)}
        for item in items:
            at = item.published if item.published and item.published <= now else now
            fresh = replace(item, text=item.text[:_LONGEST], published=at)
            known.setdefault(_name(item), fresh)
        dated = [(each.published, each) for each in known.values() if each.published is not None]
        kept = sorted((pair for pair in dated if pair[0] > now - KEPT), key=_newest)[:_MOST]
        found = [each for _, each in kept]
        _write(file, found)
        return found


def _newest(pair: tuple[datetime, FeedItem]) -> tuple[float, str]:
    return -pair[0].timestamp(), _name(pair[1])


def _name(item: FeedItem) -> str:
    return item.link or item.title


def _read(file: Path) -> Sequence[FeedItem]:
    """Return what was kept; a file that cannot be read is as none."""
    try:
        content: Any = json.loads(file.read_text("utf-8"))
        return decode(tuple[FeedItem, ...], content)
    except (OSError, ValueError, InvalidInput):
        return ()


def _write(file: Path, items: Sequence[FeedItem]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(encode(list(items))), "utf-8")
    fresh.replace(file)
