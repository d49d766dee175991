"""Tickets, incidents and the owner's goal from the shell, over a data folder with no server."""

import asyncio
from collections.abc import Callable
from typing import Any

from program import stocked

from storecrew.app import load_settings
from storecrew.app.bootstrap import open_plane
from storecrew.domain.actions import Command
from storecrew.domain.control.incidents import OpenIncident
from storecrew.domain.shop.support import EscalateTicket

Run = Callable[..., Any]


def test_a_ticket_is_opened_answered_rated_and_closed(shop: Run) -> None:
    shop("tickets", "open", "Where is my order?", "--ticket", "T1")
    assert "Where is my order?" in shop("tickets", "show", "T1")
    assert "is answered" in shop("tickets", "reply", "T1", "It left us.")
    shop("tickets", "rate", "T1", "4")
    shop("tickets", "open", "Hello?", "--ticket", "T2")

    found = shop("tickets", "list", "--json")

    assert [(t["id"], t["status"], t["rating"]) for t in found["items"]] == [
        ("T2", "open", None),
        ("T1", "answered", 4),
    ]
    assert found["figures"]["answered_share"] == 0.5
    assert "Rated 4.0 of 5 by 1." in shop("tickets", "list")
    shop("tickets", "close", "T1")
    assert shop("tickets", "list", "--status", "closed", "--json")["items"][0]["id"] == "T1"
    assert "no ticket" in shop("tickets", "show", "T9", fails=1)
    assert "status" in shop("tickets", "list", "--status", "odd", fails=1)


def test_a_reply_says_whether_a_letter_goes_out(shop: Run) -> None:
    shop("tickets", "open", "Do you wrap gifts?", "--ticket", "T1")
    assert "No letter goes out: the ticket names no customer" in shop(
        "tickets", "reply", "T1", "We do."
    )
    shop("tickets", "open", "Do you wrap?", "--ticket", "T2", "--contact", "new@nobody.example")
    assert "A letter waits to be sent." in shop("tickets", "reply", "T2", "We do.")
    (waiting,) = shop("mail", "queue", "--json")["items"]
    assert (waiting["customer"], waiting["state"]) == ("", "waiting")
    shop("customers", "set", "bob", "--name", "Bob")
    shop("tickets", "open", "Hello?", "--ticket", "T3", "--customer", "bob")
    assert "the customer has no address" in shop("tickets", "reply", "T3", "Yes?")


def test_a_ticket_that_waits_shows_why_and_a_draft(shop: Run) -> None:
    shop("customers", "set", "anna", "--name", "Anna", "--email", "anna@c.example")
    shop("tickets", "open", "How much is shipping?", "--ticket", "T1", "--customer", "anna")
    shown = shop("tickets", "show", "T1")
    assert "A draft" in shown
    assert "Hello Anna," in shown
    assert "Delivery usually takes up to 7 days" in shown
    assert shop("tickets", "show", "T1", "--json")["draft"].startswith("Hello Anna,")

    async def escalate() -> None:
        async with open_plane(load_settings()) as plane:
            action = EscalateTicket(ticket_id="T1", reason="not sure that it is about shipping")
            await plane.store.apply(action, key="k", actor="agent:customer_support")

    asyncio.run(escalate())
    assert "escalated  not sure that it is about shipping" in shop("tickets", "show", "T1")


def test_an_order_is_held_and_released(shop: Run) -> None:
    shop("products", "set", "Product A", "--price", "10")
    stocked(shop, "Product A", "5")
    shop("orders", "submit", "Product A:1")
    assert "is held: odd" in shop("orders", "hold", "1", "--reason", "odd")
    assert shop("orders", "show", "1", "--json")["held"] == "odd"
    assert "goes on" in shop("orders", "release", "1")
    assert shop("tickets", "return", "1", "--json")["order_id"] == 1
    assert "no order" in shop("tickets", "return", "7", fails=1)


def test_incidents_are_listed_shown_and_closed(shop: Run) -> None:
    plan = ({"type": "SetPaymentMethod", "method": "card", "enabled": False},)
    trouble = OpenIncident(
        incident="payments/card",
        title="Payments by card fail",
        cause="provider: no answer",
        observed="9 of 9",
        expected="5%",
        plan=plan,
    )

    async def open_one() -> None:
        async with open_plane(load_settings()) as plane:
            keyed = Command(key="k", action=trouble, actor="agent:anomaly_resolver")
            assert plane.pipeline.operations is not None
            await plane.pipeline.operations.apply(keyed)

    asyncio.run(open_one())

    assert "1 incident" in shop("incidents", "list", "--status", "open")
    shown = shop("incidents", "show", "payments/card")
    assert "SetPaymentMethod enabled False, method card" in shown
    shop("incidents", "close", "payments/card", "--reason", "it works")
    assert shop("incidents", "list", "--status", "open", "--json")["items"] == []
    assert shop("incidents", "show", "payments/card", "--json")["resolution"] == "it works"
    assert "no incident" in shop("incidents", "close", "other", fails=1)


def test_a_goal_is_set_and_shown(shop: Run) -> None:
    assert "profit counts" in shop("goal", "show")
    assert "is clear_stock" in shop("goal", "set", "clear_stock")
    assert "The goal is clear_stock." in shop("goal", "show")
    assert shop("goal", "show", "--json")["steps"] == []
    assert "is none of" in shop("goal", "set", "domination", fails=1)


def test_a_discount_is_created_and_ended(shop: Run) -> None:
    shop("products", "set", "Mug", "--price", "10")
    made = shop("discounts", "create", "SPRING", "10", "Mug", "--days", "14", "--json")
    assert made["code"] == "SPRING"
    [found] = shop("discounts", "list", "--json")
    assert (found["code"], found["percent"], found["skus"]) == ("SPRING", "10", ["Mug"])
    assert "SPRING" in shop("discounts", "list")
    assert "holds no longer" in shop("discounts", "end", "SPRING")
    assert shop("discounts", "list", "--json") == []
    assert "no discount" in shop("discounts", "end", "WINTER", fails=1)


def test_a_bundle_is_offered_and_withdrawn(shop: Run) -> None:
    shop("products", "set", "Mug", "--price", "10")
    shop("products", "set", "Plate", "--price", "12")
    assert "is offered for 17.90 EUR" in shop(
        "bundles", "offer", "breakfast", "17.90", "Mug", "Plate"
    )
    [found] = shop("bundles", "list", "--json")
    assert (found["name"], found["skus"]) == ("breakfast", ["Mug", "Plate"])
    assert "no longer" in shop("bundles", "withdraw", "breakfast")
    assert shop("bundles", "list", "--json") == []


def test_a_payment_method_is_switched_off_and_on(shop: Run) -> None:
    assert "card is offered no longer." in shop("payment-methods", "set", "card", "--off")
    assert shop("payment-methods", "list", "--json") == {"card": False}
    assert "card is offered." in shop("payment-methods", "set", "card")
    assert "card" in shop("payment-methods", "list")
    assert shop("products", "suggestions", "--json") == []
