"""Disruptions around the simulated shop, the same for every operator of a seed. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from storecrew.stores.simulated.catalog import SimulatedProduct

_OUTAGE = 1 / 45
"""Chance of a day that the card provider fails, for hours."""
_FRAUD = 1 / 12
"""Chance of a day that somebody orders with a stolen card."""
_SLOW = 0.06
"""Share of parcels that the carrier delays."""
CHARGEBACK = 1500
"""Minor units that a provider takes for a payment which is called back, beside the payment."""
COMPLAINT = 500
"""Minor units that a complaint costs: a quarter of an hour of somebody's time."""


def outage(seed: int, day: date) -> tuple[datetime, datetime] | None:
    """Return from when until when cards are refused on that day."""
    rng = _rng(f"{seed}/outage/{day.isoformat()}")
    if rng.random() >= _OUTAGE:
        return None
    start = datetime.combine(day, time(rng.randrange(8, 18)), UTC)
    return start, start + timedelta(hours=rng.uniform(4, 10))


def cards_fail(seed: int, at: datetime) -> bool:
    """Tell whether cards are refused at that moment."""
    days = (at.date(), at.date() - timedelta(days=1))
    spans = [span for day in days if (span := outage(seed, day)) is not None]
    return any(start <= at < end for start, end in spans)


@dataclass(frozen=True, kw_only=True)
class Fraud:
    """An order that will be called back once the card's owner sees it."""

    at: datetime
    sku: str
    quantity: int
    name: str


def fraud(seed: int, day: date, articles: Sequence[SimulatedProduct]) -> Fraud | None:
    """Return the day's fraudulent order, if there is one: dear things, several, a new name."""
    rng = _rng(f"{seed}/fraud/{day.isoformat()}")
    if rng.random() >= _FRAUD:
        return None
    dear = sorted(articles, key=lambda article: -article.list_price)[: max(1, len(articles) // 4)]
    return Fraud(
        at=datetime.combine(day, time(rng.randrange(1, 24)), UTC),
        sku=rng.choice(dear).sku,
        quantity=rng.randrange(4, 9),
        name=f"X{day.toordinal()}",
    )


@dataclass(frozen=True, kw_only=True)
class ShipmentOutcome:
    """How a parcel fares, and what its customer does about it."""

    late_by: timedelta
    """Beyond the usual transit; zero for most."""
    tells_of_delay: bool
    """Whether the carrier says so."""
    temper: float
    """0 to 1: who is below a share complains."""


def shipment_outcome(seed: int, order: str) -> ShipmentOutcome:
    """Return how an order's parcel fares."""
    rng = _rng(f"{seed}/voyage/{order}")
    slow, days, tells, temper = rng.random(), rng.uniform(2, 5), rng.random(), rng.random()
    return ShipmentOutcome(
        late_by=timedelta(days=days) if slow < _SLOW else timedelta(0),
        tells_of_delay=tells < 0.9,
        temper=temper,
    )


@dataclass(frozen=True, kw_only=True)
class PaymentBehaviour:
    """How an order is paid, and what its customer does when that fails."""

    method: str
    retries: int
    """Further tries, three hours apart."""
    takes_other: bool
    """Whether another way to pay will do where the first is not offered."""


def payment_behaviour(seed: int, order: str) -> PaymentBehaviour:
    """Return how an order will be paid."""
    rng = _rng(f"{seed}/purse/{order}")
    card, tries, other = rng.random(), rng.random(), rng.random()
    return PaymentBehaviour(
        method="card" if card < 0.7 else "bank",
        retries=2 if tries < 0.25 else (1 if tries < 0.5 else 0),
        takes_other=other < 0.7,
    )


def _rng(stream: str) -> Random:
    return Random(stream)  # noqa: S311 - a simulation, not a secret
