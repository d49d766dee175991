"""Stock flow: what a warehouse counted becomes the level on the books."""

from collections import Counter
from collections.abc import Sequence

from storecrew.domain.errors import InvalidInput
from storecrew.domain.shop.catalog import ObservationRejected, ProductIndex
from storecrew.domain.shop.inventory import DEFAULT_WAREHOUSE, SetStock, StockCount, StockReported
from storecrew.domain.shop.orders import parse_stock
from storecrew.sdk import Context, Proposal, Proposals, agent

_QUOTED = 200
"""Characters of an unreadable report that are repeated to the owner."""


@agent(
    on=StockReported,
    allowed_actions=[SetStock],
    publishes=[ObservationRejected],
    batch=100,
    priority=15,
    capabilities=["stock"],
    tags=["flow"],
)
async def warehouse(events: Sequence[StockReported], ctx: Context) -> Proposals:
    """Book reported stock levels (`Name:quantity units, …`), all of a report or none."""
    reports = [event for event in events if isinstance(event, StockReported)]
    names = ProductIndex(await ctx.store.products()) if reports else ProductIndex(())
    for event in reports:
        try:
            levels = _levels(event.stock, names)
        except InvalidInput as error:
            yield ObservationRejected(
                sku="", what="stock report", value=event.stock[:_QUOTED], reason=str(error)
            )
            continue
        before = {
            level.sku: level.on_hand
            for level in await ctx.store.stock([level.sku for level in levels])
            if level.warehouse == DEFAULT_WAREHOUSE
        }
        yield Proposal(
            action=SetStock(levels=levels, reason="reported"),
            reason="The warehouse reported its levels.",
            evidence={
                "products": len(levels),
                "units": sum(level.on_hand for level in levels),
                "difference": sum(level.on_hand - before.get(level.sku, 0) for level in levels),
            },
        )


def _levels(text: str, names: ProductIndex) -> tuple[StockCount, ...]:
    found = names.find_all(parse_stock(text))
    twice = [sku for sku, times in Counter(p.sku for p, _ in found).items() if times > 1]
    if twice:
        raise InvalidInput("stock", f"{twice[0]!r} is reported twice")
    return tuple(StockCount(sku=product.sku, on_hand=quantity) for product, quantity in found)
