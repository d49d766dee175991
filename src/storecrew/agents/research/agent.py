"""Researches demand and competitors once a day: feeds, searches in the shop, competitor pages."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

import numpy as np

from storecrew.agents.research import competitors
from storecrew.agents.research.ideas import OWN_SEARCH, ResearchCatalog, Text, ideas
from storecrew.agents.research.settings import ResearchSettings
from storecrew.domain.control.events import ClockTicked, RunRequested
from storecrew.domain.errors import StorecrewError
from storecrew.domain.ports.web import ObservedProduct
from storecrew.domain.shop.catalog import (
    CompetitorPage,
    ObservationRejected,
    Product,
    RecordCompetitorPrice,
    SuggestProduct,
    TrackCompetitorPage,
    WithdrawCompetitorPrice,
)
from storecrew.models.trends import rises
from storecrew.sdk import Context, Proposals, agent, every

_LINKS = 10
"""Links of the news that are followed in one run at most."""
_STALE_DAYS = 2
"""Days without a text after which nothing can be said to rise now."""
HISTORY_DAYS = 84
"""Days of searches and sales that the last ones are compared with: twelve weeks."""


@agent(
    name="product_research",
    schedule=every(days=1, offset=timedelta(hours=5)),
    allowed_actions=[
        SuggestProduct,
        TrackCompetitorPage,
        RecordCompetitorPrice,
        WithdrawCompetitorPrice,
    ],
    publishes=[ObservationRejected],
    settings=ResearchSettings,
    capabilities=["research"],
    tags=["daily"],
)
async def product_research(
    event: ClockTicked | RunRequested, ctx: Context[ResearchSettings]
) -> Proposals:
    """Suggest products whose demand rises, and record competitors' prices.

    Rivals' pages are read every day, products are suggested on Mondays: what rises does so for a
    week. A feed or page that cannot be read stops no other. A page that changed so much that its
    price may be another thing's is reported and moves nothing.
    """
    settings = ctx.settings
    is_due = isinstance(event, RunRequested) or event.due.weekday() == 0
    texts = [*await _searches(ctx), *await _news(ctx, settings.feeds)] if is_due else []
    watched = await ctx.store.competitor_pages()
    if not (texts or watched or settings.pages):
        return
    products = [product for product in await ctx.store.products() if product.price.amount > 0]
    if texts and _is_fresh(texts, ctx):
        known = [each.name for each in await ctx.store.product_suggestions()]
        catalogue = ResearchCatalog(products=products, rising=await _rising(ctx, settings))
        for idea in ideas(texts, catalogue, known, settings):
            yield idea
    async for news in _watched(ctx, watched[: settings.max_pages], products):
        yield news
    pages = [*settings.pages, *_linked(texts, products, ctx)]
    left = settings.max_pages - len(watched)
    async for found in _found(ctx, _fresh(pages, watched, left), products):
        yield found


def _linked(
    texts: Sequence[Text], products: Sequence[Product], ctx: Context[ResearchSettings]
) -> list[str]:
    """Return links of this week's news that name a product of ours: shops write such, too."""
    week = ctx.now.date().toordinal() - 7
    news = [(t.said, t.source) for t in texts if t.source.startswith("http") and t.day > week]
    return competitors.linked(news, products)[:_LINKS]


async def _watched(
    ctx: Context[ResearchSettings], watched: Sequence[CompetitorPage], products: Sequence[Product]
) -> Proposals:
    """Fetch today's competitor prices; an unreachable page yields nothing."""
    by_sku = {product.sku: product for product in products}
    known = [each for each in watched if each.sku in by_sku]
    prices = await ctx.store.competitor_prices([each.sku for each in known]) if known else ()
    last = {(seen.sku, seen.competitor): seen for seen in prices}
    for tracked in known:
        page, reached = await _page(ctx, tracked.url)
        if reached:
            before = last.get((tracked.sku, tracked.competitor))
            for each in competitors.news_of(tracked, page, by_sku[tracked.sku], before):
                yield each


def _is_fresh(texts: Sequence[Text], ctx: Context[ResearchSettings]) -> bool:
    """Tell whether anything was said lately: what rose last month is no news."""
    return max(text.day for text in texts) >= ctx.now.date().toordinal() - _STALE_DAYS


async def _searches(ctx: Context[ResearchSettings]) -> list[Text]:
    """Return what customers searched for; the same words of one customer count once a day."""
    acts = await ctx.store.customer_activity(ctx.now - timedelta(days=HISTORY_DAYS))
    found = {
        (act.customer, " ".join(act.text.lower().split()), act.at.date().toordinal())
        for act in acts
        if act.kind == "searched" and act.text.strip()
    }
    return [Text(said=text, day=day, source=OWN_SEARCH) for _, text, day in sorted(found)]


async def _news(ctx: Context[ResearchSettings], feeds: Sequence[str]) -> list[Text]:
    texts: list[Text] = []
    for url in feeds:
        try:
            items = await ctx.pages.feed(url)
        except StorecrewError:
            continue  # tomorrow it may be readable again
        first = ctx.now - timedelta(days=HISTORY_DAYS)
        texts += [
            Text(
                said=f"{item.title}. {item.text}",
                day=item.published.date().toordinal(),
                source=item.link or url,
            )
            for item in items
            if item.published is not None and first <= item.published <= ctx.now
        ]
    return texts


async def _rising(ctx: Context[ResearchSettings], settings: ResearchSettings) -> frozenset[str]:
    """Return the SKUs whose sales rose beyond chance."""
    last = ctx.now.date() - timedelta(days=1)
    sales = await ctx.store.daily_sales(last - timedelta(days=HISTORY_DAYS - 1), last)
    skus = sorted(sales.units)
    if not skus or sales.days < 3 * settings.recent_days:
        return frozenset()
    table = np.array([sales.units[sku] for sku in skus], dtype=np.float64)
    found = rises(table, recent=settings.recent_days)
    return frozenset(skus[n] for n in np.flatnonzero(found.rising))


async def _page(ctx: Context[ResearchSettings], url: str) -> tuple[ObservedProduct | None, bool]:
    """Return what the page shows, and whether it was reached at all."""
    try:
        return await ctx.pages.product(url), True
    except StorecrewError:
        return None, False


def _fresh(pages: Iterable[str], watched: Sequence[CompetitorPage], most: int) -> list[str]:
    known = {page.url for page in watched}
    return [url for url in dict.fromkeys(pages) if url not in known][: max(0, most)]


async def _found(
    ctx: Context[ResearchSettings], pages: Iterable[str], products: Sequence[Product]
) -> Proposals:
    """Propose to watch each page that surely sells a product of ours."""
    for url in pages:
        page, _ = await _page(ctx, url)
        if page is None or page.odd:
            continue
        product = competitors.same_product(page, products)
        if product is None:
            continue
        known = await ctx.store.competitor_pages()
        if any(each.url in (page.url, url) and each.sku == product.sku for each in known):
            continue
        if (proposal := competitors.watch(page, product, ctx.currency)) is not None:
            yield proposal
