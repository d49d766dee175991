"""The mailbox that customers write to, read by IMAP from where the last look ended."""

import imaplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from imap_tools import MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.mailbox import BaseMailBox

from storecrew.domain.errors import Retryable
from storecrew.mail.settings import ImapSettings

_OVERLAP = timedelta(days=2)
"""How far back is read again when the server numbered its mails anew."""


class MailboxUnreachable(Retryable):
    """The mailbox cannot be read now."""

    def __init__(self, host: str, problem: str) -> None:
        self.host, self.problem = host, problem
        super().__init__(f"mailbox at {host}: {problem}")


@dataclass(frozen=True, kw_only=True)
class ImapCursor:
    """How far a mailbox was read."""

    validity: int
    """The server's numbering; another one makes all numbers worthless."""
    uid: int
    """Number of the last mail that was read."""
    at: datetime
    """When that was."""


@dataclass(frozen=True, kw_only=True)
class FetchedEmail:
    """One mail as the server gave it."""

    uid: int
    content: bytes = b""
    problem: str = ""
    """Why the server did not give it."""


@dataclass(frozen=True, kw_only=True)
class FetchResult:
    """What one look at the mailbox found."""

    mails: tuple[FetchedEmail, ...]
    """In order; only the last may have a problem, and nothing behind it was read."""
    cursor: ImapCursor
    """Where to go on, once these mails are recorded."""
    more: bool
    """Whether more waited than was asked for."""


@dataclass(frozen=True)
class ImapMailbox:
    """Reads mails without marking, moving or deleting any; blocks, so it wants a thread."""

    settings: ImapSettings

    def fetch(self, after: ImapCursor | None, now: datetime, *, limit: int = 50) -> FetchResult:
        """Return up to so many mails that came since then, oldest first.

        The first look ever only finds its place: what was there before storecrew is the owner's.
        Raises `MailboxUnreachable`.
        """
        with self._opened() as box:
            state = box.folder.status(self.settings.folder, ["UIDVALIDITY", "UIDNEXT"])
            validity, newest = state["UIDVALIDITY"], state["UIDNEXT"] - 1
            if after is None:
                return FetchResult(mails=(), cursor=_place(validity, newest, now), more=False)
            box.folder.set(self.settings.folder, readonly=True)
            uids = self._since(box, after, validity)
            taken = uids[:limit]
            mails = tuple(self._read(box, taken))
            if mails and mails[-1].problem:
                taken = taken[: taken.index(mails[-1].uid) + 1]
            # where nothing came the place stays: a number given but not yet visible is not lost
            last = taken[-1] if taken else (after.uid if validity == after.validity else newest)
            return FetchResult(
                mails=mails, cursor=_place(validity, last, now), more=len(uids) > len(taken)
            )

    def _since(self, box: BaseMailBox, after: ImapCursor, validity: int) -> list[int]:
        if validity == after.validity:
            # `n:*` always names the newest mail, even one below n
            found = box.uids(f"UID {after.uid + 1}:*", charset=None)
            return sorted(uid for uid in map(int, found) if uid > after.uid)
        first = (after.at - _OVERLAP).astimezone(UTC)
        words = f"SINCE {first.day}-{_MONTHS[first.month - 1]}-{first.year}"
        return sorted(map(int, box.uids(words, charset=None)))

    def _read(self, box: BaseMailBox, uids: Sequence[int]) -> Iterator[FetchedEmail]:
        for uid in uids:
            part = f"(BODY.PEEK[]<0.{self.settings.max_bytes}>)"
            status, answer = box.client.uid("FETCH", str(uid), part)
            if status != "OK":
                yield FetchedEmail(uid=uid, problem=f"the server did not give it: {status}")
                return
            content = next((each[1] for each in answer if isinstance(each, tuple)), None)
            if content is not None:  # deleted since the search
                yield FetchedEmail(uid=uid, content=content)

    @contextmanager
    def _opened(self) -> Iterator[BaseMailBox]:
        own = self.settings
        password = own.password.get_secret_value() if own.password else ""
        try:
            box = self._connected()
            try:
                box.login(own.username, password, initial_folder=None)
                yield box
            finally:
                _hang_up(box)
        except MailboxUnreachable:
            raise
        except Exception as error:  # the boundary of the library
            problem = " ".join(str(error).split())[:200] or type(error).__name__
            raise MailboxUnreachable(own.host, problem) from error

    def _connected(self) -> BaseMailBox:
        own = self.settings
        match own.security:
            case "tls":
                secure = ssl.create_default_context()
                return MailBox(own.host, own.port, own.timeout, ssl_context=secure)
            case "starttls":
                secure = ssl.create_default_context()
                return MailBoxStartTls(own.host, own.port, own.timeout, ssl_context=secure)
            case _:
                return MailBoxUnencrypted(own.host, own.port, own.timeout)


def _hang_up(box: BaseMailBox) -> None:
    """Say goodbye, and close the connection whatever the server says to that."""
    try:
        box.client.logout()
    except (imaplib.IMAP4.error, OSError):
        box.client.shutdown()


def _place(validity: int, uid: int, now: datetime) -> ImapCursor:
    return ImapCursor(validity=validity, uid=uid, at=now)


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
