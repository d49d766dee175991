"""A service that storecrew keeps running: what customers think of products, over HTTP.

`reviews.yaml` describes it. From the root of the checkout:

    mkdir -p services && cp examples/05-service/reviews.yaml services/
    storecrew up

starts it, probes its `/health`, and starts it again when it dies. The service registers its
address, sends heartbeats, and deregisters on SIGTERM.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from statistics import fmean
from typing import Annotated

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, Field

from storecrew import ServiceAgent, Unreachable

PORT = int(os.environ.get("SERVICE_PORT", "8001"))
ORCHESTRATOR = os.environ.get("ORCHESTRATOR_URL", "http://127.0.0.1:8000")
HERE = f"http://127.0.0.1:{PORT}"

ratings: dict[str, list[int]] = {}


@asynccontextmanager
async def announced(_app: FastAPI) -> AsyncIterator[None]:
    """Be known to storecrew while serving; serve also where it is away."""
    me = ServiceAgent(
        "reviews",
        ORCHESTRATOR,
        health_endpoint=f"{HERE}/health",
        api_endpoint=HERE,
        api_key=os.environ.get("REVIEWS_API_KEY"),
    )
    try:
        me.register()
    except Unreachable as error:
        print(f"serving all the same: {error}", flush=True)
    me.start_beating()
    yield
    with suppress(Unreachable):
        me.graceful_shutdown()


app = FastAPI(lifespan=announced)


class Review(BaseModel):
    """What a customer thinks of a product."""

    stars: Annotated[int, Field(ge=1, le=5)]


@app.get("/health")
async def health() -> dict[str, str]:
    """Tell that the service works."""
    return {"status": "healthy", "service": "reviews", "timestamp": datetime.now(UTC).isoformat()}


@app.post("/reviews/{sku}", status_code=201)
async def add(sku: str, review: Review) -> dict[str, float]:
    """Take a review and return the product's mean rating."""
    given = ratings.setdefault(sku, [])
    given.append(review.stars)
    print(f"{sku} was given {review.stars} stars", flush=True)
    return {"rating": fmean(given)}


@app.get("/reviews/{sku}")
async def rating(sku: str) -> dict[str, float | int | None]:
    """Return how a product is rated."""
    given = ratings.get(sku, [])
    return {"rating": fmean(given) if given else None, "reviews": len(given)}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=PORT, log_level="warning")
