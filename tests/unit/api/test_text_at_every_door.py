"""Text that cannot be stored or shown is refused by each route, and nothing is left behind."""

import json

import pytest
from in_memory_api import Api

from storecrew.domain.actions import Command
from storecrew.domain.errors import InvalidInput
from storecrew.domain.shop.support import OpenTicket
from storecrew.sdk import wire
from storecrew.stores.sql.idempotency import fingerprint

BAD = ["\ud83d", "\ude00", "\x00", "\x1b[2J", "\x07", "\x9b", "\uffff"]
BODIES = {
    "/api/events": lambda bad: {"event_type": "user_browsing", "data": {"note": f"Thanks {bad}"}},
    "/api/events ": lambda bad: {"event_type": "user_browsing", "data": {f"note{bad}": 1}},
    "/api/tickets": lambda bad: {"text": f"Thanks {bad}"},
    "/api/goal": lambda bad: {"goal": f"profit{bad}"},
    "/api/orders": lambda bad: {"customer": f"anna{bad}", "lines": []},
}


@pytest.fixture
def client(api: Api):
    return api.client()


@pytest.mark.parametrize("bad", BAD, ids=ascii)
@pytest.mark.parametrize("path", BODIES)
async def test_a_body_with_text_that_cannot_be_kept_is_refused(client, path, bad):
    content = json.dumps(BODIES[path](bad)).encode()
    headers = {"content-type": "application/json"}
    response = await client.post(path.strip(), content=content, headers=headers)
    assert response.status_code == 400, response.text
    assert any("U+" in problem for problem in response.json()["fields"].values())


async def test_half_an_emoji_leaves_the_list_of_events_readable(client):
    body = rb'{"event_type":"user_browsing","source":"shop","data":{"note":"Thanks \ud83d"}}'
    headers = {"content-type": "application/json"}
    refused = await client.post("/api/events", content=body, headers=headers)
    whole = body.replace(rb"\ud83d", rb"\ud83d\ude00")
    taken = await client.post("/api/events", content=whole, headers=headers)

    assert (refused.status_code, taken.status_code) == (400, 202)
    listed = await client.get("/api/events")
    assert listed.status_code == 200
    assert "\U0001f600" in listed.text


@pytest.mark.parametrize(
    "path",
    [
        "/api/messages?state=%00",
        "/api/mail/report?campaign=%00",
        "/api/skipped-inputs?source=%1b%5B2J",
        "/api/tickets/T%00",
        "/api/products/%07",
        "/api/customers?page=1&x%00=1",
    ],
)
async def test_an_address_with_text_that_cannot_be_kept_is_refused(client, path):
    response = await client.get(path)
    assert response.status_code in (400, 404), response.text


@pytest.mark.parametrize("bad", BAD, ids=ascii)
def test_an_answer_of_a_remote_agent_with_such_text_is_refused(bad):
    body = json.dumps({"proposals": [], "note": bad}).encode()
    with pytest.raises(InvalidInput, match=r"U\+"):
        wire.decode_response(body)


@pytest.mark.parametrize("bad", BAD, ids=ascii)
def test_an_action_of_an_agent_with_such_text_is_refused(bad):
    action = OpenTicket(ticket_id="T1", text=f"Hello {bad}")
    with pytest.raises(InvalidInput):
        fingerprint(Command(key="k", action=action, actor="x"))


def test_an_action_may_hold_what_only_looks_like_an_escape():
    action = OpenTicket(ticket_id="T1", text="C:\\\\u0007 \\b \\u001b and\ttabs\nlines")
    assert fingerprint(Command(key="k", action=action, actor="x"))
