"""The proof of the books: whatever is tampered with is found, and named."""

import pytest
import sqlalchemy as sa
from ledger_shop import Clock, Shop
from ledger_stage import stage

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
async def test_tampering_is_found(place, clock: Clock, check: str):
    store = await place.open(clock)
    await stage(Shop(store, clock))
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


async def test_an_order_line_needs_its_order(shop: Shop):
    line = "INSERT INTO order_items (order_id, product, quantity, unit_price_minor)"

    with pytest.raises(sa.exc.IntegrityError):
        await shop.store.database.write(
            lambda c: c.exec_driver_sql(f"{line} VALUES (99, 'A', 1, 1)")
        )
