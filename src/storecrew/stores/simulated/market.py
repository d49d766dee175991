"""The world around the simulated shop: buyers, competitors and suppliers, hour by hour.

It touches the books only as anybody could, through the store port, under keys of its own.
"""

import heapq
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from storecrew.domain.actions import Action, Command
from storecrew.domain.codec import decode
from storecrew.domain.control.events import EventEnvelope
from storecrew.domain.events import Event
from storecrew.domain.money import Money
from storecrew.domain.ports.store import Store
from storecrew.domain.shop.catalog import CostChanged, PriceChanged, RecordCompetitorPrice, SetCost
from storecrew.domain.shop.customers import SetConsent, SubscribeBackInStock
from storecrew.domain.shop.messages import MailReceived, MessageQueued
from storecrew.domain.shop.orders import Line, Lines, OrderPlaced, PlaceOrder
from storecrew.domain.shop.payments import PaymentFailed
from storecrew.domain.shop.promotions import CampaignStarted
from storecrew.stores.simulated.catalog import SimulatedProduct
from storecrew.stores.simulated.competitors import Competitors, new_costs
from storecrew.stores.simulated.demand import Shopper, response, shoppers, wants
from storecrew.stores.simulated.disruptions import Fraud, fraud
from storecrew.stores.simulated.follow_ups import FollowUps
from storecrew.stores.simulated.promotions import Storefront, reader, returns_for
from storecrew.stores.simulated.tally import OrderRecord, Tally

ACTOR = "market"
_PAGE = 500
_SUBSCRIBES_ONE_IN = 7
"""One in so many who find the shelf empty asks to be told when it is filled."""


@dataclass(frozen=True)
class _ShoppingList:
    """What a shopper would put in the basket, and what of it is on the shelf."""

    shopper: Shopper
    lines: tuple[Line, ...]


@dataclass
class Market:
    """One seeded market around one set of books."""

    books: Store
    seed: int
    articles: Sequence[SimulatedProduct]
    customers: int
    currency: str
    tally: Tally = field(default_factory=Tally)
    prices: dict[str, int] = field(default_factory=dict[str, int])
    """Present prices in minor units, as the shop's window shows them."""
    costs: dict[str, int] = field(default_factory=dict[str, int])
    _position: int = 0
    _day: date | None = None
    _crowd: deque[Shopper] = field(default_factory=deque[Shopper])
    _shopping_lists: dict[str, _ShoppingList] = field(default_factory=dict[str, _ShoppingList])
    """Orders on their way onto the books, by key."""
    _mails: dict[str, deque[_ShoppingList]] = field(default_factory=dict[str, deque[_ShoppingList]])
    """Orders that were written and not yet placed, by customer."""
    window: Storefront = field(default_factory=Storefront)
    _invited: list[tuple[datetime, str, Shopper]] = field(
        default_factory=list[tuple[datetime, str, Shopper]]
    )
    """Who comes because of a message, by time."""
    _told: list[tuple[str, Action]] = field(default_factory=list[tuple[str, Action]])
    """What customers do in answer to messages, to be applied next."""
    _frauds: list[Fraud] = field(default_factory=list[Fraud])
    """Fraudulent orders of the day that are yet to come."""

    def __post_init__(self) -> None:
        """Set up who watches what."""
        self.rivals = Competitors(self.seed, self.articles)
        self.rivals.open()
        self.follow_ups = FollowUps(self.seed, self.tally)
        self._by_sku = {article.sku: article for article in self.articles}

    async def open(self) -> None:
        """Look at the shop's window, and at what is on the books already."""
        for product in await self.books.products():
            self.prices[product.sku] = product.price.minor
            self.costs[product.sku] = product.cost.minor if product.cost else 0
        await self.hear()

    async def pass_time(self, now: datetime) -> list[EventEnvelope]:
        """Do everything that people outside do up to now, and return what is heard of them."""
        await self.hear()
        actions, self._told = self._told, []
        if now.date() != self._day:
            actions += await self._new_day(now)
        actions += self._frauds_due(now)
        news = self._due(now, actions)
        await self._apply(actions)
        return news + await self._sell(now)

    def _frauds_due(self, now: datetime) -> list[tuple[str, Action]]:
        """Return the orders of those who pay with other people's cards."""
        due = [each for each in self._frauds if each.at <= now]
        self._frauds = [each for each in self._frauds if each.at > now]
        return [
            (
                f"fraud/{each.name}",
                PlaceOrder(lines=(Line(sku=each.sku, quantity=each.quantity),), customer=each.name),
            )
            for each in due
        ]

    async def hear(self) -> None:
        """Take note of what happened on the books since last time."""
        more = True
        while more:
            page = await self.books.outbox(self._position, limit=_PAGE)
            for self._position, published in page:
                await self._note(published.event, published.at)
            more = len(page) == _PAGE

    async def _note(self, event: Event, at: datetime) -> None:
        if self.window.note(event):
            return
        if isinstance(event, PriceChanged):
            self.prices[event.sku] = event.price.minor
        elif isinstance(event, CostChanged):
            self.costs[event.sku] = event.cost.minor
        elif isinstance(event, OrderPlaced):
            await self._placed(event, at)
        elif isinstance(event, CampaignStarted):
            await self._campaign(event, at)
        else:
            if isinstance(event, MessageQueued) and event.topic.startswith("back:"):
                self._invite_back(event, at)
            self.follow_ups.note(event, at)

    async def _placed(self, event: OrderPlaced, at: datetime) -> None:
        """Keep account of an order, and let its customer wait for the answer."""
        if event.order_id not in self.tally.orders:
            written = self._mails.get(event.customer or "")
            if written:
                shopper = written.popleft().shopper
                self.follow_ups.manners[event.order_id] = shopper.manners
                self.follow_ups.names[event.order_id] = shopper.id
            lines = (await self.books.order(event.order_id)).lines
            cost = sum(line.quantity * self.costs.get(line.sku, 0) for line in lines)
            self.tally.orders[event.order_id] = OrderRecord(at, event.total.minor, cost)
        if (event.customer or "").startswith("X"):
            self.follow_ups.frauds.add(event.order_id)
        self.follow_ups.placed(event.order_id, at, event.customer)

    async def _campaign(self, event: CampaignStarted, at: datetime) -> None:
        """Let the recipients of a campaign read their mail."""
        named = {each.name: each for each in await self.books.campaigns()}
        campaign = named[event.campaign]
        sales = [s for s in self.window.sales.values() if s.code in campaign.title + campaign.body]
        about = [self._by_sku[sku] for sale in sales for sku in sorted(sale.skus)]
        for sale in sales:
            numbers = {int(customer[1:]) for customer in campaign.recipients}
            self.window.told.setdefault(sale.code, set()).update(numbers)
        for customer in campaign.recipients:
            number, offers = int(customer[1:]), about or self.articles
            answer = reader(self.seed, event.campaign, number, offers, bool(sales), at)
            if answer.opts_out:
                self._told.append((f"opt-out/{event.campaign}/{customer}",
                                   SetConsent(customer=customer, marketing=False)))  # fmt: skip
            if answer.buys is not None:
                self._invite(answer.buys)

    def _invite_back(self, event: MessageQueued, at: datetime) -> None:
        article = self._by_sku.get(event.topic.split(":")[1])
        if article is None:
            return
        found = returns_for(self.seed, article, int(event.customer[1:]), at)
        if found is not None:
            self._invite(found)

    def _invite(self, shopper: Shopper) -> None:
        heapq.heappush(self._invited, (shopper.at, shopper.id, shopper))

    async def _new_day(self, now: datetime) -> list[tuple[str, Action]]:
        """Draw the day's crowd, move other people's prices, charge yesterday's stock."""
        first, self._day = self._day is None, now.date()
        crowd = shoppers(self.articles, self.seed, self._day, self.customers)
        self._crowd.extend(each for each in crowd if not first or each.at > now)
        if (odd := fraud(self.seed, self._day, self.articles)) is not None:
            self._frauds.append(odd)
        levels: dict[str, int] = {}
        for level in await self.books.stock():
            levels[level.sku] = levels.get(level.sku, 0) + level.on_hand
        self.tally.hold(now, levels, self.costs)
        day = self._day.isoformat()
        found: list[tuple[str, Action]] = [
            (
                f"rival/{day}/{sku}/{rival}",
                RecordCompetitorPrice(sku=sku, competitor=rival, price=self.money(tag)),
            )
            for sku, rival, tag in self.rivals.reprice(self._day)
        ]
        changed = new_costs(self.seed, self._day, self.articles, self.costs)
        return found + [
            (f"cost/{day}/{sku}", SetCost(sku=sku, cost=self.money(cost))) for sku, cost in changed
        ]

    def money(self, minor: int) -> Money:
        """Return an amount in the shop's currency."""
        return Money.from_minor(minor, self.currency)

    def _due(self, now: datetime, actions: list[tuple[str, Action]]) -> list[EventEnvelope]:
        """Add what is due to the actions; return what is heard from outside the books."""
        news: list[EventEnvelope] = []
        for due in self.follow_ups.until(now):
            key = f"{due.what}/{due.number}"
            events = self.follow_ups.happen(due)
            if isinstance(events, PaymentFailed):
                key = f"{key}/{due.at.isoformat()}"
            if isinstance(events, Action):
                actions.append((key, events))
            elif events is not None:
                news.append(self._published(key, events, now))
        return news

    async def _sell(self, now: datetime) -> list[EventEnvelope]:
        """Let everybody who came by now buy what they want and find."""
        came = [
            _ShoppingList(shopper, basket)
            for shopper in self._visitors(now)
            if (basket := self._basket(shopper))
        ]
        if not came:
            return []
        shelf = await self._shelf({line.sku for shopping in came for line in shopping.lines})
        orders: list[tuple[str, Action]] = []
        news: list[EventEnvelope] = []
        for shopping in came:
            key = f"order/{shopping.shopper.id}"
            if shopping.shopper.writes:
                news.append(self._write(key, shopping, now))
            elif lines := self._take(shelf, shopping, now):
                customer = f"C{shopping.shopper.customer:04d}"
                self._shopping_lists[key] = _ShoppingList(shopping.shopper, lines)
                orders.append((key, self._order(lines, customer, shopping.shopper)))
            else:
                orders += self._subscribe_back_in_stock(shopping)
        await self._apply(orders)
        return news

    def _visitors(self, now: datetime) -> Iterator[Shopper]:
        """Yield who comes by up to now: the day's crowd, then who was written to."""
        while self._crowd and self._crowd[0].at <= now:
            yield self._crowd.popleft()
        while self._invited and self._invited[0][0] <= now:
            yield heapq.heappop(self._invited)[2]

    def _order(self, lines: tuple[Line, ...], customer: str, shopper: Shopper) -> PlaceOrder:
        """Return the order, at the price of a bundle or else of the best discount known."""
        who, at = shopper.customer, shopper.at
        if bundle := self.window.bundle(lines):
            return PlaceOrder(lines=lines, customer=customer, bundle=bundle)
        sales = [
            sale for line in lines if (sale := self.window.sale(line.sku, at, who)) is not None
        ]
        best = max(sales, key=lambda sale: (sale.share, sale.code), default=None)
        return PlaceOrder(lines=lines, customer=customer, code=best.code if best else "")

    def _subscribe_back_in_stock(self, shopping: _ShoppingList) -> list[tuple[str, Action]]:
        """Let one in seven who found the product sold out subscribe to its return."""
        shopper = shopping.shopper
        if shopper.number % _SUBSCRIBES_ONE_IN:
            return []
        customer = f"C{shopper.customer:04d}"
        return [(f"wish/{shopper.id}", SubscribeBackInStock(customer=customer, sku=shopper.sku))]

    def _basket(self, shopper: Shopper) -> tuple[Line, ...]:
        """Return what the shopper wants at today's prices."""
        if not self._wanted_sku(shopper.sku, shopper.reserve, shopper):
            return ()
        lines = [Line(sku=shopper.sku, quantity=shopper.quantity)]
        second = shopper.second
        if second is None:
            second = self.window.addition(shopper, self._by_sku[shopper.sku].companions)
        if second and self._wanted_sku(second, shopper.second_reserve * 0.5, shopper):
            lines.append(Line(sku=second, quantity=1))
        return Lines.merge_lines(lines).items

    def _wanted_sku(self, sku: str, reserve: float, shopper: Shopper) -> bool:
        article, price = self._by_sku[sku], self.prices[sku]
        if (sale := self.window.sale(sku, shopper.at, shopper.customer)) is not None:
            price = round(price * (1 - sale.share))
        return wants(response(article, price, self.rivals.beside(sku)), reserve)

    async def _shelf(self, skus: set[str]) -> dict[str, int]:
        shelf: dict[str, int] = {}
        for level in await self.books.stock(skus):
            shelf[level.sku] = shelf.get(level.sku, 0) + level.available
        return shelf

    def _take(
        self, shelf: dict[str, int], shopping: _ShoppingList, now: datetime
    ) -> tuple[Line, ...]:
        """Take what is there; what is not is a lost sale."""
        lines: list[Line] = []
        for line in shopping.lines:
            there = min(line.quantity, max(0, shelf.get(line.sku, 0)))
            shelf[line.sku] = shelf.get(line.sku, 0) - there
            self.tally.lose(now, (line.quantity - there) * self.prices[line.sku])
            if there:
                lines.append(Line(sku=line.sku, quantity=there))
        return tuple(lines)

    def _write(self, key: str, shopping: _ShoppingList, now: datetime) -> EventEnvelope:
        """Write the order as a mail; whether it is placed is up to the shop."""
        customer = f"C{shopping.shopper.customer:04d}"
        self._mails.setdefault(customer, deque()).append(shopping)
        text = ", ".join(f"{self._by_sku[x.sku].name}:{x.quantity}" for x in shopping.lines)
        return self._published(key, MailReceived(mail=text, customer=customer), now)

    async def _apply(self, actions: Sequence[tuple[str, Action]]) -> None:
        """Do these things under the market's keys, and see to what was refused."""
        keyed = [
            Command(key=f"{ACTOR}/{self.seed}/{key}", action=action, actor=ACTOR)
            for key, action in actions
        ]
        for start in range(0, len(keyed), _PAGE):
            outcomes = await self.books.apply_batch(keyed[start : start + _PAGE])
            for (key, _), outcome in zip(actions[start : start + _PAGE], outcomes, strict=True):
                if (shopping := self._shopping_lists.pop(key, None)) is not None:
                    self._bought(shopping, outcome.detail if outcome.applied else None)

    def _bought(self, shopping: _ShoppingList, placed: Mapping[str, object] | None) -> None:
        at, lines = shopping.shopper.at, shopping.lines
        value = sum(line.quantity * self.prices[line.sku] for line in lines)
        if placed is None:
            self.tally.lose(at, value)
            return
        number = int(str(placed["order_id"]))
        value = decode(Money, placed["total"]).minor
        cost = sum(line.quantity * self.costs[line.sku] for line in lines)
        self.tally.orders[number] = OrderRecord(at, value, cost)
        self.follow_ups.manners[number] = shopping.shopper.manners
        self.follow_ups.names[number] = shopping.shopper.id

    def _published(self, key: str, event: Event, at: datetime) -> EventEnvelope:
        return EventEnvelope(
            source=ACTOR, external_id=f"{self.seed}/{key}", event=event, at=at, actor=ACTOR
        )

    def forget_unanswered_mails(self, before: datetime) -> None:
        """Count mailed orders not placed within three days as lost sales."""
        for waiting in self._mails.values():
            while waiting and waiting[0].shopper.at + timedelta(days=3) < before:
                shopping = waiting.popleft()
                value = sum(line.quantity * self.prices[line.sku] for line in shopping.lines)
                self.tally.lose(shopping.shopper.at, value)
