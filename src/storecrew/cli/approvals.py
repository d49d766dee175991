"""`storecrew approvals`: the questions that wait for a person."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from storecrew.cli.options import DataDir, Json, Note, Page, PerPage, ProposalId
from storecrew.cli.output import (
    counted,
    handle_errors,
    show_fields,
    show_json,
    show_result,
    show_table,
)
from storecrew.cli.session import person, with_plane
from storecrew.domain.json_input import read_json

if TYPE_CHECKING:
    from storecrew.domain.control.approvals import Approval
    from storecrew.domain.control.proposals import Effect

app = typer.Typer(no_args_is_help=True, help="See and answer the questions that wait for you.")


@app.command("list")
@handle_errors
def list_(
    page: Page = 1, per_page: PerPage = 50, data_dir: DataDir = None, as_json: Json = False
) -> None:
    """List the questions that wait.

    Example: storecrew approvals list
    """
    found = with_plane(data_dir, lambda p: p.journal.approvals(page=page, per_page=per_page))
    if as_json:
        show_json(found.items)
        return
    rows = [
        (a.filed.id, _action(a), a.filed.proposal.reason, a.question.reason) for a in found.items
    ]
    title = counted(found.total, "waiting", page, per_page)
    show_table(title, ("proposal", "action", "reason", "asked because"), rows)


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


@app.command()
@handle_errors
def approve(
    proposal: ProposalId,
    note: Note = "",
    action: Annotated[
        str, typer.Option(help="Another action in place of the proposed one, as JSON.")
    ] = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Say yes, perhaps to a changed action.

    Example: storecrew approvals approve "inventory@7/0" --note "but only this once"
    """
    from storecrew.domain.codec import decode_action  # costs what `--help` need not pay

    changed = decode_action(_parsed(action)) if action else None
    run = with_plane(
        data_dir, lambda p: p.approve(proposal, by=person(), note=note, action=changed)
    )
    _say(as_json, {"proposal_id": proposal, "status": "approved", "run_id": run})


@app.command()
@handle_errors
def reject(
    proposal: ProposalId, note: Note = "", data_dir: DataDir = None, as_json: Json = False
) -> None:
    """Say no.

    Example: storecrew approvals reject "pricing_optimizer@7/0" --note "not before Christmas"
    """
    with_plane(data_dir, lambda p: p.reject(proposal, by=person(), note=note))
    _say(as_json, {"proposal_id": proposal, "status": "rejected"})


def _say(as_json: bool, answer: dict[str, Any]) -> None:
    show_result(as_json, answer, f"{answer['proposal_id']} is {answer['status']}.")


def _parsed(text: str) -> Any:
    return read_json(text, "--action")


def _action(question: "Approval") -> str:
    return describe(question.filed.proposal.action)


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


_SUBJECTS = ("sku", "order_id", "purchase_id", "customer")
_WORDS = {"price": "at {}", "expected_price": "(was {})", "quantity": "× {}", "warehouse": "in {}"}


def describe(action: object) -> str:
    """Return an action or a recorded change in one line: its kind, its subject, the rest."""
    from storecrew.domain.codec import encode  # costs what `--help` need not pay

    fields = {key: value for key, value in encode(action).items() if value not in (None, "")}
    words = [fields.pop("type", "")]
    if subject := next((key for key in _SUBJECTS if key in fields), None):
        words.append(str(fields.pop(subject)))
    words += [_WORDS.get(key, key + "={}").format(_short(value)) for key, value in fields.items()]
    return " ".join(words)


def _short(value: Any) -> str:
    if isinstance(value, dict) and value.keys() == {"amount", "currency"}:
        return f"{value['amount']} {value['currency']}"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)
