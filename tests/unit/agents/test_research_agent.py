"""What people begin to ask for is suggested once; rivals' pages are believed only when sure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sample_values import eur, product, view

from storecrew.agents.research import product_research
from storecrew.domain.control.events import ClockTicked
from storecrew.domain.control.proposals import Proposal
from storecrew.domain.errors import InvalidInput, InvalidSettings, Retryable
from storecrew.domain.events import Event
from storecrew.domain.ports.web import FeedItem, ObservedProduct
from storecrew.domain.shop.catalog import (
    CompetitorPage,
    CompetitorPrice,
    ObservationRejected,
    ProductSuggestion,
    RecordCompetitorPrice,
    SuggestProduct,
    TrackCompetitorPage,
    WithdrawCompetitorPrice,
)
from storecrew.domain.shop.customers import CustomerActivity
from storecrew.testing.fake_store import FakeStore
from storecrew.testing.run_agent import NOON, run_agent

MONDAY = ClockTicked(agent="product_research", due=NOON)
TUESDAY = ClockTicked(agent="product_research", due=NOON + timedelta(days=1))
WORDS = ("roof", "box", "tow", "mat", "chain", "lamp", "seat")
FEED = "https://news.example/feed"
MUG = "https://rival.example/mug"


@dataclass
class FakePages:
    """Feeds and pages as they are given; what is not there cannot be reached."""

    feeds: Mapping[str, Sequence[FeedItem]] = field(default_factory=dict)
    products: Mapping[str, ObservedProduct | None] = field(default_factory=dict)

    async def feed(self, url: str) -> Sequence[FeedItem]:
        if url not in self.feeds:
            raise Retryable(f"{url} is away")
        return self.feeds[url]

    async def product(self, url: str) -> ObservedProduct | None:
        if url not in self.products:
            raise InvalidInput("url", "404")
        return self.products[url]


def item(title: str, days_ago: float, n: int = 0) -> FeedItem:
    return FeedItem(
        title=title,
        link=f"https://news.example/{abs(hash((title, n)))}",
        published=NOON - timedelta(days=days_ago, hours=1),
    )


def news() -> list[FeedItem]:
    """Return eight weeks of chatter, and a week in which snow chains rise."""
    chatter = [
        item(f"Council {day} meets about road {n} and budget plan {day * n}", day, n)
        for day in range(1, 56)
        for n in range(3)
    ]
    return chatter + [
        item(title, n % 6, n)
        for n, title in enumerate(
            [
                "Storm ahead: drivers want snow chains",
                "Snow chains are sold out",
                "Where to find snow chains before Friday",
                "A test of ten snow chains",
                "Police check for snow chains",
                "Snow chains: who needs them",
                "No pass without snow chains",
                "Farmers lend snow chains",
                "How snow chains are put on",
            ]
        )
    ]


def seen(price: str | None = "89.00", **more: object) -> ObservedProduct:
    given: dict[str, object] = {
        "url": MUG,
        "name": "Roof Box",
        "price": Decimal(price) if price else None,
        "currency": "EUR",
        "available": True,
        "confidence": 0.95,
    }
    return ObservedProduct(**(given | more))  # type: ignore[arg-type]


async def found(store: FakeStore, web: FakePages, **settings: object) -> list[Proposal | Event]:
    return await run_agent(product_research, MONDAY, store, pages=web, settings=settings)


def actions(said: Sequence[Proposal | Event]) -> list[object]:
    return [each.action for each in said if isinstance(each, Proposal)]


async def test_r120_research_suggests_what_rises_in_feeds_and_is_not_sold_yet() -> None:
    pages = FakePages(feeds={FEED: news()})
    (proposal,) = [
        p
        for p in await found(view(), pages, feeds=["https://away.example", FEED])
        if isinstance(p, Proposal)
    ]
    idea = proposal.action
    assert isinstance(idea, SuggestProduct)
    assert "Snow Chains" in idea.name
    assert idea.source.startswith("https://news.example/")
    growth = proposal.evidence["growth_at_least"]
    assert isinstance(growth, float)
    assert growth >= 1.5
    assert proposal.evidence["false_alarm_rate"] <= 0.1  # type: ignore[operator]
    sources = proposal.evidence["sources"]
    assert isinstance(sources, list)
    assert all("snow chains" in row["text"].lower() for row in sources)
    assert idea.reason == proposal.reason


async def test_nothing_is_suggested_twice_or_that_is_sold_already() -> None:
    pages = FakePages(feeds={FEED: news()})
    (first,) = actions(await found(view(), pages, feeds=[FEED]))
    assert isinstance(first, SuggestProduct)
    known = ProductSuggestion(name=first.name, reason="", source="", suggested_at=NOON)
    assert actions(await found(view(suggestion_list=[known]), pages, feeds=[FEED])) == []
    sold = view(product_list=[product(), product("P2", name=f"{first.name} Basic")])
    assert actions(await found(sold, pages, feeds=[FEED])) == []


async def test_suggestions_come_on_mondays_and_old_news_is_none() -> None:
    pages = FakePages(feeds={FEED: news()})
    settings = {"feeds": [FEED]}
    other = await run_agent(product_research, TUESDAY, view(), pages=pages, settings=settings)
    assert other == []
    later = NOON + timedelta(days=14)
    tick = ClockTicked(agent="product_research", due=later)
    late = await run_agent(
        product_research, tick, view(), pages=pages, settings=settings, now=later
    )
    assert late == []


async def test_what_customers_search_for_is_suggested_without_any_feed() -> None:
    usual = [
        CustomerActivity(
            customer=f"C{n}",
            kind="searched",
            text=f"{WORDS[n % 7]} {WORDS[(n + day) % 5]}",
            at=NOON - timedelta(days=day),
        )
        for day in range(1, 56)
        for n in range(4)
    ]
    fresh = [
        CustomerActivity(
            customer=f"D{n}", kind="searched", text="bike rack", at=NOON - timedelta(days=n % 6)
        )
        for n in range(12)
    ]
    (proposal,) = await found(view(act_list=[*usual, *fresh]), FakePages())
    assert isinstance(proposal, Proposal)
    assert isinstance(proposal.action, SuggestProduct)
    assert proposal.action.name == "Bike Rack"
    assert proposal.action.source == "our own search"
    assert proposal.evidence["sources"][0]["text"] == "bike rack"  # type: ignore[index]


async def test_a_page_that_surely_sells_our_product_is_proposed_to_be_watched_once() -> None:
    pages = FakePages(products={MUG: seen()})
    (proposal,) = await found(view(), pages, pages=["https://gone.example/x", MUG])
    assert isinstance(proposal, Proposal)
    assert proposal.action == TrackCompetitorPage(sku="P1", competitor="rival.example", url=MUG)
    assert proposal.evidence["price_there"] == "89.00 EUR"
    watched = [CompetitorPage(sku="P1", competitor="rival.example", url=MUG)]
    known = CompetitorPrice(sku="P1", competitor="rival.example", price=eur(89), seen_at=NOON)
    store = view(watched=watched, competitor_price_list=[known])
    assert await found(store, pages, pages=[MUG]) == []


@pytest.mark.parametrize(
    "page",
    [
        seen(name="Ski Box"), seen(name="Roof Box Deluxe XXL"), seen(None), seen("2.00"),
        seen("900"), seen(currency="USD"), seen(currency=None), seen(confidence=0.6),
        seen(doubts=("several offers",)), seen(odd="the price stands elsewhere"), None,
        seen(available=False), seen(condition="used"), seen(condition="refurbished"),
    ],
    ids=repr,
)  # fmt: skip
async def test_a_page_that_is_not_sure_is_not_proposed(page: ObservedProduct | None) -> None:
    assert await found(view(), FakePages(products={MUG: page}), pages=[MUG]) == []


async def test_two_products_of_one_name_are_not_guessed_between() -> None:
    store = view(product_list=[product(), product("P2")])
    assert await found(store, FakePages(products={MUG: seen()}), pages=[MUG]) == []
    by_sku = view(product_list=[product("BOX-4711"), product("P2")])
    pages = FakePages(products={MUG: seen(sku="box-4711", name="Dachbox")})
    (watch,) = actions(await found(by_sku, pages, pages=[MUG]))
    assert isinstance(watch, TrackCompetitorPage)
    assert watch.sku == "BOX-4711"


async def test_a_link_of_the_news_that_surely_sells_our_product_is_proposed() -> None:
    offer = FeedItem(
        title="New in our shop: the Roof Box", link=MUG, published=NOON - timedelta(days=2)
    )
    other = FeedItem(
        title="A box fell off a roof rack", link="https://news.example/x", published=NOON
    )
    old = FeedItem(
        title="The Roof Box is here", link="https://old.example", published=NOON - timedelta(days=9)
    )
    pages = FakePages(feeds={FEED: [offer, other, old]}, products={MUG: seen()})
    (watch,) = actions(await found(view(), pages, feeds=[FEED]))
    assert watch == TrackCompetitorPage(sku="P1", competitor="rival.example", url=MUG)


WATCHED = CompetitorPage(sku="P1", competitor="rival.example", url=MUG)


async def test_a_watched_page_tells_a_new_price_once() -> None:
    pages = FakePages(products={MUG: seen("85.5")})
    store = view(
        watched=[WATCHED, CompetitorPage(sku="P1", competitor="away", url="https://away/x")]
    )
    (proposal,) = await run_agent(product_research, TUESDAY, store, pages=pages)
    assert isinstance(proposal, Proposal)
    assert proposal.action == RecordCompetitorPrice(
        sku="P1", competitor="rival.example", price=eur("85.50")
    )
    store.competitor_price_list.append(
        CompetitorPrice(sku="P1", competitor="rival.example", price=eur("85.50"), seen_at=NOON)
    )
    assert await run_agent(product_research, TUESDAY, store, pages=pages) == []


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (seen(odd="the price stands elsewhere: json-ld before, meta now"), "stands elsewhere"),
        (seen(currency="USD"), "no price in EUR"),
        (seen(None), "the price is gone"),
        (seen(doubts=("opengraph says 3",)), "opengraph says 3"),
        (None, "no product"),
    ],
    ids=repr,
)
async def test_what_is_odd_on_a_watched_page_is_reported_and_moves_nothing(
    page: ObservedProduct | None, reason: str
) -> None:
    pages = FakePages(products={MUG: page})
    (event,) = await run_agent(product_research, TUESDAY, view(watched=[WATCHED]), pages=pages)
    assert isinstance(event, ObservationRejected)
    assert reason in event.reason
    assert event.sku == "P1"


async def test_nothing_is_read_of_a_product_that_is_no_longer_ours() -> None:
    gone = replace(WATCHED, sku="gone")
    assert await run_agent(product_research, TUESDAY, view(watched=[gone]), pages=FakePages()) == []
    assert await run_agent(product_research, MONDAY, FakeStore()) == []


@pytest.mark.parametrize(
    "wrong", [{"feeds": FEED}, {"max_suggestions": "few"}, {"recent_days": 0}, {"min_growth": 0.5}]
)
async def test_settings_that_are_none_are_refused(wrong: Mapping[str, object]) -> None:
    with pytest.raises(InvalidSettings, match=next(iter(wrong))):
        await found(view(), FakePages(), **wrong)


LAST = CompetitorPrice(sku="P1", competitor="rival.example", price=eur(89), seen_at=NOON)


async def test_a_price_at_which_nothing_is_left_is_withdrawn_and_not_recorded() -> None:
    pages = FakePages(products={MUG: seen("49.00", available=False)})
    store = view(watched=[WATCHED], competitor_price_list=[LAST])
    (proposal,) = await run_agent(product_research, TUESDAY, store, pages=pages)
    assert isinstance(proposal, Proposal)
    assert proposal.action == WithdrawCompetitorPrice(
        sku="P1", competitor="rival.example", reason="sold out there"
    )
    assert await run_agent(product_research, TUESDAY, view(watched=[WATCHED]), pages=pages) == []


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (seen("49.00", condition="used"), "the goods there are used"),
        (seen("49.00", condition="refurbished"), "the goods there are refurbished"),
        (seen("49.00", doubts=("a price without taxes",)), "a price without taxes"),
        (seen("49.00", confidence=0.3), "its price is only 30% sure"),
        (seen("49.00", odd="another product: x"), "another product: x"),
    ],
)
async def test_what_is_doubtful_about_a_watched_page_moves_nothing(
    page: ObservedProduct, reason: str
) -> None:
    store = view(watched=[WATCHED], competitor_price_list=[LAST])
    (told,) = await run_agent(
        product_research, TUESDAY, store, pages=FakePages(products={MUG: page})
    )
    assert isinstance(told, ObservationRejected)
    assert told.reason == reason
