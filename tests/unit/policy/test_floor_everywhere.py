"""The margin floor holds for every action that can lower a price, whatever the autonomy."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from storecrew.domain.actions import Action
from storecrew.domain.control.proposals import Proposal, Verdict
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import Product, SetCost, SetPrice, UpsertProduct
from storecrew.domain.shop.promotions import CreateDiscount, OfferBundle
from storecrew.domain.shop.purchasing import CreatePurchaseOrder
from storecrew.policy import Policy, PolicyFacts, PolicySettings

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def euro(amount: int | str) -> Money:
    return Money.of(amount, "EUR")


def floor_facts(action: Action, cost: Money | None) -> PolicyFacts:
    known = {sku: Product(sku=sku, name=sku, price=euro(100), cost=cost) for sku in ("mug", "cup")}
    product = known.get(getattr(action, "sku", ""))
    return PolicyFacts(
        now=NOON,
        currency="EUR",
        product=product,
        products=known,
        price_a_day_ago=product.price if product else None,
    )


AUTO = Policy(PolicySettings(autonomy={"*.*": "auto"}))


@pytest.mark.parametrize(
    "action",
    [
        SetPrice(sku="mug", price=euro("49.99")),
        UpsertProduct(sku="mug", name="Mug", price=euro("49.99")),
        UpsertProduct(sku="new", name="New", price=euro("0.01"), cost=euro(5)),
        CreateDiscount(
            code="c", percent=Decimal("99.99"), skus=("mug",), starts_at=NOON, ends_at=NOON
        ),
        OfferBundle(name="set", skus=("mug", "cup"), price=euro("0.01")),
    ],
)
def test_no_agent_gets_below_the_floor_with_full_autonomy(action):
    found = AUTO.judge(Proposal(action=action, reason="r"), "any", floor_facts(action, euro(50)))
    assert found.verdict is Verdict.DENY


@pytest.mark.parametrize(
    "action",
    [
        SetPrice(sku="mug", price=euro(100)),
        SetCost(sku="mug", cost=euro("0.01")),
        UpsertProduct(sku="mug", name="Mug", price=euro(100)),
        CreateDiscount(code="c", percent=Decimal(1), skus=("mug",), starts_at=NOON, ends_at=NOON),
        OfferBundle(name="set", skus=("mug", "cup"), price=euro(199)),
        CreatePurchaseOrder(sku="mug", quantity=1),
    ],
)
def test_an_unknown_cost_asks_whatever_the_autonomy(action):
    found = AUTO.judge(Proposal(action=action, reason="r"), "any", floor_facts(action, None))
    assert found.verdict is Verdict.ASK
