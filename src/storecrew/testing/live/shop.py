"""A shop to trade in: products with prices, costs and units, put into the ledger beforehand."""

from pathlib import Path

from storecrew.app.clocks import SystemClock
from storecrew.domain.actions import Command
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import UpsertProduct
from storecrew.domain.shop.inventory import SetStock, StockCount
from storecrew.stores.sql import open_store

CURRENCY = "EUR"
PRICE = Money.of(10, CURRENCY)
COST = Money.of(5, CURRENCY)
COSTLY = "costly"
"""A product whose orders a person must approve."""
COSTLY_PRICE = Money.of(600, CURRENCY)
SCARCE = "scarce"
"""A product of which there are few, or none."""
_AT_ONCE = 500


def sku(number: int) -> str:
    """Return the name of the shop's product of this number."""
    return f"product-{number}"


async def stock_shop(data: Path, *, products: int, units: int, scarce: int = 0) -> None:
    """Put so many products, and a costly one, into the ledger, each with so many units.

    With `scarce`, one more product has only so many.
    """
    store = await open_store(f"sqlite:///{data}/orders.db", clock=SystemClock(), currency=CURRENCY)
    prices = {sku(n): PRICE for n in range(products)} | {COSTLY: COSTLY_PRICE, SCARCE: PRICE}
    new = [
        UpsertProduct(sku=name, name=name, price=price, cost=COST) for name, price in prices.items()
    ]
    for start in range(0, len(new), _AT_ONCE):
        batch = [Command(key=f"new/{p.sku}", action=p, actor="me") for p in new[start:][:_AT_ONCE]]
        await store.apply_batch(batch)
    counted = dict.fromkeys(prices, units) | {SCARCE: scarce}
    levels = tuple(StockCount(sku=name, on_hand=count) for name, count in counted.items())
    await store.apply(SetStock(levels=levels), key="stock")
    await store.close()
