"""The examples, run as their reader would run them."""

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import websockets
from written_steps import blocks, run, run_steps

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
    text = (EXAMPLES / "05-service" / "reviews.yaml").read_text("utf-8")
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


RAN_LOW = {
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


async def test_the_example_agent_proposes_from_its_own_process(shop, client):
    shop.start()
    await shop.ready()
    product = {"name": "Mug", "price": {"amount": "10.00", "currency": "EUR"}}
    assert (await client.put("/api/products/mug", json=product)).status_code in (200, 201)
    command = [sys.executable, str(EXAMPLES / "06-remote-agent" / "restocker.py")]
    here = [f"--plane=http://127.0.0.1:{shop.port}", f"--port={free_port()}"]
    process = subprocess.Popen(  # noqa: ASYNC220 - starting it takes no time
        [*command, *here], cwd=shop.folder, env=environment({})
    )
    try:

        async def on_duty():
            answer = await client.get("/api/agents/restocker/health")
            return answer.status_code == 200 and answer.json()["status"] == "healthy"

        await until(on_duty)
        answer = await client.post("/api/events", json=RAN_LOW)
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


def run_readme(example: str, folder: Path) -> str:
    """Run the lines of an example's README in a copy of its folder."""
    shutil.copytree(EXAMPLES / example, folder / example)
    return run_steps(
        blocks((EXAMPLES / example / "README.md").read_text("utf-8")), folder / example
    )


def test_r047_the_minimal_agent_prints_its_proposal():
    said = run(sys.executable, EXAMPLES / "01-minimal" / "scarcity_pricing.py")
    assert "SetPrice(sku='mug', price=Money(amount=Decimal('12.60')" in said


async def test_r047_an_agent_named_in_the_settings_joins_the_crew(shop, client):
    source = "agents: {scarcity_pricing: {source: 'scarcity_pricing:scarcity_pricing'}}\n"
    (shop.folder / "storecrew.yaml").write_text(source, "utf-8")
    shop.settings = {"PYTHONPATH": str(EXAMPLES / "01-minimal")}
    shop.start()
    await shop.ready()

    agents = (await client.get("/api/agents")).json()["agents"]
    assert "scarcity_pricing" in [agent["agent_id"] for agent in agents]
    assert await shop.stop() == 0


def test_an_agent_with_a_setting_asks_to_buy_what_is_missing(tmp_path: Path):
    said = run_readme("02-schedule-and-settings", tmp_path)
    assert "The settings are fine." in said
    assert "mug × 21" in said
    assert "4 units are left; the minimum is 25." in said


def test_a_limit_asks_and_a_person_approves_and_takes_back(tmp_path: Path):
    said = run_readme("03-policy-and-approvals", tmp_path)
    assert "1 applied, 1 wait for you" in said
    assert "it would take: order_value: a higher policy.order_value_limit" in said
    assert "order_management@4/1 is approved" in said
    assert re.search(r"│ 2 +│ awaiting_payment │ 198.00 EUR", said)
    assert re.search(r"│ 1 +│ cancelled +│ 19.80 EUR", said)
    assert said.splitlines()[-1] == "The books are right."


async def test_the_owner_places_approves_and_undoes_over_http(shop):
    shop.start()
    await shop.ready()
    command = [sys.executable, EXAMPLES / "04-http-client" / "owner.py"]
    said = await asyncio.to_thread(run, *command, f"--plane=http://127.0.0.1:{shop.port}")
    assert said.splitlines() == [
        "sent twice under one key: order 1 and order 1",
        "asked: All units are on hand and reserved. (autonomy)",
        "approved: order 1 is awaiting_payment",
        "undone: order 1 is cancelled",
    ]
    assert await shop.stop() == 0


def test_a_history_is_imported_and_the_crew_asks_to_buy(tmp_path: Path):
    said = run_readme("07-history", tmp_path)
    assert re.search(r"^orders +119$", said, re.MULTILINE)
    assert "CreatePurchaseOrder 85123A" in said
    assert "22423: 57." in said
    assert said.splitlines()[-1] == "The books are right."


def test_each_example_stands_in_the_ladder():
    folders = sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir())
    ladder = (EXAMPLES / "README.md").read_text("utf-8")
    assert re.findall(r"^\| \[([^]]+)\]", ladder, re.MULTILINE) == folders
    assert [name[:2] for name in folders] == [f"{n:02}" for n in range(1, len(folders) + 1)]


def test_authors_import_from_storecrew_alone():
    pages = [*EXAMPLES.glob("0[1-7]*/*.py"), ROOT / "docs" / "writing-an-agent.md"]
    deep = {page.name: re.findall(r"^from storecrew\.", page.read_text("utf-8"), re.MULTILINE)
            for page in pages}  # fmt: skip
    assert len(deep) > 5
    assert {name for name, found in deep.items() if found} == set()
