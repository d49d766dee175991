"""`storecrew incidents` and `storecrew goal`: what needs the owner, and what the owner wants."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from storecrew.cli.options import DataDir, Json
from storecrew.cli.output import (
    handle_errors,
    print_text,
    show_fields,
    show_json,
    show_result,
    show_skipped,
    show_table,
)
from storecrew.cli.session import person, report, with_plane
from storecrew.domain.plurals import plural

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from storecrew.app.bootstrap import ControlPlane
    from storecrew.domain.control.incidents import Incident
    from storecrew.reports.goal_plan import GoalPlan

app = typer.Typer(no_args_is_help=True, help="See and close what went wrong.")
goal = typer.Typer(no_args_is_help=True, help="Say what matters now, and see the plan for it.")

IncidentId = Annotated[str, typer.Argument(help="The incident's id.")]


@app.command("list")
@handle_errors
def list_(
    status: Annotated[str, typer.Option(help="open or closed.", show_default="all")] = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """List incidents, newest first.

    Example: storecrew incidents list --status open
    """

    async def work(plane: "ControlPlane") -> "Sequence[Incident]":
        return await plane.incidents.incidents(status=status or None)

    found = with_plane(data_dir, work)
    if as_json:
        show_json({"items": found, "total": len(found)})
        return
    rows = [
        (i.id, i.kind, i.status, i.title, i.observed, i.expected, f"{i.opened_at:%Y-%m-%d %H:%M}")
        for i in found
    ]
    columns = ("incident", "kind", "status", "what", "seen", "expected", "opened")
    show_table(plural(len(found), "incident"), columns, rows)


@app.command()
@handle_errors
def skipped(
    source: Annotated[str, typer.Option(help="Only what came by this, such as mail.")] = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """List what came from outside and was not acted on, counted by reason.

    Example: storecrew incidents skipped --source mail
    """
    found = with_plane(data_dir, lambda plane: plane.skipped.counts(source or None))
    if as_json:
        show_json({"items": found, "total": len(found)})
        return
    show_skipped(f"{sum(each.count for each in found)} inputs passed by", found)


@app.command()
@handle_errors
def show(incident: IncidentId, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Show one incident: what was seen, its cause, and what would help.

    Example: storecrew incidents show payments/card
    """

    async def work(plane: "ControlPlane") -> "Incident":
        return await plane.incidents.incident(incident)

    found = with_plane(data_dir, work)
    if as_json:
        show_json(found)
        return
    steps = {f"step {n}": _step(step) for n, step in enumerate(found.plan, 1)}
    show_fields(
        {
            "incident": found.id,
            "kind": found.kind,
            "status": found.status,
            "what": found.title,
            "seen": found.observed,
            "expected": found.expected,
            "cause": found.cause or "unknown",
            "opened": f"{found.opened_at:%Y-%m-%d %H:%M} UTC",
            "resolution": found.resolution or "none yet",
            **steps,
        }
    )


def _step(step: "Mapping[str, Any]") -> str:
    given = dict(step)
    name = given.pop("type", "?")
    return f"{name} {', '.join(f'{key} {value}' for key, value in sorted(given.items()))}"


@app.command()
@handle_errors
def close(
    incident: IncidentId,
    reason: Annotated[str, typer.Option(help="What ended it.")] = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Say that the trouble is over.

    Example: storecrew incidents close payments/card --reason "the provider works again"
    """

    async def work(plane: "ControlPlane") -> None:
        now = plane.clock.now()
        await plane.incidents.close_incident(incident, reason=reason, by=person(), now=now)

    with_plane(data_dir, work)
    show_result(as_json, {"id": incident, "status": "closed"}, f"Incident {incident} is closed.")


@goal.command("set")
@handle_errors
def set_goal(
    goal: Annotated[str, typer.Argument(help="profit, growth, clear_stock or service.")],
    until: Annotated[str, typer.Option(help="ISO 8601 with a zone.", show_default="ever")] = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Say what matters now; the coordinator plans for it.

    Example: storecrew goal set clear_stock --until 2026-12-31T00:00:00+00:00
    """
    from datetime import datetime

    from storecrew.domain.codec import decode
    from storecrew.domain.control.agents import GoalSet
    from storecrew.domain.errors import InvalidInput
    from storecrew.reports.goal_plan import GOALS  # costs what `--help` need not pay

    if goal not in GOALS:
        raise InvalidInput("goal", f"{goal!r} is none of {', '.join(GOALS)}")
    end = decode(datetime, until, field="--until") if until else None

    event_id = report(GoalSet(goal=goal, until=end), data_dir, source="person")
    show_result(as_json, {"goal": goal, "event_id": event_id}, f"The goal is {goal}.")


@goal.command("show")
@handle_errors
def show_goal(data_dir: DataDir = None, as_json: Json = False) -> None:
    """Show the goal in force and the newest plan: who does what, by when, at which cost.

    Example: storecrew goal show
    """
    from storecrew.reports.goal_plan import current_plan  # costs what `--help` need not pay

    async def work(plane: "ControlPlane") -> "GoalPlan":
        return await current_plan(plane.journal, plane.clock.now())

    found = with_plane(data_dir, work)
    if as_json:
        show_json(found)
        return
    until = f" until {found.until:%Y-%m-%d}" if found.until else ""
    print_text(
        f"The goal is {found.goal}{until}." if found.goal else "No goal is set: profit counts."
    )
    rows = [
        (s.agent, s.task, f"{s.due_at:%Y-%m-%d %H:%M}", s.at_most_costs, s.why, s.status)
        for s in found.steps
    ]
    columns = ("who", "what", "by", "costs at most", "why", "status")
    show_table(plural(len(rows), "piece of work", "pieces of work"), columns, rows)
