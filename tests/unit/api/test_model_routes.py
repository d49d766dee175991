"""What was learnt, over HTTP."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from in_memory_api import NOW, Api

from storecrew.domain.control.model_registry import ModelKind, ServingStatus, TrainingResult
from storecrew.domain.errors import InvalidInput
from storecrew.learning.training import TrainingJob
from storecrew.models.intents import starter_examples, train
from storecrew.models.serialization import pack


async def until_trained(client: httpx.AsyncClient, skill: str) -> dict:
    while True:
        await asyncio.sleep(0)  # books in memory never wait for anybody
        models = (await client.get("/api/models")).json()["models"]
        (found,) = [model for model in models if model["skill"] == skill]
        if found["training_since"] is None:
            return found


async def test_r130_a_forecast_over_http(api: Api, client: httpx.AsyncClient, place) -> None:
    await place("Product A:2")
    # what is sold today is history tomorrow
    api.plane.clock.at += timedelta(days=1)  # type: ignore[attr-defined]
    answer = await client.get("/api/forecast/Product A", params={"horizon": 14})

    said = answer.json()
    assert answer.status_code == 200
    assert said["error"] is not None
    assert len(said["days"]) == len(said["mean"]) == 14
    assert sorted(said["quantiles"]) == ["0.05", "0.1", "0.25", "0.5", "0.75", "0.9", "0.95"]
    one = (await client.get("/api/forecast/Product A?warehouse=main&horizon=2")).json()
    assert (one["warehouse"], one["days"]) == ("main", [])  # nothing was sent from it yet


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/forecast/Nobody", 404),
        ("/api/forecast/Product A?warehouse=moon", 404),
        ("/api/forecast/Product A?horizon=0", 400),
        ("/api/forecast/Product A?horizon=91", 400),
        ("/api/forecast/Product A?horizon=soon", 400),
        ("/api/recommendations", 400),
        ("/api/recommendations/anna?count=0", 400),
        ("/api/models/astrology", 400),
        ("/api/models/demand/0", 400),
        ("/api/models/demand/7", 404),
    ],
)
async def test_bad_questions_get_a_clear_answer(
    client: httpx.AsyncClient, path: str, status: int
) -> None:
    answer = await client.get(path)
    assert answer.status_code == status
    assert answer.json()["error"]


async def test_r125_recommendations_over_http(client: httpx.AsyncClient) -> None:
    for path in ("/api/recommendations/anna", "/api/recommendations?cart=Product A&count=3"):
        answer = await client.get(path)
        assert answer.status_code == 200
        assert answer.json() == {"version": None, "items": []}


async def test_versions_over_http(client: httpx.AsyncClient, api: Api) -> None:
    lesson = TrainingResult(
        kind=ModelKind.INTENTS,
        trained_at=NOW,
        first=None,
        last=None,
        fingerprint="f",
        seconds=1.0,
        content=b"x",
    )
    await api.plane.models.book.add(lesson, ServingStatus.SERVING, "the newest", by="o")

    listed = (await client.get("/api/models")).json()["models"]
    versions = (await client.get("/api/models/intents")).json()["versions"]
    one = (await client.get("/api/models/intents/1")).json()

    assert [model["skill"] for model in listed] == [*ModelKind]
    assert listed[-1]["version"] == versions[0] == one
    assert (one["serving_status"], one["fingerprint"], one["size"]) == ("serving", "f", 1)


async def test_an_elasticity_over_http(client: httpx.AsyncClient) -> None:
    said = (await client.get("/api/elasticity/Product A")).json()
    assert (said["mean"], said["own"], said["version"]) == (-2.2, False, None)
    assert (await client.get("/api/elasticity/Nobody")).status_code == 404


async def test_what_rises_over_http(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/trends", params={"recent": 3})
    assert answer.json() == {"rising": []}
    assert (await client.get("/api/trends", params={"recent": 0})).status_code == 400


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/mug", "http://169.254.169.254/", "file:///etc/passwd", "mug", ""]
)
async def test_nobody_is_sent_inside(client: httpx.AsyncClient, url: str) -> None:
    answer = await client.post("/api/product-pages", json={"url": url})
    assert answer.status_code == 400
    assert answer.json()["fields"]


async def learn_nothing(_task: TrainingJob, _before: bytes) -> TrainingResult:
    raise InvalidInput("orders", "none to learn from")


async def test_a_training_is_begun_and_told_of(
    api: Api, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api.plane.models, "learn", learn_nothing)  # else in a process of its own
    begun = await client.post("/api/models/similarity/train")
    course = await until_trained(client, "similarity")

    assert (begun.status_code, begun.json()["status"]) == (202, "training")
    assert "none to learn from" in course["failure"]["problem"]


async def test_an_intent_over_http(client: httpx.AsyncClient, api: Api) -> None:
    before = await client.post("/api/intents", json={"text": "track my package please"})
    texts, labels = starter_examples()
    lesson = TrainingResult(
        kind=ModelKind.INTENTS,
        trained_at=NOW,
        first=None,
        last=None,
        fingerprint="f",
        seconds=1.0,
        content=pack(train(texts, labels).state()),
    )
    await api.plane.models.book.add(lesson, ServingStatus.SERVING, "the newest", by="o")

    after = await client.post("/api/intents", json={"text": "track my package please"})

    assert before.status_code == 404
    assert after.json()["intent"] == "order_status"
    assert (await client.post("/api/intents", json={"text": ""})).status_code == 400
    assert (await client.post("/api/intents", json={"text": "x" * 5_001})).status_code == 400
