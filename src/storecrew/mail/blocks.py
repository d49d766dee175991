"""What a letter's plain body is made of: paragraphs, line breaks, and links to the shop itself."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from storecrew.domain.input_text import clean

_URL = re.compile(r"https?://[^\s<>\"'`{}|\\^\[\]]+")
_TRAILING = ".,;:!?)"


@dataclass(frozen=True, kw_only=True)
class InlineText:
    """Words, a link, or the end of a line."""

    text: str = ""
    href: str = ""
    is_break: bool = False


@dataclass(frozen=True, kw_only=True)
class TextBlock:
    """A paragraph, or a button where the paragraph is nothing but a link to the shop."""

    pieces: tuple[InlineText, ...] = ()
    button: str = ""


def blocks_of(body: str, hosts: frozenset[str]) -> list[TextBlock]:
    """Return the body's paragraphs; only addresses on these hosts become links."""
    paragraphs = (part.strip("\n") for part in re.split(r"\n[ ]*\n", clean(body)))
    return [_block(part, hosts) for part in paragraphs if part.strip()]


def _block(text: str, hosts: frozenset[str]) -> TextBlock:
    alone = text.strip()
    if _URL.fullmatch(alone) and is_own(alone, hosts):
        return TextBlock(button=alone)
    return TextBlock(pieces=tuple(_pieces(text, hosts)))


def _pieces(text: str, hosts: frozenset[str]) -> Iterator[InlineText]:
    for number, line in enumerate(text.split("\n")):
        if number:
            yield InlineText(is_break=True)
        last = 0
        for found in _URL.finditer(line):
            url = found[0].rstrip(_TRAILING)
            if not is_own(url, hosts):
                continue
            yield InlineText(text=line[last : found.start()])
            yield InlineText(text=url, href=url)
            last = found.start() + len(url)
        yield InlineText(text=line[last:])


def is_own(url: str, hosts: frozenset[str]) -> bool:
    """Tell whether the address is on one of these hosts."""
    try:
        parts = urlsplit(url)
        return (parts.hostname or "").lower() in hosts and parts.username is None
    except ValueError:
        return False
