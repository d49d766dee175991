"""What came of what the crew did: campaigns, price changes, and whether customers fare alike."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from storecrew.api import bodies
from storecrew.api.access import ThePlane, answer
from storecrew.api.requests import JsonRoute
from storecrew.app import campaigns
from storecrew.app.bias import bias_report
from storecrew.app.followups import price_report

router = APIRouter(route_class=JsonRoute, tags=["reports"])

Days = Annotated[int, Query(ge=1, le=730)]


@router.get("/api/campaigns")
async def of_campaigns(plane: ThePlane) -> JSONResponse:
    """Say what each campaign brought, against those who were written nothing."""
    currency = plane.settings.store.currency
    found = await campaigns.reports(plane.store, plane.clock.now(), currency)
    return answer({"campaigns": found})


@router.get("/api/campaigns/{name:path}")
async def of_campaign(plane: ThePlane, name: bodies.Name) -> JSONResponse:
    """Say what one campaign brought."""
    currency = plane.settings.store.currency
    return answer(await campaigns.report(plane.store, name, plane.clock.now(), currency))


@router.get("/api/reports/bias")
async def of_bias(plane: ThePlane, days: Days = 180) -> JSONResponse:
    """Compare prices, offers and answers between groups of customers."""
    return answer(await bias_report(plane.store, plane.clock.now(), days=days))


@router.get("/api/reports/prices")
async def of_prices(plane: ThePlane) -> JSONResponse:
    """Compare what price changes brought with what was expected of them."""
    currency = plane.settings.store.currency
    return answer(await price_report(plane.store, plane.journal, plane.clock.now(), currency))
