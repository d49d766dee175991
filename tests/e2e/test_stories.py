"""The three stories, told by the whole crew over real books."""

import inspect
import subprocess
import sys

import pytest
from late_supplier import late_supplier
from payment_outage import payment_outage
from story_shop import open_shop
from upsell import upsell

from storecrew.domain.control.incidents import OpenIncident
from storecrew.domain.shop.inventory import TransferStock
from storecrew.domain.shop.messages import SendMessage
from storecrew.domain.shop.orders import OrderStatus
from storecrew.domain.shop.payments import SetPaymentMethod
from storecrew.domain.shop.promotions import OfferBundle, SetRecommendations


async def messages(shop, customer):
    sent = await shop.applied(SendMessage)
    actions = [s.filed.proposal.action for s in sent]
    return [x.topic for x in actions if x.customer == customer]


async def test_who_browses_is_shown_what_fits_and_has_both_in_time():
    async with open_shop(quiet=True) as shop:
        number = await upsell(shop)

        order = await shop.store.order(number)
        assert order.status is OrderStatus.DELIVERED
        assert order.customer == "ann"
        assert {line.sku for line in order.lines} == {"rack", "box"}
        assert order.total < sum((p.price for p in await shop.store.products(["rack"])),
                                 (await shop.store.product("box")).price)  # fmt: skip
        shown = [s.filed.proposal.action for s in await shop.applied(SetRecommendations)]
        assert next(x for x in shown if x.place == "customer:ann").skus[0] == "box"
        (offer,) = await shop.applied(OfferBundle)
        assert "margin" in " ".join(offer.filed.proposal.evidence)
        told = await messages(shop, "ann")
        assert told == [f"order:{number}:{what}" for what in ("approved", "shipped", "delivered")]
        await shop.prove()


async def test_when_a_supplier_is_late_units_move_and_customers_are_told_once():
    async with open_shop(quiet=True) as shop:
        waiting = await late_supplier(shop)

        (moved,) = await shop.applied(TransferStock)
        action = moved.filed.proposal.action
        assert (action.sku, action.source, action.target) == ("rack", "north", "main")
        levels = {s.warehouse: s.on_hand for s in await shop.store.stock(["rack"])}
        assert levels["main"] == 38 + action.quantity
        assert levels["north"] == 80 - action.quantity
        late = [t for t in await messages(shop, "cleo") if "delayed" in t]
        assert late == [f"order:{waiting}:delayed:rack"]
        await shop.prove()


async def test_a_failing_provider_is_found_within_a_minute_and_put_back_later():
    async with open_shop(quiet=True) as shop:
        found = await payment_outage(shop)

        assert found.total_seconds() < 60  # of the shop's own time
        off, on = [s.filed.proposal.action for s in await shop.applied(SetPaymentMethod)]
        assert (off.method, off.enabled, on.method, on.enabled) == ("card", False, "card", True)
        (incident,) = await shop.applied(OpenIncident)
        assert "card" in incident.filed.proposal.action.title
        assert await shop.store.payment_methods() == {"bank": True, "card": True}
        await shop.prove()


@pytest.mark.parametrize("story", [late_supplier, payment_outage, upsell])
def test_each_story_is_told_on_the_command_line(story):
    said = subprocess.run(
        [sys.executable, inspect.getsourcefile(story)], capture_output=True, text=True, timeout=120
    )
    assert said.returncode == 0, said.stderr
    assert said.stdout.splitlines()[-1].endswith("The books add up.")
