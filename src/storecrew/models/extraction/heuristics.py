"""A price that no markup names: the text that looks most like the product's own price."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlsplit

from storecrew.models.extraction.document import Document, Node, clean, text_of
from storecrew.models.extraction.money import (
    is_of_several,
    normalised_all,
    shown_currency,
    shown_price,
)
from storecrew.models.extraction.page import Availability

_CANDIDATES = 400
_LEAST = 0.0
"""A price that scores less stands beside the product's own, or is struck."""
_LONGEST = 40
"""Characters of a text that is taken for a price."""
_PRICE = re.compile(r"price|preis|prix|precio|prezzo|prijs|amount", re.IGNORECASE)
_OLD = re.compile(
    r"(^|[^a-z])(old|was|before|regular|list|rrp|msrp|uvp|strike|crossed|compare|original|saving|"
    r"save|discount|shipping|delivery|unit|per)([^a-z]|$)",
    re.IGNORECASE,
)
_ASIDE = re.compile(
    r"related|similar|recommend|cross-?sell|up-?sell|also|carousel|recently|basket|"
    r"(^|\s)(mini-?)?cart|header|footer|menu|sidebar|accessor",
    re.IGNORECASE,
)
_STRUCK = frozenset({"del", "s", "strike"})
_OUTSIDE = frozenset({"nav", "footer", "aside", "script", "style", "noscript", "template"})
_GONE = re.compile(
    r"out of stock|sold out|currently unavailable|ausverkauft|nicht verfügbar|nicht auf lager|"
    r"épuisé|rupture de stock|agotado|esaurito|uitverkocht|slutsåld",
    re.IGNORECASE,
)
_USED = re.compile(
    r"\b(?:used|pre-?owned|second[ -]?hand|refurbished|renewed|open[ -]box|gebraucht\w*|b-ware"
    r"|generalüberholt|occasion|reconditionné|d'occasion|usato|usado|tweedehands|begagnad)\b",
    re.IGNORECASE,
)
"""Words of a title that say that the goods are not new."""
_RAISED = re.compile(r"cent|fraction|decimal|superscript|kopeck", re.IGNORECASE)
_AMOUNT = re.compile(
    r"(?:[€£$¥₹₺₽₴₩₫฿₪]|\b[A-Z]{3}|\bkr|\bFr\.)\s?[0-9][0-9.,' ]*"
    r"|[0-9][0-9.,' ]*(?:[.,]-)?\s?(?:[€£$¥₹₺₽₴₩₫฿₪円元원]|[A-Z]{3}\b|kr\b|zł|Kč|Ft\b|lei\b)"
)
"""An amount with its currency, anywhere in a normalised text."""
_MAX_TEXTS = 3_000
_BUY = re.compile(
    r"add to (cart|basket|bag)|buy now|in den warenkorb|ajouter au panier|añadir al carrito|"
    r"aggiungi al carrello|in winkelwagen|lägg i varukorg",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class PriceCandidate:
    """A text that looks like the price."""

    price: Decimal
    currency: str | None
    path: str
    """Tags and classes that lead to it."""
    rivals: int
    """Other prices on the page that look as good."""
    is_of_several: bool = False
    """Whether a price of several units stands where the product's should."""


def price(document: Document) -> PriceCandidate | None:
    """Return the best-looking price of the page, None where nothing looks like one."""
    host = urlsplit(document.url).hostname or ""
    best: list[tuple[float, PriceCandidate]] = []
    title, several = _place(document), False
    for place, node in enumerate(_named(document)):
        text = clean(price_text(node))
        several = several or (len(text) <= _LONGEST and is_of_several(text))
        amount = shown_price(text) if 0 < len(text) <= _LONGEST else None
        currency = shown_currency(text, host)
        if amount is None or (currency is None and not re.search(r"[$¥]|\bkr\b", text)):
            continue
        score = _score(node) + (0.5 if currency else 0.0) - 0.02 * place + _after(node, title)
        best.append((score, PriceCandidate(amount, currency, path_of(node), 0)))
    top, found = max(best, key=lambda each: each[0], default=(_LEAST - 1, None))
    if top < _LEAST or found is None:
        if several:
            document.damages.append("its price is of several pieces")
        return None
    others = {each.price for score, each in best if score > top - 0.5} - {found.price}
    return PriceCandidate(found.price, found.currency, found.path, len(others), several)


def availability(document: Document) -> Availability | None:
    """Return what the page's words and buttons say, None where they say nothing."""
    if _is_gone(document):
        return Availability.OUT_OF_STOCK
    buttons = document.root.xpath("//button | //input[@type='submit'] | //a[@role='button']")
    for node in buttons[:200]:
        text = f"{clean(text_of(node))} {node.get('value', '')}"
        if _BUY.search(text):
            return Availability.OUT_OF_STOCK if "disabled" in node.attrib else Availability.IN_STOCK
    return None


def _is_gone(document: Document) -> bool:
    """Tell whether the page says, outside of other products' boxes, that nothing is left."""
    marked = document.root.xpath("//body//*[@class or @id]")[:300]
    return any(_GONE.search(clean(text_of(node))) for node in marked if not _is_aside(node))


def is_used(text: str) -> bool:
    """Tell whether a title says that the goods are not new."""
    return bool(_USED.search(text))


def shown_amounts(document: Document) -> frozenset[Decimal]:
    """Return every amount of money that a visitor sees as the page's own, struck ones included."""
    found: set[Decimal] = set()
    texts = [clean(price_text(node)) for node in _named(document) if not _is_aside(node)]
    for node in document.root.xpath("//body//*[text()]")[:_MAX_TEXTS]:
        if not (_is_aside(node) or node.tag in _OUTSIDE):
            texts += [clean(" ".join(map(str, node.xpath("text()"))))]
    for text in texts:
        for amount in _AMOUNT.findall(normalised_all(text)):
            if (price := shown_price(amount)) is not None:
                found.add(price)
    return frozenset(found)


def price_text(node: Node) -> str:
    """Return the text of a price, with raised cents (`29<sup>99</sup>`) behind a point."""
    found = ""
    for part in node.xpath("descendant-or-self::*[not(self::script or self::style)]/text()"):
        text, holder = str(part), part.getparent()
        raised = holder is not None and part.is_text and holder is not node and _is_raised(holder)
        digits = text.strip(" .,")
        if raised and re.fullmatch(r"\d\d", digits) and re.search(r"\d[.,\s]*$", found):
            found = f"{found.rstrip(' .,')}.{digits} "
        else:
            found += text if raised or not found or not text.strip() else f" {text}"
    return found


def _is_raised(node: Node) -> bool:
    return node.tag in ("sup", "sub", "small") or bool(_RAISED.search(node.get("class", "")))


def _is_aside(node: Node) -> bool:
    return any(
        each.tag in ("nav", "footer", "aside", "header")
        or _ASIDE.search(f"{each.get('class', '')} {each.get('id', '')}")
        for each in [node, *node.iterancestors()][:12]
    )


def path_of(node: Node) -> str:
    """Return the element's way from the body: tags, with the classes that carry no number."""
    steps = []
    for each in [node, *node.iterancestors()][:8]:
        if not isinstance(each.tag, str) or each.tag in ("body", "html"):
            break
        names = sorted(name for name in each.get("class", "").split() if name.isalpha())
        steps.append(".".join([each.tag, *names[:3]]))
    return ">".join(reversed(steps))


def _named(document: Document) -> Iterator[Node]:
    """Yield elements that are called a price, innermost of each branch, in the page's order."""
    marks = "@class or @id or @data-price or @itemprop"
    count = 0
    for node in document.root.xpath(f"//body//*[{marks}]"):
        words = " ".join(node.get(name, "") for name in ("class", "id", "itemprop"))
        if node.tag in _OUTSIDE or not (_PRICE.search(words) or "data-price" in node.attrib):
            continue
        count += 1
        if count > _CANDIDATES:
            return
        yield node


def _score(node: Node) -> float:
    """Return how much its names speak for an element: struck and other products' prices lose."""
    own = f"{node.get('class', '')} {node.get('id', '')}"
    score = 1.0 if node.get("itemprop") == "price" else 0.0
    for each in [node, *node.iterancestors()][:12]:
        names = f"{each.get('class', '')} {each.get('id', '')}"
        if each.tag in _STRUCK or each.tag in _OUTSIDE:
            score -= 3
        if _ASIDE.search(names):
            score -= 2
    if _OLD.search(own.replace("_", "-")):
        score -= 2
    if re.search(r"current|sale|final|now|actual|special|offer", own, re.IGNORECASE):
        score += 0.7
    return score


def _place(document: Document) -> Node | None:
    found = document.root.xpath("//h1")
    return found[0] if found else None


def _after(node: Node, title: Node | None) -> float:
    """Return what it counts that an element stands near the title: shares a close ancestor."""
    if title is None:
        return 0.0
    around = list(title.iterancestors())[:6]
    own = set(list(node.iterancestors())[:8])
    for distance, each in enumerate(around):
        if each in own and each.tag not in ("body", "html"):
            return 1.0 - 0.15 * distance
    return 0.0
