"""What Prometheus is told."""

import httpx
from in_memory_api import Api
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families


async def scraped(client: httpx.AsyncClient) -> dict[str, Metric]:
    response = await client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {family.name: family for family in text_string_to_metric_families(response.text)}


def value(family: Metric, **labels: str) -> float:
    (found,) = [s.value for s in family.samples if labels.items() <= s.labels.items()]
    return found


async def test_r157_metrics_tell_of_the_machine_the_process_and_the_shop(
    api: Api, client: httpx.AsyncClient
) -> None:
    for body in ({"price": "11.00"}, {}):
        await client.post("/run_agent/pricing", json=body)
        await api.settle()
    await client.get("/api/orders/9")
    await client.get("/api/orders/10")
    found = await scraped(client)
    assert value(found["system_cpu_seconds"], mode="user") > 0
    assert value(found["system_memory_bytes"], kind="total") > 0
    assert {s.labels["direction"] for s in found["system_network_bytes"].samples} <= {
        "received",
        "sent",
    }
    assert value(found["process_resident_memory_bytes"]) > 0
    assert value(found["process_cpu_seconds"]) > 0
    assert value(found["storecrew_approvals_waiting"]) == 1
    assert value(found["storecrew_runs"], status="done") == 2
    assert value(found["storecrew_budget_used"], agent="pricing", part="runs") == 2
    assert value(found["storecrew_budget_limit"], agent="pricing", part="runs") == 5
    assert value(found["storecrew_paused"]) == 0
    assert value(found["storecrew_messages"], state="waiting") == 0
    times = found["storecrew_http_request_seconds"].samples
    of_orders = [s for s in times if s.labels.get("route") == "/api/orders/{order_id}"]
    (count,) = [s.value for s in of_orders if s.name.endswith("_count")]
    assert count == 2
    assert {s.labels["status"] for s in of_orders} == {"404"}


async def test_r157_what_happens_moves_the_figures(api: Api, client: httpx.AsyncClient) -> None:
    await client.post("/run_agent/pricing")
    await api.settle()
    await client.post("/api/orchestrator/pause")
    found = await scraped(client)
    assert value(found["storecrew_runs"], status="done") == 1
    assert value(found["storecrew_paused"]) == 1


async def test_routes_nobody_declared_share_one_series(client: httpx.AsyncClient) -> None:
    for n in range(20):
        await client.request(f"BREW{n}", f"/nowhere/{n}")
    times = (await scraped(client))["storecrew_http_request_seconds"].samples
    assert {(s.labels["route"], s.labels["method"]) for s in times} == {("unknown", "other")}
