"""The proof of the books: each total is computed again from the entries it stands for.

Every check is one statement over whole tables, so that a large ledger is proved in seconds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from string import Template

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.domain.control.integrity import Discrepancy
from storecrew.domain.shop.orders import RESERVING, TRANSITIONS, OrderStatus
from storecrew.stores.sql.schema import tables

_MOST_PER_CHECK = 100
"""Lines shown of one check: enough to see what is wrong, few enough to read."""


@dataclass(frozen=True)
class _IntegrityCheck:
    name: str
    subject: str
    """How a row found wrong is named."""
    problem: str
    query: str


def _listed(statuses: "frozenset[OrderStatus] | set[OrderStatus]") -> str:
    return ", ".join(f"'{status}'" for status in sorted(statuses))


_LEGAL = " OR ".join(
    f"(previous {'IS NULL' if previous is None else f'= {previous.value!r}'}"
    f" AND status IN ({_listed(following)}))"
    for previous, following in TRANSITIONS.items()
    if following
)
_WORDS = {
    "legal": _LEGAL,
    "open": _listed(set(RESERVING)),
    "shipped": _listed(
        {
            OrderStatus.AWAITING_DELIVERY,
            OrderStatus.DELIVERED,
            OrderStatus.RETURNED,
            OrderStatus.REFUNDED,
        }
    ),
    "unpaid": _listed({OrderStatus.RECEIVED, OrderStatus.APPROVED}),
    "paid": _listed({OrderStatus.AWAITING_DELIVERY, OrderStatus.DELIVERED}),
    "settled": _listed({OrderStatus.CANCELLED, OrderStatus.REFUNDED}),
}
"""Lists of states, by the name under which the queries use them."""

CHECKS = (
    _IntegrityCheck(
        "stock",
        "{0} in {1}",
        "{2} on hand, but the stock ledger sums to {3}",
        """SELECT product, warehouse, SUM(on_hand), SUM(moved) FROM (
             SELECT product, warehouse, on_hand, 0 AS moved FROM stock UNION ALL
             SELECT product, warehouse, 0, quantity_change FROM stock_history) both_sides
           GROUP BY product, warehouse HAVING SUM(on_hand) <> SUM(moved)""",
    ),
    _IntegrityCheck(
        "stock ledger",
        "{0} in {1}",
        "entry {2} says {3} on hand where the entries so far sum to {4}",
        """SELECT product, warehouse, id, new_quantity, running FROM (
             SELECT product, warehouse, id, new_quantity, SUM(quantity_change)
               OVER (PARTITION BY product, warehouse ORDER BY id) AS running
             FROM stock_history) entries
           WHERE new_quantity <> running OR new_quantity < 0""",
    ),
    _IntegrityCheck(
        "availability",
        "{0} in {1}",
        "{2} on hand and {3} reserved",
        """SELECT product, warehouse, on_hand, reserved FROM stock
           WHERE on_hand < 0 OR reserved < 0 OR reserved > on_hand""",
    ),
    _IntegrityCheck(
        "reserved",
        "{0} in {1}",
        "{2} reserved, but the reservations sum to {3}",
        """SELECT product, warehouse, SUM(reserved), SUM(held) FROM (
             SELECT product, warehouse, reserved, 0 AS held FROM stock UNION ALL
             SELECT product, warehouse, 0, quantity FROM reservations) both_sides
           GROUP BY product, warehouse HAVING SUM(reserved) <> SUM(held)""",
    ),
    _IntegrityCheck(
        "reservations",
        "order {0}",
        "{2} of {1} are owed, {3} are reserved",
        """SELECT order_id, product, SUM(owed), SUM(held) FROM (
             SELECT i.order_id, i.product, i.quantity AS owed, 0 AS held
             FROM orders o JOIN order_items i ON i.order_id = o.id
             JOIN products p ON p.sku = i.product
             WHERE o.status IN ($open) AND p.stocked UNION ALL
             SELECT order_id, product, 0, quantity FROM reservations) both_sides
           GROUP BY order_id, product HAVING SUM(owed) <> SUM(held)""",
    ),
    _IntegrityCheck(
        "fulfilments",
        "order {0}",
        "{2} of {1} should have left, {3} did",
        """SELECT order_id, product, SUM(owed), SUM(sent) FROM (
             SELECT i.order_id, i.product, i.quantity AS owed, 0 AS sent
             FROM orders o JOIN order_items i ON i.order_id = o.id
             JOIN products p ON p.sku = i.product
             WHERE o.status IN ($shipped) AND NOT o.imported AND p.stocked UNION ALL
             SELECT order_id, product, 0, quantity FROM fulfilments) both_sides
           GROUP BY order_id, product HAVING SUM(owed) <> SUM(sent)""",
    ),
    _IntegrityCheck(
        "returns",
        "order {0}",
        "{3} of {1} came back, {2} were sold",
        """SELECT order_id, product, SUM(sold), SUM(back) FROM (
             SELECT order_id, product, quantity AS sold, 0 AS back FROM order_items WHERE order_id
               IN (SELECT order_id FROM returns WHERE order_id IS NOT NULL) UNION ALL
             SELECT r.order_id, l.product, 0, l.quantity FROM return_lines l
             JOIN returns r ON r.id = l.return_id WHERE r.order_id IS NOT NULL) both_sides
           GROUP BY order_id, product HAVING SUM(back) > SUM(sold)""",
    ),
    _IntegrityCheck(
        "totals",
        "order {0}",
        "the total is {1}, its lines sum to {2} (minor units)",
        """SELECT o.id, o.total_minor, COALESCE(l.total, 0) FROM orders o LEFT JOIN (
             SELECT order_id, SUM(quantity * unit_price_minor) AS total FROM order_items
             GROUP BY order_id) l ON l.order_id = o.id
           WHERE o.total_minor <> COALESCE(l.total, 0)""",
    ),
    _IntegrityCheck(
        "payments",
        "order {0}",
        "{1}: {2} paid of {3}, payments {4}, refunds {5} (minor units)",
        """SELECT o.id, o.status, o.paid_minor, o.total_minor, m.received, m.refunded
           FROM orders o JOIN (
             SELECT id, SUM(received) AS received, SUM(refunded) AS refunded FROM (
               SELECT id, 0 AS received, 0 AS refunded FROM orders UNION ALL
               SELECT order_id, amount_minor, 0 FROM payments UNION ALL
               SELECT order_id, 0, amount_minor FROM refunds) entries GROUP BY id) m
             ON m.id = o.id
           WHERE o.paid_minor <> m.received - m.refunded OR o.paid_minor < 0
             OR m.received NOT IN (0, o.total_minor)
             OR (o.status IN ($unpaid) AND m.received <> 0)
             OR (o.status IN ($paid) AND o.paid_minor <> o.total_minor)
             OR (o.status IN ($settled) AND o.paid_minor <> 0)""",
    ),
    _IntegrityCheck(
        "order machine",
        "order {0}",
        "step {1} goes from {2} to {3} after {4}",
        """SELECT order_id, id, previous, status, before FROM (
             SELECT order_id, id, previous, status, LAG(status)
               OVER (PARTITION BY order_id ORDER BY id) AS before FROM order_history) steps
           WHERE NOT ($legal) OR COALESCE(previous, '') <> COALESCE(before, '')""",
    ),
    _IntegrityCheck(
        "order states",
        "order {0}",
        "is {1}, its history ends with {2}",
        """SELECT o.id, o.status, h.status FROM orders o
           LEFT JOIN (SELECT order_id, MAX(id) AS id FROM order_history GROUP BY order_id) newest
             ON newest.order_id = o.id
           LEFT JOIN order_history h ON h.id = newest.id
           WHERE h.status IS NULL OR h.status <> o.status""",
    ),
    _IntegrityCheck(
        "keys",
        "order {0}",
        "was placed under key {1}, which no applied command has",
        """SELECT o.id, o.effect_key FROM orders o
           LEFT JOIN applied_commands e ON e.key = o.effect_key
           WHERE NOT o.imported AND (e.key IS NULL OR NOT e.applied)""",
    ),
    _IntegrityCheck(
        "keys",
        "key {0}",
        "placed {1} orders",
        """SELECT effect_key, COUNT(*) FROM orders WHERE effect_key IS NOT NULL
           GROUP BY effect_key HAVING COUNT(*) > 1""",
    ),
    _IntegrityCheck(
        "purchase_orders",
        "{0} in {1}",
        "{2} purchases are open at once",
        """SELECT product, warehouse, COUNT(*) FROM purchase_orders WHERE status = 'open'
           GROUP BY product, warehouse HAVING COUNT(*) > 1""",
    ),
    _IntegrityCheck(
        "outbox",
        "order {0}",
        "{1} OrderPlaced facts were recorded",
        """SELECT o.id, COUNT(b.id) FROM orders o LEFT JOIN (
             SELECT id, subject FROM outbox WHERE kind = 'OrderPlaced') b
             ON b.subject = 'order:' || o.id
           WHERE NOT o.imported GROUP BY o.id HAVING COUNT(b.id) <> 1""",
    ),
    *(
        _IntegrityCheck(
            "row counts",
            counted.table,
            "{2} rows are counted where there are {3} (by {0!r}, {1!r})",
            counted.difference(),
        )
        for counted in tables.COUNTED
    ),
)
"""Each finds the rows that do not add up; a sound ledger has none."""


def verify(connection: Connection) -> Sequence[Discrepancy]:
    """Return what does not add up, at most a hundred lines of each check."""
    found = (islice(_found(connection, check), _MOST_PER_CHECK) for check in CHECKS)
    return [wrong for lines in found for wrong in lines]


def _found(connection: Connection, check: _IntegrityCheck) -> Iterator[Discrepancy]:
    for row in connection.execute(sa.text(Template(check.query).substitute(_WORDS))):
        subject, problem = check.subject.format(*row), check.problem.format(*row)
        yield Discrepancy(check=check.name, subject=subject, problem=problem)
