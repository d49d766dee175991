"""What a customer wrote, out of the bytes of a mail: any bytes give an answer."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import default
from email.utils import parseaddr

from lxml import html

from storecrew.mail.addresses import mailable, same
from storecrew.mail.blocks import clean, one_line
from storecrew.mail.bounces import BounceReport, parse_bounce

MAX_TEXT = 20_000
"""Characters of a mail's words that are kept: twelve pages."""
_QUOTED = re.compile(
    r"^(-{2,} ?(original message|ursprüngliche nachricht|message d'origine|forwarded message)"
    r" ?-{2,}"
    r"|_{20,}"
    r"|on .{5,120} wrote:"
    r"|am .{5,120} schrieb .{0,120}:"
    r"|le .{5,120} a écrit ?:"
    r"|(from|von|de) ?: .{0,120}@.{0,120})$",
    re.IGNORECASE,
)
"""Lines after which a mail repeats the one it answers."""
_BREAKING = frozenset({"p", "div", "br", "tr", "li", "h1", "h2", "h3", "blockquote", "table"})
_UNREAD = frozenset({"script", "style", "head", "title", "template", "noscript"})
_DEEPEST = 200


@dataclass(frozen=True, kw_only=True)
class ReceivedEmail:
    """One mail from the mailbox, as far as anybody needs it."""

    message_id: str
    """As its sender named it; made from its content where nobody did."""
    sender: str
    """Lower case; empty where the header is no address."""
    subject: str
    text: str
    """Its words, without what it quotes."""
    refers_to: str = ""
    """Ids of the mails it answers."""
    bounce: BounceReport | None = None
    """What it says, where a program wrote it."""


def parse_email(content: bytes) -> ReceivedEmail:
    """Return what the mail says; what cannot be read is left out, never raised."""
    mail = message_from_bytes(content, policy=default)
    assert isinstance(mail, EmailMessage)  # noqa: S101 - what this policy makes
    given = one_line(_header(mail, "Message-ID"), 300)
    address = mailable(parseaddr(_header(mail, "From"))[1])
    return ReceivedEmail(
        message_id=given or f"<{hashlib.sha256(content).hexdigest()}@unnamed>",
        sender=same(address) if address else "",
        subject=one_line(_header(mail, "Subject")),
        text=_unquoted(_words(mail))[:MAX_TEXT],
        refers_to=f"{_header(mail, 'In-Reply-To')} {_header(mail, 'References')}"[:10_000],
        bounce=_notice(mail),
    )


def _notice(mail: EmailMessage) -> BounceReport | None:
    try:
        return parse_bounce(mail)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None  # a report that is damaged is read as what a person wrote


def _header(mail: Message, name: str) -> str:
    """Return a header as text; the library raises its own errors for the worst of them."""
    try:
        return str(mail.get(name, "")).replace("\n", " ").replace("\r", " ")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return ""


def _words(mail: EmailMessage) -> str:
    plain = html_text = ""
    for part in _parts(mail):
        if part.is_multipart() or part.get_filename():
            continue
        kind = part.get_content_type()
        if kind == "text/plain" and not plain:
            plain = _decoded(part)
        elif kind == "text/html" and not html_text:
            html_text = _from_html(_decoded(part))
    return clean(plain if plain.strip() else html_text)


def _parts(mail: EmailMessage) -> Iterator[Message]:
    try:
        yield from mail.walk()
    except (RecursionError, ValueError, AttributeError):
        return


def _decoded(part: Message) -> str:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    charset = str(part.get_content_charset() or "utf-8")
    try:
        return content.decode(charset)
    except (UnicodeDecodeError, LookupError, ValueError):
        return content.decode("utf-8", "replace")


def _from_html(source: str) -> str:
    """Return the words of an HTML mail, a line per block."""
    if not source.strip():
        return ""
    try:
        root = html.document_fromstring(source.encode("utf-8", "replace"), parser=_PARSER())
    except (ValueError, html.etree.LxmlError):
        return ""
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


def _unquoted(text: str) -> str:
    """Return what was written, without the mail that it answers below or above."""
    kept: list[str] = []
    for line in text.split("\n"):
        if _QUOTED.match(line.strip()):
            break
        if line.strip() == "--":  # a signature
            break
        if not line.lstrip().startswith(">"):
            kept.append(line.rstrip())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip() or text.strip()
