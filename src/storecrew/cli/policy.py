"""`storecrew policy`: why a proposal was decided as it was."""

from typing import TYPE_CHECKING

import typer

from storecrew.cli.options import ConfigFile, DataDir, Json, ProposalId
from storecrew.cli.output import handle_errors, print_text, show_fields, show_json, show_table
from storecrew.cli.session import with_plane

if TYPE_CHECKING:
    from storecrew.app.bootstrap import ControlPlane
    from storecrew.domain.control.traces import ProposalHistory
    from storecrew.policy import Explanation

app = typer.Typer(no_args_is_help=True, help="See which rule decides, and what would change it.")


@app.callback()
def policy() -> None:
    """Keep `explain` a command of its own, whatever joins it."""


@app.command()
@handle_errors
def explain(
    proposal: ProposalId,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Say what was decided, what each rule says now, and what would have to change.

    Example: storecrew policy explain "pricing_optimizer@2026-03-02T06:00:00+00:00/0"
    """

    async def ask(plane: "ControlPlane") -> "tuple[ProposalHistory, Explanation]":
        return await plane.journal.story(proposal), await plane.explain(proposal)

    story, found = with_plane(data_dir, ask, config=config)
    if as_json:
        show_json({"decided": story.decision, "now": found})
        return
    then, now = story.decision, found.decision
    decided = f"{then.verdict.name.lower()} by {then.by}: {then.reason}" if then else "not yet"
    show_fields(
        {
            "proposal": f"{type(story.filed.proposal.action).__name__} by {story.filed.agent}",
            "decided": decided,
            "now": f"{now.verdict.name.lower()}: {now.reason}",
            "autonomy": f"{found.autonomy.name.lower()}, from {found.line}",
        }
    )
    rows = [(o.rule, o.verdict.name.lower(), o.reason) for o in found.opinions]
    show_table("rules", ("rule", "says", "because"), rows)
    for change in found.changes:
        print_text(f"it would take: {change}")
