"""Answers to approval requests: what came of one, and one answer to all that a filter means."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from storecrew.app.control_plane import Plane, Progress
from storecrew.domain.codec import ACTIONS, decode
from storecrew.domain.control.approvals import Approval, ApprovalFilter, ApprovalOrder
from storecrew.domain.control.proposals import Verdict
from storecrew.domain.errors import InvalidInput, StorecrewError
from storecrew.domain.money import Money
from storecrew.domain.suggestions import suggestion

_PAGE = 200
DecisionWord = Literal["approve", "reject"]


@dataclass(frozen=True, kw_only=True)
class Matched:
    """The requests that a filter means, and what they come to in all."""

    approvals: Sequence[Approval]
    cash_out: Money
    """What leaves the shop when all are done."""
    benefit: Money
    """What those that state a benefit are expected to bring."""


@dataclass(frozen=True, kw_only=True)
class BulkDecision:
    """What became of the requests."""

    decided: tuple[str, ...]
    failed: tuple[tuple[str, str], ...]
    """Requests that could not be decided or carried out, with the reason: superseded meanwhile,
    forbidden by the policy, refused by the store."""


async def refusal_after_approval(plane: Plane, proposal_id: str) -> str | None:
    """Return why an approved proposal was not carried out; empty where it was.

    None where it is still to be carried out, by the process that runs the crew.
    """
    story = await plane.journal.story(proposal_id)
    if story.outcome is not None:
        return "" if story.outcome.applied else story.outcome.message
    decision = story.decision
    return decision.reason if decision and decision.verdict is Verdict.DENY else None


def approval_filter(
    plane: Plane,
    *,
    agent: str = "",
    action: str = "",
    max_cash_out: str | None = None,
    order: ApprovalOrder = ApprovalOrder.NEWEST,
) -> ApprovalFilter:
    """Return the filter of these words; refuses unknown agents and actions, and what is no amount.

    `max_cash_out` is an amount of the shop's money, such as `12.50`.
    """
    _check_known("agent", agent, plane.agents)
    _check_known("action", action, ACTIONS)
    most = None
    if max_cash_out is not None:
        given = {"amount": max_cash_out, "currency": plane.settings.store.currency}
        most = decode(Money, given, field="max_cash_out").minor
    return ApprovalFilter(agent=agent, action=action, max_cash_out=most, order=order)


def _check_known(field: str, name: str, known: Collection[str]) -> None:
    if name and name not in known:
        advice = suggestion(name, known)
        raise InvalidInput(field, f"there is no {name!r}" + (f"; {advice}" if advice else ""))


async def matching(plane: Plane, only: ApprovalFilter) -> Matched:
    """Return every waiting request that the filter means, in the filter's order."""
    found: list[Approval] = []
    page = 1
    while True:
        some = await plane.journal.approvals(only=only, page=page, per_page=_PAGE)
        found += some.items
        if page * _PAGE >= some.total:
            break
        page += 1
    currency = plane.settings.store.currency
    benefit = Money.of(0, currency)
    for each in found:
        effect = each.filed.proposal.effect
        if effect is not None and effect.expected.currency == currency:
            benefit += effect.expected
    spent = Money.from_minor(sum(each.cash_out for each in found), currency)
    return Matched(approvals=found, cash_out=spent, benefit=benefit)


async def decide_all(
    plane: Plane,
    requests: Sequence[Approval],
    answer: DecisionWord,
    *,
    by: str,
    note: str = "",
    progress: Progress = lambda _what, _done, _total: None,
) -> BulkDecision:
    """Approve or reject each request in turn; one that fails does not stop the others."""
    decided: list[str] = []
    failed: list[tuple[str, str]] = []
    for n, each in enumerate(requests):
        progress(f"{answer} requests", n, len(requests))
        try:
            if answer == "approve":
                await plane.approve(each.filed.id, by=by, note=note)
                if problem := await refusal_after_approval(plane, each.filed.id):
                    failed.append((each.filed.id, problem))
                    continue
            else:
                await plane.reject(each.filed.id, by=by, note=note)
            decided.append(each.filed.id)
        except StorecrewError as error:
            failed.append((each.filed.id, str(error)))
    return BulkDecision(decided=tuple(decided), failed=tuple(failed))
