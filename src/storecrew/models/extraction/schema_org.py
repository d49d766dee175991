"""Products of schema.org, as JSON-LD and microdata hold them, brought into one form."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import urljoin, urlsplit

from storecrew.models.extraction.document import clean
from storecrew.models.extraction.money import currency_code, is_ambiguous, plain_price
from storecrew.models.extraction.page import Availability, Condition

_PRODUCTS = frozenset(
    ("Product", "IndividualProduct", "ProductModel", "SomeProducts", "ProductGroup", "Book", "Car")
)
_OTHER = ("Event", "Article", "Posting", "Recipe", "Movie", "Course", "Hotel", "Restaurant")
_ASIDE = frozenset(
    ("isRelatedTo", "isSimilarTo", "isAccessoryOrSparePartFor", "isConsumableFor",
     "itemListElement", "review", "reviews", "breadcrumb")
)  # fmt: skip
"""Under these a page names other products than its own."""
_STRUCK = ("ListPrice", "StrikethroughPrice", "SRP", "MSRP", "MinimumAdvertisedPrice")
"""Types of price (schema.org PriceTypeEnumeration) that nobody pays."""
_STOCK = {
    "instock": Availability.IN_STOCK,
    "limitedavailability": Availability.IN_STOCK,
    "onlineonly": Availability.IN_STOCK,
    "instoreonly": Availability.OUT_OF_STOCK,
    "outofstock": Availability.OUT_OF_STOCK,
    "soldout": Availability.OUT_OF_STOCK,
    "reserved": Availability.OUT_OF_STOCK,
    "backorder": Availability.PREORDER,
    "madetoorder": Availability.PREORDER,
    "preorder": Availability.PREORDER,
    "presale": Availability.PREORDER,
    "discontinued": Availability.DISCONTINUED,
}
_CONDITIONS = {
    "newcondition": Condition.NEW,
    "new": Condition.NEW,
    "usedcondition": Condition.USED,
    "used": Condition.USED,
    "refurbishedcondition": Condition.REFURBISHED,
    "refurbished": Condition.REFURBISHED,
    "damagedcondition": Condition.DAMAGED,
}
_CHARGES = ("DeliveryChargeSpecification", "PaymentChargeSpecification", "ShippingDeliveryTime")
"""Types of price specification that are not the product's price."""
_DEPTH, _NODES = 12, 20_000

Item = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class SchemaOffer:
    """One price at which the product is offered."""

    price: Decimal
    currency: str | None
    availability: Availability | None
    url: str
    path: str
    """The keys that led to the price."""
    doubts: tuple[str, ...] = ()
    """What speaks against the price by itself, e.g. that it is net of taxes."""


@dataclass(frozen=True, kw_only=True)
class DescribedProduct:
    """One product that a page describes."""

    name: str | None = None
    gtin: str | None = None
    sku: str | None = None
    brand: str | None = None
    image: str | None = None
    url: str = ""
    availability: Availability | None = None
    condition: Condition | None = None
    offers: Sequence[SchemaOffer] = field(default_factory=tuple[SchemaOffer, ...])


def products(items: Sequence[Any], url: str) -> list[DescribedProduct]:
    """Return the products among the items that are the page's own, in order."""
    index = _index(items)
    return [_described(item, index, url) for item in _walk(items) if _kind(item) & _PRODUCTS]


def is_something_else(items: Sequence[Any]) -> bool:
    """Tell whether the page describes an event, an article or the like, and no product."""
    kinds = [_kind(item) for item in _walk(items)]
    other = any(name.endswith(_OTHER) for kind in kinds for name in kind)
    return other and not any(kind & _PRODUCTS for kind in kinds)


def from_microdata(item: Any) -> Any:
    """Return a microdata item in the form of JSON-LD."""
    if isinstance(item, list):
        return [from_microdata(each) for each in item]
    if not isinstance(item, dict) or "type" not in item:
        return item
    kept = item.get("properties") or {}
    return {"@type": item["type"], **{key: from_microdata(each) for key, each in kept.items()}}


def availability(said: Any) -> Availability | None:
    """Return what schema.org's ItemAvailability, or a shop's own spelling of it, means."""
    word = clean(_first(said)).rstrip("/").rpartition("/")[2].rpartition("#")[2].lower()
    return _STOCK.get("".join(c for c in word if c.isalpha()))


def condition(said: Any) -> Condition | None:
    """Return what schema.org's OfferItemCondition, or a shop's own spelling of it, means."""
    word = clean(_first(said)).rstrip("/").rpartition("/")[2].rpartition("#")[2].lower()
    return _CONDITIONS.get("".join(c for c in word if c.isalpha()))


def gtin(said: Any) -> str | None:
    """Return a GTIN of 8, 12, 13 or 14 digits whose check digit is right, else None."""
    digits = "".join(c for c in clean(_first(said)) if c not in " -")
    if not (digits.isascii() and digits.isdigit()) or len(digits) not in (8, 12, 13, 14):
        return None
    total = sum(int(c) * (3 if n % 2 == 0 else 1) for n, c in enumerate(reversed(digits[:-1])))
    return digits if (total + int(digits[-1])) % 10 == 0 and int(digits) else None


def _walk(items: Sequence[Any]) -> Iterator[Item]:
    """Yield every item, outer ones first, but not what only stands beside the page's own."""
    waiting = [(each, 0) for each in reversed(items)]
    count = 0
    while waiting and count < _NODES:
        each, depth = waiting.pop()
        count += 1
        if depth > _DEPTH:
            continue
        if isinstance(each, dict):
            yield each
            inside = [value for key, value in each.items() if key not in _ASIDE]
            if _kind(each) & _PRODUCTS:
                continue  # variants and parts belong to it
            waiting += [(value, depth + 1) for value in reversed(inside)]
        elif isinstance(each, list):
            waiting += [(value, depth + 1) for value in reversed(each)]


def _index(items: Sequence[Any]) -> dict[str, Item]:
    """Return items by their @id, for references to them."""
    found: dict[str, Item] = {}
    for item in _walk(items):
        key = item.get("@id")
        if isinstance(key, str) and len(item) > 1:
            found.setdefault(key, item)
    return found


def _kind(item: Item) -> set[str]:
    kinds = item.get("@type")
    names = kinds if isinstance(kinds, list) else [kinds]
    return {str(name).rstrip("/").rpartition("/")[2].rpartition(":")[2] for name in names if name}


def _described(item: Item, index: Mapping[str, Item], url: str) -> DescribedProduct:
    offers = list(_offers(item, index, url))
    codes = ("gtin", "gtin13", "gtin14", "gtin12", "gtin8", "isbn", "productID")
    found = (gtin(item.get(name)) for name in codes)
    stocked = (availability(each.get("availability")) for each in _items(item.get("offers"), index))
    conditions = (
        condition(each.get("itemCondition")) for each in [item, *_items(item.get("offers"), index)]
    )
    brand = _first(item.get("brand"))
    image = _first(item.get("image"))
    return DescribedProduct(
        name=clean(_first(item.get("name"))) or None,
        gtin=next((code for code in found if code), None),
        sku=clean(_first(item.get("sku"))) or None,
        brand=clean(_first(brand.get("name")) if isinstance(brand, dict) else brand) or None,
        image=_address(image.get("url") if isinstance(image, dict) else image, url),
        url=_address(_first(item.get("url")), url) or "",
        availability=next((each for each in stocked if each), None),
        condition=next((each for each in conditions if each), None),
        offers=offers,
    )


def _offers(
    item: Item, index: Mapping[str, Item], url: str, depth: int = 0
) -> Iterator[SchemaOffer]:
    """Yield the prices of a product: of its offers, or of its variants where it has none."""
    found = False
    for offer in _items(item.get("offers"), index):
        currency = _currency(offer, index)
        for price, path, doubts in _prices(offer, index, currency):
            found = True
            yield SchemaOffer(
                price=price,
                currency=currency,
                doubts=doubts,
                availability=availability(offer.get("availability")),
                url=_address(_first(offer.get("url")), url) or "",
                path=f"offers.{path}",
            )
    if not found and depth < 2:
        for variant in _items(item.get("hasVariant") or item.get("model"), index)[:100]:
            yield from _offers(variant, index, url, depth + 1)


def _prices(
    offer: Item, index: Mapping[str, Item], currency: str | None
) -> Iterator[tuple[Decimal, str, tuple[str, ...]]]:
    """Yield the offer's price, the keys that led to it, and what speaks against it."""
    for name in ("price", "lowPrice"):
        said = _first(offer.get(name))
        if (price := plain_price(said, currency)) is not None:
            doubts = _doubts(offer, said, currency)
            yield price, name, doubts
            return
    specifications = _items(offer.get("priceSpecification"), index)
    for each in filter(_is_of_one_piece, specifications):
        said = _first(each.get("price"))
        if (price := plain_price(said, currency)) is not None:
            yield price, "priceSpecification.price", _doubts(each, said, currency)
            return
    for inner in _items(offer.get("offers"), index)[:100]:
        said = _first(inner.get("price"))
        if (price := plain_price(said, currency)) is not None:
            yield price, "offers.price", _doubts(inner, said, currency)


def _is_of_one_piece(specification: Item) -> bool:
    """Tell whether a price specification may be the product's price: no charge, no struck price."""
    if any(kind.endswith(_CHARGES) for kind in _kind(specification)):
        return False
    if str(specification.get("priceType", "")).endswith(_STRUCK):
        return False
    asides = ("referenceQuantity", "validForMemberTier", "billingDuration", "billingIncrement")
    return not any(name in specification for name in asides) and not _is_of_many(specification)


def _is_of_many(said: Item) -> bool:
    """Tell whether a price holds from more than one piece on."""
    quantity = said.get("eligibleQuantity")
    least = quantity.get("minValue") or quantity.get("value") if isinstance(quantity, dict) else 1
    try:
        return float(str(_first(least) or 1)) > 1
    except ValueError:
        return True


def _doubts(place: Item, said: Any, currency: str | None) -> tuple[str, ...]:
    taxed = str(_first(place.get("valueAddedTaxIncluded"))).lower()
    found = (
        ("a price without taxes", taxed == "false"),
        ("a price from several pieces on", _is_of_many(place)),
        (f"{clean(said)} has three decimals or groups thousands", is_ambiguous(said, currency)),
    )
    return tuple(text for text, holds in found if holds)


def _currency(offer: Item, index: Mapping[str, Item]) -> str | None:
    places = [offer, *_items(offer.get("priceSpecification"), index)]
    places += _items(offer.get("offers"), index)[:1]
    codes = (currency_code(_first(place.get("priceCurrency"))) for place in places)
    found = next((code for code in codes if code), None)
    return found or currency_code(_only_signs(offer.get("price")))


def _only_signs(said: Any) -> str:
    """Return what of a price is no number: perhaps a currency."""
    return "".join(c for c in clean(_first(said)) if not c.isdigit() and c not in ".,' ")


def _items(said: Any, index: Mapping[str, Item]) -> list[Item]:
    """Return the items in a field, one or many, with references looked up."""
    several = said if isinstance(said, list) else [said]
    found = [each for each in several[:200] if isinstance(each, dict)]
    return [index.get(str(each.get("@id")), each) if len(each) == 1 else each for each in found]


def _first(said: Any) -> Any:
    """Return the first of several values, and the text of JSON-LD's `@value`."""
    for _ in range(_DEPTH):
        if isinstance(said, list):
            said = said[0] if said else None
        elif isinstance(said, dict) and "@value" in said:
            said = said["@value"]
    return said


def _address(said: Any, url: str) -> str | None:
    text = clean(_first(said)) if isinstance(_first(said), str) else ""
    try:
        whole = urljoin(url, text) if text else ""
        return whole if urlsplit(whole).scheme in ("http", "https") else None
    except ValueError:
        return None
