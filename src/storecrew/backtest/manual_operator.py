"""What a person does by hand in a trial: answers customers, and looks at orders that wait."""

from collections.abc import Callable

from storecrew.domain.actions import Action
from storecrew.domain.ports.store import StoreView
from storecrew.domain.shop.orders import CancelOrder, ReleaseOrder
from storecrew.domain.shop.support import ReplyToTicket, TicketStatus

_ANSWER = "Thank you for writing. I have looked into it and will see to it today."


async def answers(store: StoreView, *, also_open: bool = True) -> list[Action]:
    """Answer every customer who was handed to a person; with `also_open` every one who wrote."""
    waiting = list(await store.tickets(status=TicketStatus.ESCALATED))
    if also_open:
        waiting += await store.tickets(status=TicketStatus.OPEN)
    return [ReplyToTicket(ticket_id=ticket.id, text=_ANSWER) for ticket in waiting]


async def looked_at(store: StoreView, is_fraud: Callable[[int], bool]) -> list[Action]:
    """Call the customers of held orders: let the order go on, or call it off."""
    return [
        CancelOrder(order_id=order.id, reason="not the card's owner")
        if is_fraud(order.id)
        else ReleaseOrder(order_id=order.id)
        for order in await store.open_orders()
        if order.held
    ]
