"""Anchors of the audit: its head, signed under a key outside of the database, kept in a file.

A chain of hashes shows an edited row, but who can write the database can make the whole chain
anew, or cut its end. An anchor of before then does not match any more.
"""

import hmac
import json
import os
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from storecrew.app.secret_box import SecretBox
from storecrew.app.settings import Settings
from storecrew.database import to_db_time
from storecrew.database.private_files import private_opener
from storecrew.domain.control.agents import BusinessDay
from storecrew.domain.control.integrity import Discrepancy
from storecrew.domain.ports.clock import Clock
from storecrew.journal import SqlJournal

FILE = "audit-anchors.jsonl"
"""Where anchors are kept in the data folder; a copy on another machine protects them as well."""


@dataclass(frozen=True, kw_only=True)
class Anchor:
    """The head of the audit at a moment."""

    seq: int
    hash: str
    at: str
    day: str
    """The shop's day that it was made for."""
    signature: str = ""


@dataclass(frozen=True)
class AuditAnchors:
    """Signs the audit's head, and compares the audit with heads that were signed before."""

    settings: Settings
    journal: SqlJournal
    clock: Clock

    @property
    def file(self) -> Path:
        """The file of this shop's anchors."""
        return self.settings.data_dir / FILE

    async def write(self, file: Path | None = None) -> Anchor:
        """Append the signed head to the file, and return it."""
        seq, digest = await self.journal.audit_head()
        now = self.clock.now()
        day = BusinessDay.of(now, self.settings.policy.zone).name
        anchor = Anchor(seq=seq, hash=digest, at=to_db_time(now), day=day)
        anchor = Anchor(**{**asdict(anchor), "signature": self._sign(anchor)})
        with open(file or self.file, "a", encoding="utf-8", opener=private_opener) as lines:  # noqa: ASYNC230 - pathlib takes no opener; one line
            lines.write(json.dumps(asdict(anchor)) + "\n")
            lines.flush()
            os.fsync(lines.fileno())
        return anchor

    async def write_daily(self) -> None:
        """Append an anchor unless the newest is of today."""
        today = BusinessDay.of(self.clock.now(), self.settings.policy.zone).name
        lines = _lines(self.file)
        if not lines or f'"day": "{today}"' not in lines[-1]:
            await self.write()

    async def check(self, file: Path | None = None) -> list[Discrepancy]:
        """Return where the audit is another than when an anchor was signed."""
        place = file or self.file
        lines = _lines(place)
        if file is not None and not lines:
            return [_wrong(str(file), "holds no anchor")]
        found, anchors = [], []
        for number, line in enumerate(lines, start=1):
            anchor = _parsed(line)
            if anchor is None or not hmac.compare_digest(anchor.signature, self._sign(anchor)):
                problem = "is not signed under this shop's secret key"
                found.append(_wrong(f"{place.name} line {number}", problem))
            else:
                anchors.append(anchor)
        hashes = await self.journal.audit_hashes([anchor.seq for anchor in anchors])
        for anchor in anchors:
            if (digest := hashes.get(anchor.seq)) != anchor.hash and anchor.seq:
                what = "is missing" if digest is None else "was written anew"
                problem = f"{what} since it was anchored at {anchor.at}"
                found.append(_wrong(f"audit row {anchor.seq}", problem))
        return found

    def _sign(self, anchor: Anchor) -> str:
        content = json.dumps([anchor.seq, anchor.hash, anchor.at, anchor.day]).encode()
        return hmac.new(
            SecretBox.of(self.settings).key, b"audit anchor " + content, sha256
        ).hexdigest()


def _lines(file: Path) -> list[str]:
    if not file.is_file():
        return []
    return [line for line in file.read_text("utf-8", "replace").splitlines() if line.strip()]


def _parsed(line: str) -> Anchor | None:
    try:
        content: dict[str, Any] = json.loads(line)
        anchor = Anchor(**content)
    except (ValueError, TypeError, RecursionError):
        return None
    texts = (anchor.hash, anchor.at, anchor.day, anchor.signature)
    is_whole = isinstance(anchor.seq, int) and all(isinstance(each, str) for each in texts)
    return anchor if is_whole and anchor.signature.isascii() else None


def _wrong(subject: str, problem: str) -> Discrepancy:
    return Discrepancy(check="anchor", subject=subject, problem=problem)
