"""A price that no markup names: the text that looks most like the product's own price."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlsplit

from storecrew.models.extraction.document import Document, Node, clean, text_of
from storecrew.models.extraction.money import shown_currency, shown_price
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


def price(document: Document) -> PriceCandidate | None:
    """Return the best-looking price of the page, None where nothing looks like one."""
    host = urlsplit(document.url).hostname or ""
    best: list[tuple[float, PriceCandidate]] = []
    title = _place(document)
    for place, node in enumerate(_named(document)):
        text = clean(text_of(node))
        amount = shown_price(text) if 0 < len(text) <= _LONGEST else None
        currency = shown_currency(text, host)
        if amount is None or (currency is None and not re.search(r"[$¥]|\bkr\b", text)):
            continue
        score = _score(node) + (0.5 if currency else 0.0) - 0.02 * place + _after(node, title)
        best.append((score, PriceCandidate(amount, currency, path_of(node), 0)))
    if not best:
        return None
    top, found = max(best, key=lambda each: each[0])
    if top < _LEAST:
        return None
    others = {each.price for score, each in best if score > top - 0.5} - {found.price}
    return PriceCandidate(found.price, found.currency, found.path, len(others))


def availability(document: Document) -> Availability | None:
    """Return what the page's words and buttons say, None where they say nothing."""
    buttons = document.root.xpath("//button | //input[@type='submit'] | //a[@role='button']")
    for node in buttons[:200]:
        text = f"{clean(text_of(node))} {node.get('value', '')}"
        if _BUY.search(text):
            return Availability.OUT_OF_STOCK if "disabled" in node.attrib else Availability.IN_STOCK
    body = " ".join(clean(text_of(node)) for node in document.root.xpath("//body//*[@class]")[:300])
    return Availability.OUT_OF_STOCK if _GONE.search(body) else None


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
