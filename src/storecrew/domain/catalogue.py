"""Products by the names people use for them."""

from collections.abc import Iterable, Sequence

from storecrew.domain.commerce import Product
from storecrew.domain.errors import InvalidInput
from storecrew.domain.orders import Wanted


class Names:
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
            raise InvalidInput("product", f"{name!r} is not in the catalogue")
        return found

    def find_all(self, wanted: Sequence[Wanted]) -> tuple[tuple[Product, int], ...]:
        """Return product and quantity per part, in order; raises as `find` does."""
        return tuple((self.find(each.name), each.quantity) for each in wanted)


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()
