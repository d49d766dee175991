"""What a customer wrote, out of the bytes of a mail: any bytes give an answer."""

import hashlib
import re
from dataclasses import dataclass
from email.header import decode_header, make_header
from email.message import Message

from lxml import html

from storecrew.domain.input_text import clean, one_line
from storecrew.mail.addresses import mailable, same
from storecrew.mail.authentication import Authentication, authentication_of
from storecrew.mail.bounces import BounceReport, parse_bounce
from storecrew.mail.mime import content_type, decoded, is_undivided, parameter, parse_message, walk
from storecrew.mail.quoting import without_quotes

MAX_TEXT = 20_000
"""Characters of a mail's words that are kept: twelve pages."""
_MAX_SOURCE = 200_000
"""Bytes of a part that are read for its words."""
_MAX_HEADERS = 20
"""Headers of one name that are read."""
_BREAKING = frozenset({"p", "div", "br", "tr", "li", "h1", "h2", "h3", "blockquote", "table"})
_UNREAD = frozenset({"script", "style", "head", "title", "template", "noscript"})
_DEEPEST = 200
_SPACES = str.maketrans(dict.fromkeys("\u00a0\u2002\u2003\u2007\u2009\u202f\u3000", " "))
_ANGLE = re.compile(r"<([^<>]*)>")


@dataclass(frozen=True, kw_only=True)
class ReceivedEmail:
    """One mail from the mailbox, as far as it is needed."""

    message_id: str
    """As its sender named it; made from its content where there is none."""
    identity: str
    """Digest of the id and of what the mail says: two mails under one id are two."""
    sender: str
    """Lower case; empty where the header is not one address."""
    reply_to: str = ""
    """Address that answers are asked for at; the sender's where none is named."""
    subject: str
    text: str
    """Its words, without what it quotes."""
    refers_to: str = ""
    """Ids of the mails it answers."""
    bounce: BounceReport | None = None
    """What it says, where a program wrote it."""
    list_id: str = ""
    """Name of the mailing list that it came by."""
    authentication: Authentication = Authentication.UNKNOWN
    is_nested_too_deeply: bool = False
    """Whether parts of it were not read because they lie too deep, or are too many."""
    problem: str = ""
    """Why it could not be read as a mail; its text is then the raw content."""


def parse_email(content: bytes, authserv_id: str = "") -> ReceivedEmail:
    """Return what the mail says; never raises.

    `authserv_id` names the host whose results on the sender count.
    """
    try:
        return _parsed(content, authserv_id)
    except Exception as error:  # noqa: BLE001 - the boundary of the libraries that read mails
        text = clean(content[:_MAX_SOURCE].decode("utf-8", "replace"))[:MAX_TEXT].strip()
        digest = hashlib.sha256(content).hexdigest()
        return ReceivedEmail(
            message_id=f"<{digest}@unnamed>",
            identity=digest,
            sender="",
            subject="",
            text=text,
            problem=f"{type(error).__name__}: {error}"[:200],
        )


def _parsed(content: bytes, authserv_id: str) -> ReceivedEmail:
    mail = parse_message(content)
    given = one_line(str(mail.get("Message-ID", "")), 300)
    message_id = given or f"<{hashlib.sha256(content).hexdigest()}@unnamed>"
    senders = _addresses(mail, "From")
    sender = senders[0] if len(set(senders)) == 1 else ""
    reply_to = next((found[0] for name in _REPLY_HEADERS if (found := _addresses(mail, name))), "")
    subject, text = one_line(_header(mail, "Subject")), without_quotes(_words(mail))[:MAX_TEXT]
    results = list(map(str, mail.get_all("Authentication-Results", [])))[:_MAX_HEADERS]
    said = "\0".join((message_id, sender, subject, text))
    return ReceivedEmail(
        message_id=message_id,
        identity=hashlib.sha256(said.encode("utf-8", "replace")).hexdigest(),
        sender=sender,
        reply_to=reply_to,
        subject=subject,
        text=text,
        refers_to=f"{mail.get('In-Reply-To', '')} {mail.get('References', '')}",
        bounce=parse_bounce(mail),
        list_id=one_line(str(mail.get("List-Id", ""))).rpartition("<")[2].strip("<> ").lower(),
        is_nested_too_deeply=any(map(is_undivided, walk(mail))),
        authentication=authentication_of(results, authserv_id, sender),
    )


_REPLY_HEADERS = ("Reply-To", "From", "Sender", "Return-Path")


def _addresses(mail: Message, name: str) -> list[str]:
    """Return the addresses that stand in the headers of this name, as far as mail reaches them.

    Many programs write a name with a comma and without quotes (`Buyer, Kim <kim@buyer.example>`).
    """
    found: list[str] = []
    for header in list(map(str, mail.get_all(name, [])))[:_MAX_HEADERS]:
        text = re.sub(r'"(?:[^"\\]|\\.)*"', " ", header)
        bare = re.sub(r"\([^()]*\)", " ", text)
        for part in _ANGLE.findall(text) or re.split(r"[,;\s]+", bare):
            found += [same(address)] if (address := mailable(part)) else []
    return found


def _header(mail: Message, name: str) -> str:
    """Return a header as text, its encoded words decoded."""
    value = str(mail.get(name, ""))
    try:
        return str(make_header(decode_header(value)))
    except Exception:  # noqa: BLE001 - the boundary of the library: encoded words at their worst
        return value


def _words(mail: Message) -> str:
    plain = html_text = ""
    for part in walk(mail):
        if part.is_multipart() or (part is not mail and _is_attached(part)):
            continue
        kind = content_type(part)
        is_plain = kind == "text/plain" or kind.startswith("multipart/")  # without any boundary
        if is_plain and not plain.strip():
            plain = _decoded(part)
        elif kind == "text/html" and not html_text:
            html_text = _from_html(_decoded(part))
    words = plain if plain.strip() else html_text
    return clean(words[: 2 * MAX_TEXT]).translate(_SPACES)


def _is_attached(part: Message) -> bool:
    return bool(parameter(part, "Content-Disposition", "filename")) or bool(
        parameter(part, "Content-Type", "name")
    )


def _decoded(part: Message) -> str:
    content = decoded(part)[:_MAX_SOURCE]
    charset = parameter(part, "Content-Type", "charset") or "utf-8"
    for each in (charset, "utf-8"):
        try:
            return content.decode(each)
        except (UnicodeError, LookupError, ValueError):
            continue
    return content.decode("utf-8" if charset == "utf-8" else "latin-1", "replace")


def _from_html(source: str) -> str:
    """Return the words of an HTML mail, a line per block."""
    if not source.strip():
        return ""
    try:
        root = html.document_fromstring(source.encode("utf-8", "replace"), parser=_PARSER())
    except Exception:  # noqa: BLE001 - the boundary of the library
        return re.sub(r"<[^<>]{0,2000}>", " ", source)
    found: list[str] = []
    _walk(root, found, 0)
    return re.sub(r"\n{3,}", "\n\n", "".join(found)).strip()


def _PARSER() -> html.HTMLParser:  # noqa: N802 - makes one: parsers are not shared by threads
    return html.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True)


def _walk(node: html.HtmlElement, found: list[str], depth: int) -> None:
    if not isinstance(node.tag, str) or node.tag in _UNREAD or depth > _DEEPEST:
        found.append(node.tail or "")
        return
    if node.tag in _BREAKING:
        found.append("\n")
    found.append(" ".join((node.text or "").split(" ")))
    for child in node:
        _walk(child, found, depth + 1)
    if node.tag in _BREAKING and node.tag != "br":
        found.append("\n")
    found.append(node.tail or "")
