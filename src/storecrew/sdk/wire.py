"""The wire between the plane and a remote agent: one signed POST per run, one JSON answer.

**The call.** The plane POSTs to the agent's endpoint when a run of it begins:

    POST <endpoint>
    Content-Type: application/json
    X-Storecrew-Run: <run id>
    X-Storecrew-Deadline: <seconds the answer may take; a later one is not read>
    X-Storecrew-Timestamp: <whole seconds since the epoch, UTC>
    X-Storecrew-Signature: v1=<hex HMAC-SHA256 of "<timestamp>.<body>" under `signing_key`>

    {"wire": 1, "run": "restocker@17", "attempt": 1, "agent": "restocker",
     "now": "2026-03-02T06:00:00+00:00", "currency": "EUR", "settings": {},
     "events": [{"type": "StockRanLow", "sku": "mug", ...}]}

`now` is the moment the run began, the same on each attempt; `settings` is the agent's own section
of `storecrew.yaml`; each event is tagged with its `type` and encoded as everywhere in the product.
A run may be offered more than once (after a crash, a lost answer, a failure): `run` stays the
same and `attempt` grows, so an agent that pays for its thoughts may keep its answers by run.

**The answer.** Status 200, JSON, at most `MAX_ANSWER` bytes, nothing but these three keys, of
which each may be left out:

    {"proposals": [{"action": {"type": "SetPrice", "sku": "mug", "price": {...}},
                    "reason": "it sells out", "evidence": {"days": 2.5}}],
     "events": [{"type": "BottleneckDetected", ...}],
     "usage": {"tokens": 1200}}

Anything else (another status, a redirect, an unknown key, action or event, an action or event that
the agent did not declare, an answer that is too large or too late) fails the run, and nothing is
touched.
A wish is judged by the policy like any other; the plane acts, the agent never does.

**The credential.** Registration hands out one token, once. The agent shows it as
`Authorization: Bearer <token>` with each heartbeat, and derives `signing_key(token)` to verify
calls. The plane keeps `token_hash(token)` and the signing key, from neither of which the token
can be found.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from storecrew.domain.codec import PLANE_EVENTS, decode, decode_event, encode
from storecrew.domain.control.proposals import Proposal
from storecrew.domain.errors import InvalidInput
from storecrew.domain.events import Event
from storecrew.domain.json_input import read_json

VERSION = 1
"""Of the wire; raised only when an agent of before could no longer answer."""
RUN, DEADLINE = "X-Storecrew-Run", "X-Storecrew-Deadline"
TIMESTAMP, SIGNATURE = "X-Storecrew-Timestamp", "X-Storecrew-Signature"
MAX_ANSWER = 4_000_000
"""Bytes of an answer: some ten thousand proposals."""
TOLERANCE_SECONDS = 300
"""How far a call's timestamp may lie from the agent's clock; an older copy is not accepted."""
_ANSWER_KEYS = frozenset({"proposals", "events", "usage"})
_USAGE_KEYS = frozenset({"tokens"})


@dataclass(frozen=True, kw_only=True)
class AgentRequest:
    """What a remote agent is told when a run of it begins."""

    run: str
    attempt: int
    agent: str
    now: datetime
    """The moment the run began; the same on every attempt."""
    currency: str
    """The shop's currency."""
    events: tuple[Event, ...]
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, kw_only=True)
class AgentResponse:
    """What a remote agent answers."""

    proposals: tuple[Proposal, ...] = ()
    events: tuple[Event, ...] = ()
    tokens: int = 0
    """Tokens of language models that this answer cost, for the agent's budget."""


def encode_request(request: AgentRequest) -> bytes:
    """Return the body of a call. The same wake gives the same bytes."""
    return dump({"wire": VERSION, **encode(request)})


def decode_request(body: bytes) -> AgentRequest:
    """Return what a call's body says, or raise `InvalidInput` naming the field."""
    content = _object(body)
    version = content.pop("wire", None)
    if version != VERSION:
        raise InvalidInput("wire", f"is {version!r}; this agent speaks {VERSION}")
    return decode(AgentRequest, content)


def encode_response(said: AgentResponse) -> bytes:
    """Return the body of an answer."""
    usage = {"tokens": said.tokens}
    content = {"proposals": said.proposals, "events": said.events, "usage": usage}
    return dump(encode(content))


def decode_response(body: bytes) -> AgentResponse:
    """Return what an answer says, or raise `InvalidInput` naming the field."""
    if len(body) > MAX_ANSWER:
        raise InvalidInput("answer", f"has {len(body)} bytes; at most {MAX_ANSWER} are read")
    content = _object(body)
    _only(content, _ANSWER_KEYS, "answer")
    usage = content.get("usage", {})
    _only(usage, _USAGE_KEYS, "usage")
    return AgentResponse(
        proposals=tuple(
            decode(Proposal, item, field=f"proposals.{n}")
            for n, item in enumerate(_list(content, "proposals"))
        ),
        events=tuple(_event(item, n) for n, item in enumerate(_list(content, "events"))),
        tokens=_count(usage.get("tokens", 0)),
    )


def token_hash(token: str) -> str:
    """Return what the plane keeps to recognise the token."""
    return hashlib.sha256(f"storecrew token {token}".encode()).hexdigest()


def signing_key(token: str) -> str:
    """Return the key under which calls to the holder of this token are signed."""
    return hashlib.sha256(f"storecrew signing {token}".encode()).hexdigest()


def sign(key: str, timestamp: int, body: bytes) -> str:
    """Return the signature header of a call."""
    mac = hmac.new(key.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return f"v1={mac.hexdigest()}"


def is_signed(key: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Tell whether a call comes from the holder of the key, and just now.

    Header names are compared without case. Comparison takes constant time.
    """
    given = {name.lower(): value for name, value in headers.items()}
    timestamp, shown = given.get(TIMESTAMP.lower(), ""), given.get(SIGNATURE.lower(), "")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return False
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
        return False
    return hmac.compare_digest(sign(key, int(timestamp), body).encode(), shown.encode())


def dump(content: Any) -> bytes:
    """Return a value as JSON bytes; the same value gives the same bytes."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _object(body: bytes) -> dict[str, Any]:
    content = read_json(body)
    if not isinstance(content, dict):
        raise InvalidInput("body", "must be a JSON object")
    return content


def _only(content: Any, known: frozenset[str], what: str) -> None:
    if not isinstance(content, dict):
        raise InvalidInput(what, "must be an object")
    if unknown := content.keys() - known:
        raise InvalidInput(f"{what}.{min(unknown)}", f"is none of {', '.join(sorted(known))}")


def _list(content: Mapping[str, Any], name: str) -> list[Any]:
    items = content.get(name, [])
    if not isinstance(items, list):
        raise InvalidInput(name, "must be a list")
    return items


def _event(item: Any, n: int) -> Event:
    event = decode_event(item)
    if type(event) in PLANE_EVENTS:
        raise InvalidInput(f"events.{n}", f"{type(event).__name__} is made by the plane alone")
    return event


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InvalidInput("usage.tokens", "must be a whole number, 0 or more")
    return value
