"""What a letter's plain body is made of: paragraphs, line breaks, and links to the shop itself."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

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


def clean(text: str) -> str:
    """Return the text without characters that no letter holds: controls, and turns of direction."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    ")
    return "".join(char for char in text if char == "\n" or not _is_hidden(char))


def one_line(text: str, longest: int = 200) -> str:
    """Return the text as a header may hold it: one line, without controls, not too long."""
    line = " ".join(clean(text).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


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


def _is_hidden(char: str) -> bool:
    """Tell whether a character is a control, unassigned, or changes how its neighbours are read."""
    if char in "\u200c\u200d":  # joiners, which some scripts and emoji need
        return False
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
