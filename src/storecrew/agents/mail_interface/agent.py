"""Order flow, first step: a customer's words become an order."""

from collections.abc import Sequence

from storecrew.domain.errors import InvalidInput
from storecrew.domain.shop.catalog import ObservationRejected, ProductIndex
from storecrew.domain.shop.messages import MailReceived
from storecrew.domain.shop.orders import Line, PlaceOrder, parse_order
from storecrew.sdk import Context, Proposal, Proposals, agent

_QUOTED = 200
"""Characters of an unreadable mail that are repeated to the owner."""


@agent(
    on=MailReceived,
    allowed_actions=[PlaceOrder],
    publishes=[ObservationRejected],
    batch=200,
    priority=20,
    capabilities=["orders"],
    tags=["flow"],
)
async def mail_interface(events: Sequence[MailReceived], ctx: Context) -> Proposals:
    """Read order mails (`Name:quantity, …`) and place the orders; unreadable ones are shown."""
    mails = [event for event in events if isinstance(event, MailReceived)]
    names = ProductIndex(await ctx.store.products()) if mails else ProductIndex(())
    for event in mails:
        try:
            yield _order(event, names)
        except InvalidInput as error:
            yield ObservationRejected(
                sku="", what="mail", value=event.mail[:_QUOTED], reason=str(error)
            )


def _order(event: MailReceived, names: ProductIndex) -> Proposal:
    found = names.find_all(parse_order(event.mail))
    lines = tuple(Line(sku=product.sku, quantity=quantity) for product, quantity in found)
    return Proposal(
        action=PlaceOrder(lines=lines, customer=event.customer, order_text=event.mail),
        reason="A customer ordered by mail.",
        evidence={
            "lines": len(lines),
            "units": sum(line.quantity for line in lines),
            "value": str(sum((p.price * n for p, n in found[1:]), found[0][0].price * found[0][1])),
        },
    )
