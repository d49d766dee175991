"""The catalog: products, costs, prices, competitors' prices, and suggested products."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from difflib import get_close_matches
from unicodedata import normalize

from storecrew.domain.actions import Action, ProductAction
from storecrew.domain.errors import InvalidInput
from storecrew.domain.events import ProductEvent
from storecrew.domain.money import Money
from storecrew.domain.shop.orders import ParsedLine


@dataclass(frozen=True, kw_only=True)
class Product:
    """One sellable item."""

    sku: str
    name: str
    price: Money
    cost: Money | None = None
    """What a unit costs the shop; None where nobody said."""
    supplier: str | None = None
    pack_size: int = 1
    """Units in the supplier's pack; orders are whole packs."""
    stocked: bool = True
    """False for services and charges, which have no stock."""
    assumed: tuple[str, ...] = ()
    """Names of the fields whose values are assumptions, not records."""
    retired: bool = False
    """Whether it is sold no longer; what was sold stays in the books."""


def floor_price(cost: Money, margin: Decimal | float) -> Money:
    """Return the exact price that leaves this margin, a share of the price: cost / (1 − margin).

    Raises `InvalidInput` for a margin that is not from 0 to below 1.
    """
    if not 0 <= margin < 1:
        raise InvalidInput("margin", f"{margin} is not a share from 0 to below 1")
    return Money(cost.amount / (1 - Decimal(str(margin))), cost.currency)


@dataclass(frozen=True, kw_only=True)
class CompetitorPrice:
    """What a competitor was last seen asking for our product. An observation, unchecked."""

    sku: str
    competitor: str
    price: Money
    seen_at: datetime


@dataclass(frozen=True, kw_only=True)
class PriceChange:
    """A price as it was changed. The first entry of a product has no previous price."""

    sku: str
    previous: Money | None
    price: Money
    at: datetime


@dataclass(frozen=True, kw_only=True)
class ProductSuggestion:
    """A product that the shop might take up."""

    name: str
    reason: str
    source: str
    suggested_at: datetime


@dataclass(frozen=True, kw_only=True)
class CompetitorPage:
    """A page on which a competitor's price for a product is tracked."""

    sku: str
    competitor: str
    url: str


@dataclass(frozen=True, kw_only=True)
class SuggestProduct(Action):
    """Put a product that the shop might take up on the owner's list."""

    name: str
    reason: str
    source: str

    @property
    def subject(self) -> str:
        """The idea."""
        return f"idea:{self.name}"


@dataclass(frozen=True, kw_only=True)
class TrackCompetitorPage(Action):
    """Track a competitor's price for a product on this page from now on."""

    sku: str
    competitor: str
    url: str

    @property
    def subject(self) -> str:
        """The product."""
        return f"product:{self.sku}"


class ProductIndex:
    """Finds products by SKU or by name; letter case and surrounding spaces do not matter."""

    def __init__(self, products: Iterable[Product]) -> None:
        self._by_name: dict[str, Product] = {}
        self._by_sku: dict[str, Product] = {}
        for product in products:
            self._by_name.setdefault(_folded(product.name), product)
            self._by_sku[_folded(product.sku)] = product

    def find(self, name: str) -> Product:
        """Return the product of that SKU or name, or raise `InvalidInput` naming it."""
        folded = _folded(name)
        found = self._by_sku.get(folded) or self._by_name.get(folded)
        if found is None:
            close = get_close_matches(folded, [*self._by_sku, *self._by_name], 1)
            known = [self._by_sku.get(each) or self._by_name[each] for each in close]
            advice = f"; did you mean {known[0].name!r}?" if known else ""
            raise InvalidInput("product", f"{name!r} is not in the catalogue{advice}")
        return found

    def find_all(self, wanted: Sequence[ParsedLine]) -> tuple[tuple[Product, int], ...]:
        """Return product and quantity per part, in order; raises as `find` does."""
        return tuple((self.find(each.name), each.quantity) for each in wanted)


def _folded(name: str) -> str:
    return " ".join(normalize("NFC", name).split()).casefold()


@dataclass(frozen=True, kw_only=True)
class SetPrice(ProductAction):
    """Sell the product at this price from now on."""

    price: Money
    expected_price: Money | None = None
    """The price this was decided on; if it changed meanwhile the action is refused as stale."""


@dataclass(frozen=True, kw_only=True)
class SetCost(ProductAction):
    """Record what a unit costs the shop from now on."""

    cost: Money


@dataclass(frozen=True, kw_only=True)
class UpsertProduct(ProductAction):
    """Create the product, or change what is known of it. Leaves an existing price as it is.

    None leaves what is known; of a new product it means no cost, no supplier, packs of one unit,
    and goods that are stocked.
    """

    name: str
    price: Money
    cost: Money | None = None
    supplier: str | None = None
    pack_size: int | None = None
    stocked: bool | None = None
    """Cannot be changed later."""
    retired: bool | None = None
    """True sells it no longer, False again."""


@dataclass(frozen=True, kw_only=True)
class RecordCompetitorPrice(ProductAction):
    """Record what a competitor was seen asking. An observation: any number is kept as seen."""

    competitor: str
    price: Money


@dataclass(frozen=True, kw_only=True)
class WithdrawCompetitorPrice(ProductAction):
    """Forget what a competitor asked, as the product cannot be bought there, or not new."""

    competitor: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class UntrackCompetitorPage(ProductAction):
    """End the tracking of a competitor's page, and forget the price that was seen there."""

    competitor: str


@dataclass(frozen=True, kw_only=True)
class ProductChanged(ProductEvent):
    """A product was created or what is known of it changed."""


@dataclass(frozen=True, kw_only=True)
class PriceChanged(ProductEvent):
    """A product's price was changed."""

    previous: Money
    price: Money


@dataclass(frozen=True, kw_only=True)
class CostChanged(ProductEvent):
    """What a unit costs the shop changed."""

    previous: Money | None
    cost: Money


@dataclass(frozen=True, kw_only=True)
class CompetitorPriceObserved(ProductEvent):
    """A competitor was seen asking another price than before."""

    competitor: str
    price: Money


@dataclass(frozen=True, kw_only=True)
class ObservationRejected(ProductEvent):
    """A value from outside was too implausible to act on; a person should check it."""

    what: str
    value: str
    reason: str
