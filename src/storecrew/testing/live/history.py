"""Fills the books of a data folder with the history of a long trade, in bulk.

There is an order a minute, each an event that woke an agent; one in ten began a run of one
proposal. The newest orders are open. The books prove clean.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from storecrew.domain.control.proposals import Decision, Outcome, Proposal, Result, Verdict
from storecrew.domain.money import Money
from storecrew.domain.shop.orders import ApproveOrder, OrderPlaced
from storecrew.journal.audit import GENESIS, digest
from storecrew.journal.rows import dump

AGENT = "order_management"
_UNITS = 1_000_000
_PLACED = dump(OrderPlaced(order_id=0, total=Money.of(10, "EUR"), customer="customer-0"))
_DONE = dump(Outcome(key="", result=Result.APPLIED))
_PROPOSED = dump(Proposal(action=ApproveOrder(order_id=0), reason="every line is in stock"))
_ALLOWED = dump(Decision(verdict=Verdict.ALLOW, reason="within limits", rule="autonomy"))
_ASKED = dump(Decision(verdict=Verdict.ASK, reason="a person decides", rule="autonomy"))


@dataclass(frozen=True, kw_only=True)
class History:
    """How much happened."""

    orders: int
    until: datetime
    still_open: int = 1000

    @property
    def began(self) -> datetime:
        """When the first order came."""
        return self.until - timedelta(minutes=self.orders)

    @property
    def names(self) -> dict[str, object]:
        """Return what the statements are told."""
        return {
            "orders": self.orders,
            "still_open": self.orders - self.still_open,
            "products": self.orders // 100,
            "customers": self.orders // 10,
            "began": int(self.began.timestamp()),
            "units": _UNITS,
            "agent": AGENT,
            "placed": _PLACED,
            "done": _DONE,
            "proposed": _PROPOSED,
            "allowed": _ALLOWED,
            "asked": _ASKED,
        }


def write_history(data: Path, history: History) -> None:
    """Put it into the books, which have their tables and nothing else and are open nowhere."""
    with closing(_opened(data / "orders.db")) as books, books:
        books.create_function("minute", 1, lambda n: _minute(history, n), deterministic=True)
        for statement in _TRADE:
            books.execute(statement, history.names)
    with closing(_opened(data / "registry.db")) as books, books:
        books.create_function("minute", 1, lambda n: _minute(history, n), deterministic=True)
        for statement in _CREW:
            books.execute(statement, history.names)
        books.executemany(_AUDIT, _chained(books))


def _opened(path: Path) -> sqlite3.Connection:
    books = sqlite3.connect(path)
    books.execute("PRAGMA journal_mode = OFF")  # what fails half-way is of no use to anybody
    books.execute("PRAGMA synchronous = OFF")
    books.execute("PRAGMA cache_size = -500000")
    return books


def _minute(history: History, number: int) -> str:
    at = datetime.fromtimestamp(history.began.timestamp() + 60 * number, UTC)
    return at.isoformat(timespec="microseconds")


def _numbers(most: str) -> str:
    return f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {most})"


_STATES = (
    ("received", "NULL", "id > 0"),
    ("approved", "'received'", "status NOT IN ('received', 'cancelled')"),
    ("awaiting_payment", "'approved'", "status NOT IN ('received', 'cancelled')"),
    ("awaiting_delivery", "'awaiting_payment'", "status IN ('awaiting_delivery', 'delivered')"),
    ("delivered", "'awaiting_delivery'", "status = 'delivered'"),
    ("cancelled", "'received'", "status = 'cancelled'"),
)
_TRADE = (
    f"""INSERT INTO products (sku, name, price_minor, cost_minor, currency, supplier, pack_size,
      stocked, assumed) {_numbers(":products")}
    SELECT printf('sku-%07d', i - 1), 'Product ' || i, 1000, 500, 'EUR', 'supplier', 1, 1, '[]'
    FROM n""",
    f"""INSERT INTO customers {_numbers(":customers")}
    SELECT 'customer-' || (i - 1), 'Customer ' || i, 'c' || i || '@example.com', i % 2, 'en'
    FROM n""",
    f"""INSERT INTO orders (id, order_text, status, timestamp, agent, details, customer,
      total_minor, paid_minor, currency, updated_at, imported, effect_key, held)
    {_numbers(":orders")}, states AS (SELECT i, CASE
      WHEN i > :still_open THEN CASE i % 3 WHEN 0 THEN 'received'
        WHEN 1 THEN 'awaiting_payment' ELSE 'awaiting_delivery' END
      WHEN i % 10 = 0 THEN 'cancelled' ELSE 'delivered' END AS status FROM n)
    SELECT i, 'sku:1', status, minute(i), 'system', '', 'customer-' || (i % :customers), 1000,
      CASE WHEN status IN ('delivered', 'awaiting_delivery') THEN 1000 ELSE 0 END, 'EUR',
      minute(i), 0, 'old/' || i, '' FROM states""",
    """INSERT INTO order_items (order_id, product, quantity, unit_price_minor)
    SELECT id, printf('sku-%07d', id % :products), 1, 1000 FROM orders""",
    *(
        f"""INSERT INTO order_history (order_id, previous, status, at, actor)
        SELECT id, {previous}, '{status}', timestamp, 'system' FROM orders WHERE {which}"""
        for status, previous, which in _STATES
    ),
    """INSERT INTO payments (order_id, reference, amount_minor, at)
    SELECT id, 'paid/' || id, 1000, timestamp FROM orders WHERE paid_minor > 0""",
    """INSERT INTO authorizations SELECT 'paid/' || id, id, 1000, 'card', timestamp
    FROM orders WHERE paid_minor > 0""",
    """INSERT INTO fulfilments (order_id, product, warehouse, quantity, at)
    SELECT id, printf('sku-%07d', id % :products), 'main', 1, timestamp
    FROM orders WHERE paid_minor > 0""",
    """INSERT INTO reservations SELECT id, printf('sku-%07d', id % :products), 'main', 1
    FROM orders WHERE status IN ('received', 'awaiting_payment')""",
    """INSERT INTO stock_history
      (product, quantity_change, new_quantity, reason, timestamp, warehouse, reference)
    SELECT sku, :units, :units, 'counted', minute(0), 'main', 'old' FROM products""",
    """INSERT INTO stock_history
      (product, quantity_change, new_quantity, reason, timestamp, warehouse, reference)
    SELECT product, -1, :units - row_number() OVER (PARTITION BY product ORDER BY id),
      'order fulfilled', at, 'main', 'old' FROM fulfilments ORDER BY id""",
    """INSERT INTO stock SELECT sku, 'main', :units, 0 FROM products""",
    """UPDATE stock SET on_hand = on_hand - gone.n FROM (
      SELECT product, count(*) AS n FROM fulfilments GROUP BY product) gone
    WHERE gone.product = stock.product""",
    """UPDATE stock SET reserved = held.n FROM (
      SELECT product, count(*) AS n FROM reservations GROUP BY product) held
    WHERE held.product = stock.product""",
    """INSERT INTO applied_commands
    SELECT 'old/' || id, '', 1, json_remove(:done, '$.key'), timestamp FROM orders""",
    """INSERT INTO applied_commands
    SELECT :agent || '@' || id || '/0', '', 1, json_remove(:done, '$.key'), timestamp
    FROM orders WHERE id % 10 = 0 AND id % 100 <> 0""",
    """INSERT INTO outbox (id, kind, subject, event, at, actor)
    SELECT id, 'OrderPlaced', 'order:' || id,
      json_set(:placed, '$.order_id', id, '$.customer', customer), timestamp, 'system'
    FROM orders""",
    f"""INSERT INTO purchase_orders (product, supplier, warehouse, quantity, received,
      unit_cost_minor, status, ordered_at, due_at) {_numbers(":orders / 50")}
    SELECT printf('sku-%07d', i % :products), 'supplier', 'main', 20, 20, 500, 'received',
      minute(i), minute(i) FROM n""",
    f"""INSERT INTO messages (customer, purpose, title, body, at, topic) {_numbers(":orders / 10")}
    SELECT 'customer-' || (i % :customers), 'service', 'Your order', 'It is on its way.',
      minute(i * 10), 'order:' || i FROM n""",
    """INSERT INTO message_deliveries SELECT id, 'sent', 'c@example.com', 1, '', at FROM messages
    WHERE id <= :orders / 10 - 60""",
    f"""INSERT INTO tickets (id, status, text, customer, order_id, channel, opened_at, updated_at,
      rating, reference) {_numbers(":orders / 10")}
    SELECT 'ticket-' || i, 'closed', 'Where is it?', 'customer-' || (i % :customers), i, 'api',
      minute(i * 10), minute(i * 10), NULL, NULL FROM n""",
)
_RUN = ":agent || '@' || seq"
_CREW = (
    f"""INSERT INTO events {_numbers(":orders")}
    SELECT i, 'store', i, 'OrderPlaced', 'order:' || i,
      json_set(:placed, '$.order_id', i), minute(i), 'system' FROM n""",
    "INSERT INTO outbox_cursors VALUES ('store', :orders)",
    f"""INSERT INTO runs (id, agent, actor, status, attempt, created_at, finished_at, error,
      proposals, worker, tokens)
    SELECT {_RUN}, :agent, 'agent:' || :agent, 'done', 1, at, at, '', 1, '', 0
    FROM events WHERE seq % 10 = 0""",
    """INSERT INTO event_deliveries (event_seq, agent, subject, at, run_id, alone)
    SELECT seq, :agent, subject, at, :agent || '@' || ((seq + 9) / 10 * 10), 0 FROM events""",
    f"""INSERT INTO proposals (id, run_id, n, agent, body, at)
    SELECT {_RUN} || '/0', {_RUN}, 0, :agent,
      json_set(:proposed, '$.action.order_id', seq), at FROM events WHERE seq % 10 = 0""",
    f"""INSERT INTO decisions (proposal_id, body, verdict, at, day, budget_spend, cash_out)
    SELECT {_RUN} || '/0', CASE WHEN seq % 100 = 0 THEN :asked ELSE :allowed END,
      CASE WHEN seq % 100 = 0 THEN {int(Verdict.ASK)} ELSE {int(Verdict.ALLOW)} END, at,
      substr(at, 1, 10), 0, 0 FROM events WHERE seq % 10 = 0""",
    """INSERT INTO outcomes (proposal_id, body, result, at)
    SELECT proposal_id, json_set(:done, '$.key', proposal_id), 'applied', at
    FROM decisions WHERE body = :allowed""",
    """INSERT INTO approvals (proposal_id, topic, subject, status, question, asked_at,
      expires_at, decided_by, note)
    SELECT proposal_id, 'approve', proposal_id, 'expired', :asked, at, at, '', ''
    FROM decisions WHERE body = :asked""",
)
_TO_AUDIT = """
    SELECT at, 'change' AS kind, source || '/' || external_id AS subject, actor, body AS action,
      'recorded' AS result, type AS reason FROM events UNION ALL
    SELECT p.at, 'proposal', p.id, 'agent:' || p.agent, '{}', coalesce(o.result, 'expired'), ''
    FROM proposals p LEFT JOIN outcomes o ON o.proposal_id = p.id"""
_AUDIT = """INSERT INTO audit VALUES (:seq, :at, :kind, :subject, :actor, :action, :result,
    :reason, :before, :after, :policy_version, :approved_by, :previous_hash, :hash)"""
_REST = {"before": "{}", "after": "{}", "policy_version": "", "approved_by": ""}


def _chained(books: sqlite3.Connection) -> Iterator[dict[str, object]]:
    """Yield the audit's rows, each with the hash of the one before."""
    previous = GENESIS
    found = books.execute(_TO_AUDIT)
    names = [column[0] for column in found.description]
    for seq, row in enumerate(found, 1):
        entry = {**dict(zip(names, row, strict=True)), **_REST, "seq": seq}
        entry["previous_hash"] = previous
        entry["hash"] = previous = digest(entry)
        yield entry


def written(data: Path) -> int:
    """Return how many bytes the books of a data folder take."""
    return sum(path.stat().st_size for path in data.glob("*.db*"))
