"""Stock flow: every day, what will run out before a new order could arrive?"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta

from storecrew.agents.forecasting.settings import ForecastingSettings
from storecrew.domain.control.events import ClockTicked, RunRequested
from storecrew.domain.ports.models import DemandForecast, ReplenishmentQuery
from storecrew.domain.shop.catalog import Product
from storecrew.domain.shop.inventory import DEFAULT_WAREHOUSE, StockLevel, StockRanLow
from storecrew.domain.shop.promotions import Discount, DiscountCreated
from storecrew.models.promotion_forecast import outlook
from storecrew.sdk import Context, Proposals, agent, every

HISTORY_DAYS = 112
"""Days of sales looked at: the spread of demand is steady over about so long."""
UNKNOWN_LEAD_DAYS = 7.0
"""Lead time, in days, assumed for a product whose supplier is not known."""


@agent(
    name="inventory_forecasting",
    on=DiscountCreated,
    schedule=every(days=1, offset=timedelta(0)),
    publishes=[StockRanLow],
    settings=ForecastingSettings,
    capabilities=["forecasting", "stock"],
    tags=["daily"],
)
async def inventory_forecasting(
    event: ClockTicked | RunRequested | DiscountCreated, ctx: Context[ForecastingSettings]
) -> Proposals:
    """Forecast every stocked product's demand each day and report what runs low.

    Promotions count from the day they are planned: what they will sell more must be bought before.
    """
    skus = event.skus if isinstance(event, DiscountCreated) else None
    stocked = [product for product in await ctx.store.products() if product.stocked]
    forecasts = await _forecasts(event, ctx, {product.sku for product in stocked})
    products = [product for product in stocked if skus is None or product.sku in skus]
    shelf = _by_product(await ctx.store.stock(skus))
    on_order = {purchase.sku for purchase in await ctx.store.purchase_orders()}
    lead = await _leads(products, ctx)
    for product in products:
        forecast = forecasts.get(product.sku)
        if forecast is None or product.sku in on_order:
            continue  # nothing sells, or nothing more can be bought until the last order arrives
        terms = lead[product.sku]
        advice = ctx.models.replenishment_policy(forecast, terms)
        levels = shelf.get(product.sku, ())
        position = sum(level.available for level in levels)
        if advice.quantity(position) > 0:
            error = ctx.models.accuracy_of(product.sku).get("wape")
            yield StockRanLow(
                sku=product.sku,
                warehouse=_fullest(levels),
                position=position,
                reorder_point=advice.reorder_point,
                daily_demand=round(forecast.daily, 4),
                low=round(forecast.quantile(0.1, terms.lead_days), 2),
                high=round(forecast.quantile(0.9, terms.lead_days), 2),
                basis=forecast.basis,
                error=error if isinstance(error, float) else None,
            )


async def _forecasts(
    event: ClockTicked | RunRequested | DiscountCreated,
    ctx: Context[ForecastingSettings],
    stocked: Collection[str],
) -> Mapping[str, DemandForecast]:
    """Return the demand of all products that sold: their spreads lean on each other's."""
    today = ctx.now.date()
    sales = await ctx.store.daily_sales(
        today - timedelta(days=HISTORY_DAYS), today - timedelta(days=1)
    )
    planned = {each.code: each for each in await ctx.store.discounts(ending_after=ctx.now)}
    if isinstance(event, DiscountCreated) and event.code not in planned:
        planned[event.code] = Discount(  # told from outside; the shop keeps no such code
            code=event.code,
            percent=event.percent,
            skus=event.skus,
            starts_at=event.starts_at,
            ends_at=event.ends_at,
        )
    units = {sku: row for sku, row in sales.units.items() if sku in stocked}
    return outlook(ctx.models, units, now=ctx.now, discounts=planned.values())


async def _leads(
    products: Iterable[Product], ctx: Context[ForecastingSettings]
) -> Mapping[str, ReplenishmentQuery]:
    suppliers = {supplier.id: supplier for supplier in await ctx.store.suppliers()}
    terms = {}
    for product in products:
        supplier = suppliers.get(product.supplier or "")
        terms[product.sku] = ReplenishmentQuery(
            lead_days=supplier.lead_time_days if supplier else UNKNOWN_LEAD_DAYS,
            lead_sd=supplier.lead_time_sd if supplier else 0.0,
            service=ctx.settings.service,
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
