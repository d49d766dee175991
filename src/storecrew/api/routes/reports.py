"""What came of what the crew did: campaigns, price changes, and whether customers fare alike."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from typing_extensions import TypedDict

from storecrew.api import bodies
from storecrew.api.dependencies import CurrentPlane
from storecrew.api.requests import JsonRoute
from storecrew.api.roles import VIEWER, requires
from storecrew.app.briefing import daily_briefing
from storecrew.reports import campaign_lift
from storecrew.reports.briefing import Briefing
from storecrew.reports.fairness import FairnessReport, fairness_report
from storecrew.reports.price_impact import PriceImpactReport, price_impact_report

router = APIRouter(route_class=JsonRoute, tags=["reports"])

CampaignReports = TypedDict(
    "CampaignReports", {"campaigns": Sequence[campaign_lift.CampaignReport]}
)

Days = Annotated[int, Query(ge=1, le=730)]


@router.get("/api/briefing")
@requires(VIEWER)
async def of_the_day(plane: CurrentPlane) -> Briefing:
    """Say what yesterday brought, what the crew did, what waits, what failed and would help."""
    return await daily_briefing(plane)


@router.get("/api/campaigns")
@requires(VIEWER)
async def of_campaigns(plane: CurrentPlane) -> CampaignReports:
    """Say what each campaign brought, against those who were written nothing."""
    currency = plane.settings.store.currency
    found = await campaign_lift.reports(plane.store, plane.clock.now(), currency)
    return {"campaigns": found}


@router.get("/api/campaigns/{name:path}")
@requires(VIEWER)
async def of_campaign(plane: CurrentPlane, name: bodies.Name) -> campaign_lift.CampaignReport:
    """Say what one campaign brought."""
    currency = plane.settings.store.currency
    return await campaign_lift.report(plane.store, name, plane.clock.now(), currency)


@router.get("/api/reports/bias")
@requires(VIEWER)
async def of_bias(plane: CurrentPlane, days: Days = 180) -> FairnessReport:
    """Compare prices, offers and answers between groups of customers."""
    return await fairness_report(plane.store, plane.clock.now(), days=days)


@router.get("/api/reports/prices")
@requires(VIEWER)
async def of_prices(plane: CurrentPlane) -> PriceImpactReport:
    """Compare what price changes brought with what was expected of them."""
    currency = plane.settings.store.currency
    return await price_impact_report(plane.store, plane.journal, plane.clock.now(), currency)
