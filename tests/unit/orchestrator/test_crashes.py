"""The process dies at each point of the flow, once, and nothing is lost or done twice."""

import pytest

from storecrew.app.crew import CREW
from storecrew.domain.shop.orders import DeliveryConfirmed, OrderStatus
from storecrew.domain.shop.payments import CapturePayment
from storecrew.testing.simulation.faults import Crash
from support.in_memory_plane import settle

POINTS = 84
"""Writes and commits that the flow below passes; reads change nothing and are left out."""


class Nth:
    """Dies at the nth point it is asked about, once."""

    def __init__(self, n):
        self.left = n
        self.died_at = ""

    def __call__(self, name):
        self.left -= name != "read"
        if self.left == 0 and not self.died_at:
            self.died_at = name
            raise Crash(name)


async def flow(in_memory_plane, plane):
    """Take an order all the way, beginning again wherever a crash left it."""
    order = await in_memory_plane.order(2)
    await settle(plane)
    paid = CapturePayment(order_id=order, reference="r")
    await in_memory_plane.store.apply(paid, key="paid", actor="person:customer")
    await settle(plane)
    await plane.publish([in_memory_plane.news(DeliveryConfirmed(order_id=order), id="arrived")])
    await settle(plane)
    return order


@pytest.mark.parametrize("n", range(1, POINTS + 1))
async def test_a_crash_at_any_point_changes_nothing_in_the_end(in_memory_plane, n):
    await in_memory_plane.stock()
    fault = Nth(n)
    in_memory_plane.store.database.fault_hook = fault
    in_memory_plane.journal.database.fault_hook = fault

    order = None
    while order is None:
        try:
            plane = await in_memory_plane.boot(*CREW, wait_for_batches=False)
            order = await flow(in_memory_plane, plane)
        except Crash:
            continue

    assert fault.died_at
    assert (await in_memory_plane.store.order(order)).status is OrderStatus.DELIVERED
    assert [level.on_hand for level in await in_memory_plane.store.stock(["mug"])] == [8]
    assert sum((await in_memory_plane.store.order_counts()).values()) == 1
    assert not await in_memory_plane.verify()
