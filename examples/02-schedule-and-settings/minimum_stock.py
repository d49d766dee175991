"""An agent on a schedule with a setting of its own: it keeps a minimum of every product."""

from storecrew import (
    AgentSettings,
    ClockTicked,
    Context,
    CreatePurchaseOrder,
    Proposal,
    Proposals,
    RunRequested,
    agent,
    every,
)


class MinimumStockSettings(AgentSettings):
    """What the owner can set under `agents.minimum_stock`."""

    minimum: int = 10
    """Units of each product that the shop keeps at least."""


@agent(
    schedule=every(hours=6),
    allowed_actions=[CreatePurchaseOrder],
    capabilities=["purchasing"],
    settings=MinimumStockSettings,
)
async def minimum_stock(
    event: ClockTicked | RunRequested, ctx: Context[MinimumStockSettings]
) -> Proposals:
    """Buy what is missing to the minimum number of units of each product."""
    minimum = ctx.settings.minimum
    for level in await ctx.store.stock():
        if level.available < minimum:
            yield Proposal(
                action=CreatePurchaseOrder(
                    sku=level.sku, quantity=minimum - level.available, warehouse=level.warehouse
                ),
                reason=f"{level.available} units are left; the minimum is {minimum}.",
                evidence={"available": level.available, "minimum": minimum},
            )
