"""The proof of the books: whatever is tampered with is found, and named."""

from typing import Any

import pytest
import sqlalchemy as sa
from ledger_actions import prepare_actions
from ledger_shop import Clock, Shop, lines

from storecrew.domain.shop.inventory import AdjustStock
from storecrew.domain.shop.orders import OrderStatus, PlaceOrder
from storecrew.stores.sql.integrity import CHECKS

TAMPERED = {
    "stock": ["UPDATE stock SET on_hand = on_hand + 1 WHERE product = 'A' AND warehouse = 'main'"],
    "stock ledger": ["UPDATE stock_history SET new_quantity = new_quantity + 1 WHERE id = 1"],
    "reserved": [
        "UPDATE stock SET reserved = reserved - 1 WHERE product = 'A' AND warehouse = 'main'"
    ],
    "reservations": ["DELETE FROM reservations WHERE order_id = 1"],
    "fulfilments": ["UPDATE fulfilments SET quantity = 9 WHERE order_id = 4"],
    "returns": ["UPDATE return_lines SET quantity = 9"],
    "totals": ["UPDATE order_items SET unit_price_minor = 1 WHERE order_id = 1"],
    "payments": ["UPDATE payments SET amount_minor = 1 WHERE order_id = 4"],
    "order machine": [
        "UPDATE order_history SET previous = 'received' WHERE order_id = 5 AND status = 'delivered'"
    ],
    "order states": ["UPDATE orders SET status = 'cancelled' WHERE id = 5"],
    "keys": [
        "DELETE FROM applied_commands WHERE key = (SELECT effect_key FROM orders WHERE id = 1)"
    ],
    "outbox": ["DELETE FROM outbox WHERE kind = 'OrderPlaced' AND subject = 'order:1'"],
    "purchase_orders": [
        "DROP INDEX uq_purchase_orders_open",
        "UPDATE purchase_orders SET warehouse = 'main'",
    ],
    "row counts": ["UPDATE row_counts SET n = n + 1 WHERE relation = 'orders'"],
}


def test_every_check_has_its_tampering():
    # `availability` repeats what CHECK constraints already refuse: no statement gets past them.
    assert {check.name for check in CHECKS} == {*TAMPERED, "availability"}


@pytest.mark.parametrize("check", TAMPERED)
async def test_tampering_is_found(location, clock: Clock, check: str):
    store = await location.open(clock)
    await prepare_actions(Shop(store, clock))
    assert list(await store.verify()) == []

    def tamper(connection: sa.Connection) -> None:
        for statement in TAMPERED[check]:
            connection.exec_driver_sql(statement)

    await store.database.write(tamper)

    found = await store.verify()
    await store.close()
    assert check in {wrong.check for wrong in found}
    assert all(wrong.subject and wrong.problem for wrong in found)


async def test_the_database_itself_refuses_to_oversell(shop: Shop):
    await shop.stocked(A=1)

    with pytest.raises(sa.exc.IntegrityError):
        await shop.store.database.write(
            lambda c: c.exec_driver_sql("UPDATE stock SET reserved = 2 WHERE product = 'A'")
        )


async def rows(shop: Shop, table: str) -> list[dict[str, Any]]:
    """Return the rows of a table in the order in which they were written."""
    statement = sa.text(f"SELECT * FROM {table} ORDER BY id")  # noqa: S608 - named below
    return await shop.store.database.read(
        lambda c: [dict(row) for row in c.execute(statement).mappings()]
    )


async def test_r108_stock_history_tells_every_change_and_is_only_added_to(shop: Shop):
    await prepare_actions(shop)
    written = await rows(shop, "stock_history")
    on_hand = {level.sku: 0 for level in await shop.store.stock()}

    for sku in sorted(on_hand):
        await shop.done(AdjustStock(sku=sku, change=-1, reason="broken"))
    await shop.order_at(OrderStatus.RETURNED, A=2)

    after = await rows(shop, "stock_history")
    assert after[: len(written)] == written
    changes = [(row["product"], row["quantity_change"]) for row in after[len(written) :]]
    assert changes == [("A", -1), ("B", -1), ("A", -2), ("A", 2)]
    assert after[0].keys() >= {
        "id", "product", "quantity_change", "new_quantity", "reason", "timestamp"
    }  # fmt: skip
    assert all(row["reason"] and row["timestamp"] for row in after)
    for level in await shop.store.stock():
        on_hand[level.sku] += level.on_hand
    for sku, units in on_hand.items():
        assert sum(row["quantity_change"] for row in after if row["product"] == sku) == units


async def test_r109_an_order_is_one_row_from_first_to_last(shop: Shop):
    await shop.stocked(A=5)
    returned = await shop.order_at(OrderStatus.RETURNED, A=1)
    await shop.do(PlaceOrder(lines=lines(A=2), order_text="A:2"), actor="agent:mail_interface")

    found = await rows(shop, "orders")

    assert [(row["id"], row["status"]) for row in found] == [
        (returned, "returned"),
        (2, "received"),
    ]
    assert found[0].keys() >= {"id", "order_text", "status", "timestamp", "agent", "details"}
    assert (found[1]["order_text"], found[1]["agent"]) == ("A:2", "agent:mail_interface")


async def test_r110_an_order_has_one_row_per_line(shop: Shop):
    await shop.stocked(A=5, B=5)
    order_id = await shop.placed(A=2, B=1)

    found = await rows(shop, "order_items")

    kept = [(row["order_id"], row["product"], row["quantity"]) for row in found]
    assert kept == [(order_id, "A", 2), (order_id, "B", 1)]


async def test_r110_an_order_line_needs_its_order(shop: Shop):
    line = "INSERT INTO order_items (order_id, product, quantity, unit_price_minor)"

    with pytest.raises(sa.exc.IntegrityError):
        await shop.store.database.write(
            lambda c: c.exec_driver_sql(f"{line} VALUES (99, 'A', 1, 1)")
        )
