"""`storecrew trace`: everything that followed from an event, or that concerns a subject."""

from typing import Annotated

import typer

from storecrew.cli.descriptions import describe
from storecrew.cli.options import ConfigFile, DataDir, Json
from storecrew.cli.output import handle_errors, show_json, show_table
from storecrew.cli.session import with_plane
from storecrew.domain.plurals import plural


def register(app: typer.Typer) -> None:
    """Hang the command on the program."""
    app.command()(trace)


@handle_errors
def trace(
    anything: Annotated[
        str,
        typer.Argument(help="A subject, or the id of an event, run, proposal or effect."),
    ],
    data_dir: DataDir = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Show what belongs together: events, runs, proposals and what became of them.

    Example: storecrew trace order:26

    Example: storecrew trace e1042
    """
    found = with_plane(data_dir, lambda p: p.journal.trace(anything), config=config)
    if as_json:
        show_json(found)
        return
    events = [
        (e.seq, f"{e.at:%Y-%m-%d %H:%M:%S}", type(e.event).__name__, e.event.subject)
        for e in found.events
    ]
    columns = ("no", "at", "event", "about")
    show_table(f"trace {found.id}: {len(events)} events", columns, events)
    runs = [(r.id, r.status, r.attempt, r.error) for r in found.runs]
    show_table(plural(len(runs), "run"), ("run", "status", "attempt", "error"), runs)
    results = {entry.subject: entry.result for entry in found.audit}
    proposals = [
        (s.filed.id, describe(s.filed.proposal.action), results.get(s.filed.id, "open"))
        for s in found.stories
    ]
    show_table(plural(found.proposals, "proposal"), ("proposal", "action", "result"), proposals)
