"""Stock flow: what ran low is bought once, what lies in the wrong place is moved."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

from storecrew.agents.inventory import buying, shop
from storecrew.agents.inventory.moving import transfers
from storecrew.agents.inventory.shop import Case
from storecrew.domain.actions import Reorder, TransferStock
from storecrew.domain.commerce import Purchase
from storecrew.domain.errors import InvalidInput
from storecrew.domain.events import (
    ClockTicked,
    Event,
    PurchaseDelayed,
    RunRequested,
    StockRanLow,
)
from storecrew.sdk import Context, Proposal, Proposals, agent, every

_OVERDUE = timedelta(days=1)
"""After a purchase's day has passed by so much, it counts as late although nobody said so."""


@agent(
    on=[StockRanLow, PurchaseDelayed],
    schedule=every(days=1, offset=timedelta(hours=6)),
    may=[Reorder, TransferStock],
    batch=500,
    within=timedelta(seconds=2),
    capabilities=["stock"],
    tags=["daily"],
)
async def inventory(events: Sequence[Event], ctx: Context) -> Proposals:
    """Buy what runs low up to the level that lasts until the next delivery, in whole packs.

    What would run out first comes first, so that a budget goes where it is needed most. Stock is
    moved to a warehouse that runs short before anything is bought for it, also when a supplier is
    late.
    """
    low = {event.sku: event for event in events if isinstance(event, StockRanLow)}
    daily = any(isinstance(event, ClockTicked | RunRequested) for event in events)
    late = await _late(events, ctx, overdue=daily)
    spread = await _in_several_places(ctx) if daily else set[str]()
    skus = {*low, *late, *spread}
    if not skus:
        return
    cases = await shop.look(ctx, skus)
    for case in cases:
        for proposal in _moves(case, late, ctx.now):
            yield proposal
    bought = [case for case in cases if case.product.sku in low and not case.open]
    money = await _purse(ctx, bought)
    places = {sku: event.warehouse for sku, event in low.items()}
    for wanted in buying.within(buying.wanted(bought, places), money):
        yield buying.purchase(wanted, money)
    for case in cases:
        if case.product.sku in late:
            purchase, due = late[case.product.sku]
            if (extra := buying.replacement(case, purchase, due, ctx.now)) is not None:
                yield extra


async def _late(
    events: Sequence[Event], ctx: Context, *, overdue: bool
) -> Mapping[str, tuple[Purchase, datetime]]:
    """Return per product the late purchase and when it should come now."""
    told = {
        event.purchase_id: event.due_at for event in events if isinstance(event, PurchaseDelayed)
    }
    if not told and not overdue:
        return {}
    found: dict[str, tuple[Purchase, datetime]] = {}
    suppliers = {each.id: each for each in await ctx.store.suppliers()} if overdue else {}
    for purchase in await ctx.store.purchases():
        if purchase.id in told:
            found[purchase.sku] = (purchase, max(told[purchase.id], purchase.due_at))
        elif overdue and purchase.due_at + _OVERDUE <= ctx.now:
            supplier = suppliers.get(purchase.supplier)
            spread = max(1.0, supplier.lead_time_sd if supplier else 1.0)
            found[purchase.sku] = (purchase, ctx.now + timedelta(days=spread))
    return found


async def _in_several_places(ctx: Context) -> set[str]:
    levels = shop.by_product(await ctx.store.stock())
    return {sku for sku, here in levels.items() if len(here) > 1}


def _moves(
    case: Case, late: Mapping[str, tuple[Purchase, datetime]], now: datetime
) -> Iterator[Proposal]:
    """Propose transfers for the days until new goods come, however they come.

    Where nothing ever left a warehouse nobody knows what is needed there: then stock is moved only
    when a supplier is late.
    """
    if case.product.sku in late:
        purchase, due = late[case.product.sku]
        days = (due - now) / timedelta(days=1) + case.terms.lead_sd
        yield from transfers(case, days, f"and purchase {purchase.id} is late: it comes")
    elif case.assumed_shares:
        return
    elif case.open:
        due = min(purchase.due_at for purchase in case.open)
        days = max(0.0, (due - now) / timedelta(days=1)) + case.terms.lead_sd
        yield from transfers(case, days, "and the next delivery comes")
    else:
        days = case.terms.lead_days + case.terms.lead_sd + case.terms.review_days
        yield from transfers(case, days, "and a delivery ordered today would come")


async def _purse(ctx: Context, cases: Sequence[Case]) -> buying.Purse | None:
    """Return the day's purse where the agent's settings give it a budget of money."""
    given = ctx.settings.get("budget")
    money = given.get("money") if isinstance(given, Mapping) else None
    if money is None or not cases:
        return None
    try:
        amount = Decimal(str(money))
    except InvalidOperation:
        raise InvalidInput("budget", f"{money!r} is no amount of money") from None
    bought = await ctx.store.purchases(status=None)
    return buying.purse(amount, bought, ctx.now, ctx.currency)
