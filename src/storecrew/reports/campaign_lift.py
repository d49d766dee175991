"""What campaigns brought: recipients against those who were left out."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from storecrew.domain.errors import NotFound
from storecrew.domain.ports.store import StoreView
from storecrew.domain.shop.customers import CustomerSpend
from storecrew.domain.shop.promotions import Campaign
from storecrew.models.lift import LEVEL, Interval, lift


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """A difference and between which bounds it lies; None where nothing can be said yet."""

    low: float | None
    mean: float
    high: float | None


@dataclass(frozen=True, kw_only=True)
class CampaignReport:
    """A campaign and what came of it up to now."""

    name: str
    segment: str
    title: str
    started_at: datetime
    ends_at: datetime
    over: bool
    """Whether its effect is counted to the end."""
    recipients: int
    holdout: int
    currency: str
    level: float
    """Chance with which the bounds hold the truth."""
    order_rate: float | None
    """Share of the recipients who ordered."""
    order_rate_holdout: float | None
    order_rate_lift: Bounds | None
    value: float | None
    """Ordered per recipient."""
    value_holdout: float | None
    value_lift: Bounds | None
    sold_more: float | None
    """What the campaign sold in all: the difference per customer times the recipients."""
    verdict: str
    """In words."""


async def reports(store: StoreView, now: datetime, currency: str) -> Sequence[CampaignReport]:
    """Return every campaign with what it brought, newest first."""
    return [await _report(store, each, now, currency) for each in await store.campaigns()]


async def report(store: StoreView, name: str, now: datetime, currency: str) -> CampaignReport:
    """Return one campaign with what it brought, or raise `NotFound`."""
    for campaign in await store.campaigns():
        if campaign.name == name:
            return await _report(store, campaign, now, currency)
    raise NotFound("campaign", name)


async def _report(
    store: StoreView, campaign: Campaign, now: datetime, currency: str
) -> CampaignReport:
    end = min(campaign.ends_at, now)
    spent = await store.customer_spend(campaign.started_at, end)
    measured = bool(campaign.recipients and campaign.holdout)
    brought = (
        lift(_of(spent, campaign.recipients), _of(spent, campaign.holdout)) if measured else None
    )
    return CampaignReport(
        name=campaign.name,
        segment=campaign.segment,
        title=campaign.title,
        started_at=campaign.started_at,
        ends_at=campaign.ends_at,
        over=campaign.ends_at <= now,
        recipients=len(campaign.recipients),
        holdout=len(campaign.holdout),
        currency=currency,
        level=LEVEL,
        order_rate=round(brought.rate, 4) if brought else None,
        order_rate_holdout=round(brought.rate_holdout, 4) if brought else None,
        order_rate_lift=_bounds(brought.rate_lift, 4) if brought else None,
        value=round(brought.value, 2) if brought else None,
        value_holdout=round(brought.value_holdout, 2) if brought else None,
        value_lift=_bounds(brought.value_lift, 2) if brought else None,
        sold_more=round(brought.sold, 2) if brought else None,
        verdict=_verdict(brought.rate_lift, brought.loses) if brought else _UNMEASURED,
    )


_UNMEASURED = "nobody was left out to compare with"


def _verdict(rate: Interval, loses: bool) -> str:
    if loses:
        return "surely sold less to those who were written to"
    if rate.low > 0:
        return "surely sold more to those who were written to"
    return "too early, or too small, to tell"


def _of(spent: Mapping[str, CustomerSpend], customers: Sequence[str]) -> list[float]:
    known = (spent.get(customer) for customer in customers)
    return [float(each.value.amount) if each is not None else 0.0 for each in known]


def _bounds(found: Interval, digits: int) -> Bounds:
    def shown(value: float) -> float | None:
        return round(value, digits) if math.isfinite(value) else None

    return Bounds(low=shown(found.low), mean=round(found.mean, digits), high=shown(found.high))
