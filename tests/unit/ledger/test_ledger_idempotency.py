"""The ledger's idempotency keys, by themselves: fingerprints, first outcomes, keys in order."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from storecrew.domain.actions import Command
from storecrew.domain.control.proposals import Result
from storecrew.domain.errors import InvalidInput
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import SetPrice, UpsertProduct
from storecrew.domain.shop.orders import Line, PlaceOrder
from storecrew.stores.sql import SqlStore, open_store
from storecrew.stores.sql.idempotency import fingerprint, seen


class Noon:
    def now(self) -> datetime:
        return datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
async def store() -> AsyncIterator[SqlStore]:
    store = await open_store("sqlite://", clock=Noon(), currency="EUR", inline=True)
    yield store
    await store.close()


def command(text: str = "", key: str = "k", actor: str = "") -> Command:
    return Command(key=key, action=PlaceOrder(lines=(), order_text=text), actor=actor)


def euro(amount: str) -> Money:
    return Money.of(amount, "EUR")


def test_a_fingerprint_is_of_the_action_alone():
    same = [command("a"), command("a", key="other"), command("a", actor="ada")]
    assert len({fingerprint(each) for each in same}) == 1
    assert fingerprint(command("a")) != fingerprint(command("b"))
    assert len(fingerprint(command("a"))) == 64


def test_fingerprints_in_the_books_stay_valid():
    assert fingerprint(command("Grüße")) == (
        "863e1de17462158d3cf9a5735d7956c21f5a907925e9c21c5564937cbe5dc2bf"
    )
    line = PlaceOrder(lines=(Line(sku="A", quantity=2),), customer="ada")
    assert fingerprint(Command(key="k", action=line, actor="x")) == (
        "81a92d3babdbebd0b9fbe655fab1e80462e3c707b0677e24f9530635642ec0fc"
    )


@pytest.mark.parametrize(
    ("refused", "field", "problem"),
    [
        (command(key=""), "key", "has 1 to 500 characters"),
        (command(key="x" * 501), "key", "has 1 to 500 characters"),
        (command("\ud800"), "text", "half of a surrogate pair"),
        (command(key="\ud800"), "key", "half of a surrogate pair"),
        (command(actor="\ud800"), "actor", "half of a surrogate pair"),
        (command("a\0"), "text", "control character"),
        (command(key="a\0"), "key", "control character"),
        (command(actor="a\0"), "actor", "control character"),
    ],
)
def test_text_that_no_database_keeps_has_no_fingerprint(refused, field, problem):
    with pytest.raises(InvalidInput) as error:
        fingerprint(refused)
    assert error.value.field == field
    assert problem in error.value.problem


@pytest.mark.parametrize("key", ["k", "x" * 500])
def test_a_key_has_up_to_500_characters(key):
    assert fingerprint(command(key=key))


async def test_the_first_outcome_is_kept_with_its_fingerprint(store: SqlStore):
    product = UpsertProduct(sku="A", name="A", price=euro("10.00"))
    first = await store.apply(product, key="put/A")
    refused = await store.apply(SetPrice(sku="B", price=euro("1")), key="price/B")
    assert await store.outcome("put/A") == first
    assert await store.outcome("price/B") == refused
    assert refused.result is Result.REFUSED
    assert await store.outcome("never") is None
    known = await store.database.read(lambda c: seen(c, {"put/A", "price/B", "never"}))
    assert known.keys() == {"put/A", "price/B"}
    assert known["put/A"][0] == fingerprint(Command(key="put/A", action=product, actor=""))
    assert known["put/A"][1].to_outcome("put/A") == first


async def test_applied_keys_are_listed_in_order_by_their_beginning(store: SqlStore):
    for key in ("b/2", "a/1", "b/1", "c%"):
        await store.apply(UpsertProduct(sku=key[0], name=key[0], price=euro("10.00")), key=key)
    await store.apply(SetPrice(sku="none", price=euro("1")), key="b/3")
    assert await store.applied_keys() == ["a/1", "b/1", "b/2", "c%"]
    assert await store.applied_keys("b/") == ["b/1", "b/2"]
    assert await store.applied_keys("%") == []
