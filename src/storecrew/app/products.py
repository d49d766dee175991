"""A product as its owner describes it, carried to the store as one batch of actions."""

from dataclasses import replace

from storecrew.domain.actions import Command
from storecrew.domain.control.proposals import Outcome
from storecrew.domain.errors import InvalidInput
from storecrew.domain.ports.store import Store
from storecrew.domain.shop.catalog import SetCost, SetPrice, UpsertProduct


async def put_product(store: Store, wanted: UpsertProduct, *, key: str, actor: str) -> Outcome:
    """Create the product, or change it with its price and cost, once per key.

    The outcome is that of `UpsertProduct`: nothing was there before a product that it created.
    Raises `InvalidInput` where goods would become a service, or a service goods.
    """
    for known in await store.products([wanted.sku]):
        # asked beforehand, because the other actions of the batch would still be done
        if wanted.stocked not in (None, known.stocked):
            raise InvalidInput("stocked", f"cannot be changed for {wanted.sku!r}, which exists")
    outcomes = await store.apply_batch(_batch(wanted, key, actor))
    described = outcomes[-2]
    if not described.applied:
        return described
    after = dict(described.after)
    for outcome in outcomes:
        if outcome.applied and outcome is not described:
            after |= outcome.after
    return replace(described, after=after)


def _batch(wanted: UpsertProduct, key: str, actor: str) -> list[Command]:
    """Return the actions in the order in which each does its part and no more.

    A cost goes first: a product that exists tells of the change, a new one is refused it and gets
    it on creation. A price goes last: it is what a new product was created with.
    """
    batch = [
        Command(key=key, action=wanted, actor=actor),
        Command(
            key=f"{key}/price", action=SetPrice(sku=wanted.sku, price=wanted.price), actor=actor
        ),
    ]
    if wanted.cost is not None:
        cost = SetCost(sku=wanted.sku, cost=wanted.cost)
        batch.insert(0, Command(key=f"{key}/cost", action=cost, actor=actor))
    return batch
