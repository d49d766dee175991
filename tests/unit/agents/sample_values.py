"""Small values that the agents' tests are told with."""

from datetime import timedelta
from decimal import Decimal

from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import Product
from storecrew.domain.shop.inventory import StockLevel
from storecrew.domain.shop.orders import Order, OrderLine, OrderStatus
from storecrew.domain.shop.purchasing import Supplier
from storecrew.testing.fake_store import FakeStore
from storecrew.testing.run_agent import NOON


def eur(amount: str | int) -> Money:
    return Money.of(amount, "EUR")


def product(sku: str = "P1", name: str = "Roof Box", price: str = "100", **more: object) -> Product:
    given: dict[str, object] = {"cost": eur(60), "supplier": "S1"} | more
    return Product(sku=sku, name=name, price=eur(price), **given)  # type: ignore[arg-type]


def order(number: int, status: OrderStatus, *, paid: bool = False, sku: str = "P1") -> Order:
    total = eur(100)
    return Order(
        id=number,
        status=status,
        lines=(OrderLine(sku=sku, quantity=1, unit_price=total),),
        total=total,
        paid=total if paid else eur(0),
        placed_at=NOON - timedelta(hours=5),
        updated_at=NOON - timedelta(hours=3),
        customer="C1",
    )


def view(**more: object) -> FakeStore:
    """Return a shop with one product that sells about two a day, and ten on the shelf."""
    sold = {NOON.date() - timedelta(days=n): (n * 7) % 5 for n in range(1, 113)}
    given: dict[str, object] = {
        "product_list": [product()],
        "levels": [StockLevel(sku="P1", warehouse="main", on_hand=10, reserved=0)],
        "supplier_list": [Supplier(id="S1", name="Parts & Co", lead_time_days=7)],
        "sales": {"P1": sold},
    }
    return FakeStore(**(given | more))  # type: ignore[arg-type]


def amount(text: object) -> Decimal:
    """Return the amount of money written as evidence."""
    return Decimal(str(text).split()[0].replace(",", ""))
