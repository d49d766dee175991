"""From the bytes of a page to the product that it sells: markup first, then what looks like it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from urllib.parse import urlsplit

from storecrew.models.extraction import heuristics, schema_org
from storecrew.models.extraction.document import Document, parse
from storecrew.models.extraction.money import currency_code, plain_price
from storecrew.models.extraction.page import Availability, Condition, ProductPage, Source
from storecrew.models.extraction.schema_org import DescribedProduct, SchemaOffer

_TRUST = {
    Source.JSON_LD: 0.9,
    Source.MICRODATA: 0.9,
    Source.OPENGRAPH: 0.8,
    Source.HEURISTIC: 0.5,
}
"""How much each source is worth alone; each that agrees halves the doubt."""


@dataclass(frozen=True, kw_only=True)
class _SourceReading:
    """What one source says of the page's product."""

    source: Source
    product: DescribedProduct
    offer: SchemaOffer | None
    doubts: list[str] = field(default_factory=list[str])


def product_page(content: bytes, url: str, charset: str | None = None) -> ProductPage | None:
    """Return what the page says of its product, or None where it says nothing of one.

    `content` as it was fetched from `url`, `charset` as the server named it. The first source that
    holds a price is believed, in the order of `Source`; others fill in what it leaves open, and
    count for or against it. Raises `InvalidInput` for more than 8 MB. Same bytes, same answer.
    """
    document = parse(content, url, charset)
    if document is None:
        return None
    sources = [each for each in _sources(document) if each is not None]
    priced = [each for each in sources if each.offer is not None]
    is_product = any(each.source is not Source.OPENGRAPH for each in sources)
    if not priced and not is_product and not document.damages:
        return None  # every article has a title for sharing; that makes it no product
    return _merged(document, sources, priced)


def _sources(document: Document) -> Iterator[_SourceReading | None]:
    linked = list(document.json_ld())
    marked = [schema_org.from_microdata(item) for item in document.microdata()]
    yield _schema(document, Source.JSON_LD, linked)
    yield _schema(document, Source.MICRODATA, marked)
    yield _opengraph(document)
    if not schema_org.is_something_else([*linked, *marked]):
        yield _heuristic(document)


def _schema(document: Document, source: Source, items: Sequence[object]) -> _SourceReading | None:
    found = schema_org.products(items, document.url)
    if not found:
        return None
    own = [each for each in found if _same_page(each.url, document.url)]
    title = (document.first("//h1") or document.first("//title") or "").lower()
    named = [each for each in found if each.name and each.name.lower() in title]
    offered = [each for each in found if each.offers]
    known = own or named or offered or found
    product = next((each for each in known if each.offers), known[0])
    doubts = []
    if not own and not named and len({each.name for each in offered}) > 1:
        doubts.append("several products on the page")
    return _SourceReading(
        source=source, product=product, offer=_best(product, document.url), doubts=doubts
    )


def _best(product: DescribedProduct, url: str) -> SchemaOffer | None:
    """Return the offer that a visitor sees: the page's own, else the cheapest that can be had."""
    if not product.offers:
        return None
    own = [each for each in product.offers if each.url and _exact(each.url) == _exact(url)]
    pool = own or list(product.offers)
    bought = [each for each in pool if each.availability is not Availability.OUT_OF_STOCK] or pool
    return min(bought, key=lambda each: each.price)


def _opengraph(document: Document) -> _SourceReading | None:
    opengraph = document.opengraph()
    amount = opengraph.get("product:price:amount") or opengraph.get("og:price:amount")
    name = opengraph.get("og:title")
    if amount is None and opengraph.get("og:type") not in ("product", "og:product", "product.item"):
        return None
    price = plain_price(amount)
    stock = opengraph.get("product:availability") or opengraph.get("og:availability")
    available = schema_org.availability(stock)
    product = DescribedProduct(
        name=name or None,
        sku=opengraph.get("product:retailer_item_id") or None,
        brand=opengraph.get("product:brand") or opengraph.get("og:brand") or None,
        image=_absolute(opengraph.get("og:image")),
        availability=available,
    )
    if price is None:
        return _SourceReading(source=Source.OPENGRAPH, product=product, offer=None)
    currency = opengraph.get("product:price:currency") or opengraph.get("og:price:currency")
    offer = _offer(price, currency_code(currency), "meta")
    return _SourceReading(source=Source.OPENGRAPH, product=product, offer=offer)


def _heuristic(document: Document) -> _SourceReading | None:
    found = heuristics.price(document)
    if found is None:
        return None
    product = DescribedProduct(
        name=document.first("//h1") or document.first("//title"),
        availability=heuristics.availability(document),
    )
    doubts = ["other prices look as good"] if found.rivals else []
    doubts += ["a price of several units stands beside it"] if found.is_of_several else []
    offer = _offer(found.price, found.currency, found.path)
    return _SourceReading(source=Source.HEURISTIC, product=product, offer=offer, doubts=doubts)


def _offer(price: Decimal, currency: str | None, path: str) -> SchemaOffer:
    return SchemaOffer(price=price, currency=currency, availability=None, url="", path=path)


def _merged(
    document: Document, told: Sequence[_SourceReading], priced: Sequence[_SourceReading]
) -> ProductPage:
    chosen = priced[0] if priced else None
    order = [chosen, *(each for each in told if each is not chosen)] if chosen else list(told)
    products = [each.product for each in order if each is not None]
    offer = chosen.offer if chosen else None
    doubts = (*_doubts(document, chosen, priced), *document.damages)
    stock = offer.availability if offer else None
    title = document.first("//h1") or document.first("//title")
    return ProductPage(
        url=document.url,
        name=next((each.name for each in products if each.name), title),
        price=offer.price if offer else None,
        currency=_agreed_currency(offer, priced),
        availability=stock or next((p.availability for p in products if p.availability), None),
        condition=_condition(products, title or ""),
        gtin=next((each.gtin for each in products if each.gtin), None),
        sku=next((each.sku for each in products if each.sku), None),
        brand=next((each.brand for each in products if each.brand), None),
        image=next((each.image for each in products if each.image), None),
        source=chosen.source if chosen else None,
        confidence=_confidence(chosen, priced, doubts) if chosen else 0.0,
        layout=f"{chosen.source}:{offer.path}" if chosen and offer else "",
        doubts=doubts,
    )


def _condition(products: Sequence[DescribedProduct], title: str) -> Condition | None:
    """Return what markup says of the condition; words of the title count against `new` alone."""
    marked = next((each.condition for each in products if each.condition), None)
    names = [title, *(each.name or "" for each in products)]
    if marked in (None, Condition.NEW) and any(map(heuristics.is_used, names)):
        return Condition.USED
    return marked


def _doubts(
    document: Document, chosen: _SourceReading | None, priced: Sequence[_SourceReading]
) -> tuple[str, ...]:
    if chosen is None or chosen.offer is None:
        return ()
    doubts = [*chosen.doubts, *chosen.offer.doubts]
    others = {each.source: each.offer for each in priced if each is not chosen and each.offer}
    doubts += _unseen(document, chosen.offer)
    for source, offer in others.items():
        if offer.price != chosen.offer.price and source is not Source.HEURISTIC:
            doubts.append(f"{source} says {offer.price}")
    if len({each.price for each in chosen.product.offers}) > 1:
        doubts.append("several offers")
    if _agreed_currency(chosen.offer, priced) is None:
        doubts.append("no currency")
    return tuple(doubts)


def _unseen(document: Document, offer: SchemaOffer) -> list[str]:
    """Return the doubt that visitors see other amounts than the markup's, if they see any."""
    shown = heuristics.shown_amounts(document)
    if not shown or offer.price in shown or offer.price == offer.price.to_integral() in shown:
        return []
    nearest = min(shown, key=lambda amount: abs(amount - offer.price))
    return [f"the page shows {nearest}, its markup says {offer.price}"]


def _confidence(
    chosen: _SourceReading, priced: Sequence[_SourceReading], doubts: Sequence[str]
) -> float:
    doubt = 1 - _TRUST[chosen.source]
    for each in priced:
        same = each.offer and chosen.offer and each.offer.price == chosen.offer.price
        if each is not chosen and same:
            doubt /= 2
    return round((1 - doubt) * 0.5 ** len(doubts), 4)


def _agreed_currency(offer: SchemaOffer | None, priced: Sequence[_SourceReading]) -> str | None:
    """Return the offer's currency, or what another source says of the same price."""
    if offer is None:
        return None
    offers = [each.offer for each in priced if each.offer is not None]
    same = (each.currency for each in offers if each.price == offer.price and each.currency)
    return offer.currency or next(same, None)


def _same_page(one: str, other: str) -> bool:
    return bool(one) and _exact(one)[:2] == _exact(other)[:2]


def _exact(url: str) -> tuple[str, str, str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ("", url, "")
    host = (parts.hostname or "").removeprefix("www.")
    return (host, parts.path.rstrip("/"), parts.query)


def _absolute(address: str | None) -> str | None:
    return address if address and address.startswith(("http://", "https://")) else None
