"""Questions to a person: rows that wait, and the one answer each may get."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.database import to_db_time
from storecrew.domain.control.approvals import (
    Approval,
    ApprovalDecision,
    ApprovalStatus,
    check_change,
)
from storecrew.domain.control.events import EventEnvelope
from storecrew.domain.control.proposals import JudgedProposal, ProposalRecord, Verdict
from storecrew.domain.errors import AlreadyDecided, NotFound, NotPermitted
from storecrew.domain.events import Event
from storecrew.domain.ports.journal import SETTLEMENT
from storecrew.domain.shop.catalog import PriceChanged
from storecrew.domain.shop.orders import (
    OrderApproved,
    OrderCancelled,
    OrderDelivered,
    OrderFulfilled,
)
from storecrew.domain.shop.payments import OrderRefunded, PaymentReceived
from storecrew.domain.shop.purchasing import PurchaseOrderCreated
from storecrew.domain.shop.returns import OrderReturned
from storecrew.domain.shop.support import TicketAnswered
from storecrew.journal import audit, updates
from storecrew.journal.claims import new_run
from storecrew.journal.rows import AnyRow, advisory_lock, dump, person, to_approval
from storecrew.journal.schema.journal import approvals, proposals, runs as runs_table

APPROVALS_TOPIC = sa.select(
    proposals.c.id,
    proposals.c.run_id,
    proposals.c.agent,
    proposals.c.body,
    *(c for c in approvals.c if c.name != "proposal_id"),
).join(proposals, proposals.c.id == approvals.c.proposal_id)
_QUESTION = APPROVALS_TOPIC.where(approvals.c.proposal_id == sa.bindparam("proposal"))
_OVERTAKEN = APPROVALS_TOPIC.where(
    approvals.c.status == ApprovalStatus.WAITING,
    approvals.c.subject.in_(sa.bindparam("subjects", expanding=True)),
)


def request_approval(connection: Connection, proposal_id: str) -> Approval:
    """Return the question about this proposal, or raise `NotFound`."""
    row = connection.execute(_QUESTION, {"proposal": proposal_id}).one_or_none()
    if row is None:
        raise NotFound("approval", proposal_id)
    return to_approval(row)


def decide(connection: Connection, said: ApprovalDecision) -> str:
    """Record the answer; for a yes, begin the run that carries it out. Returns that run's id.

    Raises `NotFound`, `AlreadyDecided` (also when the question expired), `NotPermitted` when the
    proposing agent would answer itself, or `InvalidInput` for a change to another kind or object.
    """
    advisory_lock(connection, "approvals")
    approval = request_approval(connection, said.proposal)
    if said.by in (approval.filed.agent, f"agent:{approval.filed.agent}"):
        raise NotPermitted(approval.filed.agent, "decide its own proposal")
    if approval.status is not ApprovalStatus.WAITING:
        raise AlreadyDecided(said.proposal, approval.status)
    if approval.expires_at <= said.at:
        raise AlreadyDecided(said.proposal, ApprovalStatus.EXPIRED)
    if said.changed is not None:
        check_change(approval.filed.proposal.action, said.changed)
    _record(connection, said)
    if said.status is ApprovalStatus.APPROVED:
        return _begin_settlement(connection, said)
    audit.append(connection, [_audit_row(approval, said)])
    return ""


def expire(connection: Connection, now: datetime) -> int:
    """Expire approval requests that got no decision in time; return how many."""
    advisory_lock(connection, "approvals")
    waiting = approvals.c.status == ApprovalStatus.WAITING
    overdue = APPROVALS_TOPIC.where(waiting, approvals.c.expires_at <= to_db_time(now)).limit(500)
    pending = [to_approval(row) for row in connection.execute(overdue)]
    for one in pending:
        decision = ApprovalDecision(
            proposal=one.filed.id,
            status=ApprovalStatus.EXPIRED,
            by="system",
            at=now,
            note="nobody answered in time",
        )
        _record(connection, decision)
        audit.append(connection, [_audit_row(one, decision)])
    updates.publish_approval_updates(
        connection, [one.filed.id for one in pending], ApprovalStatus.EXPIRED, now
    )
    return len(pending)


def supersede(connection: Connection, topics: Mapping[str, str], now: datetime) -> list[str]:
    """Close waiting questions on these topics: each was asked again by the named proposal.

    An owner then finds one question per agent and thing, resting on the newest facts. Returns
    the proposals whose questions were closed.
    """
    advisory_lock(connection, "approvals")
    waiting = approvals.c.status == ApprovalStatus.WAITING
    again = approvals.c.topic.in_(list(topics))
    rows = connection.execute(APPROVALS_TOPIC.where(waiting, again)).all()
    for row in rows:
        _close(connection, row, now, f"asked again as {topics[row.topic]}")
    return [row.id for row in rows]


def suppress_repeats(
    connection: Connection, judged: Sequence[JudgedProposal], since: datetime
) -> list[JudgedProposal]:
    """Deny what would ask a question again that waits for its answer, or was answered no.

    Word for word, where it waits: an owner is not asked twice, and a question whose answer is under
    way is not closed under it. The same action, whatever speaks for it now, where a person said no
    since then; but orders and tickets wait for somebody, and are asked about again.
    """
    topics = {topic(j.filed) for j in judged if j.decision.verdict is Verdict.ASK}
    if not topics:
        return list(judged)
    advisory_lock(connection, "approvals")
    waiting = approvals.c.status == ApprovalStatus.WAITING
    rows = connection.execute(APPROVALS_TOPIC.where(waiting, approvals.c.topic.in_(list(topics))))
    known = {(row.topic, row.body): row.id for row in rows}
    refused = _refused(connection, topics, since)
    found = []
    for one in judged:
        if one.decision.verdict is Verdict.ASK:
            action = (topic(one.filed), dump(one.filed.proposal.action))
            question = (topic(one.filed), dump(one.filed.proposal))
            if no := refused.get(action):
                reason = f"{no.decided_by} said no to {no.id} on {no.decided_at[:10]}"
                one = _without_repeats(one, reason, rule="answered no")
            elif (first := known.setdefault(question, one.filed.id)) != one.filed.id:
                reason = f"the same question waits for its answer: {first}"
                one = _without_repeats(one, reason, rule="already asked")
        found.append(one)
    return found


_WAITING_APPROVALS = ("order:", "ticket:")


def _refused(
    connection: Connection, topics: Collection[str], since: datetime
) -> dict[tuple[str, str], AnyRow]:
    """Return the newest no per topic and action since then."""
    rejected = approvals.c.status == sa.literal_column("'rejected'")
    late = approvals.c.decided_at > to_db_time(since)
    query = APPROVALS_TOPIC.where(rejected, late, approvals.c.topic.in_(list(topics)))
    rows = connection.execute(query.order_by(approvals.c.decided_at)).all()
    return {
        (row.topic, dump(to_approval(row).filed.proposal.action)): row
        for row in rows
        if not row.subject.startswith(_WAITING_APPROVALS)
    }


def asked_before(
    connection: Connection, filed: Sequence[ProposalRecord], since: datetime
) -> set[str]:
    """Return the proposals whose question waits, or whose action a person refused since then.

    They ask for nothing more: the one replaces its question, the other is not asked again.
    """
    topics = {topic(each) for each in filed}
    waiting = sa.select(approvals.c.topic).where(
        approvals.c.status == ApprovalStatus.WAITING, approvals.c.topic.in_(list(topics))
    )
    known = set(connection.execute(waiting).scalars())
    refused = _refused(connection, topics, since)
    return {
        each.id
        for each in filed
        if topic(each) in known or (topic(each), dump(each.proposal.action)) in refused
    }


def _without_repeats(judged: JudgedProposal, reason: str, *, rule: str) -> JudgedProposal:
    decision = replace(judged.decision, verdict=Verdict.DENY, reason=reason, rule=rule)
    return replace(judged, decision=decision, budget_spend=0, cash_out=0)


def _close(connection: Connection, row: AnyRow, now: datetime, why: str) -> None:
    decision = ApprovalDecision(
        proposal=row.id, status=ApprovalStatus.SUPERSEDED, by="system", at=now, note=why
    )
    _record(connection, decision)
    audit.append(connection, [_audit_row(to_approval(row), decision)])


_CLOSE_OVERTAKEN: dict[type[Event], tuple[str, ...]] = {
    OrderApproved: ("ApproveOrder",),
    OrderFulfilled: ("ApproveOrder", "FulfilOrder"),
    OrderDelivered: ("ApproveOrder", "FulfilOrder", "CompleteDelivery"),
    OrderCancelled: ("ApproveOrder", "FulfilOrder", "CompleteDelivery", "CancelOrder"),
    OrderReturned: ("AcceptReturn",),
    OrderRefunded: ("Refund",),
    PaymentReceived: ("CapturePayment",),
    PriceChanged: ("SetPrice",),
    PurchaseOrderCreated: ("CreatePurchaseOrder",),
    TicketAnswered: ("ReplyToTicket", "EscalateTicket"),
}
"""Which questions on the same subject have no answer to wait for after an event."""


def close_overtaken(
    connection: Connection, facts: Sequence[EventEnvelope], now: datetime
) -> list[str]:
    """Close waiting questions about what a person did by hand meanwhile; return their proposals."""
    happened: dict[str, list[type[Event]]] = {}
    for fact in facts:
        if type(fact.event) in _CLOSE_OVERTAKEN and not fact.actor.startswith("agent:"):
            happened.setdefault(fact.event.subject, []).append(type(fact.event))
    if not happened:
        return []
    advisory_lock(connection, "approvals")
    closed = []
    for row in connection.execute(_OVERTAKEN, {"subjects": list(happened)}).all():
        asked_for = row.topic.split("/")[1]
        for kind in happened[row.subject]:
            if asked_for in _CLOSE_OVERTAKEN[kind]:
                _close(connection, row, now, f"overtaken by {kind.__name__}")
                closed.append(row.id)
                break
    return closed


def topic(filed: ProposalRecord) -> str:
    """Return what a question is about: who asks, what for, and on which subject."""
    action = filed.proposal.action
    return f"{filed.agent}/{type(action).__name__}/{action.subject}"


def settlement_id(proposal_id: str) -> str:
    """Return the id of the run that carries out a yes."""
    return f"{proposal_id}/settle"


def _record(connection: Connection, said: ApprovalDecision) -> None:
    values = {
        "status": said.status,
        "decided_at": to_db_time(said.at),
        "decided_by": said.by,
        "note": said.note,
        "changed": dump(said.changed) if said.changed else None,
    }
    of_proposal = approvals.c.proposal_id == said.proposal
    connection.execute(sa.update(approvals).where(of_proposal).values(values))


def _begin_settlement(connection: Connection, said: ApprovalDecision) -> str:
    run_id = settlement_id(said.proposal)
    row = new_run(run_id, SETTLEMENT, person(said.by), said.at)
    connection.execute(sa.insert(runs_table), {**row, "proposals": 1})
    return run_id


def _audit_row(asked: Approval, said: ApprovalDecision) -> dict[str, object]:
    note = f" [{said.note}]" if said.note else ""
    return {
        "at": to_db_time(said.at),
        "kind": "proposal",
        "subject": said.proposal,
        "actor": f"agent:{asked.filed.agent}",
        "action": dump(asked.filed.proposal.action),
        "result": said.status,
        "reason": f"{asked.filed.proposal.reason} [{asked.question.reason}]{note}",
        "before": "{}",
        "after": "{}",
        "policy_version": asked.question.policy_version,
        "approved_by": said.by,
    }
