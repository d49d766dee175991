"""HTML as a tree, within limits: the only module that knows lxml and extruct.

A page is anybody's text. Its size is bounded before it is parsed, and the parts on which the
libraries would take time without end are left out.
"""

import html as html_entities
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from storecrew.domain.errors import InvalidInput
from storecrew.domain.input_text import one_line

MAX_BYTES = 8_000_000
"""Bytes of a page at most; a large product page has half a million."""
_SCRIPTS = 50
_SCRIPT_CHARS = 2_000_000
_SCOPES, _PROPERTIES, _REFERENCES = 500, 3000, 50
_NESTED = 10
"""Microdata with more items, properties or references, or nested deeper, is left out: extruct
needs time with the square of these."""
_META = 500
_WRAPPING = re.compile(r"^\s*(?://\s*)?<!(?:\[CDATA\[|--)|(?://\s*)?(?:\]\]|--)>\s*;?\s*$")
"""Comments and CDATA around a script, from when browsers showed scripts as text."""

Node = Any
"""An lxml element."""


@dataclass(frozen=True)
class Document:
    """A parsed page."""

    root: Node
    url: str
    damages: list[str] = field(default_factory=list[str], compare=False)
    """What of the page could not be read."""

    def first(self, path: str) -> str | None:
        """Return the text or attribute that an XPath finds first, None if it is empty."""
        found = self.root.xpath(path)
        if not found:
            return None
        text = found[0] if isinstance(found[0], str) else text_of(found[0])
        return clean(text) or None

    def json_ld(self) -> Iterator[Any]:
        """Yield what each JSON-LD script holds; a damaged one is mended, else noted."""
        for script in self.root.xpath('//script[@type="application/ld+json"]')[:_SCRIPTS]:
            text = script.text or ""
            if len(text) > _SCRIPT_CHARS:
                self.damages.append("a JSON-LD script is too long to be read")
                continue
            items = next((found for each in _mended(text) if (found := _json_ld(each))), None)
            if items is None and text.strip():
                self.damages.append("a JSON-LD script is damaged")
            yield from items or ()

    def microdata(self) -> list[Any]:
        """Return the microdata items; none where there are too many to read in good time."""
        from extruct.w3cmicrodata import MicrodataExtractor

        try:
            if not _is_bounded(self.root):
                self.damages.append("there is more microdata than can be read")
                return []
            return list(MicrodataExtractor().extract_items(self.root, self.url))
        except Exception:  # noqa: BLE001 - the boundary of the library
            self.damages.append("the microdata is damaged")
            return []

    def opengraph(self) -> dict[str, str]:
        """Return the page's meta properties by name, the first of each."""
        found: dict[str, str] = {}
        for meta in self.root.xpath("//meta[(@property or @name) and @content]")[:_META]:
            name = (meta.get("property") or meta.get("name")).strip().lower()
            found.setdefault(name, clean(meta.get("content")))
        return found


def parse(content: bytes, url: str, charset: str | None = None) -> Document | None:
    """Return the page as a tree, or None where nothing in it is HTML.

    `charset` is what the server said. Raises `InvalidInput` for more than `MAX_BYTES`, and for a
    `url` that is none.
    """
    from lxml import html

    if len(content) > MAX_BYTES:
        raise InvalidInput("content", f"{len(content)} bytes; a page has at most {MAX_BYTES}")
    try:
        urlsplit(url)
    except ValueError:
        raise InvalidInput("url", f"{url[:100]!r} is no address") from None
    text = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]", "", _decoded(content, charset))
    text = re.sub(r"^<\?xml[^>]{0,200}\?>", "", text.strip())
    if not text:
        return None
    try:
        root = html.document_fromstring(text, parser=html.HTMLParser(huge_tree=False))
    except Exception:  # noqa: BLE001 - the boundary of the library: nothing in it is HTML
        return None
    return Document(root, url)


def _mended(text: str) -> Iterator[str]:
    """Yield the script as it stands, then with the damage undone that shops' systems do to it."""
    yield text
    bare = _WRAPPING.sub("", text.replace("\ufeff", ""))
    for each in (
        bare,
        html_entities.unescape(bare),
        html_entities.unescape(html_entities.unescape(bare)),
    ):
        yield each
        yield re.sub(r",(\s*[}\]])", r"\1", each).strip().rstrip(";")
        yield each.replace('\\"', '"').strip("\"' \n")


def _json_ld(text: str) -> list[Any]:
    """Return the items of a script; none where it is damaged."""
    from extruct.jsonld import JsonLdExtractor  # only reading pages needs these
    from lxml import html

    try:
        alone = html.Element("script", type="application/ld+json")
        alone.text = text
        return [each for each in JsonLdExtractor().extract_items(alone) if each]
    except Exception:  # noqa: BLE001 - the boundary of the library
        return []


def _decoded(content: bytes, charset: str | None) -> str:
    """Return the text in the encoding that the bytes begin with, the server or the page names."""
    from w3lib.encoding import html_to_unicode

    content_type = f"text/html; charset={charset}" if charset and charset.isascii() else "text/html"
    try:
        encoding, text = html_to_unicode(content_type, content, auto_detect_fun=_guess)
        if _is_of_text(encoding):
            return str(text)
    except Exception:  # noqa: BLE001, S110 - the boundary; some codecs are none of text, as "hex"
        pass
    return content.decode(_guess(content), "replace")


def _is_of_text(encoding: str) -> bool:
    """Tell an encoding of pages from one of something else, as "punycode" is of host names."""
    if encoding.lower().replace("_", "-").startswith(("utf-16", "utf-32")):
        return True
    return _MARKUP.decode(encoding, "replace") == _MARKUP.decode("ascii")


def text_of(node: Node) -> str:
    """Return the text of an element, without scripts."""
    parts = node.xpath("descendant-or-self::*[not(self::script or self::style)]/text()")
    return " ".join(str(part) for part in parts)


def clean(text: Any) -> str:
    """Return the text with single spaces, at most 500 characters of it."""
    line = " ".join(str(text or "")[:5000].split())
    return line[:500] if line.isprintable() else one_line(line, 500)


_MARKUP = b"<a href='b-c'>1.50</a>"
"""What every encoding of pages but the wide ones writes as ASCII does."""


def _guess(content: bytes) -> str:
    """Return the encoding of a page that says none: UTF-8 where it can be, else Windows-1252."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _is_bounded(root: Node) -> bool:
    """Tell whether the microdata can be read in good time."""
    scopes = root.xpath("//*[@itemscope]")
    properties = root.xpath("//*[@itemprop]")
    if len(scopes) > _SCOPES or len(properties) > _PROPERTIES:
        return False
    if sum(len(node.get("itemref", "").split()) for node in scopes) > _REFERENCES:
        return False
    marked = {*scopes, *properties}
    return all(sum(up in marked for up in node.iterancestors()) < _NESTED for node in marked)
