"""What is looked up around a ticket: its customer, the order it is about, the ways to pay."""

import re
from datetime import datetime

from storecrew.agents.support.answers import CustomerQuestion
from storecrew.agents.support.settings import SupportSettings
from storecrew.domain.errors import NotFound
from storecrew.domain.ports.store import StoreView
from storecrew.domain.shop.customers import Customer
from storecrew.domain.shop.orders import RESERVING, Order, OrderQuery, OrderStatus
from storecrew.domain.shop.support import Ticket
from storecrew.domain.texts import LANGUAGES, language_of

_NUMBER = re.compile(r"(?<![\w.,])#?(\d{1,15})(?![\w.,]*\d)")
_RECENT = 10
"""Newest orders of a customer among which a question is taken to be."""
_UNDER_WAY = RESERVING | {OrderStatus.AWAITING_DELIVERY}


async def customer_of(store: StoreView, ticket: Ticket) -> Customer | None:
    """Return the customer who asks, None if unknown."""
    if not ticket.customer:
        return None
    try:
        return await store.customer(ticket.customer)
    except NotFound:
        return None


async def question_of(
    store: StoreView,
    now: datetime,
    ticket: Ticket,
    customer: Customer | None,
    settings: SupportSettings,
) -> CustomerQuestion:
    """Return the ticket with what an answer may rest on.

    An order is spoken of only to the customer whose it is, whatever number the ticket names.
    """
    order, is_named = await _order(store, ticket)
    methods = await store.payment_methods()
    return CustomerQuestion(
        ticket=ticket,
        now=now,
        locale=_locale(customer),
        settings=settings,
        order=order,
        is_named=is_named,
        methods=[name for name, offered in sorted(methods.items()) if offered],
    )


def _locale(customer: Customer | None) -> str:
    return language_of(customer.locale) if customer is not None else LANGUAGES[0]


async def _order(store: StoreView, ticket: Ticket) -> tuple[Order | None, bool]:
    """Return the customer's own order that is meant, and whether they named it."""
    if not ticket.customer:
        return None, False
    page = await store.orders(OrderQuery(customer=ticket.customer, per_page=_RECENT))
    own = {order.id: order for order in page.items}
    if ticket.order_id is not None:
        named = own.get(ticket.order_id) or await _by_id(store, ticket.order_id, ticket.customer)
        return named, named is not None
    written = [int(number) for number in _NUMBER.findall(ticket.text)]
    if meant := [own[number] for number in written if number in own]:
        return (meant[0], True) if len(set(meant)) == 1 else (None, False)
    under_way = [order for order in page.items if order.status in _UNDER_WAY]
    candidates = under_way or page.items[:1]
    return (candidates[0], False) if len(candidates) == 1 else (None, False)


async def _by_id(store: StoreView, number: int, customer: str) -> Order | None:
    """Return an older order of the same customer."""
    found = await store.orders_by_id([number])
    return next((order for order in found if order.customer == customer), None)
