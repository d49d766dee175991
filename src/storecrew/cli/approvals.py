"""`storecrew approvals`: the questions that wait for a person."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from storecrew.cli.bulk_approvals import (
    COLUMNS,
    WHEN,
    FilterOptions,
    answer_all,
    list_row,
    product_names,
)
from storecrew.cli.descriptions import describe
from storecrew.cli.options import DataDir, Json, Note, Page, PerPage, ProposalId
from storecrew.cli.output import (
    counted,
    fail,
    handle_errors,
    show_fields,
    show_json,
    show_result,
    show_table,
)
from storecrew.cli.session import person, with_plane
from storecrew.domain.errors import InvalidInput
from storecrew.domain.json_input import read_json

if TYPE_CHECKING:
    from storecrew.app.bootstrap import ControlPlane
    from storecrew.domain.control.approvals import Approval
    from storecrew.domain.control.proposals import Effect
    from storecrew.domain.paging import Page as ResultPage

app = typer.Typer(no_args_is_help=True, help="See and answer the questions that wait for you.")


OneProposal = Annotated[
    str, typer.Argument(help="The proposal, as `<run>/<n>`.", show_default="those of the filters")
]
AgentOption = Annotated[str, typer.Option("--agent", help="Only what this agent asks.")]
ActionOption = Annotated[
    str, typer.Option("--action", help="Only this kind of action, such as CreatePurchaseOrder.")
]
UnderOption = Annotated[
    str, typer.Option("--under", help="Only where at most so much money leaves the shop.")
]
AllMatching = Annotated[
    bool, typer.Option("--all-matching", help="All that the filters mean, which may be none.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be answered.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask whether to go on.")]


@app.command("list")
@handle_errors
def list_(  # noqa: PLR0913 - one per filter
    agent: AgentOption = "",
    action: ActionOption = "",
    under: UnderOption = "",
    sort: Annotated[
        Literal["benefit", "newest"], typer.Option(help="Which come first.")
    ] = "benefit",
    page: Page = 1,
    per_page: PerPage = 50,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """List the questions that wait, those with the largest expected benefit first.

    Example: storecrew approvals list --agent inventory --under 50
    """
    from storecrew.app.approvals import approval_filter
    from storecrew.domain.control.approvals import ApprovalOrder

    async def work(plane: "ControlPlane") -> "tuple[ResultPage[Approval], dict[str, str], str]":
        only = approval_filter(
            plane,
            agent=agent,
            action=action,
            max_cash_out=under or None,
            order=ApprovalOrder(sort),
        )
        found = await plane.journal.approvals(only=only, page=page, per_page=per_page)
        return found, await product_names(plane, found.items), plane.settings.store.currency

    found, names, currency = with_plane(data_dir, work)
    if as_json:
        show_json(found.items)
        return
    title = counted(found.total, "waiting", page, per_page, many="waiting")
    rows = [list_row(each, names, currency) for each in found.items]
    show_table(title, COLUMNS, rows)


@app.command()
@handle_errors
def show(proposal: ProposalId, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Show one question with its evidence.

    Example: storecrew approvals show "pricing_optimizer@2026-03-02T06:00:00+00:00/0"
    """
    found = with_plane(data_dir, lambda p: p.journal.approval(proposal))
    if as_json:
        show_json(found)
        return
    made = found.filed.proposal
    show_fields(
        {
            "proposal": found.filed.id,
            "agent": found.filed.agent,
            "action": _action(found),
            "reason": made.reason,
            **{f"  {name.replace('_', ' ')}": _known(v) for name, v in made.evidence.items()},
            "brings": _effect(made.effect),
            "not recorded": ", ".join(made.assumptions) or "nothing it rests on",
            "asked because": found.question.reason,
            "status": found.status,
            "expires": f"{found.expires_at:%Y-%m-%d %H:%M} UTC",
        }
    )


_ONE_OR_MANY = "names one question; filters and --dry-run are for answering many"


@app.command()
@handle_errors
def approve(  # noqa: PLR0913 - one per filter
    proposal: OneProposal = "",
    note: Note = "",
    action_json: Annotated[
        str,
        typer.Option("--change", help="Another action in place of the proposed one, as JSON."),
    ] = "",
    agent: AgentOption = "",
    action: ActionOption = "",
    under: UnderOption = "",
    all_matching: AllMatching = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Say yes to one question, perhaps to a changed action, or to all that the filters mean.

    Example: storecrew approvals approve "inventory@7/0" --note "but only this once"

    Example: storecrew approvals approve --agent inventory --under 5.00 --dry-run
    """
    only = FilterOptions(agent, action, under, all_matching)
    if proposal and (any(only) or dry_run):
        raise InvalidInput("PROPOSAL", _ONE_OR_MANY)
    if action_json and not proposal:
        raise InvalidInput("--change", "is for one question: name its proposal")
    if not proposal:
        answer_all("approve", only, note, data_dir, dry_run=dry_run, yes=yes, as_json=as_json)
        return
    from storecrew.app.approvals import refusal_after_approval
    from storecrew.domain.codec import decode_action  # costs what `--help` need not pay

    changed = decode_action(_parsed(action_json)) if action_json else None

    async def work(plane: "ControlPlane") -> tuple[str, str | None, str]:
        run = await plane.approve(proposal, by=person(), note=note, action=changed)
        refused = await refusal_after_approval(plane, proposal)
        return run, refused, WHEN[(await plane.crew.status())["status"]]

    run, refused, when = with_plane(data_dir, work)
    if refused:
        fail(f"{proposal} is approved, and was not carried out: {refused}")
    answer = {"proposal_id": proposal, "status": "approved", "run_id": run}
    done = "and done." if refused is not None else f"and {when}"
    show_result(as_json, answer, f"{proposal} is approved {done}")


@app.command()
@handle_errors
def reject(  # noqa: PLR0913 - one per filter
    proposal: OneProposal = "",
    note: Note = "",
    agent: AgentOption = "",
    action: ActionOption = "",
    under: UnderOption = "",
    all_matching: AllMatching = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Say no to one question, or to all that the filters mean.

    Example: storecrew approvals reject "pricing_optimizer@7/0" --note "not before Christmas"
    """
    only = FilterOptions(agent, action, under, all_matching)
    if proposal and (any(only) or dry_run):
        raise InvalidInput("PROPOSAL", _ONE_OR_MANY)
    if not proposal:
        answer_all("reject", only, note, data_dir, dry_run=dry_run, yes=yes, as_json=as_json)
        return
    with_plane(data_dir, lambda p: p.reject(proposal, by=person(), note=note))
    answer = {"proposal_id": proposal, "status": "rejected"}
    show_result(as_json, answer, f"{proposal} is rejected.")


def _parsed(text: str) -> Any:
    return read_json(text, "--change")


def _action(question: "Approval") -> str:
    return describe(question.filed.proposal.action, whole=True)


def _effect(effect: "Effect | None") -> str:
    if effect is None:
        return "cannot be said"
    return f"{effect.expected}, with a chance of 80 % between {effect.low} and {effect.high}"


def _known(value: object) -> object:
    if isinstance(value, list | tuple):
        return "".join(f"\n    {_row(row)}" for row in value)
    return "not known" if value is None else value


def _row(row: object) -> str:
    """Return a line of a table in the evidence."""
    if not isinstance(row, Mapping):
        return str(row)
    return ", ".join(f"{name} {_known(value)}" for name, value in row.items())
