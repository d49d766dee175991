"""Mails that programs write: returned letters, complaints, replies of absent people."""

from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage, Message
from enum import StrEnum


class BounceKind(StrEnum):
    """What a program tells us."""

    MAILBOX_NOT_FOUND = "no mailbox"
    """A letter came back because its address does not exist."""
    RETURNED = "returned"
    """A letter came back for another reason, for good."""
    DELAYED = "delayed"
    """A letter is on its way; the server goes on trying."""
    COMPLAINT = "complaint"
    """Its reader called a letter spam."""
    AUTOMATIC = "automatic"
    """An answer that nobody wrote."""


@dataclass(frozen=True, kw_only=True)
class BounceReport:
    """What a program's mail says."""

    kind: BounceKind
    reason: str = ""
    about: str = ""
    """Headers of the letter it is about, where our mark is looked for."""


_LONGEST = 300
_BAD_ADDRESS = ("5.1.", "5.2.1", "5.4.4")
"""Status codes (RFC 3463) of an address that is none, a mailbox switched off, a domain that is
none."""
_BAD_REPLIES = ("550", "551", "553")
_NOT_THE_ADDRESS = ("5.2.2", "5.3.", "5.4.", "5.6.", "5.7.")


def parse_bounce(mail: EmailMessage) -> BounceReport | None:
    """Return what a program says by this mail; None where a person wrote it."""
    kind = mail.get_content_type()
    report = str(mail.get_param("report-type", "") or "").lower()
    if kind == "multipart/report" and report == "feedback-report":
        return BounceReport(kind=BounceKind.COMPLAINT, reason="called spam", about=_original(mail))
    if kind == "multipart/report" and (status := _status_part(mail)) is not None:
        return _delivery(mail, status)
    if _is_automatic(mail):
        return BounceReport(kind=BounceKind.AUTOMATIC)
    return None


def _delivery(mail: EmailMessage, groups: list[Message]) -> BounceReport:
    """Read a report on a delivery (RFC 3464): the worst of what it says of its recipients."""
    about = _original(mail)
    recipients = [_of_recipient(group, about) for group in groups if group.get("Action")]
    order = (BounceKind.MAILBOX_NOT_FOUND, BounceKind.RETURNED, BounceKind.DELAYED)
    for kind in order:
        found = next((notice for notice in recipients if notice.kind is kind), None)
        if found is not None:
            return found
    return BounceReport(kind=BounceKind.AUTOMATIC)


def _of_recipient(group: Message, about: str) -> BounceReport:
    action = str(group.get("Action", "")).strip().lower()
    status = str(group.get("Status", "")).strip()
    diagnostic = str(group.get("Diagnostic-Code", "")).partition(";")[2].strip()
    reason = " ".join(f"{status} {diagnostic}".split())[:_LONGEST]
    if action == "delayed" or status.startswith("4."):
        return BounceReport(kind=BounceKind.DELAYED, reason=reason, about=about)
    if action != "failed":
        return BounceReport(kind=BounceKind.AUTOMATIC)
    kind = BounceKind.MAILBOX_NOT_FOUND if _is_bad(status, diagnostic) else BounceKind.RETURNED
    return BounceReport(kind=kind, reason=reason, about=about)


def _is_bad(status: str, said: str) -> bool:
    if status.startswith(_NOT_THE_ADDRESS) and not status.startswith(_BAD_ADDRESS):
        return False
    vague = status in ("", "5.0.0", "5.2.0")
    return status.startswith(_BAD_ADDRESS) or (vague and said.startswith(_BAD_REPLIES))


def _status_part(mail: EmailMessage) -> list[Message] | None:
    for part in mail.walk():
        if part.get_content_type() == "message/delivery-status":
            payload = part.get_payload()
            return [each for each in payload if isinstance(each, Message)] if payload else []
    return None


def _original(mail: EmailMessage) -> str:
    """Return the Message-ID of the letter that was returned, in whatever form it stands there."""
    found: list[str] = []
    for part in mail.walk():
        if part.get_content_type() in ("message/rfc822", "message/rfc822-headers"):
            found += _ids(part)
        elif part.get_content_type() == "text/rfc822-headers":
            found.append(_text(part))
    return "\n".join(found)[:20_000]


def _ids(part: Message) -> Iterator[str]:
    payload = part.get_payload()
    inner = payload if isinstance(payload, list) else []
    for each in inner:
        if isinstance(each, Message):
            yield str(each.get("Message-ID", ""))


def _text(part: Message) -> str:
    content = part.get_payload(decode=True)
    return content.decode("utf-8", "replace") if isinstance(content, bytes) else ""


def _is_automatic(mail: EmailMessage) -> bool:
    """Return whether a program wrote this mail: answering it could loop for ever."""
    auto_submitted = str(mail.get("Auto-Submitted", "no")).partition(";")[0].strip().lower()
    if auto_submitted != "no":
        return True
    if str(mail.get("Precedence", "")).strip().lower() in ("bulk", "junk", "list", "auto_reply"):
        return True
    if any(name in mail for name in ("X-Autoreply", "X-Autorespond", "List-Id")):
        return True
    return str(mail.get("Return-Path", "")).strip() == "<>"
