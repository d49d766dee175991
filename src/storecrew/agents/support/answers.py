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
    ShopTerms,
)
from storecrew.agents.support.wording import sentence
from storecrew.domain.actions import AcceptReturn, Action, Refund
from storecrew.domain.care import Ticket
from storecrew.domain.commerce import Order
from storecrew.domain.orders import Status


@dataclass(frozen=True, kw_only=True)
class Question:
    """A ticket and what is known around it."""

    ticket: Ticket
    now: datetime
    locale: str
    terms: ShopTerms
    order: Order | None = None
    """The customer's own, and no other's."""
    is_named: bool = False
    """The customer said which order it is."""
    methods: Sequence[str] = ()
    """Ways to pay that are offered."""

    def facts(self) -> Mapping[str, str]:
        """Return what the sentences may say of the order."""
        if self.order is None:
            return {"methods": ", ".join(self.methods)}
        return {
            "order": str(self.order.id),
            "placed": f"{self.order.placed_at:%Y-%m-%d}",
            "updated": f"{self.order.updated_at:%Y-%m-%d}",
            "total": str(self.order.total),
            "methods": ", ".join(self.methods),
        }


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer, and what is done beside it."""

    parts: tuple[str, ...]
    paragraph: str
    """Name of the paragraph that it rests on."""
    deed: Action | None = None


@dataclass(frozen=True, kw_only=True)
class HandOver:
    """Why a person has to answer."""

    reason: str


Said = Reply | HandOver
_Answer = Callable[[Question], Said]


def answered(intent: str, question: Question) -> Said:
    """Return the answer to a question of this intent, or why a person has to give it."""
    answer = _ANSWERS.get(intent)
    if answer is None:
        return HandOver(reason=f"{intent}: a person answers such questions")
    return answer(question)


def _status(question: Question) -> Said:
    order = question.order
    if order is None:
        return HandOver(reason="asks about an order that is not known to be theirs")
    if order.held:
        return HandOver(reason=f"order {order.id} is held: {order.held}")
    if _is_late(order, question):
        return HandOver(reason=f"order {order.id} is late")
    return _told(question, _word(order), SHIPPING)


def _late(question: Question) -> Said:
    said = _status(question)
    order = question.order
    if isinstance(said, Reply) and order is not None and order.status is Status.DELIVERED:
        return HandOver(reason=f"says that order {order.id} is late; the carrier says it arrived")
    return said


def _is_late(order: Order, question: Question) -> bool:
    promised = timedelta(days=question.terms.delivery_days)
    return order.status is Status.AWAITING_DELIVERY and question.now - order.updated_at > promised


def _word(order: Order) -> str:
    """Return the sentence for the state of an order."""
    if order.status is Status.AWAITING_PAYMENT:
        return "paid" if order.is_paid else "awaiting_payment"
    if order.status is Status.APPROVED:
        return "received"
    return "refunded" if order.status is Status.RETURNED else order.status.value


def _give_back(question: Question) -> Said:
    order = question.order
    if order is None or not question.is_named:
        return _quoted(question, RETURNS)
    if order.status is not Status.DELIVERED:
        return HandOver(reason=f"wants to return order {order.id}, which is {order.status.value}")
    days = (question.now - order.updated_at) / timedelta(days=1)
    if days > question.terms.return_days:
        return HandOver(reason=f"wants to return order {order.id}, delivered {days:.0f} days ago")
    if len(order.lines) > 1:
        return HandOver(reason=f"wants to return some of order {order.id}; which goods is not said")
    deed = AcceptReturn(order_id=order.id, reason="customer asked by ticket")
    return _told(question, "return_begun", RETURNS, deed)


def _money_back(question: Question) -> Said:
    order = question.order
    if order is None:
        return HandOver(reason="asks for a refund of an order that is not known to be theirs")
    if order.status is Status.REFUNDED or (_all_back(order) and order.paid.amount <= 0):
        return _told(question, "refunded", RETURNS)
    if _all_back(order):
        deed = Refund(order_id=order.id, reason="everything came back")
        return _told(question, "refund_begun", RETURNS, deed)
    return HandOver(reason=f"asks for a refund of order {order.id}, which is {order.status.value}")


def _all_back(order: Order) -> bool:
    """Tell whether every unit of the order came back."""
    sold: dict[str, int] = {}
    for line in order.lines:
        sold[line.sku] = sold.get(line.sku, 0) + line.quantity
    for back in order.returned:
        sold[back.sku] = sold.get(back.sku, 0) - back.quantity
    return order.status is Status.RETURNED and all(units <= 0 for units in sold.values())


def _ways_to_pay(question: Question) -> Said:
    if not question.methods:
        return _quoted(question, PAYMENT)
    return _told(question, "methods", PAYMENT)


def _told(question: Question, key: str, paragraph: str, deed: Action | None = None) -> Reply:
    text = question.terms.paragraph(paragraph, question.locale)
    said = sentence(key, question.locale, question.facts())
    return Reply(parts=(said, text), paragraph=paragraph, deed=deed)


def _quoted(question: Question, paragraph: str) -> Said:
    """Answer with a paragraph of the terms alone."""
    text = question.terms.paragraph(paragraph, question.locale)
    if not text:
        return HandOver(reason=f"asks about {paragraph}, of which the shop's terms say nothing")
    return Reply(parts=(text,), paragraph=paragraph)


_ANSWERS: Mapping[str, _Answer] = {
    "order_status": _status,
    "delivery_late": _late,
    "shipping_terms": lambda question: _quoted(question, SHIPPING),
    "return_item": _give_back,
    "refund_status": _money_back,
    "payment_methods": _ways_to_pay,
    "newsletter": lambda question: _quoted(question, PRIVACY),
    "opening_hours": lambda question: _quoted(question, CONTACT),
}
"""Everything else (damage, wrong goods, changes, cancellations, accounts) is a person's."""
