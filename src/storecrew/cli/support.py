"""`storecrew tickets`: what customers ask, and what they were answered."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from storecrew.cli.options import DataDir, Json
from storecrew.cli.orders import Key, OrderId, apply
from storecrew.cli.output import (
    handle_errors,
    print_text,
    show_fields,
    show_json,
    show_result,
    show_table,
)
from storecrew.cli.session import report, with_plane
from storecrew.domain.codec import encode
from storecrew.domain.plurals import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storecrew.app.bootstrap import ControlPlane
    from storecrew.domain.actions import Action
    from storecrew.domain.shop.support import Ticket
    from storecrew.reports.support import SupportFigures

app = typer.Typer(no_args_is_help=True, help="Read and answer what customers ask.")

TicketId = Annotated[str, typer.Argument(help="The ticket's id.")]
_SHOWN = 60
"""Characters of a question in a table."""


@app.command("list")
@handle_errors
def list_(
    status: Annotated[str, typer.Option(help="open, answered, escalated or closed.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 50,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """List tickets, newest first, and how support does.

    Example: storecrew tickets list --status escalated
    """
    from storecrew.domain.codec import decode
    from storecrew.domain.shop.support import TicketStatus
    from storecrew.reports.support import NEWEST, figures  # costs what `--help` need not pay

    filter_status = decode(TicketStatus, status, field="--status") if status else None

    async def work(plane: "ControlPlane") -> "tuple[Sequence[Ticket], SupportFigures]":
        newest = await plane.store.tickets(limit=NEWEST)
        return await plane.store.tickets(status=filter_status, limit=limit), figures(newest)

    found, how = with_plane(data_dir, work)
    if as_json:
        show_json({"items": found, "figures": how})
        return
    rows = [
        (t.id, t.status, t.customer or "", t.order_id or "", _short(t.text), t.rating or "")
        for t in found
    ]
    columns = ("ticket", "status", "customer", "order", "asks", "rating")
    show_table(plural(len(found), "ticket"), columns, rows)
    print_text(_told(how))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"


def _told(how: "SupportFigures") -> str:
    share = "none" if how.answered_share is None else f"{how.answered_share:.0%}"
    sentence = f"Answered: {share} of {how.tickets}; {how.escalated} wait for a person."
    if how.rating is None:
        return sentence
    range_ = "" if how.rating_low is None else f" ({how.rating_low:.1f} to {how.rating_high:.1f})"
    return f"{sentence} Rated {how.rating:.1f} of 5{range_} by {how.ratings}."


@app.command()
@handle_errors
def show(ticket: TicketId, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Show one ticket with its answers, why a person has to look, and a draft of the answer.

    Example: storecrew tickets show T1
    """

    async def work(plane: "ControlPlane") -> "tuple[Ticket, str]":
        found = await plane.store.ticket(ticket)
        return found, await _draft(plane, found)

    found, draft = with_plane(data_dir, work)
    if as_json:
        show_json({**encode(found), "draft": draft})
        return
    answers = {f"answer {n}": text for n, text in enumerate(found.replies, 1)}
    show_fields(
        {
            "ticket": found.id,
            "status": found.status,
            "customer": found.customer or "not named",
            "contact": found.contact or ("in the books" if found.customer else "not named"),
            "order": found.order_id or "not named",
            "opened": f"{found.opened_at:%Y-%m-%d %H:%M} UTC",
            "escalated": found.escalation or "no",
            "asks": found.text,
            **answers,
            "rating": found.rating or "none",
        }
    )
    if draft:
        print_text(f"\nA draft, to be changed and sent by `storecrew tickets reply`:\n\n{draft}")


async def _draft(plane: "ControlPlane", ticket: "Ticket") -> str:
    """Return what support would answer a ticket that waits; empty for one that does not."""
    from storecrew.agents.support.drafts import draft
    from storecrew.agents.support.settings import SupportSettings
    from storecrew.app.agent_settings import agent_options
    from storecrew.sdk.settings import parse_settings

    if ticket.status not in ("open", "escalated"):
        return ""
    name = "customer_support"
    options = agent_options(plane.settings).get(name, {})
    settings = parse_settings(SupportSettings, name, options)
    await plane.models.refresh()
    models = plane.models.models
    return await draft(plane.store, models, plane.clock.now(), ticket, settings)


@app.command("open")
@handle_errors
def open_(  # noqa: PLR0913 - typer reads one parameter per option
    text: Annotated[str, typer.Argument(help="What the customer asks.")],
    customer: Annotated[str, typer.Option(help="Who asks.")] = "",
    order: Annotated[int, typer.Option(min=0, help="About which order.", show_default="none")] = 0,
    ticket: Annotated[str, typer.Option(help="The ticket's id.", show_default="new")] = "",
    contact: Annotated[str, typer.Option(help="Address of someone who is no customer.")] = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Note a question that came by telephone or at the counter.

    Example: storecrew tickets open "Do you ship abroad?"
    """
    from storecrew.domain.shop.support import OpenTicket

    name = ticket or f"cli-{uuid4().hex[:12]}"
    action = OpenTicket(
        ticket_id=name,
        text=text,
        customer=customer or None,
        order_id=order or None,
        contact=contact,
    )
    _done(action, data_dir, "", as_json, f"Ticket {name} is open.")


@app.command()
@handle_errors
def reply(
    ticket: TicketId,
    text: Annotated[str, typer.Argument(help="The answer.")],
    key: Key = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Answer the customer's newest words.

    Example: storecrew tickets reply T1 "It left us this morning."
    """
    from storecrew.domain.shop.support import ReplyToTicket

    found = with_plane(data_dir, lambda p: p.store.ticket(ticket))
    action = ReplyToTicket(ticket_id=ticket, text=text, expected_text=found.text)
    detail = apply(action, data_dir, key).detail
    missing = detail.get("no_letter")
    letter = f"No letter goes out: {missing}." if missing else "A letter waits to be sent."
    show_result(
        as_json,
        {"ticket_id": ticket, "done": "ReplyToTicket", "no_letter": missing or ""},
        f"Ticket {ticket} is answered. {letter}",
    )


@app.command()
@handle_errors
def close(ticket: TicketId, key: Key = "", data_dir: DataDir = None, as_json: Json = False) -> None:
    """Call a question settled.

    Example: storecrew tickets close T1
    """
    from storecrew.domain.shop.support import CloseTicket

    action = CloseTicket(ticket_id=ticket)
    _done(action, data_dir, key, as_json, f"Ticket {ticket} is closed.")


@app.command()
@handle_errors
def rate(
    ticket: TicketId,
    rating: Annotated[int, typer.Argument(min=1, max=5, help="1 (bad) to 5 (good).")],
    key: Key = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Record how the customer liked the answer.

    Example: storecrew tickets rate T1 5
    """
    from storecrew.domain.shop.support import RateTicket

    action = RateTicket(ticket_id=ticket, rating=rating)
    _done(action, data_dir, key, as_json, f"Ticket {ticket} is rated {rating}.")


@app.command("return")
@handle_errors
def give_back(
    order: OrderId,
    reason: Annotated[str, typer.Option(help="What the customer says.")] = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Note that a customer wants to give an order back; order management judges it.

    Example: storecrew tickets return 1 --reason "too small"
    """
    from storecrew.domain.shop.returns import ReturnRequested

    with_plane(data_dir, lambda plane: plane.store.order(order))  # one that is not there is told
    event = ReturnRequested(order_id=order, reason=reason)
    event_id = report(event, data_dir, source="returns")
    show_result(
        as_json,
        {"order_id": order, "event_id": event_id},
        f"Order {order}: the wish to return it is noted.",
    )


def _done(action: "Action", data_dir: Path | None, key: str, as_json: bool, said: str) -> None:
    apply(action, data_dir, key)
    name = action.subject.removeprefix("ticket:")
    show_result(as_json, {"ticket_id": name, "done": type(action).__name__}, said)
