"""The owner's part over HTTP: place an order once, approve it when the crew asks, undo it.

storecrew up                              # in one terminal
python examples/04-http-client/owner.py   # in another
"""

import argparse
import os
import time
from collections.abc import Callable
from typing import Any

from storecrew import Client


def wait_for(look: Callable[[], Any]) -> Any:
    """Return what the look returns once it is anything; raises `TimeoutError` after 30 seconds."""
    for _ in range(300):
        if found := look():
            return found
        time.sleep(0.1)
    raise TimeoutError("the crew did nothing within 30 seconds")


def question_about(plane: Client, order: int) -> str | None:
    """Return the id of the proposal to approve the order, once it waits for a person."""
    for each in plane.get("/api/approvals"):
        action = each["filed"]["proposal"]["action"]
        if action["type"] == "ApproveOrder" and action["order_id"] == order:
            return str(each["filed"]["id"])
    return None


def main(plane: Client, key: str) -> None:
    """Take one order through approval and undo, and print each step."""
    price = {"amount": "9.90", "currency": "EUR"}
    plane.put("/api/products/mug", {"name": "Mug", "price": price})
    plane.put("/api/stock/mug", {"on_hand": 100})

    order = plane.post("/api/orders", {"text": "Mug:2"}, key=key)["id"]
    again = plane.post("/api/orders", {"text": "Mug:2"}, key=key)["id"]
    print(f"sent twice under one key: order {order} and order {again}")

    proposal = wait_for(lambda: question_about(plane, order))
    asked = plane.get(f"/api/approvals/{proposal}")
    print(f"asked: {asked['filed']['proposal']['reason']} ({asked['question']['rule']})")

    def status() -> str:
        return str(plane.get(f"/api/orders/{order}")["status"])

    plane.post(f"/api/approvals/{proposal}/approve", {"note": "a regular customer"})
    wait_for(lambda: status() == "awaiting_payment")
    print(f"approved: order {order} is {status()}")

    plane.post(f"/api/proposals/{proposal}/undo")
    wait_for(lambda: status() == "cancelled")
    print(f"undone: order {order} is {status()}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Place an order, approve it, undo it.")
    parser.add_argument("--plane", default="http://127.0.0.1:8000", help="where storecrew listens")
    parser.add_argument("--key", default="example-04", help="another key places another order")
    given = parser.parse_args()
    main(Client(given.plane, api_key=os.environ.get("STORECREW_KEY")), given.key)
