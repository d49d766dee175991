"""The examples, used as their reader would: a service, an agent in a process, a first agent."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import websockets

from storecrew.testing.live.server import ServerProcess, environment, free_port

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


async def until(look, within: float = 60):
    """Return what the look returns once that is anything."""
    async with asyncio.timeout(within):
        while not (found := await look()):  # noqa: ASYNC110 - another process tells
            await asyncio.sleep(0.05)
    return found


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server to be started, with the example service in its folder of services."""
    server = ServerProcess(tmp_path, {"STORECREW_REMOTE_AGENTS__ALLOW_PRIVATE": "true"})
    yield server
    if server._process is not None and server._process.poll() is None:
        server._process.send_signal(signal.SIGTERM)  # its services end with it
        server._process.wait(30)


@pytest.fixture
async def client(shop: ServerProcess):
    url = f"http://127.0.0.1:{shop.port}"
    async with httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as client:
        yield client


def install_service(shop: ServerProcess) -> int:
    """Put the example's file where the server looks, with paths and ports of this test."""
    port = free_port()
    text = (EXAMPLES / "services" / "reviews.yaml").read_text("utf-8")
    text = text.replace("python examples/", f"{sys.executable} {EXAMPLES}/")
    text = text.replace("8001", str(port)).replace("8000", str(shop.port))
    (shop.folder / "services").mkdir()
    (shop.folder / "services" / "reviews.yaml").write_text(text, "utf-8")
    return port


async def test_r096_the_example_service_works_and_websocket_tells_down_then_up(shop, client):
    port = install_service(shop)
    shop.start()
    await shop.ready()

    async def healthy():
        view = (await client.get("/api/services/reviews")).json()
        return view if view["health"] == "healthy" else None

    view = await until(healthy)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as reviews:
        answer = await reviews.post("/reviews/mug", json={"stars": 4})
        assert (answer.status_code, answer.json()) == (201, {"rating": 4.0})

    url = f"ws://127.0.0.1:{shop.port}/ws?topics=service"
    async with websockets.connect(url, proxy=None) as live:
        seq = json.loads(await live.recv())["seq"]
        os.kill(view["pid"], signal.SIGKILL)
        told = []
        async with asyncio.timeout(60):
            while not told or told[-1]["status"] != "running" or told[-1]["pid"] == view["pid"]:
                told.append(json.loads(await live.recv()))

    assert {"type", "service", "status", "pid", "timestamp", "seq"} <= told[0].keys()
    assert {each["service"] for each in told} == {"reviews"}
    assert told[0]["status"] != "running"
    assert [each["seq"] for each in told] == sorted(each["seq"] for each in told)

    async with websockets.connect(f"{url}&since={seq}", proxy=None) as again:
        await again.recv()
        replayed = [json.loads(await again.recv()) for _ in told]
    assert replayed == told

    lines = (await client.get("/api/services/reviews/logs?lines=50")).json()["lines"]
    assert any("mug was given 4 stars" in line for line in lines)
    assert await shop.stop() == 0


async def test_the_example_agent_proposes_from_its_own_process(shop, client):
    shop.start()
    await shop.ready()
    product = {"name": "Mug", "price": {"amount": "10.00", "currency": "EUR"}}
    assert (await client.put("/api/products/mug", json=product)).status_code in (200, 201)
    command = [sys.executable, str(EXAMPLES / "remote_agent.py")]
    here = [f"--plane=http://127.0.0.1:{shop.port}", f"--port={free_port()}"]
    process = subprocess.Popen(  # noqa: ASYNC220 - starting it takes no time
        [*command, *here], cwd=shop.folder, env=environment({})
    )
    try:

        async def on_duty():
            answer = await client.get("/api/agents/restocker/health")
            return answer.status_code == 200 and answer.json()["status"] == "healthy"

        await until(on_duty)
        event = {
            "event_type": "stock_ran_low",
            "id": "low-1",
            "data": {
                "sku": "mug",
                "warehouse": "main",
                "position": 3,
                "reorder_point": 9,
                "daily_demand": 2.0,
            },
        }
        answer = await client.post("/api/events", json=event)
        assert "restocker" in answer.json()["wakes"]

        async def proposed():
            found = (await client.get("/api/proposals")).json()["items"]
            return [p for p in found if p["filed"]["agent"] == "restocker"]

        [story] = await until(proposed)
    finally:
        process.terminate()
        process.wait(30)

    assert story["filed"]["proposal"]["action"] == {
        "type": "CreatePurchaseOrder",
        "sku": "mug",
        "quantity": 53,
        "warehouse": "main",
    }
    number = answer.json()["event_id"]
    trace = (await client.get(f"/api/traces/{story['filed']['id']}")).json()
    assert trace["id"] == f"e{number}"
    assert number in [each["seq"] for each in trace["events"]]
    assert shop.run("verify").returncode == 0
    shown = shop.run("trace", f"e{number}", "--json")
    assert story["filed"]["id"] in [s["filed"]["id"] for s in json.loads(shown.stdout)["stories"]]
    assert await shop.stop() == 0


def test_r047_the_first_agent_prints_its_proposal():
    command = [sys.executable, str(EXAMPLES / "hello_agent.py"), "--once"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (said.returncode, "SetPrice(sku='mug'" in said.stdout) == (0, True)


async def test_r047_an_agent_named_in_the_settings_joins_the_crew(shop, client):
    source = "agents: {hello_agent: {source: 'hello_agent:hello_agent'}}\n"
    (shop.folder / "storecrew.yaml").write_text(source, "utf-8")
    shop.settings = {"PYTHONPATH": str(EXAMPLES)}
    shop.start()
    await shop.ready()

    agents = (await client.get("/api/agents")).json()["agents"]
    assert "hello_agent" in [agent["agent_id"] for agent in agents]
    assert await shop.stop() == 0
