"""Proposals: filed once, judged once, settled once; each step survives being repeated."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from storecrew.database import BulkStatement, to_db_time
from storecrew.domain.control.approvals import ApprovalStatus
from storecrew.domain.control.events import PublishAck
from storecrew.domain.control.proposals import (
    REPORTED_BY,
    Decision,
    JudgedProposal,
    Outcome,
    ProposalRecord,
    Verdict,
)
from storecrew.domain.control.runs import RunStatus
from storecrew.domain.errors import StaleAttempt
from storecrew.domain.ports.journal import AgentOutput, BudgetSpend, Judge, StepRecord
from storecrew.domain.shop.purchasing import CreatePurchaseOrder
from storecrew.journal import audit, budgets, runs, updates
from storecrew.journal.approvals import asked_before, supersede, suppress_repeats, topic
from storecrew.journal.events import publish
from storecrew.journal.rows import advisory_lock, dump, person, to_decision, to_filed
from storecrew.journal.schema.agents import heartbeats
from storecrew.journal.schema.journal import (
    approvals,
    decisions,
    outcomes,
    proposals,
    runs as runs_table,
)

_INSERT_PROPOSALS = BulkStatement(sa.insert(proposals))
_INSERT_DECISIONS = BulkStatement(sa.insert(decisions))
_INSERT_OUTCOMES = BulkStatement(sa.insert(outcomes))


def record_step(connection: Connection, step: StepRecord) -> list[JudgedProposal]:
    """Record the step; return the proposals that may now be done. Ends the run if none is left."""
    state = _state(connection, step)
    proposed = state.proposals is not None
    if step.pending and step.judge is not None:
        advisory_lock(connection, "spending")  # or two runs could both spend the rest of the budget
    if proposed and step.filing is not None:
        raise StaleAttempt(step.run)
    receipts = file(connection, step, step.filing) if step.filing is not None else []
    settle(connection, step)
    allowed = _judge(connection, step)
    if receipts and step.filing is not None:
        updates.publish_event_updates(connection, step.filing.events, receipts)
    if step.last and not allowed:
        tokens = step.filing.tokens if step.filing is not None and not step.filing.filed else 0
        runs.finish(connection, step.run, step.now, tokens=tokens, recovers=state.is_ill)
        updates.publish_run_updates(connection, [step.run], RunStatus.DONE, step.now)
    return allowed


def file(connection: Connection, step: StepRecord, filing: AgentOutput) -> list[PublishAck]:
    """Keep what the agent said, once. The run then counts as having proposed.

    Of a run that proposes nothing that is noted with its end.
    """
    at = to_db_time(step.now)
    rows = [
        {
            "id": filed.id,
            "run_id": step.run,
            "n": n,
            "agent": filed.agent,
            "body": dump(filed.proposal),
            "at": at,
        }
        for n, filed in enumerate(filing.filed)
    ]
    _INSERT_PROPOSALS.execute(connection, rows)
    receipts = publish(connection, filing.events, step.subscribers_of) if filing.events else []
    if rows:
        values = {"b_run": step.run, "b_count": len(rows), "b_tokens": filing.tokens}
        connection.execute(_HAS_SAID, values)
    return receipts


_HAS_SAID = (
    sa.update(runs_table)
    .where(runs_table.c.id == sa.bindparam("b_run"))
    .values(
        proposals=sa.bindparam("b_count"),
        tokens=runs_table.c.tokens + sa.bindparam("b_tokens"),
    )
)


_IS_ILL = sa.exists().where(heartbeats.c.agent == runs_table.c.agent, heartbeats.c.failures > 0)
_STATE = (
    sa.select(runs_table.c.attempt, runs_table.c.proposals, _IS_ILL.label("is_ill"))
    .where(runs_table.c.id == sa.bindparam("id"))
    .with_for_update(of=runs_table)
)


def _state(connection: Connection, step: StepRecord) -> Row[Any]:
    """Return how far the run is, and keep others from it; refuse who was taken over from."""
    row = connection.execute(_STATE, {"id": step.run}).one()
    if row.attempt != step.attempt:
        raise StaleAttempt(step.run)
    return row


_DECIDED = sa.select(decisions.c.proposal_id, decisions.c.body, decisions.c.budget_spend).where(
    decisions.c.proposal_id.in_(sa.bindparam("ids", expanding=True))
)
_HAS_OUTCOME = sa.select(outcomes.c.proposal_id).where(
    outcomes.c.proposal_id.in_(sa.bindparam("ids", expanding=True))
)
_SPENT = (
    sa.select(decisions.c.verdict, sa.func.sum(decisions.c.budget_spend).label("spent"))
    .where(decisions.c.day == sa.bindparam("day"), decisions.c.budget_spend != 0)
    .group_by(decisions.c.verdict)
)


def _judge(connection: Connection, step: StepRecord) -> list[JudgedProposal]:
    if not step.pending or step.judge is None:
        return []
    ids = [filed.id for filed in step.pending]
    is_new = step.filing is not None  # filed a moment ago: nothing became of it yet
    decided = {} if step.answering or is_new else _decided(connection, step.pending, ids)
    done = set() if is_new else set(connection.execute(_HAS_OUTCOME, {"ids": ids}).scalars())
    undecided = [f for f in step.pending if f.id not in decided and f.id not in done]
    fresh = _judge_fresh(connection, step, step.judge, undecided)
    judged = [decided.get(i) or fresh[i] for i in ids if i not in done]
    return [j for j in judged if j.decision.verdict is Verdict.ALLOW]


def _decided(
    connection: Connection, pending: Iterable[ProposalRecord], ids: list[str]
) -> dict[str, JudgedProposal]:
    filed = {f.id: f for f in pending}
    rows = connection.execute(_DECIDED, {"ids": ids})
    return {
        row.proposal_id: JudgedProposal(
            filed=filed[row.proposal_id],
            decision=to_decision(row.body),
            budget_spend=row.budget_spend,
        )
        for row in rows
    }


def _judge_fresh(
    connection: Connection, step: StepRecord, judge: Judge, pending: Sequence[ProposalRecord]
) -> dict[str, JudgedProposal]:
    if not pending:
        return {}
    so_far = budget_spend(
        connection, pending[0].agent, step.day, budgeted=step.budgeted, answering=step.answering
    )
    since = step.asked_at - step.rejection_cooldown
    purchases = [f for f in pending if isinstance(f.proposal.action, CreatePurchaseOrder)]
    repeated = asked_before(connection, purchases, since) if purchases else set[str]()
    judged = []
    for filed in pending:
        is_repeat = filed.id in repeated  # its question was counted when it was asked
        judged.append(judge(filed, replace(so_far, asked=0) if is_repeat else so_far))
        after = so_far.and_also(judged[-1])
        so_far = replace(after, asked=so_far.asked) if is_repeat else after
    judged = suppress_repeats(connection, judged, since)
    if step.answering:
        ids = [filed.id for filed in pending]
        connection.execute(sa.delete(decisions).where(decisions.c.proposal_id.in_(ids)))
    at = to_db_time(step.now)
    _INSERT_DECISIONS.execute(connection, [_decision_row(j, step, at) for j in judged])
    to_approve = [j for j in judged if j.decision.verdict is Verdict.ASK]
    closed: list[str] = []
    if to_approve:
        topics = {topic(j.filed): j.filed.id for j in to_approve}
        closed = supersede(connection, topics, step.now)
        connection.execute(sa.insert(approvals), [_question_row(j, step) for j in to_approve])
    denied = [j for j in judged if j.decision.verdict is Verdict.DENY]
    audit.append(connection, [audit_row(j, step, refusal(j.decision)) for j in denied])
    updates.publish_approval_updates(connection, closed, ApprovalStatus.SUPERSEDED, step.now)
    waiting = [j.filed.id for j in to_approve]
    updates.publish_approval_updates(connection, waiting, ApprovalStatus.WAITING, step.asked_at)
    return {j.filed.id: j for j in judged}


def budget_spend(
    connection: Connection,
    agent: str,
    day: str,
    *,
    budgeted: bool = True,
    answering: bool = False,
) -> BudgetSpend:
    """Return what was allowed and asked about on this day so far.

    The agent's own part only where it counts; what was asked only where more may be asked.
    """
    rows = connection.execute(_SPENT, {"day": day})
    spent = {row.verdict: int(row.spent) for row in rows}  # a sum is a Decimal
    own = budgets.cash_out(connection, agent, day) if budgeted else 0
    asked = 0 if answering else spent.get(Verdict.ASK, 0)
    return BudgetSpend(shop=spent.get(Verdict.ALLOW, 0), agent=own, asked=asked)


def settle(connection: Connection, step: StepRecord) -> None:
    """Record what the store did, with one audit row each; what is recorded already is skipped."""
    if not step.settled:
        return
    ids = [s.judged.filed.id for s in step.settled]
    known = set(connection.execute(_HAS_OUTCOME, {"ids": ids}).scalars())
    fresh = [s for s in step.settled if s.judged.filed.id not in known]
    if not fresh:
        return
    at = to_db_time(step.now)
    rows = [
        {
            "proposal_id": s.judged.filed.id,
            "body": dump(s.outcome),
            "result": s.outcome.result,
            "at": at,
        }
        for s in fresh
    ]
    _INSERT_OUTCOMES.execute(connection, rows)
    audit.append(
        connection, [audit_row(s.judged, step, s.outcome.result, s.outcome) for s in fresh]
    )


def refusal(decision: Decision) -> str:
    """Return the audit's word for a decision against."""
    return "watched" if decision.rule == "watch" else "denied"


def audit_row(
    judged: JudgedProposal, step: StepRecord, result: str, outcome: Outcome | None = None
) -> dict[str, object]:
    """Return the audit row of a proposal whose story is over."""
    decision, changed_by = judged.decision, judged.filed.changed_by
    reason = f"{judged.filed.proposal.reason} [{decision.rule}: {decision.reason}]"
    if reporters := judged.filed.proposal.evidence.get(REPORTED_BY):
        reason += f" [reported by {reporters}]"
    if outcome is not None and not outcome.applied:
        reason += f" [{outcome.code}: {outcome.message}]"
    return {
        "at": to_db_time(step.now),
        "kind": "proposal",
        "subject": judged.filed.id,
        "actor": person(changed_by) if changed_by else f"agent:{judged.filed.agent}",
        "action": dump(judged.filed.proposal.action),
        "result": result,
        "reason": reason,
        "before": dump(outcome.before if outcome else {}),
        "after": dump(outcome.after if outcome else {}),
        "policy_version": decision.policy_version,
        "approved_by": decision.by if decision.by != "policy" else "",
    }


def _decision_row(judged: JudgedProposal, step: StepRecord, at: str) -> dict[str, object]:
    return {
        "proposal_id": judged.filed.id,
        "body": dump(judged.decision),
        "verdict": int(judged.decision.verdict),
        "at": at,
        "day": step.day,
        "budget_spend": judged.budget_spend,
        "cash_out": judged.cash_out,
    }


def _question_row(judged: JudgedProposal, step: StepRecord) -> dict[str, object]:
    effect = judged.filed.proposal.effect
    return {
        "proposal_id": judged.filed.id,
        "topic": topic(judged.filed),
        "subject": judged.filed.proposal.action.subject,
        "status": ApprovalStatus.WAITING,
        "question": dump(judged.decision),
        "asked_at": to_db_time(step.asked_at),
        "expires_at": to_db_time(step.asked_at + step.expires),
        "cash_out": judged.cash_out,
        "benefit": effect.expected.minor if effect else None,
        "decided_by": "",
        "note": "",
    }


def filed(connection: Connection, run_id: str, start: int, limit: int) -> list[ProposalRecord]:
    """Return so many of the run's proposals, in order."""
    query = (
        sa.select(proposals)
        .where(proposals.c.run_id == run_id, proposals.c.n >= start, proposals.c.n < start + limit)
        .order_by(proposals.c.n)
    )
    return [to_filed(row) for row in connection.execute(query)]
