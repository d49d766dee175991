"""The models: what will be sold, what to show, what was learnt and how well it does."""

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import StringConstraints
from typing_extensions import TypedDict

from storecrew.api import bodies
from storecrew.api.dependencies import CurrentPlane, CurrentPrincipal
from storecrew.api.requests import JsonRoute
from storecrew.api.roles import OPERATOR, VIEWER, requires
from storecrew.domain.control.model_registry import ModelKind, ModelVersion
from storecrew.learning.predictions import (
    ElasticityAnswer,
    ForecastAnswer,
    IntentAnswer,
    elasticity,
    forecast,
    intent,
)
from storecrew.learning.recommendations import RecommendedOffers, for_cart, for_customer
from storecrew.learning.service import TrainingStatus
from storecrew.learning.trends import RisingProduct, rising_products
from storecrew.models.extraction.page import ProductPage

router = APIRouter(route_class=JsonRoute, tags=["models"])

Horizon = Annotated[int, Query(ge=1, le=90)]
Recent = Annotated[int, Query(ge=1, le=60)]
Count = Annotated[int, Query(ge=1, le=100)]
Cart = Annotated[list[bodies.Name], Query(min_length=1, max_length=100)]
Number = Annotated[int, Path(ge=1, le=1_000_000_000)]

RisingProducts = TypedDict("RisingProducts", {"rising": Sequence[RisingProduct]})
ExtractedProduct = TypedDict("ExtractedProduct", {"product": ProductPage | None})
ModelListing = TypedDict("ModelListing", {"models": Sequence[TrainingStatus]})
ModelVersions = TypedDict("ModelVersions", {"versions": Sequence[ModelVersion]})
TrainingStarted = TypedDict("TrainingStarted", {"skill": str, "status": Literal["training"]})


class TextRequest(bodies.Strict):
    """What a customer wrote."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=5_000)]


class ProductPageRequest(bodies.Strict):
    """Where a page is."""

    url: Annotated[str, StringConstraints(min_length=1, max_length=2_000)]


@router.get("/api/forecast/{sku:path}")
@requires(VIEWER)
async def of_product(
    plane: CurrentPlane,
    sku: bodies.Name,
    horizon: Horizon = 14,
    warehouse: bodies.Name | None = None,
) -> ForecastAnswer:
    """Forecast a product's sales day by day, with quantiles and how such forecasts did."""
    return await forecast(plane.models, sku, horizon=horizon, warehouse=warehouse)


@router.get("/api/elasticity/{sku:path}")
@requires(VIEWER)
async def of_price(plane: CurrentPlane, sku: bodies.Name) -> ElasticityAnswer:
    """Say how demand for a product answers to its price, and how sure that is."""
    return await elasticity(plane.models, sku)


@router.get("/api/recommendations")
@requires(VIEWER)
async def beside_a_cart(plane: CurrentPlane, cart: Cart, count: Count = 10) -> RecommendedOffers:
    """Say what is bought together with the products of a cart (`?cart=A&cart=B`)."""
    return await for_cart(plane.models, cart, count=count)


@router.get("/api/recommendations/{customer:path}")
@requires(VIEWER)
async def to_a_customer(
    plane: CurrentPlane, customer: bodies.Name, count: Count = 10, new_only: bool = False
) -> RecommendedOffers:
    """Recommend what a customer may buy next; an unknown one gets recent best sellers."""
    return await for_customer(plane.models, customer, count=count, new_only=new_only)


@router.get("/api/trends")
@requires(VIEWER)
async def rising(plane: CurrentPlane, recent: Recent = 7) -> RisingProducts:
    """List the products whose sales rose more than chance explains, surest first."""
    return {"rising": await rising_products(plane.models, recent=recent)}


@router.post("/api/product-pages")
@requires(OPERATOR)  # asks another site in the shop's name
@bodies.example(url="https://shop.example.com/mugs/blue")
async def page(plane: CurrentPlane, body: ProductPageRequest) -> ExtractedProduct:
    """Read a page of another shop and say which product it shows, null where none.

    Politely: robots.txt is heeded, a site is asked at its own pace, private addresses never.
    """
    return {"product": await plane.web.page(body.url)}


@router.post("/api/intents")
@requires(VIEWER)  # a question with a body
@bodies.example(text="Where is my parcel? I ordered it a week ago.")
async def of_text(plane: CurrentPlane, body: TextRequest) -> IntentAnswer:
    """Classify the intent of a text: how sure that is, and whether it is a known one."""
    return await intent(plane.models, body.text)


@router.get("/api/models")
@requires(VIEWER)
async def models(plane: CurrentPlane) -> ModelListing:
    """List what is learnt: the version that answers, how it did, and whether one is trained."""
    return {"models": await plane.models.courses()}


@router.get("/api/models/{skill}")
@requires(VIEWER)
async def versions(plane: CurrentPlane, skill: ModelKind) -> ModelVersions:
    """List the versions of a model, newest first."""
    return {"versions": await plane.models.book.versions(skill)}


@router.get("/api/models/{skill}/{number:int}")
@requires(VIEWER)
async def version(plane: CurrentPlane, skill: ModelKind, number: Number) -> ModelVersion:
    """Show one version: its window, its data's fingerprint, its scores."""
    return await plane.models.book.version(skill, number)


@router.post("/api/models/{skill}/train", status_code=202)
@requires(OPERATOR)
async def train(plane: CurrentPlane, skill: ModelKind, by: CurrentPrincipal) -> TrainingStarted:
    """Begin a training on the shop's history up to now; `GET /api/models` tells how it goes."""
    await plane.models.request_training(skill, by=by)
    return {"skill": skill, "status": "training"}
