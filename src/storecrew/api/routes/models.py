"""The models: what will be sold, what to show, what was learnt and how well it does."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse
from pydantic import StringConstraints

from storecrew.api import bodies
from storecrew.api.access import TheCaller, ThePlane, answer
from storecrew.api.requests import JsonRoute
from storecrew.app.model_answers import elasticity, forecast, intent
from storecrew.app.suggestions import for_cart, for_customer
from storecrew.app.trends import rising_products
from storecrew.domain.learning import Skill

router = APIRouter(route_class=JsonRoute, tags=["models"])

Horizon = Annotated[int, Query(ge=1, le=90)]
Recent = Annotated[int, Query(ge=1, le=60)]
Count = Annotated[int, Query(ge=1, le=100)]
Cart = Annotated[list[bodies.Name], Query(min_length=1, max_length=100)]
Number = Annotated[int, Path(ge=1, le=1_000_000_000)]


class TextBody(bodies.Strict):
    """What a customer wrote."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=5_000)]


class PageBody(bodies.Strict):
    """Where a page is."""

    url: Annotated[str, StringConstraints(min_length=1, max_length=2_000)]


@router.get("/api/forecast/{sku:path}")
async def of_product(
    plane: ThePlane,
    sku: bodies.Name,
    horizon: Horizon = 14,
    warehouse: bodies.Name | None = None,
) -> JSONResponse:
    """Forecast a product's sales day by day, with quantiles and how such forecasts did."""
    return answer(await forecast(plane.models, sku, horizon=horizon, warehouse=warehouse))


@router.get("/api/elasticity/{sku:path}")
async def of_price(plane: ThePlane, sku: bodies.Name) -> JSONResponse:
    """Say how demand for a product answers to its price, and how sure that is."""
    return answer(await elasticity(plane.models, sku))


@router.get("/api/recommendations")
async def beside_a_cart(plane: ThePlane, cart: Cart, count: Count = 10) -> JSONResponse:
    """Say what is bought together with the products of a cart (`?cart=A&cart=B`)."""
    return answer(await for_cart(plane.models, cart, count=count))


@router.get("/api/recommendations/{customer:path}")
async def to_a_customer(
    plane: ThePlane, customer: bodies.Name, count: Count = 10, new_only: bool = False
) -> JSONResponse:
    """Say what a customer may want next; one whom nobody knows gets what sells of late."""
    return answer(await for_customer(plane.models, customer, count=count, new_only=new_only))


@router.get("/api/trends")
async def rising(plane: ThePlane, recent: Recent = 7) -> JSONResponse:
    """List the products whose sales rose more than chance explains, surest first."""
    return answer({"rising": await rising_products(plane.models, recent=recent)})


@router.post("/api/pages")
async def page(plane: ThePlane, body: PageBody) -> JSONResponse:
    """Read a page of another shop and say which product it shows, null where none.

    Politely: robots.txt is heeded, a site is asked at its own pace, private addresses never.
    """
    return answer({"product": await plane.web.page(body.url)})


@router.post("/api/intents")
async def of_text(plane: ThePlane, body: TextBody) -> JSONResponse:
    """Say what somebody who wrote this wants, how sure that is, and whether it is known at all."""
    return answer(await intent(plane.models, body.text))


@router.get("/api/models")
async def models(plane: ThePlane) -> JSONResponse:
    """List what is learnt: the version that answers, how it did, and whether one is trained."""
    return answer({"models": await plane.models.courses()})


@router.get("/api/models/{skill}")
async def versions(plane: ThePlane, skill: Skill) -> JSONResponse:
    """List the versions of a model, newest first."""
    return answer({"versions": await plane.models.book.versions(skill)})


@router.get("/api/models/{skill}/{number:int}")
async def version(plane: ThePlane, skill: Skill, number: Number) -> JSONResponse:
    """Show one version: its window, its data's fingerprint, its scores."""
    return answer(await plane.models.book.version(skill, number))


@router.post("/api/models/{skill}/train", status_code=202)
async def train(plane: ThePlane, skill: Skill, by: TheCaller) -> JSONResponse:
    """Begin a training on the shop's history up to now; `GET /api/models` tells how it goes."""
    plane.models.begin_training(skill, by=by)
    return answer({"skill": skill, "status": "training"}, 202)
