"""`storecrew mail`: how messages look, what became of them, and who is written to no more."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from storecrew.cli.options import DataDir, Json, Page, PerPage
from storecrew.cli.output import (
    counted,
    fail,
    handle_errors,
    print_text,
    show_fields,
    show_json,
    show_result,
    show_skipped,
    show_table,
)
from storecrew.cli.session import person, with_plane
from storecrew.domain.errors import InvalidInput

if TYPE_CHECKING:
    from storecrew.app import Plane
    from storecrew.domain.control.proposals import Outcome
    from storecrew.domain.shop.messages import DeliveryState
    from storecrew.mail.service import Preview

app = typer.Typer(no_args_is_help=True, help="Messages to customers: previews and deliveries.")

suppressed = typer.Typer(no_args_is_help=True, help="Addresses that are written to no more.")
app.add_typer(suppressed, name="suppressions")

MessageId = Annotated[int, typer.Argument(min=1, help="The message's number.")]


@app.command()
@handle_errors
def preview(  # noqa: PLR0913 - typer reads one parameter per option
    what: Annotated[
        str, typer.Argument(help="A message's number, or a proposal as `<run>/<n>`.")
    ] = "",
    purpose: Annotated[str, typer.Option(help="`service` or `marketing`.")] = "service",
    title: Annotated[str, typer.Option(help="The subject.")] = "",
    body: Annotated[str, typer.Option(help="The text, where nothing is named.")] = "",
    html: Annotated[Path | None, typer.Option(help="Write the HTML to this file.")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Show a message as its reader would see it; nothing is sent.

    Example: storecrew mail preview --title "Hello" --body "Your tea is on its way."
    """
    if not what and not (title and body):
        raise InvalidInput("preview", "name a message or a proposal, or give --title and --body")
    found = with_plane(data_dir, lambda p: _preview(p, what, purpose, (title, body)))
    if html is not None:
        _write(html, found.html)
    if as_json:
        show_json(found)
        return
    show_fields({"from": found.sender, "to": found.to, "subject": found.subject})
    print_text(f"\n{found.text}" + (f"\nHTML written: {html}" if html else ""))


@app.command()
@handle_errors
def report(
    campaign: Annotated[str, typer.Option(help="Only messages of this campaign.")] = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Count messages by what became of them; the numbers add up to what was queued.

    Example: storecrew mail report --campaign "Spring tea"
    """
    found = with_plane(data_dir, lambda p: p.mail.state(campaign or None))
    if as_json:
        show_json(found)
        return
    counts = found.report
    names = ("queued", "waiting", "sending", "sent", "failed", "suppressed", "unknown")
    show_fields({name: getattr(counts, name) for name in names})
    if found.problem:
        print_text(found.problem)
    if found.skipped:
        show_skipped(f"{sum(s.count for s in found.skipped)} mails passed by", found.skipped)


@app.command()
@handle_errors
def queue(
    state: Annotated[
        str, typer.Option(help="Only those that are waiting, sent, failed, unknown, …")
    ] = "",
    page: Page = 1,
    per_page: PerPage = 50,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """List messages, newest first.

    Example: storecrew mail queue --state unknown
    """
    filter_state = _state(state)
    found = with_plane(
        data_dir, lambda p: p.mail.messages(state=filter_state, page=page, per_page=per_page)
    )
    if as_json:
        show_json(found)
        return
    rows = [
        (m.message_id, f"{m.queued_at:%Y-%m-%d %H:%M}", m.customer, m.title, m.state, m.detail)
        for m in found.items
    ]
    columns = ("message", "queued", "customer", "subject", "state", "detail")
    show_table(counted(found.total, "message", page, per_page), columns, rows)


@suppressed.command("list")
@handle_errors
def list_suppressions(
    page: Page = 1, per_page: PerPage = 50, data_dir: DataDir = None, as_json: Json = False
) -> None:
    """List addresses that are written to no more, and why.

    Example: storecrew mail suppressions list
    """
    found = with_plane(data_dir, lambda p: p.mail.suppressions(page=page, per_page=per_page))
    if as_json:
        show_json(found)
        return
    rows = [(each.address, f"{each.at:%Y-%m-%d %H:%M}", each.reason) for each in found.items]
    title = counted(found.total, "suppressed address", page, per_page, many="suppressed addresses")
    show_table(title, ("address", "since", "reason"), rows)


@suppressed.command("lift")
@handle_errors
def lift(
    address: Annotated[str, typer.Argument(help="The address.")],
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Write to a suppressed address again.

    Example: storecrew mail suppressions lift anna@example.com
    """
    key = f"cli/lift/{uuid4().hex}"
    outcome = with_plane(data_dir, lambda p: p.mail.lift(address, key=key, by=person()))
    if not outcome.applied:
        fail(outcome.message)
    show_result(
        as_json, {"address": address, "suppressed": False}, f"{address} is written to again."
    )


@app.command()
@handle_errors
def suppress(
    address: Annotated[str, typer.Argument(help="The address.")],
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Suppress an address: no message is sent to it any more.

    Example: storecrew mail suppress anna@example.com
    """
    outcome = with_plane(data_dir, lambda p: _suppress(p, address))
    if not outcome.applied:
        fail(outcome.message)
    show_result(as_json, {"address": address, "suppressed": True}, f"{address}: no more messages.")


@app.command()
@handle_errors
def retry(message_id: MessageId, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Send a message again that failed, was suppressed or is unknown. One that is unknown may
    have arrived: ask its reader, or look into the mail server's log.

    Example: storecrew mail retry 17
    """
    with_plane(data_dir, lambda p: p.mail.retry(message_id, by=person()))
    show_result(
        as_json,
        {"message_id": message_id, "state": "waiting"},
        f"Message {message_id} waits to be sent.",
    )


@app.command("test")
@handle_errors
def send_test(
    address: Annotated[str, typer.Argument(help="Where to.")],
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Send a letter to this address now, and say what the mail server made of it.

    Example: storecrew mail test me@example.com
    """
    answer = with_plane(data_dir, lambda p: p.mail.test(address))
    if as_json:
        show_json(answer)
    if answer.result != "taken":
        fail(f"{answer.result}: {answer.detail}")
    if not as_json:
        print_text(f"The server took it: {answer.detail}")


async def _preview(plane: "Plane", what: str, purpose: str, words: tuple[str, str]) -> "Preview":
    if not what:
        if purpose not in ("service", "marketing"):
            raise InvalidInput("--purpose", f"{purpose!r} is not service or marketing")
        return plane.mail.preview_words(purpose, *words)
    if what.isascii() and what.isdigit():
        return await plane.mail.preview(int(what))
    story = await plane.journal.story(what)
    return await plane.mail.preview_action(story.filed.proposal.action)


async def _suppress(plane: "Plane", address: str) -> "Outcome":
    key = f"cli/suppress/{address.strip().lower()}/{plane.clock.now().isoformat()}"
    return await plane.mail.suppress(address, key=key, by=person())


def _write(file: Path, content: str) -> None:
    try:
        file.write_text(content, "utf-8")
    except OSError as error:
        raise InvalidInput("--html", f"cannot be written: {error.strerror}") from error


def _state(name: str) -> "DeliveryState | None":
    from storecrew.domain.shop.messages import DeliveryState

    try:
        return DeliveryState(name) if name else None
    except ValueError:
        known = ", ".join(DeliveryState)
        raise InvalidInput("--state", f"{name!r} is none of {known}") from None
