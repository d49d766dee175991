"""The crew from the shell: wake it, see what it would do, take back, stop, and prove the books."""

import sys
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from storecrew.cli.descriptions import describe
from storecrew.cli.options import ConfigFile, DataDir, Json, Page, PerPage, ProposalId
from storecrew.cli.output import (
    FAILED,
    counted,
    fail,
    handle_errors,
    print_text,
    progress_bar,
    show_fields,
    show_json,
    show_result,
    show_table,
)
from storecrew.cli.session import person, with_plane
from storecrew.domain.errors import InvalidInput
from storecrew.domain.plurals import plural

if TYPE_CHECKING:
    from storecrew.app import Plane, RunSummary
    from storecrew.app.bootstrap import ControlPlane
    from storecrew.domain.control.audit import AuditEntry


def register(app: typer.Typer) -> None:
    """Hang the commands on the program."""
    for command in (run, plan, audit, undo, verify, pause, resume):
        app.command()(command)


@handle_errors
def run(
    agent: Annotated[
        str, typer.Argument(help="One agent by name.", show_default="the whole crew")
    ] = "",
    once: Annotated[bool, typer.Option("--once", help="Wake the crew once (the default).")] = True,
    as_of: Annotated[
        str, typer.Option(help="Act as if it were this day or ISO 8601 time.", show_default="now")
    ] = "",
    data_dir: DataDir = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Wake the crew, or ask for one agent's run, and wait until all is quiet.

    What else is due is done as well. Repeated as of the same moment, nothing new is done.

    Example: storecrew run --once --as-of 2011-11-01 --data-dir shop
    """
    moment = read_moment(as_of) if as_of else None

    async def wake(plane: "Plane") -> "RunSummary":
        if agent:
            await plane.request_run(agent, by=person())
        with progress_bar(quiet=as_json) as report:
            return await plane.once(moment, report)

    summary = with_plane(data_dir, wake, config=config)
    if as_json:
        show_json(summary)
    else:
        print_text(
            f"{plural(summary.runs, 'run')} made {plural(summary.proposals, 'proposal')}: "
            f"{summary.applied} applied, "
            f"{summary.asked} wait for you, {summary.denied} denied, "
            f"{summary.refused} refused by the store."
        )
    if summary.failed and as_json:
        raise typer.Exit(FAILED)
    if summary.failed:
        fail(f"a run of {', '.join(summary.failed)} failed; see `storecrew incidents list`")


def read_moment(text: str, option: str = "--as-of") -> datetime:
    """Return the moment a person wrote: a day begins at midnight UTC."""
    try:
        if len(text) == len("2011-11-01"):
            return datetime.combine(date.fromisoformat(text), time(), UTC)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(option, f"{text!r} is no day such as 2011-11-01") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@handle_errors
def plan(
    agents: Annotated[
        list[str] | None, typer.Argument(help="Agents by name.", show_default="the whole crew")
    ] = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Show what would be proposed and decided now; nothing is changed.

    Example: storecrew plan pricing_optimizer
    """
    found = with_plane(data_dir, lambda p: p.plan(agents or None), config=config)
    if as_json:
        show_json([{"filed": filed, "decision": decision} for filed, decision in found])
        return
    rows = [
        (
            f.agent,
            describe(f.proposal.action),
            f.proposal.reason,
            f"{d.verdict.name.lower()}: {d.reason}",
        )
        for f, d in found
    ]
    show_table(plural(len(rows), "proposal"), ("agent", "action", "reason", "policy"), rows)


@handle_errors
def audit(  # noqa: PLR0913 - one per filter
    subject: Annotated[
        str, typer.Option(help="Only what was done to this, such as order:26 or product:mug.")
    ] = "",
    agent: Annotated[str, typer.Option(help="Only what this agent did.")] = "",
    by: Annotated[str, typer.Option(help="Only what this person did.")] = "",
    result: Annotated[str, typer.Option(help="Only entries with this result.")] = "",
    since: Annotated[str, typer.Option(help="Only since this day or ISO 8601 time.")] = "",
    page: Page = 1,
    per_page: PerPage = 50,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """List what was done, refused or only recorded, newest first.

    Example: storecrew audit --subject order:26

    Example: storecrew audit --agent pricing_optimizer --result applied --since 2026-11-01
    """
    from storecrew.domain.control.audit import AuditFilter

    if agent and by:
        raise InvalidInput("--by", "is given beside --agent: an entry has one actor")
    actor = f"agent:{agent}" if agent else f"person:{by}" if by else ""
    moment = read_moment(since, "--since") if since else None
    only = AuditFilter(subject=subject, actor=actor, result=result, since=moment)
    found = with_plane(data_dir, lambda p: p.journal.audit(only=only, page=page, per_page=per_page))
    if as_json:
        show_json({"items": found.items, "page": page, "per_page": per_page, "total": found.total})
        return
    columns = ("no", "at", "who", "what", "result", "why")
    title = counted(found.total, "entry", page, per_page, many="entries")
    show_table(title, columns, map(_audit_row, found.items))


def _audit_row(entry: "AuditEntry") -> tuple[object, ...]:
    """Return what happened in the shop and, of a proposal, the id by which it can be undone."""
    what = describe(entry.action)
    is_proposal = entry.kind == "proposal"
    return (
        entry.seq,
        f"{entry.at:%Y-%m-%d %H:%M}",
        entry.actor.removeprefix("agent:"),
        f"{what}\n{entry.subject}" if is_proposal else what,
        entry.result,
        entry.reason if is_proposal else "",
    )


@handle_errors
def undo(
    proposal: ProposalId,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether to go on.")] = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Take back what a proposal did; to take an approval back is to cancel the order.

    At a terminal it first says what it will do, and asks.

    Example: storecrew undo "pricing_optimizer@2026-03-02T06:00:00+00:00/0"
    """
    from storecrew.domain.undo import compensation

    async def work(plane: "ControlPlane") -> tuple[str, str]:
        back = describe(compensation(await plane.journal.story(proposal)))
        if sys.stdin.isatty() and not yes:
            typer.confirm(f"This does: {back}. Go on?", abort=True)
        return back, await plane.undo(proposal, by=person())

    back, made = with_plane(data_dir, work)
    answer = {"proposal_id": proposal, "run_id": made}
    show_result(as_json, answer, f"Run {made} takes {proposal} back: {back}.")


@handle_errors
def verify(
    data_dir: DataDir = None,
    as_json: Json = False,
    anchor: Annotated[
        Path | None,
        typer.Option(help="File of anchors to compare the audit with.", show_default="the shop's"),
    ] = None,
) -> None:
    """Prove the books: stock, reservations, payments, states, effects, audit. Exit 1 if wrong.

    Example: storecrew verify --anchor /mnt/backup/audit-anchors.jsonl
    """
    wrong = with_plane(data_dir, lambda p: p.verify(anchor))
    if as_json:
        show_json({"ok": not wrong, "problems": wrong})
    else:
        for each in wrong:
            typer.echo(f"{each.check}: {each.subject}: {each.problem}", err=True)
        if not wrong:
            print_text("The books are right.")
    if wrong:
        raise typer.Exit(FAILED)


AgentName = Annotated[str, typer.Argument(help="One agent by name.", show_default="the whole crew")]


@handle_errors
def pause(agent: AgentName = "", data_dir: DataDir = None, as_json: Json = False) -> None:
    """Stop every run and every effect, of the whole crew or of one agent, until `resume`.

    Example: storecrew pause pricing_optimizer
    """
    _set_paused(True, agent, data_dir, as_json)


@handle_errors
def resume(agent: AgentName = "", data_dir: DataDir = None, as_json: Json = False) -> None:
    """Let the crew, or one agent, go on.

    Example: storecrew resume
    """
    _set_paused(False, agent, data_dir, as_json)


def _set_paused(value: bool, agent: str, data_dir: "Path | None", as_json: bool) -> None:
    async def work(plane: "ControlPlane") -> None:
        if agent:
            await (plane.crew.pause if value else plane.crew.resume)(agent, by=person())
        else:
            await (plane.pause if value else plane.resume)(by=person())

    with_plane(data_dir, work)
    if as_json:
        show_json({"paused": value, **({"agent": agent} if agent else {})})
    else:
        show_fields({agent or "crew": "paused" if value else "at work"})
