"""Competitor pages: whether one surely sells a product of the shop, and at which price."""

import re
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from storecrew.domain.control.proposals import Scalar
from storecrew.domain.money import Money
from storecrew.domain.ports.web import ObservedProduct
from storecrew.domain.shop.catalog import (
    CompetitorPage,
    CompetitorPrice,
    ObservationRejected,
    Product,
    RecordCompetitorPrice,
    TrackCompetitorPage,
    WithdrawCompetitorPrice,
)
from storecrew.models.keywords import matches
from storecrew.sdk import Proposal

_SURE = 0.8
"""How much must speak for a page's price: markup made for machines, and nothing against it."""
_LEAST_SURE = 0.5
"""How much must speak for the price of a page that is tracked already."""
_FAR = 3
"""A price more than so many times ours, or below that part of it, is another thing's price."""
_WORDS = re.compile(r"\w+")
_LEAST_SKU = 5
"""Characters from which the same SKU on two sites is no accident."""


def same_product(page: ObservedProduct, products: Sequence[Product]) -> Product | None:
    """Return the product of ours that the page surely sells, None where none or several are."""
    name = page.name or ""
    found = [product for product in products if _is(page, name, product)]
    return found[0] if len(found) == 1 else None


def linked(texts: Sequence[tuple[str, str]], products: Sequence[Product]) -> list[str]:
    """Return the links of texts that name a product of ours in full, in the order of the texts.

    `texts`: (what is said, link). A name of one word is in too many texts to mean the product.
    """
    by_word: dict[str, list[set[str]]] = {}
    for product in products:
        words = set(_WORDS.findall(product.name.lower()))
        if len(words) > 1:
            by_word.setdefault(max(words, key=lambda word: (len(word), word)), []).append(words)
    found = []
    for said, link in texts:
        words = set(_WORDS.findall(said.lower()))
        named = (name for word in words for name in by_word.get(word, ()))
        if any(name <= words for name in named):
            found.append(link)
    return list(dict.fromkeys(found))


def watch(page: ObservedProduct, product: Product, currency: str) -> Proposal | None:
    """Return the proposal to watch the page, None where its price is not sure enough."""
    price = _price(page, currency)
    if price is None or page.doubts or page.confidence < _SURE or not _near(price, product):
        return None
    if page.available is False or not _is_new(page):
        return None
    competitor = urlsplit(page.url).hostname or page.url
    return Proposal(
        action=TrackCompetitorPage(
            sku=product.sku, competitor=competitor.removeprefix("www."), url=page.url
        ),
        reason=f"{competitor} sells {product.name!r} for {price}; we ask {product.price}.",
        evidence={
            "page": page.url,
            "name_there": page.name,
            "name_here": product.name,
            "price_there": str(price),
            "price_here": str(product.price),
            "sureness": page.confidence,
            "available_there": page.available,
        },
    )


def news_of(
    watched: CompetitorPage,
    page: ObservedProduct | None,
    product: Product,
    last: CompetitorPrice | None,
) -> Iterator[Proposal | ObservationRejected]:
    """Tell what a watched page says today: another price, something odd, or nothing new."""
    currency = product.price.currency
    price = _price(page, currency) if page is not None else None
    odd = _odd(page, price, currency)
    if odd or page is None or price is None:
        shown = str(page.price) if page is not None and page.price is not None else watched.url
        yield ObservationRejected(
            sku=watched.sku, what=f"price of {watched.competitor}", value=shown, reason=odd
        )
    elif page.available is False:
        if last is not None:
            yield _withdrawn(watched, page, last)
    elif last is None or last.price != price:
        before: Scalar = str(last.price) if last else None
        yield Proposal(
            action=RecordCompetitorPrice(
                sku=watched.sku, competitor=watched.competitor, price=price
            ),
            reason=f"{watched.competitor} asks {price} on {watched.url}.",
            evidence={"page": watched.url, "price": str(price), "price_before": before,
                      "sureness": page.confidence, "available_there": page.available,
                      "condition_there": page.condition},
        )  # fmt: skip


def _withdrawn(watched: CompetitorPage, page: ObservedProduct, last: CompetitorPrice) -> Proposal:
    """Propose to forget a price at which nothing can be bought any more."""
    return Proposal(
        action=WithdrawCompetitorPrice(
            sku=watched.sku, competitor=watched.competitor, reason="sold out there"
        ),
        reason=f"{watched.competitor} has none left on {watched.url}; its price moves nobody.",
        evidence={"page": watched.url, "price_before": str(last.price),
                  "price": str(page.price), "sureness": page.confidence, "available_there": False},
    )  # fmt: skip


def _is_new(page: ObservedProduct) -> bool:
    return page.condition in (None, "new")


def _odd(page: ObservedProduct | None, price: Money | None, currency: str) -> str:
    """Return why the page's price may not be acted on, "" where it may."""
    if page is None:
        return "the page shows no product"
    if page.odd:
        return page.odd
    if price is None:
        return f"no price in {currency}" if page.price is not None else "the price is gone"
    if page.doubts:
        return "; ".join(page.doubts)
    if not _is_new(page):
        return f"the goods there are {page.condition}"
    return "" if page.confidence >= _LEAST_SURE else f"its price is only {page.confidence:.0%} sure"


def _price(page: ObservedProduct, currency: str) -> Money | None:
    if page.price is None or page.currency != currency:
        return None
    return Money(page.price, currency).rounded()


def _near(price: Money, product: Product) -> bool:
    ours = product.price.amount
    return ours > 0 and ours / _FAR <= price.amount <= ours * _FAR


def _is(page: ObservedProduct, name: str, product: Product) -> bool:
    if page.sku and len(page.sku) >= _LEAST_SKU and page.sku.lower() == product.sku.lower():
        return True
    several = len(_WORDS.findall(product.name)) > 1
    both = matches(product.name, [name], least=1.0) and matches(name, [product.name], least=1.0)
    return several and bool(both)
