"""The requests that filters on the command line mean: listed with their sum, answered together."""

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import typer

from storecrew.cli.descriptions import describe
from storecrew.cli.output import fail, print_text, progress_bar, show_json, show_table
from storecrew.cli.session import person, with_plane
from storecrew.domain.errors import InvalidInput

if TYPE_CHECKING:
    from pathlib import Path

    from storecrew.app.approvals import BulkDecision, DecisionWord, Matched
    from storecrew.app.bootstrap import ControlPlane
    from storecrew.domain.control.approvals import Approval

COLUMNS = ("proposal", "action", "cost", "benefit", "asked because")


def list_row(request: "Approval", names: dict[str, str], currency: str) -> tuple[object, ...]:
    """Return a request's row under `COLUMNS`."""
    from storecrew.domain.money import Money  # costs what `--help` need not pay

    effect = request.filed.proposal.effect
    sku = getattr(request.filed.proposal.action, "sku", "")
    return (
        request.filed.id,
        "\n".join(filter(None, (describe(request.filed.proposal.action), names.get(sku)))),
        Money.from_minor(request.cash_out, currency) if request.cash_out else "-",
        effect.expected if effect else "-",
        request.question.reason,
    )


async def product_names(plane: "ControlPlane", requests: "Sequence[Approval]") -> dict[str, str]:
    """Return the names of the products that the requests are about, where they differ."""
    skus = {getattr(each.filed.proposal.action, "sku", "") for each in requests} - {""}
    return {p.sku: p.name for p in await plane.store.products(sorted(skus)) if p.name != p.sku}


WHEN: Mapping[str, str] = {
    "active": "is carried out by the running crew.",
    "paused": "is carried out after `storecrew resume`, as the crew is paused.",
    "stopped": "is carried out when the crew runs: `storecrew up`, or once `storecrew run`.",
}
"""What becomes of an approval that was not carried out at once, by the orchestrator's status."""


class FilterOptions(NamedTuple):
    """What the command line says of the questions that are meant."""

    agent: str
    action: str
    under: str
    all_matching: bool


def answer_all(  # noqa: PLR0913 - all but four are read by name
    answer: "DecisionWord",
    only: FilterOptions,
    note: str,
    data_dir: "Path | None",
    *,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Answer all that the filter means, after the sum of it was shown."""
    if not any(only):
        raise InvalidInput(
            "PROPOSAL", "name a proposal, a filter such as --agent, or --all-matching"
        )
    from storecrew.app.approvals import approval_filter, decide_all, matching

    async def work(plane: "ControlPlane") -> "tuple[Matched, BulkDecision | None]":
        meant = approval_filter(
            plane, agent=only.agent, action=only.action, max_cash_out=only.under or None
        )
        found = await matching(plane, meant)
        if not as_json:
            _show_sum(answer, found, await product_names(plane, found.approvals[:_SHOWN]))
        if dry_run or not found.approvals or not (yes or _goes_on(answer, len(found.approvals))):
            return found, None
        with progress_bar(quiet=as_json) as progress:
            decided = await decide_all(
                plane, found.approvals, answer, by=person(), note=note, progress=progress
            )
        return found, decided

    found, decided = with_plane(data_dir, work)
    if as_json:
        failed = [{"proposal_id": i, "error": e} for i, e in decided.failed] if decided else []
        show_json(
            {
                "matched": [each.filed.id for each in found.approvals],
                "cash_out": found.cash_out,
                "benefit": found.benefit,
                "decided": decided.decided if decided else (),
                "failed": failed,
            }
        )
    elif decided:
        done = "approved" if answer == "approve" else "rejected"
        print_text(f"{len(decided.decided)} of {len(found.approvals)} {done}.")
    if decided and decided.failed:
        fail(*(f"{proposal}: {problem}" for proposal, problem in decided.failed))


_SHOWN = 20
"""How many of the questions are shown before they are answered together."""


def _show_sum(answer: str, found: "Matched", names: dict[str, str]) -> None:
    currency = found.cash_out.currency
    rows = [list_row(each, names, currency) for each in found.approvals[:_SHOWN]]
    count = len(found.approvals)
    title = f"{count} to {answer}" + (f", the first {_SHOWN}" if count > _SHOWN else "")
    show_table(title, COLUMNS, rows)
    if count:
        print_text(
            f"In all {found.cash_out} leaves the shop; {found.benefit} is the expected benefit."
        )


def _goes_on(answer: str, count: int) -> bool:
    """Ask a person at a terminal; a program that runs the command is taken at its word."""
    return not sys.stdin.isatty() or typer.confirm(f"{answer.capitalize()} all {count}?")
