"""What a product page says: the values that leave the extraction, whatever stood in the HTML."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Source(StrEnum):
    """How the page told us its price, most reliable first."""

    JSON_LD = "json-ld"
    MICRODATA = "microdata"
    OPENGRAPH = "opengraph"
    HEURISTIC = "heuristic"


class Condition(StrEnum):
    """Whether the product is new."""

    NEW = "new"
    USED = "used"
    REFURBISHED = "refurbished"
    DAMAGED = "damaged"


class Availability(StrEnum):
    """Whether the product can be had."""

    IN_STOCK = "in_stock"
    OUT_OF_STOCK = "out_of_stock"
    PREORDER = "preorder"
    DISCONTINUED = "discontinued"


@dataclass(frozen=True, kw_only=True)
class ProductPage:
    """One product as a page shows it. What the page does not say is None."""

    url: str
    name: str | None
    price: Decimal | None
    """Above zero, in the major unit of the currency."""
    currency: str | None
    """ISO 4217; None where the page leaves it open."""
    availability: Availability | None
    condition: Condition | None
    """What the page calls it; None where it says nothing."""
    gtin: str | None
    """With a valid check digit."""
    sku: str | None
    brand: str | None
    image: str | None
    source: Source | None
    """Where the price was found; None where there is none."""
    confidence: float
    """From 0 to 1, how much speaks for the price: a ranking, no probability."""
    layout: str
    """How the price was found: the same words as long as the page is built the same."""
    doubts: tuple[str, ...] = ()
    """What speaks against the price, e.g. two sources that disagree."""
