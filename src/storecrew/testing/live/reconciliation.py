"""What a server answered, held against its files: read with plain SQL, not with the product."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from storecrew.app.crew import CREW
from storecrew.testing.live.load import SOURCE, Acknowledged

T = TypeVar("T")

_ENDED = ("done", "failed", "split")
_PATIENCE = {agent.name: agent.batch_window + timedelta(seconds=2) for agent in CREW}
"""How long an event may wait until its agent's batch is full."""


@dataclass
class Reconciliation:
    """What is missing, doubled or unfinished; empty lists are good."""

    lost: list[str] = field(default_factory=list[str])
    """Answered, and not (or not so) in the books."""
    doubled: list[str] = field(default_factory=list[str])
    """In the books more often than asked for."""
    unfinished: list[str] = field(default_factory=list[str])
    """Left lying: runs, wakes, facts."""
    failed: list[str] = field(default_factory=list[str])
    """Runs that ended with a stated failure."""

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.lost or self.doubled or self.unfinished or self.failed)


def reconcile(data: Path, heard: Acknowledged, *, units: int, at: datetime) -> Reconciliation:
    """Hold what was heard against the books in this folder, where each product had `units`.

    `at` is when the server stopped: what then waited for a fuller batch may still wait.
    """
    account = Reconciliation()
    with (
        closing(_open(data / "orders.db")) as shop,
        closing(_open(data / "registry.db")) as journal,
    ):
        _orders(shop, heard, account)
        _states(shop, heard, account)
        _mails(shop, heard, account)
        _stock(shop, units, account)
        _events(journal, heard, account)
        _facts(shop, journal, account)
        _runs(journal, account, at)
        _questions(journal, heard, account)
    return account


def _open(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)


def _orders(shop: sqlite3.Connection, heard: Acknowledged, account: Reconciliation) -> None:
    """Each answered order is there once, by id and by key, and there is no other."""
    query = "SELECT effect_key, id FROM orders WHERE effect_key LIKE 'http/%'"
    rows = shop.execute(query).fetchall()
    kept = {key.rpartition("/")[2]: number for key, number in rows}
    account.lost += [
        f"order {number} under {key} is {kept.get(key)}"
        for key, number in heard.orders.items()
        if kept.get(key) != number
    ]
    account.doubled += [f"orders {twice}" for twice in _repeated(key for key, _ in rows)]
    account.doubled += [f"order {kept[key]} was never told" for key in kept.keys() - heard.orders]


def _states(shop: sqlite3.Connection, heard: Acknowledged, account: Reconciliation) -> None:
    """Each answered move was made, none twice; what was paid is, what arrived is closed."""
    query = "SELECT order_id, status FROM order_history"
    moves: list[tuple[int, str]] = shop.execute(query).fetchall()
    account.lost += [f"order {n} {state}" for n, state in heard.moves - set(moves)]
    account.doubled += [f"order {n} {state}" for n, state in _repeated(moves)]
    paid = dict(shop.execute("SELECT reference, order_id FROM payments"))
    account.lost += [f"payment {ref}" for ref, n in heard.payments.items() if paid.get(ref) != n]
    account.doubled += [f"payment {ref} was never told" for ref in paid.keys() - heard.payments]
    states = dict(shop.execute("SELECT id, status FROM orders"))
    account.lost += [
        f"order {n} was delivered, is {states.get(n)}"
        for n in heard.deliveries
        if states.get(n) != "delivered"
    ]


def _mails(shop: sqlite3.Connection, heard: Acknowledged, account: Reconciliation) -> None:
    """Each order that came as an event was placed once."""
    query = "SELECT customer FROM orders WHERE customer LIKE 'mail-%'"
    customers = [customer for (customer,) in shop.execute(query)]
    account.lost += [f"order of {who}" for who in heard.mails.difference(customers)]
    account.doubled += [f"order of {who}" for who in _repeated(customers)]


def _stock(shop: sqlite3.Connection, units: int, account: Reconciliation) -> None:
    """What is on the shelf is what was there, less what the orders took."""
    query = """SELECT s.product, s.on_hand, s.reserved,
        COALESCE(SUM(i.quantity) FILTER (WHERE o.status IN ('awaiting_delivery', 'delivered')), 0),
        COALESCE(SUM(i.quantity) FILTER (
            WHERE o.status IN ('received', 'approved', 'awaiting_payment')), 0)
        FROM stock s LEFT JOIN order_items i ON i.product = s.product
        LEFT JOIN orders o ON o.id = i.order_id WHERE s.product <> 'scarce' GROUP BY s.product"""
    for product, on_hand, reserved, shipped, held in shop.execute(query):
        if (on_hand, reserved) != (units - shipped, held):
            what = account.doubled if on_hand < units - shipped or reserved > held else account.lost
            what.append(f"{product}: {on_hand} on hand, {reserved} reserved; {shipped} shipped")


def _events(journal: sqlite3.Connection, heard: Acknowledged, account: Reconciliation) -> None:
    """Each acknowledged event is recorded once, where it was said to be, and there is no other."""
    query = "SELECT external_id, seq FROM events WHERE source = ?"
    rows: list[tuple[str, int]] = journal.execute(query, (SOURCE,)).fetchall()
    kept = dict(rows)
    account.lost += [name for name, seq in heard.events.items() if kept.get(name) != seq]
    account.doubled += _repeated(name for name, _ in rows)
    account.doubled += [f"{name} was never told" for name in kept.keys() - heard.events]


def _facts(shop: sqlite3.Connection, journal: sqlite3.Connection, account: Reconciliation) -> None:
    """Each fact of the shop reached the journal once."""
    facts = {str(number) for (number,) in shop.execute("SELECT id FROM outbox")}
    query = "SELECT external_id FROM events WHERE source = 'store'"
    relayed = [number for (number,) in journal.execute(query)]
    account.unfinished += [f"fact {number} not relayed" for number in facts.difference(relayed)]
    account.doubled += [f"fact {number}" for number in _repeated(relayed)]
    account.doubled += [f"fact {number} never was" for number in set(relayed) - facts]


def _runs(journal: sqlite3.Connection, account: Reconciliation, at: datetime) -> None:
    """Every run has ended, and every wake that was due is in one."""
    for run, status, error in journal.execute("SELECT id, status, error FROM runs"):
        if status not in _ENDED:
            account.unfinished.append(f"run {run} is {status} {error}")
        elif status != "done":
            account.failed.append(f"run {run} {status}: {error}")
    query = "SELECT agent, event_seq, at FROM event_deliveries WHERE run_id IS NULL"
    account.unfinished += [
        f"{agent} not woken by {seq}"
        for agent, seq, since in journal.execute(query)
        if datetime.fromisoformat(since) + _PATIENCE[agent] < at
    ]


def _questions(journal: sqlite3.Connection, heard: Acknowledged, account: Reconciliation) -> None:
    """Each question that a person saw still waits, or was answered or replaced; a yes is done."""
    states = dict(journal.execute("SELECT proposal_id, status FROM approvals"))
    recorded = {id_ for (id_,) in journal.execute("SELECT proposal_id FROM outcomes")}
    account.lost += [
        f"question {id_} is {states.get(id_)}"
        for id_ in heard.questions
        if states.get(id_) not in ("waiting", "approved", "superseded")
    ]
    account.lost += [f"approval of {id_}" for id_ in heard.approved if states[id_] != "approved"]
    account.unfinished += [f"approved {id_} not done" for id_ in heard.approved - recorded]


def _repeated(values: Iterable[T]) -> Iterator[T]:
    seen: set[T] = set()
    for value in values:
        if value in seen:
            yield value
        seen.add(value)
