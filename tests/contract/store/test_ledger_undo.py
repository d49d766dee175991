"""Taking back: the opposite of an action is one that the ledger really carries out."""

import pytest
from ledger_actions import KINDS, prepare_actions
from ledger_shop import Shop

from storecrew.domain.actions import Action
from storecrew.domain.shop.orders import CancelOrder
from storecrew.domain.undo import opposite


@pytest.mark.parametrize("kind", KINDS)
async def test_what_was_done_is_taken_back_or_says_why_not(shop: Shop, kind: str):
    action = (await prepare_actions(shop))[kind]
    before = await state(shop)
    outcome = await shop.done(action)

    back = opposite(action, outcome)

    if not isinstance(back, Action):
        assert back.count(" ") >= 3
        return
    await shop.done(back)
    after = await state(shop)
    if isinstance(back, CancelOrder):  # an order called off leaves its units where they were
        assert (after["price"], after["on_hand"]) == (before["price"], before["on_hand"])
    else:
        assert after == before


async def state(shop: Shop) -> dict[str, object]:
    levels = await shop.store.stock()
    return {
        "price": [(p.sku, p.price, p.cost) for p in await shop.store.products()],
        "on_hand": [(s.sku, s.warehouse, s.on_hand) for s in levels if s.on_hand],
        "reserved": [(s.sku, s.warehouse, s.reserved) for s in levels if s.reserved],
        "bought": [(p.sku, p.quantity) for p in await shop.store.purchase_orders()],
    }
