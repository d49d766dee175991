"""Tickets under `/api/tickets`: what customers ask, what was answered, how they liked it."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Annotated

from annotated_types import Ge, Le
from fastapi import APIRouter, Query, Request
from typing_extensions import TypedDict

from storecrew.api import bodies
from storecrew.api.dependencies import CurrentPlane, act
from storecrew.api.requests import LedgerRoute, scoped_key
from storecrew.api.roles import OPERATOR, VIEWER, requires
from storecrew.domain.actions import Action
from storecrew.domain.shop.support import (
    CloseTicket,
    OpenTicket,
    RateTicket,
    ReplyToTicket,
    Ticket,
    TicketStatus,
)
from storecrew.reports.support import NEWEST, SupportFigures, figures

router = APIRouter(prefix="/api/tickets", route_class=LedgerRoute, tags=["tickets"])

Limit = Annotated[int, Query(ge=1, le=NEWEST)]


TicketListing = TypedDict("TicketListing", {"items": Sequence[Ticket], "figures": SupportFigures})
TicketUpdate = TypedDict("TicketUpdate", {"ticket_id": str, "status": str})
TicketAnswer = TypedDict("TicketAnswer", {"ticket_id": str, "status": str, "no_letter": str})
TicketRating = TypedDict("TicketRating", {"ticket_id": str, "rating": int})


class OpenTicketRequest(bodies.Strict):
    """A customer's question; with the id of a known ticket, what the customer wrote since."""

    text: bodies.Text
    id: bodies.Name | None = None
    customer: bodies.Name | None = None
    order_id: bodies.OrderId | None = None


class TicketReplyRequest(bodies.Strict):
    """A person's answer to the customer's newest words."""

    text: Annotated[bodies.Text, bodies.StringConstraints(min_length=1)]


class TicketRatingRequest(bodies.Strict):
    """How the customer liked the answer."""

    rating: Annotated[int, Ge(1), Le(5)]


@router.get("")
@requires(VIEWER)
async def tickets(
    plane: CurrentPlane, status: TicketStatus | None = None, limit: Limit = 200
) -> TicketListing:
    """List tickets, newest first, with figures over the newest thousand."""
    newest = await plane.store.tickets(limit=NEWEST)
    found = await plane.store.tickets(status=status, limit=limit)
    return {"items": found, "figures": figures(newest)}


@router.post("", status_code=201)
@requires(OPERATOR)
@bodies.example(text="Where is my order?", customer="anna", order_id=1)
async def open_ticket(request: Request, body: OpenTicketRequest) -> TicketUpdate:
    """Note a customer's question; it wakes customer support."""
    ticket_id = body.id or f"api-{sha256(scoped_key(request).encode()).hexdigest()[:32]}"
    action = OpenTicket(
        ticket_id=ticket_id, text=body.text, customer=body.customer, order_id=body.order_id
    )
    await act(request, action)
    return {"ticket_id": ticket_id, "status": TicketStatus.OPEN}


@router.post("/{ticket_id:path}/reply")
@requires(OPERATOR)
@bodies.example(text="It left us this morning.")
async def reply(
    request: Request, plane: CurrentPlane, ticket_id: str, body: TicketReplyRequest
) -> TicketAnswer:
    """Answer the customer as a person; the same ticket is not answered twice in a row.

    `no_letter` says why no letter goes out; empty where one waits to be sent.
    """
    ticket = await plane.store.ticket(ticket_id)
    action = ReplyToTicket(ticket_id=ticket_id, text=body.text, expected_text=ticket.text)
    outcome = await act(request, action)
    reason = str(outcome.detail.get("no_letter", ""))
    return {"ticket_id": ticket_id, "status": TicketStatus.ANSWERED, "no_letter": reason}


@router.post("/{ticket_id:path}/close")
@requires(OPERATOR)
async def close(request: Request, ticket_id: str) -> TicketUpdate:
    """Call the question settled."""
    action = CloseTicket(ticket_id=ticket_id)
    return await _moved(request, action, TicketStatus.CLOSED)


@router.post("/{ticket_id:path}/rating")
@requires(OPERATOR)
@bodies.example(rating=5)
async def rate(request: Request, ticket_id: str, body: TicketRatingRequest) -> TicketRating:
    """Record how the customer liked the answer."""
    await act(request, RateTicket(ticket_id=ticket_id, rating=body.rating))
    return {"ticket_id": ticket_id, "rating": body.rating}


@router.get("/{ticket_id:path}")
@requires(VIEWER)
async def ticket(plane: CurrentPlane, ticket_id: str) -> Ticket:
    """Show one ticket."""
    return await plane.store.ticket(ticket_id)


async def _moved(request: Request, action: Action, status: TicketStatus) -> TicketUpdate:
    await act(request, action)
    return {"ticket_id": action.subject.removeprefix("ticket:"), "status": status}
