"""The margin floor for people: what would fall below it is done only when they confirm it."""

from storecrew.app.control_plane import Plane
from storecrew.domain.actions import Action
from storecrew.domain.errors import ConfirmationRequired
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import Product, UpsertProduct
from storecrew.orchestrator.policy_context import load_policy_context
from storecrew.policy import floor_breach


async def check_floor(plane: Plane, action: Action, *, anyway: bool) -> None:
    """Raise `ConfirmationRequired` where the action would sell a product below its margin floor.

    With `anyway` a person has confirmed it. A product whose cost is unknown has no floor.
    """
    if anyway:
        return
    settings, currency = plane.settings.policy, plane.settings.store.currency
    context = await load_policy_context(plane.store, [action], plane.clock.now(), currency)
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
