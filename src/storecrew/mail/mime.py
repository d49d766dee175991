"""Splits the bytes of a mail into its parts, within bounds of time, depth and number.

The standard library's parser recurses into nested parts, matches each line against each open
boundary and knows no bounds; only its message class is used.
"""

import re
from collections import deque
from collections.abc import Iterator
from email.message import Message
from email.utils import collapse_rfc2231_value

MAX_DEPTH = 12
"""Levels of nested parts that are read: a forwarded report in a digest has five."""
MAX_PARTS = 200
_MAX_HEADER_BLOCK = 65_536
"""Bytes of the headers of one part."""
_MAX_HEADER = 4_000
"""Bytes of one header."""
_BLANK_LINE = re.compile(rb"(?:^|\n)\r?\n")
_PARAMETER = r""";\s*{}\s*=\s*(?:"([^"]*)"|([^;\s]+))"""
_ANY_BOUNDARY = re.compile(rb"(?:^|\n)--([^\s-][^\r\n]{0,200}?)[ \t]*\r?\n")
_STATUS = frozenset({"message/delivery-status", "message/global-delivery-status"})
_MESSAGES = frozenset({"message/rfc822", "message/global"})


def parse_message(content: bytes) -> Message:
    """Return the tree of a mail's parts; what exceeds the bounds stays undivided text."""
    root, body = _headers_and_body(content)
    pending, parts = deque([(root, body, 0)]), 1
    while pending:
        message, body, depth = pending.popleft()
        room = MAX_PARTS - parts if depth < MAX_DEPTH else 0
        children: list[Message | str] = []
        for piece in list(_pieces(message, body))[:room] if room else ():
            child, inner = _headers_and_body(piece)
            children.append(child)
            pending.append((child, inner, depth + 1))
        parts += len(children)
        message.set_payload(children or body.decode("latin-1"))
    return root


def is_undivided(message: Message) -> bool:
    """Tell whether the part should have parts, and was not divided."""
    return not message.is_multipart() and content_type(message) in _MESSAGES


def content_type(message: Message) -> str:
    """Return the type of a part in lower case, without parameters."""
    declared = str(message.get("Content-Type", "")).partition(";")[0].strip().lower()
    return declared if re.fullmatch(r"[\w.+-]+/[\w.+-]+", declared) else "text/plain"


def parameter(message: Message, header: str, name: str) -> str:
    """Return a parameter of a header; empty where there is none that can be read."""
    value = str(message.get(header, ""))
    if found := re.search(_PARAMETER.format(re.escape(name)), value, re.IGNORECASE):
        return found[1] if found[1] is not None else found[2]
    try:
        return collapse_rfc2231_value(message.get_param(name, "", header) or "")
    except Exception:  # noqa: BLE001 - the boundary of the library: RFC 2231 at its worst
        return ""


def walk(message: Message) -> Iterator[Message]:
    """Yield the message and all of its parts, in order, without recursion."""
    pending = [message]
    while pending:
        part = pending.pop()
        yield part
        payload = part.get_payload()
        if isinstance(payload, list):
            pending += [each for each in reversed(payload) if isinstance(each, Message)]


def decoded(message: Message) -> bytes:
    """Return the content of a part without its transfer encoding; empty for one with parts."""
    try:
        content = message.get_payload(decode=True)
    except Exception:  # noqa: BLE001 - the boundary of the library: an encoding at its worst
        content = None
    if isinstance(content, bytes):
        return content
    payload = message.get_payload()
    return payload.encode("latin-1", "replace") if isinstance(payload, str) else b""


def _headers_and_body(content: bytes) -> tuple[Message, bytes]:
    end = _BLANK_LINE.search(content)
    block, body = (content[: end.start()], content[end.end() :]) if end else (content, b"")
    message = Message()
    for name, value in _fields(block[:_MAX_HEADER_BLOCK]):
        message[name] = value
    return message, body


def _fields(block: bytes) -> list[tuple[str, str]]:
    """Return the headers unfolded and cut; lines that are no header are left out."""
    found: list[tuple[bytes, bytearray]] = []
    for line in block.splitlines():
        name, colon, value = line.partition(b":")
        if line[:1] in (b" ", b"\t") and found:
            found[-1][1].extend(b" " + line.strip())
        elif colon and re.fullmatch(rb"[!-9;-~]+", name.rstrip()):
            found.append((name.rstrip(), bytearray(value.strip())))
    return [(name.decode("ascii"), _text(bytes(value[:_MAX_HEADER]))) for name, value in found]


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _pieces(message: Message, body: bytes) -> Iterator[bytes]:
    """Yield what the part is divided into; nothing for one that is undivided."""
    kind = content_type(message)
    if kind.startswith("multipart/"):
        yield from _between_boundaries(body, _boundary(message, body))
    elif kind in _MESSAGES | _STATUS:
        message.set_payload(body.decode("latin-1"))
        plain = decoded(message)
        if kind in _MESSAGES:
            yield plain
        else:
            yield from (block for block in re.split(rb"\n\r?\n", plain) if block.strip())


def _boundary(message: Message, body: bytes) -> bytes:
    """Return the boundary that is declared and used, else the first that looks like one."""
    declared = parameter(message, "Content-Type", "boundary").rstrip()
    boundary = declared.encode("utf-8", "surrogateescape")
    if boundary and b"--" + boundary in body:
        return boundary
    found = _ANY_BOUNDARY.search(body)
    return found[1] if found else b""


def _between_boundaries(body: bytes, boundary: bytes) -> Iterator[bytes]:
    if not boundary:
        return
    line = re.compile(rb"(?:^|\n)--" + re.escape(boundary) + rb"(--)?[ \t]*\r?(?=\n|$)")
    begin = None
    for found in line.finditer(body):
        if begin is not None:
            yield body[begin : found.start()]
        if found[1]:
            return
        begin = found.end() + 1
    if begin is not None:
        yield body[begin:]
