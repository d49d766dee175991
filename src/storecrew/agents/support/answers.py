"""What is said to which question: the sentences, the paragraph they rest on, and what is done."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from storecrew.agents.support.paragraphs import (
    CONTACT,
    PAYMENT,
    PRIVACY,
    RETURNS,
    SHIPPING,
)
from storecrew.agents.support.plain_questions import asks_for_a_destination
from storecrew.agents.support.settings import SupportSettings
from storecrew.agents.support.wording import sentence
from storecrew.domain.actions import Action
from storecrew.domain.shop.orders import Order, OrderStatus
from storecrew.domain.shop.payments import Refund
from storecrew.domain.shop.returns import AcceptReturn
from storecrew.domain.shop.support import Ticket


@dataclass(frozen=True, kw_only=True)
class CustomerQuestion:
    """A ticket and what is known around it."""

    ticket: Ticket
    now: datetime
    locale: str
    settings: SupportSettings
    order: Order | None = None
    """The customer's own, and no other's."""
    is_named: bool = False
    """The customer said which order it is."""
    methods: Sequence[str] = ()
    """Ways to pay that are offered."""

    def facts(self) -> Mapping[str, str]:
        """Return what the sentences may say of the order."""
        terms = {"methods": ", ".join(self.methods), "places": ", ".join(self.settings.ships_to)}
        if self.order is None:
            return terms
        return terms | {
            "order": str(self.order.id),
            "placed": f"{self.order.placed_at:%Y-%m-%d}",
            "updated": f"{self.order.updated_at:%Y-%m-%d}",
            "total": str(self.order.total),
        }


@dataclass(frozen=True, kw_only=True)
class TicketReply:
    """An answer, and what is done beside it."""

    parts: tuple[str, ...]
    paragraph: str
    """Name of the paragraph that it rests on."""
    action: Action | None = None


@dataclass(frozen=True, kw_only=True)
class Escalation:
    """Why a person has to answer."""

    reason: str


AnswerResult = TicketReply | Escalation
_Answer = Callable[[CustomerQuestion], AnswerResult]


def answered(intent: str, question: CustomerQuestion) -> AnswerResult:
    """Return the answer to a question of this intent, or why a person has to give it."""
    answer = _ANSWERS.get(intent)
    if answer is None:
        return Escalation(reason=f"{intent}: a person answers such questions")
    return answer(question)


def _status(question: CustomerQuestion) -> AnswerResult:
    order = question.order
    if order is None:
        return Escalation(reason="asks about an order that is not known to be theirs")
    if order.held:
        return Escalation(reason=f"order {order.id} is held: {order.held}")
    if _is_late(order, question):
        return Escalation(reason=f"order {order.id} is late")
    return _explained(question, _word(order), SHIPPING)


def _late(question: CustomerQuestion) -> AnswerResult:
    status = _status(question)
    order = question.order
    if (
        isinstance(status, TicketReply)
        and order is not None
        and order.status is OrderStatus.DELIVERED
    ):
        return Escalation(reason=f"says that order {order.id} is late; the carrier says it arrived")
    return status


def _is_late(order: Order, question: CustomerQuestion) -> bool:
    promised = timedelta(days=question.settings.delivery_days)
    return (
        order.status is OrderStatus.AWAITING_DELIVERY and question.now - order.updated_at > promised
    )


def _word(order: Order) -> str:
    """Return the sentence for the state of an order."""
    if order.status is OrderStatus.AWAITING_PAYMENT:
        return "paid" if order.is_paid else "awaiting_payment"
    if order.status is OrderStatus.APPROVED:
        return "received"
    return "refunded" if order.status is OrderStatus.RETURNED else order.status.value


def _give_back(question: CustomerQuestion) -> AnswerResult:
    order = question.order
    if order is None or not question.is_named:
        return _quoted(question, RETURNS)
    if order.status is not OrderStatus.DELIVERED:
        return Escalation(reason=f"wants to return order {order.id}, which is {order.status.value}")
    days = (question.now - order.updated_at) / timedelta(days=1)
    if days > question.settings.return_days:
        return Escalation(reason=f"wants to return order {order.id}, delivered {days:.0f} days ago")
    if len(order.lines) > 1:
        return Escalation(
            reason=f"wants to return some of order {order.id}; which goods is not said"
        )
    action = AcceptReturn(order_id=order.id, reason="customer asked by ticket")
    return _explained(question, "return_begun", RETURNS, action)


def _money_back(question: CustomerQuestion) -> AnswerResult:
    order = question.order
    if order is None:
        return Escalation(reason="asks for a refund of an order that is not known to be theirs")
    if order.status is OrderStatus.REFUNDED or (_all_back(order) and order.paid.amount <= 0):
        return _explained(question, "refunded", RETURNS)
    if _all_back(order):
        action = Refund(order_id=order.id, reason="everything came back")
        return _explained(question, "refund_begun", RETURNS, action)
    return Escalation(
        reason=f"asks for a refund of order {order.id}, which is {order.status.value}"
    )


def _all_back(order: Order) -> bool:
    """Tell whether every unit of the order came back."""
    sold: dict[str, int] = {}
    for line in order.lines:
        sold[line.sku] = sold.get(line.sku, 0) + line.quantity
    for back in order.returned:
        sold[back.sku] = sold.get(back.sku, 0) - back.quantity
    return order.status is OrderStatus.RETURNED and all(units <= 0 for units in sold.values())


def _shipping(question: CustomerQuestion) -> AnswerResult:
    """Quote the terms of shipping; where it goes to is said only if the owner said it."""
    if not asks_for_a_destination(question.ticket.text):
        return _quoted(question, SHIPPING)
    if not question.settings.ships_to:
        return Escalation(
            reason="asks where the shop delivers, which the setting ships_to does not say"
        )
    return _explained(question, "ships_to", SHIPPING)


def _ways_to_pay(question: CustomerQuestion) -> AnswerResult:
    if not question.methods:
        return _quoted(question, PAYMENT)
    return _explained(question, "methods", PAYMENT)


def _explained(
    question: CustomerQuestion, key: str, paragraph: str, action: Action | None = None
) -> TicketReply:
    text = question.settings.paragraph(paragraph, question.locale)
    filled = sentence(key, question.locale, question.facts())
    return TicketReply(parts=(filled, text), paragraph=paragraph, action=action)


def _quoted(question: CustomerQuestion, paragraph: str) -> AnswerResult:
    """Answer with a paragraph of the terms alone."""
    text = question.settings.paragraph(paragraph, question.locale)
    if not text:
        return Escalation(reason=f"asks about {paragraph}, of which the shop's terms say nothing")
    return TicketReply(parts=(text,), paragraph=paragraph)


_ANSWERS: Mapping[str, _Answer] = {
    "order_status": _status,
    "delivery_late": _late,
    "shipping_terms": _shipping,
    "return_item": _give_back,
    "refund_status": _money_back,
    "payment_methods": _ways_to_pay,
    "newsletter": lambda question: _quoted(question, PRIVACY),
    "opening_hours": lambda question: _quoted(question, CONTACT),
}
"""Everything else (damage, wrong goods, changes, cancellations, accounts) is a person's."""
