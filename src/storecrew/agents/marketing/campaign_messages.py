"""What campaigns say: plain sentences, made of facts, with nothing left to fill in."""

from collections.abc import Sequence

from storecrew.domain.shop.catalog import Product
from storecrew.domain.shop.promotions import Discount


def win_back(products: Sequence[Product], shop: str) -> tuple[str, str]:
    """Return title and body of a letter to customers who have not ordered for long."""
    title = "What our customers like best right now"
    body = (
        "Hello,\n\nit has been a while since your last order. These are what our customers buy "
        f"most at the moment:\n\n{_listed(products)}\n\nAll of it is in stock today."
    )
    return title, body + _signed(shop)


def thanks(products: Sequence[Product], shop: str) -> tuple[str, str]:
    """Return title and body of a letter to customers who order often."""
    title = "Thank you for ordering with us again and again"
    body = (
        "Hello,\n\nyou are one of the customers who order with us most often: thank you. In case "
        f"it helps you choose, this is what others buy most now:\n\n{_listed(products)}"
    )
    return title, body + _signed(shop)


def clearance(product: Product, discount: Discount, shop: str) -> tuple[str, str]:
    """Return title and body of a letter that tells of a code."""
    percent = f"{discount.percent.normalize():f}"
    title = f"{percent} % off {product.name}"
    body = (
        f"Hello,\n\nuntil {discount.ends_at:%d.%m.%Y} you get {product.name} {percent} % cheaper "
        f"with the code {discount.code}. Without it costs {product.price}.\n\n"
        "You get this letter because you bought this, or what goes with it, from us before."
    )
    return title, body + _signed(shop)


def _listed(products: Sequence[Product]) -> str:
    return "\n".join(f"- {product.name}, {product.price}" for product in products)


def _signed(shop: str) -> str:
    return f"\n\n{shop}" if shop else ""
