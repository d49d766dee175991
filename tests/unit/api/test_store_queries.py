"""The store asked from another process answers just as it does beside it."""

from datetime import UTC, date, datetime

import httpx
import pytest
from in_memory_api import NOW

from storecrew.domain import remote_queries
from storecrew.domain.codec import encode
from storecrew.domain.errors import InvalidInput, NotFound, NotPermitted
from storecrew.domain.shop.customers import Customer, RecordCustomerActivity
from storecrew.domain.shop.messages import SendMessage, SuppressAddress
from storecrew.domain.shop.orders import Line, OrderQuery, OrderStatus, PlaceOrder
from storecrew.domain.shop.support import OpenTicket, TicketStatus
from storecrew.sdk.client import RequestRejected
from storecrew.sdk.remote import RemoteStore

YEAR = (date(2026, 1, 1), date(2026, 12, 31))
JANUARY, DECEMBER = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC)
QUESTIONS = {
    "product": (("Product A",), {}),
    "products": ((["Product A", "none"],), {}),
    "stock": ((), {}),
    "stock_movements": ((), {"limit": 1}),
    "order": ((1,), {}),
    "orders": ((OrderQuery(status=OrderStatus.RECEIVED, per_page=2),), {}),
    "orders_by_id": (([1, 99],), {}),
    "open_orders": ((), {}),
    "order_counts": ((), {}),
    "order_backlog": ((), {}),
    "skus_to_watch": ((), {"below": 1000}),
    "order_transitions": (([1],), {}),
    "daily_sales": (YEAR, {"skus": ["Product A"]}),
    "price_changes": ((datetime(2026, 1, 1, tzinfo=UTC),), {}),
    "purchase_orders": ((), {"status": None}),
    "suppliers": ((), {}),
    "competitor_prices": ((["Product A"],), {}),
    "messages_sent": ((["ann"], NOW), {}),
    "customers": ((), {}),
    "customer_spend": ((JANUARY, DECEMBER), {}),
    "discounts": ((), {"ending_after": JANUARY}),
    "bundles": ((), {}),
    "recommendations": (("home",), {}),
    "campaigns": ((), {}),
    "product_suggestions": ((), {}),
    "competitor_pages": ((), {}),
    "customer_activity": ((JANUARY,), {"limit": 5}),
    "hourly_sales": ((JANUARY,), {}),
    "ticket": (("t1",), {}),
    "tickets": ((), {"status": TicketStatus.OPEN, "limit": 5}),
    "authorizations": (([1],), {}),
    "payment_methods": ((), {}),
    "back_in_stock_subscribers": (("Product A",), {}),
    "suppressed": ((["gone@example.com"],), {}),
    "sent_topics": ((["ann"], ["order:1:placed"]), {}),
    "sold_lines": (YEAR, {}),
    "shipments": (YEAR, {}),
    "stockout_periods": (YEAR, {}),
}
EMPTY = {
    *("purchase_orders", "suppliers", "competitor_prices", "price_changes", "discounts", "bundles"),
    *("recommendations", "campaigns", "product_suggestions", "competitor_pages", "authorizations"),
    *("payment_methods", "back_in_stock_subscribers", "shipments", "stockout_periods"),
}
"""Questions to which this shop has nothing to say; that the answer has the right shape counts."""


@pytest.fixture
async def sold(store):
    """A shop with an order, a customer, a question and a message."""
    await store.put_customers([Customer(id="ann", name="Ann", email="ann@example.com")])
    words = {"purpose": "service", "title": "Hello", "body": "Hello", "topic": "order:1:placed"}
    for number, action in enumerate(
        (
            OpenTicket(ticket_id="t1", text="Where is it?", customer="ann"),
            RecordCustomerActivity(customer="ann", kind="viewed", sku="Product A"),
            SuppressAddress(address="gone@example.com", reason="bounced"),
            SendMessage(customer="ann", **words),
        )
    ):
        assert (await store.apply(action, key=f"test/more/{number}")).applied
    lines = (Line(sku="Product A", quantity=2), Line(sku="Product B", quantity=1))
    assert (await store.apply(PlaceOrder(lines=lines, customer="ann"), key="test/order")).applied
    return store


@pytest.fixture
def remote(client) -> RemoteStore:
    return RemoteStore(client, "clerk")


def test_every_question_of_the_port_is_tried_here():
    assert QUESTIONS.keys() | {"customer"} == remote_queries.QUERIES


@pytest.mark.parametrize("question", QUESTIONS)
async def test_a_question_has_the_same_answer_from_afar(sold, remote, question):
    args, kwargs = QUESTIONS[question]
    near = await getattr(sold, question)(*args, **kwargs)
    far = await getattr(remote, question)(*args, **kwargs)

    assert encode(far) == encode(near)
    assert type(far) is (tuple if isinstance(near, list) else type(near))
    assert near or question in EMPTY


async def test_who_asks_for_what_is_not_there_hears_so(sold, remote):
    with pytest.raises(RequestRejected, match="404"):
        await remote.product("none")
    with pytest.raises(RequestRejected, match="404"):
        await remote.customer("nobody")


async def test_the_store_cannot_be_changed_from_afar(remote):
    for name in ("apply", "apply_batch", "outbox", "close"):
        with pytest.raises(NotPermitted, match=name):
            getattr(remote, name)


@pytest.mark.parametrize("name", ["apply", "apply_batch", "outbox", "verify", "__class__", "x"])
async def test_only_questions_are_answered(sold, client: httpx.AsyncClient, name):
    answer = await client.post(f"/api/store/queries/{name}", json={})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("question", "given", "field"),
    [
        ("product", {}, "sku"),
        ("product", {"sku": 5}, "sku"),
        ("product", {"sku": "a", "shop": "b"}, "shop"),
        ("orders", {"query": {"status": "lost"}}, "query.status"),
        ("daily_sales", {"first": "2026-01-01", "last": "soon"}, "last"),
        ("messages_sent", {"customers": "ann", "since": "2026-01-01T00:00:00Z"}, "customers"),
    ],
)
async def test_a_wrong_argument_is_named(client, question, given, field):
    answer = await client.post(f"/api/store/queries/{question}", json=given)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])


def test_a_call_is_checked_before_it_leaves():
    with pytest.raises(TypeError, match="sku"):
        remote_queries.named("product", (), {})
    with pytest.raises(NotFound):
        remote_queries.named("apply", (), {})
    with pytest.raises(InvalidInput, match=r"daily_sales\.units\.a\.0"):
        remote_queries.answer("daily_sales", {"first": "2026-01-01", "units": {"a": ["1"]}})
