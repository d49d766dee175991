"""`storecrew trace`: everything that came of one fact."""

from typing import Annotated

import typer

from storecrew.cli.descriptions import describe
from storecrew.cli.options import ConfigFile, DataDir, Json
from storecrew.cli.output import handle_errors, show_json, show_table
from storecrew.cli.session import with_plane


def register(app: typer.Typer) -> None:
    """Hang the command on the program."""
    app.command()(trace)


@handle_errors
def trace(
    anything: Annotated[
        str, typer.Argument(help="Id of an event, a run, a proposal or an effect.")
    ],
    data_dir: DataDir = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Show what belongs together: the fact, the runs, the proposals and what became of them.

    Example: storecrew trace e1042
    """
    found = with_plane(data_dir, lambda p: p.journal.trace(anything), config=config)
    if as_json:
        show_json(found)
        return
    facts = [
        (e.seq, f"{e.at:%Y-%m-%d %H:%M:%S}", type(e.event).__name__, e.event.subject)
        for e in found.events
    ]
    show_table(f"trace {found.id}: {len(facts)} facts", ("no", "at", "fact", "about"), facts)
    runs = [(r.id, r.status, r.attempt, r.error) for r in found.runs]
    show_table(f"{len(runs)} runs", ("run", "status", "attempt", "error"), runs)
    results = {entry.subject: entry.result for entry in found.audit}
    proposals = [
        (s.filed.id, describe(s.filed.proposal.action), results.get(s.filed.id, "open"))
        for s in found.stories
    ]
    columns = ("proposal and key of its effect", "action", "result")
    show_table(f"{found.proposals} proposals", columns, proposals)
