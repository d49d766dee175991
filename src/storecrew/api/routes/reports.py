"""What came of what the crew did: campaigns, price changes, and whether customers fare alike."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from typing_extensions import TypedDict

from storecrew.api import bodies
from storecrew.api.access import ThePlane
from storecrew.api.requests import JsonRoute
from storecrew.api.roles import VIEWER, requires
from storecrew.app import campaigns
from storecrew.app.bias import BiasReport, bias_report
from storecrew.app.followups import PriceReport, price_report

router = APIRouter(route_class=JsonRoute, tags=["reports"])

CampaignReports = TypedDict("CampaignReports", {"campaigns": Sequence[campaigns.CampaignReport]})

Days = Annotated[int, Query(ge=1, le=730)]


@router.get("/api/campaigns")
@requires(VIEWER)
async def of_campaigns(plane: ThePlane) -> CampaignReports:
    """Say what each campaign brought, against those who were written nothing."""
    currency = plane.settings.store.currency
    found = await campaigns.reports(plane.store, plane.clock.now(), currency)
    return {"campaigns": found}


@router.get("/api/campaigns/{name:path}")
@requires(VIEWER)
async def of_campaign(plane: ThePlane, name: bodies.Name) -> campaigns.CampaignReport:
    """Say what one campaign brought."""
    currency = plane.settings.store.currency
    return await campaigns.report(plane.store, name, plane.clock.now(), currency)


@router.get("/api/reports/bias")
@requires(VIEWER)
async def of_bias(plane: ThePlane, days: Days = 180) -> BiasReport:
    """Compare prices, offers and answers between groups of customers."""
    return await bias_report(plane.store, plane.clock.now(), days=days)


@router.get("/api/reports/prices")
@requires(VIEWER)
async def of_prices(plane: ThePlane) -> PriceReport:
    """Compare what price changes brought with what was expected of them."""
    currency = plane.settings.store.currency
    return await price_report(plane.store, plane.journal, plane.clock.now(), currency)
