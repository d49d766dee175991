"""Stock flow: every day, what will run out before a new order could arrive?"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from storecrew.domain.advice import StockQuestion
from storecrew.domain.commerce import DEFAULT_WAREHOUSE, Product, StockLevel
from storecrew.domain.events import ClockTicked, RunRequested, StockRanLow
from storecrew.sdk import Context, Proposals, agent, every

HISTORY_DAYS = 112
"""Days of sales looked at: the spread of demand is steady over about so long."""
SERVICE = 0.97
"""Wanted chance of not running out before a delivery: where a unit earns nearly its cost and
holding it costs a fifth of that a year, a lost sale weighs a hundred times a unit kept too long;
a little less, as goods also go out of fashion."""
UNKNOWN_LEAD_DAYS = 7.0
"""Lead time, in days, assumed for a product whose supplier is not known."""


@agent(
    name="inventory_forecasting",
    schedule=every(days=1),
    capabilities=["forecasting", "stock"],
    tags=["daily"],
)
async def inventory_forecasting(_event: ClockTicked | RunRequested, ctx: Context) -> Proposals:
    """Forecast every stocked product's demand each day and report what runs low."""
    products = [product for product in await ctx.store.products() if product.stocked]
    today = ctx.now.date()
    sales = await ctx.store.daily_sales(
        today - timedelta(days=HISTORY_DAYS), today - timedelta(days=1)
    )
    forecasts = ctx.models.demands(
        {p.sku: sales.units[p.sku] for p in products if p.sku in sales.units}
    )
    shelf = _by_product(await ctx.store.stock())
    on_order = {purchase.sku for purchase in await ctx.store.purchases()}
    lead = await _leads(products, ctx)
    for product in products:
        forecast = forecasts.get(product.sku)
        if forecast is None or product.sku in on_order:
            continue  # nothing sells, or nothing more can be bought until the last order arrives
        advice = ctx.models.stocking(forecast, lead[product.sku])
        levels = shelf.get(product.sku, ())
        position = sum(level.available for level in levels)
        if advice.quantity(position) > 0:
            yield StockRanLow(
                sku=product.sku,
                warehouse=_fullest(levels),
                position=position,
                reorder_point=advice.reorder_point,
                daily_demand=round(forecast.daily, 4),
            )


async def _leads(products: Iterable[Product], ctx: Context) -> Mapping[str, StockQuestion]:
    suppliers = {supplier.id: supplier for supplier in await ctx.store.suppliers()}
    service = float(ctx.settings.get("service", SERVICE))
    terms = {}
    for product in products:
        supplier = suppliers.get(product.supplier or "")
        terms[product.sku] = StockQuestion(
            lead_days=supplier.lead_time_days if supplier else UNKNOWN_LEAD_DAYS,
            lead_sd=supplier.lead_time_sd if supplier else 0.0,
            service=service,
            pack_size=max(1, product.pack_size),
        )
    return terms


def _by_product(levels: Sequence[StockLevel]) -> Mapping[str, Sequence[StockLevel]]:
    found: dict[str, list[StockLevel]] = {}
    for level in levels:
        found.setdefault(level.sku, []).append(level)
    return found


def _fullest(levels: Sequence[StockLevel]) -> str:
    """Return the warehouse that holds most of the product, where a delivery belongs."""
    if not levels:
        return DEFAULT_WAREHOUSE
    return max(levels, key=lambda level: (level.on_hand, level.warehouse)).warehouse
