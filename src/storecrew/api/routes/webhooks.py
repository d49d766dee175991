"""What other systems report of themselves: signed, stored before it is answered, once per id."""

import logging
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from typing_extensions import TypedDict

from storecrew.api.dependencies import CurrentPlane
from storecrew.api.event_parsing import event_of
from storecrew.api.requests import UnrepeatedRoute
from storecrew.api.roles import ANYONE, requires
from storecrew.api.signatures import is_genuine
from storecrew.app.settings import WebhookSettings
from storecrew.domain.control.events import EventEnvelope
from storecrew.domain.errors import InvalidInput
from storecrew.domain.json_input import read_json

log = logging.getLogger(__name__)

router = APIRouter(prefix="/webhooks", route_class=UnrepeatedRoute, tags=["events"])

_TOPICS = ("x-event-type", "x-shopify-topic")
MAX_WORD = 200

_EXAMPLE = {"event_type": "inventory_low", "data": {"sku": "Product A"}}
_BODY = {
    "application/json": {"schema": {"type": "object"}, "examples": {"example": {"value": _EXAMPLE}}}
}
WebhookReceipt = TypedDict("WebhookReceipt", {"event_id": int, "duplicate": bool})


@router.post("/{source}", openapi_extra={"requestBody": {"content": _BODY}})
@requires(ANYONE)
async def deliver(request: Request, plane: CurrentPlane, source: str) -> WebhookReceipt:
    """Record what a configured system reports; a repeated delivery changes nothing.

    The body is signed with the source's secret (HMAC-SHA256, header `X-Signature`,
    `X-Shopify-Hmac-Sha256` or `X-Hub-Signature-256`).
    """
    headers, body, now = request.headers, await request.body(), plane.clock.now()
    known = plane.settings.webhooks.get(source)
    if known is None or not is_genuine(known, headers, body, now):
        raise HTTPException(401, "this delivery is not signed by a configured source")
    content = read_json(body) if body else {}
    kind, data = _what(headers, content)
    published = EventEnvelope(
        source=f"webhook:{source}",
        external_id=_identity(known, headers, body),
        event=event_of(kind, data, known.events),
        at=now,
        actor=f"webhook:{source}",
    )
    (receipt,) = await plane.publish([published])
    if receipt.duplicate:
        log.info("%s delivered %r again; see webhooks.%s.topics", source, kind, source)
    return {"event_id": receipt.event_id, "duplicate": receipt.duplicate}


def _identity(known: WebhookSettings, headers: Mapping[str, str], body: bytes) -> str:
    """Return the id of a delivery: its signed content, and a topic that the owner listed."""
    digest, topic = sha256(body).hexdigest(), _word(headers, _TOPICS)
    return f"{digest}/{topic}" if topic in known.topics else digest


def _what(headers: Mapping[str, str], content: Any) -> tuple[str, dict[str, Any]]:
    """Return the type of the event and its data, from the headers or from within the body."""
    data = content if isinstance(content, dict) else {"content": content}
    if topic := _word(headers, _TOPICS):
        return topic, data
    kind, inner = data.get("event_type"), data.get("data")
    if not isinstance(kind, str) or not 1 <= len(kind) <= MAX_WORD:
        raise InvalidInput("event_type", "say what happened, here or in the header X-Event-Type")
    return kind, inner if isinstance(inner, dict) else data


def _word(headers: Mapping[str, str], names: tuple[str, ...]) -> str:
    found = next((headers[name] for name in names if name in headers), "")
    if len(found) > MAX_WORD or not (found.isascii() and found.isprintable()):
        raise InvalidInput("header", f"{names[0]} has at most {MAX_WORD} printable characters")
    return found
