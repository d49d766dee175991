"""Stock flow: what ran low is bought once, what lies in the wrong place is moved."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from storecrew.agents.inventory import purchasing, snapshot
from storecrew.agents.inventory.settings import InventorySettings
from storecrew.agents.inventory.snapshot import ProductSituation
from storecrew.agents.inventory.transfers import transfers
from storecrew.domain.control.events import ClockTicked, RunRequested
from storecrew.domain.events import Event
from storecrew.domain.shop.inventory import StockRanLow, TransferStock
from storecrew.domain.shop.purchasing import (
    CreatePurchaseOrder,
    PurchaseOrder,
    PurchaseOrderDelayed,
)
from storecrew.sdk import Context, Proposal, Proposals, agent, every

_OVERDUE = timedelta(days=1)
"""After a purchase's day has passed by so much, it counts as late although nobody said so."""


@agent(
    on=[StockRanLow, PurchaseOrderDelayed],
    schedule=every(days=1, offset=timedelta(hours=6)),
    allowed_actions=[CreatePurchaseOrder, TransferStock],
    batch=10_000,
    batch_window=timedelta(seconds=2),
    settings=InventorySettings,
    capabilities=["stock"],
    tags=["daily"],
)
async def inventory(events: Sequence[Event], ctx: Context[InventorySettings]) -> Proposals:
    """Buy what runs low up to the level that lasts until the next delivery, in whole packs.

    That comes first whose delay would lose most for its cost, so that a budget goes where it earns
    most; what brings less than an order costs to handle is left for later. Stock is
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
    cases = await snapshot.load_snapshot(ctx, skus)
    for case in cases:
        for proposal in _moves(case, late, ctx.now):
            yield proposal
    bought = [case for case in cases if case.product.sku in low and not case.open]
    money = await _purchase_budget(ctx, bought)
    places = {sku: event.warehouse for sku, event in low.items()}
    handling_cost = ctx.settings.handling_cost
    candidates = purchasing.purchase_candidates(bought, places, handling_cost)
    for candidate in purchasing.within(candidates, money):
        yield purchasing.purchase(candidate, money)
    for case in cases:
        if case.product.sku in late:
            purchase, due = late[case.product.sku]
            if (extra := purchasing.replacement(case, purchase, due, ctx.now)) is not None:
                yield extra


async def _late(
    events: Sequence[Event], ctx: Context[InventorySettings], *, overdue: bool
) -> Mapping[str, tuple[PurchaseOrder, datetime]]:
    """Return per product the late purchase and when it should come now."""
    announced = {
        event.purchase_id: event.due_at
        for event in events
        if isinstance(event, PurchaseOrderDelayed)
    }
    if not announced and not overdue:
        return {}
    found: dict[str, tuple[PurchaseOrder, datetime]] = {}
    suppliers = {each.id: each for each in await ctx.store.suppliers()} if overdue else {}
    for purchase in await ctx.store.purchase_orders():
        if purchase.id in announced:
            found[purchase.sku] = (purchase, max(announced[purchase.id], purchase.due_at))
        elif overdue and purchase.due_at + _OVERDUE <= ctx.now:
            supplier = suppliers.get(purchase.supplier)
            spread = max(1.0, supplier.lead_time_sd if supplier else 1.0)
            found[purchase.sku] = (purchase, ctx.now + timedelta(days=spread))
    return found


async def _in_several_places(ctx: Context[InventorySettings]) -> set[str]:
    levels = snapshot.by_product(await ctx.store.stock())
    return {sku for sku, here in levels.items() if len(here) > 1}


def _moves(
    case: ProductSituation, late: Mapping[str, tuple[PurchaseOrder, datetime]], now: datetime
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


async def _purchase_budget(
    ctx: Context[InventorySettings], cases: Sequence[ProductSituation]
) -> purchasing.PurchaseBudget | None:
    """Return the day's purchase budget, None where the agent has no budget of money."""
    if ctx.budget.money is None or not cases:
        return None
    bought = await ctx.store.purchase_orders(status=None)
    return purchasing.purchase_budget(ctx.budget.money.amount, bought, ctx.now, ctx.currency)
