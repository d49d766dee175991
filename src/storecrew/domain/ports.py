"""What the core needs from outside. Adapters implement these and inherit nothing."""

from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol, TypeVar

from storecrew.domain.actions import Action, Keyed
from storecrew.domain.advice import (
    BoughtTogether,
    Elasticity,
    Intent,
    PriceAdvice,
    PriceHistory,
    PricePoint,
    PriceQuestion,
    StockAdvice,
    StockQuestion,
    Suggested,
)
from storecrew.domain.commerce import (
    Customer,
    DailySales,
    Discrepancy,
    Order,
    OrderBacklog,
    OrderMove,
    OrderPage,
    OrderQuery,
    PriceChange,
    Product,
    Purchase,
    RivalPrice,
    StockLevel,
    StockMove,
    Supplier,
)
from storecrew.domain.events import Published
from storecrew.domain.learning import Past
from storecrew.domain.orders import Status
from storecrew.domain.proposals import Outcome
from storecrew.domain.store_views import CareView, Listings, SellingView

T = TypeVar("T")


class Clock(Protocol):
    """Where the time comes from: real, or virtual in tests, simulation and backtests."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        ...


class StoreView(SellingView, CareView, Past, Protocol):
    """The store as an agent sees it: read-only. Each call reads one consistent moment."""

    async def product(self, sku: str) -> Product:
        """Return the product, or raise `NotFound`."""
        ...

    async def products(self, skus: Iterable[str] | None = None) -> Sequence[Product]:
        """Return these products (all when None) ordered by SKU; unknown SKUs are left out."""
        ...

    async def stock(self, skus: Iterable[str] | None = None) -> Sequence[StockLevel]:
        """Return the levels of these products (all when None), by SKU, then warehouse."""
        ...

    async def stock_moves(self, *, limit: int = 100) -> Sequence[StockMove]:
        """Return the newest entries of the stock ledger, newest first."""
        ...

    async def order(self, order_id: int) -> Order:
        """Return the order, or raise `NotFound`."""
        ...

    async def orders(self, query: OrderQuery) -> OrderPage:
        """Return one page of matching orders, newest first."""
        ...

    async def orders_by_id(self, order_ids: Iterable[int]) -> Sequence[Order]:
        """Return these orders by id; unknown ids are left out."""
        ...

    async def open_orders(self) -> Sequence[Order]:
        """Return every order not yet delivered, cancelled or returned, oldest first."""
        ...

    async def order_counts(self) -> Mapping[Status, int]:
        """Return how many orders stand in each state; states without orders are left out."""
        ...

    async def order_backlog(self) -> OrderBacklog:
        """Return since when open orders wait in each state, and how many are paid and not sent."""
        ...

    async def skus_to_watch(self, *, below: int) -> Sequence[str]:
        """Return products with fewer units available in a warehouse, and those without a price."""
        ...

    async def order_moves(self, order_ids: Iterable[int]) -> Sequence[OrderMove]:
        """Return the recorded moves of these orders, oldest first."""
        ...

    async def daily_sales(
        self, first: date, last: date, skus: Iterable[str] | None = None
    ) -> DailySales:
        """Return units sold per product and UTC day, both days included, cancelled orders not.

        A product without a sale in the period has no entry.
        """
        ...

    async def price_changes(
        self, since: datetime, skus: Iterable[str] | None = None
    ) -> Sequence[PriceChange]:
        """Return price changes from that moment on, oldest first."""
        ...

    async def purchases(self, *, status: str | None = "open") -> Sequence[Purchase]:
        """Return purchase orders of this status (all when None), oldest first."""
        ...

    async def suppliers(self) -> Sequence[Supplier]:
        """Return every supplier, ordered by id."""
        ...

    async def rival_prices(self, skus: Iterable[str] | None = None) -> Sequence[RivalPrice]:
        """Return what each rival was last seen asking, by SKU, then rival."""
        ...

    async def customer(self, customer_id: str) -> Customer:
        """Return the customer, or raise `NotFound`."""
        ...

    async def messages_sent(self, customers: Iterable[str], since: datetime) -> Mapping[str, int]:
        """Return how many marketing messages each of these customers was sent since then."""
        ...


class Store(StoreView, Protocol):
    """The store as the orchestrator sees it: readable, and changeable once per key."""

    async def apply(self, action: Action, *, key: str, actor: str = "system") -> Outcome:
        """Do the action at most once per key, and return its outcome.

        Effect, key and outbox event are one transaction. A key already seen returns its first
        outcome and changes nothing; the same key with another action raises `KeyReused`.
        What the shop's state forbids is an `Outcome` with a code, not an exception.
        Raises `Retryable` errors (`StorageBusy`, `StorageFull`, `OutcomeUnknown`, …) after which
        the same call is safe to repeat.
        """
        ...

    async def apply_batch(self, batch: Sequence[Keyed]) -> Sequence[Outcome]:
        """Apply up to 500 actions in order, in one transaction; a refused one stops no other."""
        ...

    async def outbox(self, after: int, *, limit: int = 500) -> Sequence[tuple[int, Published]]:
        """Return facts the store recorded after that position, in order, with their positions."""
        ...

    async def outcome(self, key: str) -> Outcome | None:
        """Return the outcome recorded under this key, or None if nothing was done under it."""
        ...

    async def applied_keys(self, prefix: str = "") -> Sequence[str]:
        """Return the keys under which an effect happened, in order, for the books' proof."""
        ...

    async def verify(self) -> Sequence[Discrepancy]:
        """Recompute the books (stock, reservations, payments, states) and return what is wrong."""
        ...

    async def close(self) -> None:
        """Release every connection."""
        ...


class ListedStore(Store, Listings, Protocol):
    """The store as the API sees it: its lists can be read page by page."""


class DemandForecast(Protocol):
    """How many units will be sold: the mean and its spread, per day."""

    @property
    def daily(self) -> float:
        """Expected units a day."""
        ...

    @property
    def basis(self) -> str:
        """One line on what the forecast rests on, for the owner."""
        ...

    def quantile(self, q: float, days: float) -> float:
        """Return the q-quantile (0 < q < 1) of the units sold over so many days.

        Never negative; grows with `q` and with `days`.
        """
        ...


class Models(Protocol):
    """The numeric models as an agent sees them: numbers in, numbers out.

    The plural methods answer for many products in one go, and let products learn from each other.
    """

    def demand(self, units: Sequence[int]) -> DemandForecast:
        """Forecast a product's demand from its units sold per day, oldest first."""
        ...

    def demands(self, history: Mapping[str, Sequence[int]]) -> Mapping[str, DemandForecast]:
        """Forecast many products' demand; all series end on the same day."""
        ...

    def stocking(self, forecast: DemandForecast, question: StockQuestion) -> StockAdvice:
        """Return when to reorder, and up to which level."""
        ...

    def elasticity(self, prices: Sequence[float], units: Sequence[float]) -> tuple[float, float]:
        """Return a product's price elasticity of demand and its standard error.

        `prices` and `units` are per day and of equal length. With little to learn from, the
        answer leans on what is usual in retail and its error says so.
        """
        ...

    def elasticities(self, histories: Sequence[PriceHistory]) -> Sequence[Elasticity]:
        """Return each product's elasticity, leaning on what all of them together show."""
        ...

    def best_prices(self, questions: Sequence[PriceQuestion]) -> Sequence[PriceAdvice]:
        """Return, per question, the price within its bounds that promises the most profit."""
        ...

    def exploring_prices(
        self, questions: Sequence[PriceQuestion], *, seed: int, reach: float
    ) -> Sequence[PriceAdvice]:
        """Return, per question, a price within its bounds, moved to learn where that pays.

        Such a price says so by `error_then`; `reach` is the largest such move, as a share. The
        same questions and seed give the same prices.
        """
        ...

    def price_curve(
        self, question: PriceQuestion, *, points: int, also: Sequence[float] = ()
    ) -> Sequence[PricePoint]:
        """Return what so many prices between the bounds should bring a day, lowest price first.

        The prices of `also` are among them, within the bounds or not.
        """
        ...

    def forecast_of(
        self, sku: str, day: date, warehouse: str | None = None
    ) -> DemandForecast | None:
        """Return what was learned of a product's demand from this day on.

        None where nothing fresh is served: then `demands` answers from its sales.
        """
        ...

    def accuracy_of(self, sku: str) -> Mapping[str, float | str]:
        """Return how forecasts of the product did so far; {} where none is served.

        `basis` in words; where known `days`, `wape` and `bias` as shares, `coverage_90`.
        """
        ...

    def learned_elasticity(self, sku: str) -> Elasticity | None:
        """Return what the product's own price moves taught; None where nothing did."""
        ...

    def similar_to(self, cart: Sequence[str], count: int) -> Sequence[Suggested]:
        """Return what is bought together with these products; () before anything was learned."""
        ...

    def for_customer(
        self, bought: Mapping[str, tuple[float, int]], count: int, day: date
    ) -> Sequence[Suggested]:
        """Return what somebody may want next; () before anything was learned.

        `bought`: per SKU how often, and on which day last (`date.toordinal`).
        """
        ...

    def intent(self, texts: Sequence[str]) -> Sequence[Intent]:
        """Return what each text wants; unknown and not sure before anything was learned."""
        ...

    def bought_together(self, count: int) -> Sequence[BoughtTogether]:
        """Return proven pairs, the most telling first; () before anything was learned."""
        ...


class Notes(Protocol):
    """Short texts by name that outlive a restart."""

    async def find(self, name: str) -> str | None:
        """Return what is kept under the name."""
        ...

    async def keep(self, name: str, value: str) -> None:
        """Keep the value in place of an earlier one."""
        ...


class Engine(Protocol):
    """The durable-execution engine, as little of it as the orchestrator needs.

    It sees to it that each run is carried out to its end. What a run has done so far is the
    journal's to know, which records it together with its consequences.
    """

    async def start(self, carry_out: Callable[[str], Coroutine[Any, Any, None]]) -> None:
        """Begin: every run submitted before and not finished is carried out again."""
        ...

    async def submit(self, run_id: str) -> None:
        """Carry the run out, soon and to the end, across crashes. Idempotent per id."""
        ...

    async def prune(self, before: datetime) -> int:
        """Forget runs that finished before then; return how many."""
        ...

    async def stop(self) -> None:
        """Let steps under way finish, then stop; unfinished runs resume at the next start."""
        ...
