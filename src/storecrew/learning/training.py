"""What each model is taught: the shop's history, gathered into arrays, and what came of it.

Runs in a process of its own (`training_worker`), so that neither the memory nor the time that a
training takes is the crew's.
"""

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any

import numpy as np

from storecrew.domain.control.model_registry import ModelKind, TrainingResult
from storecrew.domain.errors import InvalidInput
from storecrew.domain.ports.models import PriceHistory
from storecrew.domain.shop.catalog import PriceChange
from storecrew.learning.evaluation import rehearsed
from storecrew.models import demand, elasticity, recommendation
from storecrew.models.demand import DemandHistory, DemandModel, simple_forecasts
from storecrew.models.price_days import daily_prices, price_histories
from storecrew.models.serialization import State, pack, unpack
from storecrew.stores.sql import SqlStore

SEPARATOR = "\t"
"""Between SKU and warehouse in the name of a series; no SKU may hold it."""
_SETTLED = 84
"""Days of prices and sales that elasticities are learned from: older answers to prices come from
another season."""


@dataclass(frozen=True, kw_only=True)
class TrainingJob:
    """Everything that a training is told."""

    skill: ModelKind
    store: str
    """URL of the store's database."""
    currency: str
    as_of: str
    """The moment up to which the shop's history counts, ISO 8601."""
    history_days: int
    horizon_days: int
    forecaster: str
    refit_days: int
    """Days for which what a demand model learnt is used on newer sales before it learns anew."""
    phrases: Mapping[str, Sequence[str]]
    """The owner's own phrases per intent."""
    seed: int = 0

    @property
    def today(self) -> date:
        """The UTC day that is not over yet."""
        return datetime.fromisoformat(self.as_of).astimezone(UTC).date()

    def to_json(self) -> bytes:
        """Return it as JSON."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, content: bytes) -> "TrainingJob":
        """Return it from JSON."""
        given = json.loads(content)
        return cls(**given | {"skill": ModelKind(given["skill"])})


@dataclass(frozen=True, kw_only=True)
class _Taught:
    """What a training used and brought."""

    state: State
    facts: Mapping[str, Any]
    data: State
    """The arrays that it was taught, for their fingerprint."""
    first: date | None = None
    last: date | None = None


async def run_training(task: TrainingJob, store: SqlStore, before: bytes = b"") -> TrainingResult:
    """Gather the history, train, and return what was learnt.

    `before` is what the newest version learnt: what of it is still fresh is built upon. Raises
    `InvalidInput` where there is nothing to learn from yet.
    """
    began = time.process_time()
    taught = await _TEACHERS[task.skill](task, store, unpack(before) if before else {})
    options = {
        "horizon": task.horizon_days,
        "forecaster": task.forecaster,
        "seed": task.seed,
        "arrays": sorted(taught.state),  # what a later storecrew keeps otherwise is learnt anew
    }
    return TrainingResult(
        kind=task.skill,
        trained_at=datetime.fromisoformat(task.as_of),
        first=taught.first,
        last=taught.last,
        fingerprint=_fingerprint(taught.data, options),
        seconds=round(time.process_time() - began, 3),
        facts=taught.facts,
        content=pack(taught.state),
    )


async def _teach_demand(task: TrainingJob, store: SqlStore, before: State) -> _Taught:
    history = await sales_history(store, task.today, task.history_days, task.horizon_days)
    model = _fitted(task, history, part(before, "model"))
    forecasts = model.forecast(history)
    simple = simple_forecasts(history, horizon=task.horizon_days)
    rehearsal = rehearsed(history)
    methods, counts = np.unique(np.array(forecasts.method), return_counts=True)
    return _Taught(
        state=joined(
            {
                "model": model.state(),
                "served": forecasts.state(),
                "simple": simple.state(),
                "rehearsed": rehearsal.state(),
            }
        ),
        facts={
            "series": len(history.series),
            "days": history.days,
            "methods": dict(zip(methods.tolist(), counts.tolist(), strict=True)),
            "forecaster": task.forecaster,
            "fitted_to": (model.last - timedelta(days=1)).isoformat(),
            **model.facts,
        },
        data={"names": np.array(history.series, dtype=np.str_), "units": history.units},
        first=history.first,
        last=history.end - timedelta(days=1),
    )


def _fitted(task: TrainingJob, history: DemandHistory, before: State) -> DemandModel:
    """Return a model for the history: the last one while it is fresh, else a new one."""
    with suppress(InvalidInput):  # there is none, or another storecrew wrote it
        model = DemandModel.restore(before)
        alike = (model.forecaster, model.horizon) == (task.forecaster, task.horizon_days)
        if alike and history.end - model.last < timedelta(days=task.refit_days):
            return model
    return demand.train(
        history, horizon=task.horizon_days, seed=task.seed, forecaster=task.forecaster
    )


async def _teach_elasticity(task: TrainingJob, store: SqlStore, _before: State) -> _Taught:
    first, last = task.today - timedelta(days=_SETTLED), task.today - timedelta(days=1)
    sales = await store.daily_sales(first, last)
    changes = await _changes(store, datetime.combine(first, datetime.min.time(), UTC))
    moved = {
        sku: daily_prices(each, first, sales.days)
        for sku, each in changes.items()
        if sku in sales.units and any(map(_is_move, each))
    }
    histories, names = price_histories(sales.units, moved), [*moved, ""]
    found = elasticity.elasticities([*histories, PriceHistory(prices=(), units=())])
    means = np.array([each.mean for each in found])
    errors = np.array([each.error for each in found])
    return _Taught(
        state={"names": np.array(names, dtype=np.str_), "means": means, "errors": errors},
        facts={"products": len(moved), "shop": round(float(means[-1]), 3)},
        data={"names": np.array(names, dtype=np.str_), **_flat(histories)},
        first=first,
        last=last,
    )


async def _teach_similarity(task: TrainingJob, store: SqlStore, _before: State) -> _Taught:
    last = task.today - timedelta(days=1)
    first = last - timedelta(days=task.history_days - 1)
    purchases = await _purchases(store, first, last)
    if not purchases.item.size:
        raise InvalidInput("orders", f"none between {first} and {last} to learn from")
    first = max(first, date.fromordinal(int(purchases.day.min())))
    found = recommendation.train(purchases, seed=task.seed)
    baskets = int(np.unique(purchases.basket).size)
    return _Taught(
        state=found.state(),
        facts={"items": len(purchases.items), "baskets": baskets, "lines": purchases.item.size},
        data={
            "items": np.array(purchases.items, dtype=np.str_),
            "basket": purchases.basket,
            "item": purchases.item,
            "customer": purchases.customer,
        },
        first=first,
        last=last,
    )


async def _teach_intents(task: TrainingJob, _store: SqlStore, _before: State) -> _Taught:
    from storecrew.models import intents

    own = task.phrases
    texts, labels = intents.starter_examples(own)
    model = intents.train(texts, labels, seed=task.seed)
    return _Taught(
        state=model.state(),
        facts={
            "phrases": len(texts),
            "intents": len(set(labels)),
            "own_phrases": sum(map(len, own.values())),
            "sure_from": round(model.scales.sure, 4),
            "known_from": round(model.scales.known, 4),
        },
        data={"texts": np.array(texts, dtype=np.str_), "labels": np.array(labels, dtype=np.str_)},
    )


_TEACHERS = {
    ModelKind.DEMAND: _teach_demand,
    ModelKind.ELASTICITY: _teach_elasticity,
    ModelKind.SIMILARITY: _teach_similarity,
    ModelKind.INTENTS: _teach_intents,
}


async def sales_history(
    store: SqlStore, today: date, days: int, ahead: int, skus: frozenset[str] | None = None
) -> DemandHistory:
    """Return what was sold before today per product, and per warehouse where there are several.

    With the prices that stood, today's for the days ahead, and with the days that products were
    sold out. It begins with the first sale. Raises `InvalidInput` where nothing was ever sold.
    """
    first, last = today - timedelta(days=days), today - timedelta(days=1)
    sales = await store.daily_sales(first, last, skus)
    if not sales.units:
        raise InvalidInput("orders", f"none between {first} and {last} to learn from")
    names = sorted(sales.units)
    units = np.array([sales.units[name] for name in names], dtype=np.float64)
    begin = int(np.flatnonzero(units.any(axis=0))[0])
    place = {name: n for n, name in enumerate(names)}
    in_stock = await _in_stock(store, first, last, place)
    prices = await _prices(store, names, first, sales.days + ahead)
    places, shipped = await _by_warehouse(store, first, last, skus)
    return DemandHistory(
        first=first + timedelta(days=begin),
        series=[*names, *places],
        units=np.vstack([units, shipped])[:, begin:],
        price=None if prices is None else _repeated(prices, place, places)[:, begin:],
        in_stock=None if in_stock is None else _repeated(in_stock, place, places)[:, begin:],
    )


async def units_sold(store: SqlStore, first: date, last: date) -> Mapping[str, Sequence[float]]:
    """Return units per series and day, under the names of `sales_history`."""
    sales = await store.daily_sales(first, last)
    names, shipped = await _by_warehouse(store, first, last, None)
    return {**sales.units, **dict(zip(names, shipped.tolist(), strict=True))}


async def _in_stock(
    store: SqlStore, first: date, last: date, place: Mapping[str, int]
) -> "np.ndarray[Any, np.dtype[np.bool_]] | None":
    empty = [span for span in await store.stockout_periods(first, last) if span.sku in place]
    if not empty:
        return None
    found = np.ones((len(place), (last - first).days + 1), dtype=np.bool_)
    for span in empty:
        begin, end = (span.first - first).days, (span.last - first).days + 1
        found[place[span.sku], begin:end] = False
    return found


async def _prices(
    store: SqlStore, names: list[str], first: date, days: int
) -> "np.ndarray[Any, np.dtype[np.float64]] | None":
    """Return the price of each product and day; None where no price ever moved."""
    changes = await _changes(store, datetime.min.replace(tzinfo=UTC))
    if not any(_is_move(change) for each in changes.values() for change in each):
        return None
    rows = [daily_prices(changes[n], first, days) if n in changes else [0.0] * days for n in names]
    found = np.array(rows)
    known = np.where(found > 0, found, np.inf).min(axis=1)
    return np.where(found > 0, found, np.where(np.isfinite(known), known, 0.0)[:, None])


def _is_move(change: PriceChange) -> bool:
    """Tell a price that moved from a product's first one."""
    return change.previous is not None and change.previous.amount > 0


async def _changes(store: SqlStore, since: datetime) -> dict[str, list[PriceChange]]:
    changes: dict[str, list[PriceChange]] = {}
    for change in await store.price_changes(since):
        changes.setdefault(change.sku, []).append(change)
    return changes


async def _by_warehouse(
    store: SqlStore, first: date, last: date, skus: frozenset[str] | None
) -> "tuple[list[str], np.ndarray[Any, np.dtype[np.float64]]]":
    """Return what left each warehouse per day, where products leave from more than one."""
    shipped = [s for s in await store.shipments(first, last) if skus is None or s.sku in skus]
    several = len({each.warehouse for each in shipped}) > 1
    names = sorted({series_name(s.sku, s.warehouse) for s in shipped}) if several else []
    place = {name: n for n, name in enumerate(names)}
    units = np.zeros((len(names), (last - first).days + 1))
    for each in shipped if several else ():
        units[place[series_name(each.sku, each.warehouse)], (each.day - first).days] += (
            each.quantity
        )
    return names, units


def series_name(sku: str, warehouse: str | None = None) -> str:
    """Return the name of a product's series, or of its series in one warehouse."""
    return sku if warehouse is None else f"{sku}{SEPARATOR}{warehouse}"


def _repeated(rows: Any, place: Mapping[str, int], warehouses: list[str]) -> Any:
    """Return the products' rows, then again for each of their warehouses."""
    return rows[[*place.values(), *(place[name.split(SEPARATOR)[0]] for name in warehouses)]]


async def _purchases(store: SqlStore, first: date, last: date) -> recommendation.Purchases:
    sold = await store.sold_lines(first, last)
    products = {product.sku: product.name for product in await store.products()}
    items, item = np.unique(np.array(sold.skus, dtype=np.str_), return_inverse=True)
    known = np.array([customer or "" for customer in sold.customers], dtype=np.str_)
    _, customer = np.unique(known, return_inverse=True)
    return recommendation.Purchases(
        items=items.tolist(),
        titles=[products.get(sku, "") for sku in items.tolist()],
        customer=np.where(known == "", recommendation.UNKNOWN, customer),
        basket=np.array(sold.orders, dtype=np.int64),
        item=item,
        day=np.array(sold.days, dtype=np.int64),
    )


def joined(parts: Mapping[str, State]) -> dict[str, Any]:
    """Return several states as one, each name behind its part's."""
    return {f"{part}.{name}": a for part, state in parts.items() for name, a in state.items()}


def part(state: State, name: str) -> dict[str, Any]:
    """Return one of the states that were joined."""
    head = f"{name}."
    return {key.removeprefix(head): a for key, a in state.items() if key.startswith(head)}


def _flat(histories: Any) -> dict[str, Any]:
    return {f"units{n}": np.asarray(each.units, float) for n, each in enumerate(histories)}


def _fingerprint(data: State, options: Mapping[str, Any]) -> str:
    digest = sha256(json.dumps(options, sort_keys=True).encode())
    for name in sorted(data):
        array = np.ascontiguousarray(data[name])
        digest.update(f"{name}{array.dtype}{array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
