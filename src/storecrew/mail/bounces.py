"""Mails that programs write: returned letters, complaints, automatic replies, newsletters."""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from enum import StrEnum

from flufl.bounce import all_failures

from storecrew.mail.mime import content_type, decoded, parameter, walk
from storecrew.mail.refusals import names_mailbox


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
    BULK = "bulk"
    """A mail to many: of a mailing list, or a newsletter."""


@dataclass(frozen=True, kw_only=True)
class BounceReport:
    """What a program's mail says."""

    kind: BounceKind
    reason: str = ""
    about: str = ""
    """Text of the letter it is about, where our mark is looked for."""


_LONGEST = 300
_MAX_ABOUT = 60_000
"""Characters of a report in which our mark is looked for."""
_MAX_SCANNED = 30_000
"""Characters of a report in free text that are searched for an address."""
_STATUS_TYPES = ("message/delivery-status", "message/global-delivery-status")
_DAEMON = re.compile(r"(?:mailer-daemon|postmaster|mail[ ._-]?delivery|mdaemon)\b", re.IGNORECASE)
_REASON = re.compile(r"\b5\d\d[ -]|(?<![\d.])5\.\d{1,3}\.\d{1,3}(?![\d.])")


def parse_bounce(mail: Message) -> BounceReport | None:
    """Return what a program says by this mail; None where a person wrote it."""
    is_report = content_type(mail) == "multipart/report"
    report = parameter(mail, "Content-Type", "report-type").lower()
    if is_report and report == "feedback-report":
        return BounceReport(kind=BounceKind.COMPLAINT, reason="called spam", about=_original(mail))
    if groups := _status_groups(mail):
        return _delivery(mail, groups)
    if _is_from_a_server(mail):
        return _in_free_text(mail)
    return _automatic(mail)


def _delivery(mail: Message, groups: list[Message]) -> BounceReport:
    """Read a report on a delivery (RFC 3464, RFC 6533): the worst of its recipients' results."""
    about = _original(mail)
    recipients = [_of_recipient(group, about) for group in groups if group.get("Action")]
    order = (BounceKind.MAILBOX_NOT_FOUND, BounceKind.RETURNED, BounceKind.DELAYED)
    for kind in order:
        found = next((notice for notice in recipients if notice.kind is kind), None)
        if found is not None:
            return found
    return BounceReport(kind=BounceKind.AUTOMATIC, reason="report on a delivery")


def _of_recipient(group: Message, about: str) -> BounceReport:
    action = str(group.get("Action", "")).strip().lower()
    status = str(group.get("Status", "")).strip().partition(" ")[0]
    diagnostic = str(group.get("Diagnostic-Code", "")).removeprefix("smtp;").strip()
    reason = " ".join(f"{status} {diagnostic}".split())[:_LONGEST]
    if action.startswith("delayed") or status.startswith("4."):
        return BounceReport(kind=BounceKind.DELAYED, reason=reason, about=about)
    if not action.startswith(("fail", "error")):
        return BounceReport(kind=BounceKind.AUTOMATIC, reason="report on a delivery")
    is_bad = names_mailbox(diagnostic, status)
    kind = BounceKind.MAILBOX_NOT_FOUND if is_bad else BounceKind.RETURNED
    return BounceReport(kind=kind, reason=reason, about=about)


def _status_groups(mail: Message) -> list[Message]:
    for part in walk(mail):
        if content_type(part) in _STATUS_TYPES:
            payload = part.get_payload()
            return [each for each in payload if isinstance(each, Message)] if payload else []
    return []


def _is_from_a_server(mail: Message) -> bool:
    if "X-Failed-Recipients" in mail or str(mail.get("Return-Path", "")).strip() == "<>":
        return True
    return bool(_DAEMON.search(str(mail.get("From", ""))))


def _in_free_text(mail: Message) -> BounceReport:
    """Read a report that has no form: the vendors' known ones, else whatever names a failure."""
    text = "\n".join(_texts(mail))[:_MAX_ABOUT]
    delayed, failed = _vendors(mail)
    lines = [" ".join(line.split()) for line in text[:_MAX_SCANNED].splitlines()]
    reason = next((line for line in lines if _REASON.search(line)), "")[:_LONGEST]
    if delayed and not failed:
        return BounceReport(kind=BounceKind.DELAYED, reason=reason, about=text)
    is_refusal = bool(reason) and bool(_DAEMON.search(str(mail.get("From", ""))))
    if not (failed or "X-Failed-Recipients" in mail or is_refusal):
        return _automatic(mail) or BounceReport(kind=BounceKind.AUTOMATIC, reason="mail server")
    is_bad = bool(reason) and names_mailbox(reason)
    kind = BounceKind.MAILBOX_NOT_FOUND if is_bad else BounceKind.RETURNED
    return BounceReport(kind=kind, reason=reason, about=text)


def _vendors(mail: Message) -> tuple[frozenset[bytes], frozenset[bytes]]:
    """Return the addresses that are delayed and those that failed, as vendors write of them."""
    scanned = Message()
    for name in ("From", "Subject", "X-Failed-Recipients"):
        if name in mail:
            scanned[name] = str(mail[name])
    scanned.set_payload("\n".join(_texts(mail))[:_MAX_SCANNED])
    logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)  # it logs each mail it fails on
    try:
        delayed, failed = all_failures(scanned)
    except Exception:  # noqa: BLE001 - the boundary of the library: what it cannot read is no report
        return frozenset(), frozenset()
    return frozenset(delayed), frozenset(failed)


def _texts(mail: Message) -> Iterator[str]:
    """Yield the texts of a report, and the ids of letters in it."""
    for part in walk(mail):
        if not part.is_multipart():
            yield decoded(part)[:_MAX_ABOUT].decode("utf-8", "replace")
        if part is not mail:
            yield from (str(value) for value in part.get_all("Message-ID", []))


def _original(mail: Message) -> str:
    """Return the Message-ID of the letter that was returned, in whatever form it stands there."""
    found: list[str] = []
    for part in walk(mail):
        if content_type(part) in (
            "text/rfc822-headers",
            "message/rfc822-headers",
            "message/global-headers",
        ):
            found.append(decoded(part)[:_MAX_ABOUT].decode("utf-8", "replace"))
        elif part is not mail:
            found += map(str, part.get_all("Message-ID", []))
    return "\n".join(found)[:_MAX_ABOUT]


def _automatic(mail: Message) -> BounceReport | None:
    """Return that a program wrote this mail: answering it could loop for ever."""
    auto_submitted = str(mail.get("Auto-Submitted", "no")).partition(";")[0].strip().lower()
    precedence = str(mail.get("Precedence", "")).strip().lower()
    is_reply = auto_submitted != "no" or precedence == "auto_reply"
    if is_reply or any(name in mail for name in ("X-Autoreply", "X-Autorespond")):
        return BounceReport(kind=BounceKind.AUTOMATIC, reason="automatic reply")
    if precedence in ("bulk", "junk", "list") or "List-Id" in mail:
        return BounceReport(kind=BounceKind.BULK, reason="mailing list or newsletter")
    return None
