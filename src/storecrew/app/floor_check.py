"""The margin floor for people: what would fall below it is done only when they confirm it."""

from typing import Protocol

from storecrew.app.settings import Settings
from storecrew.domain.actions import Action
from storecrew.domain.errors import ConfirmationRequired
from storecrew.domain.money import Money
from storecrew.domain.ports.clock import Clock
from storecrew.domain.ports.store import StoreView
from storecrew.domain.shop.catalog import Product, UpsertProduct
from storecrew.orchestrator.policy_context import load_policy_context
from storecrew.policy import floor_breach


class ShopView(Protocol):
    """Books of a shop, its settings and its clock: the plane, or the books alone."""

    @property
    def settings(self) -> Settings:
        """What it was configured with."""
        ...

    @property
    def clock(self) -> Clock:
        """Where its time comes from."""
        ...

    @property
    def store(self) -> StoreView:
        """Its books."""
        ...


async def check_floor(shop: ShopView, action: Action, *, anyway: bool) -> None:
    """Raise `ConfirmationRequired` where the action would sell a product below its margin floor.

    With `anyway` a person has confirmed it. A product whose cost is unknown has no floor.
    """
    if anyway:
        return
    settings, currency = shop.settings.policy, shop.settings.store.currency
    context = await load_policy_context(shop.store, [action], shop.clock.now(), currency)
    facts = context.of(action, Money.of(0, currency))
    if isinstance(action, UpsertProduct) and _keeps_price_and_cost(action, facts.product):
        return
    if breach := floor_breach(action, facts, settings):
        share = f"(policy.margin_floor is {settings.margin_floor:.0%})"
        raise ConfirmationRequired("price", f"{breach} {share}")


def _keeps_price_and_cost(action: UpsertProduct, known: Product | None) -> bool:
    if known is None:
        return False
    return action.price == known.price and action.cost in (None, known.cost)
