"""Small openings that are closed: names, digits, probes, and paths that lead nowhere."""

from typing import Any

import httpx
import pytest
from in_memory_api import NO_LIMITS, Api, settings_of

from storecrew.domain.control.access import NameTaken, Role
from storecrew.domain.control.services import ServiceSpec

KEY = "k" * 32


@pytest.fixture
def closed(api: Api) -> dict[str, httpx.AsyncClient]:
    settings = settings_of(API_KEY_ROYALGPT=KEY, **NO_LIMITS)
    headers = {"authorization": f"Bearer {KEY}"}
    return {
        "stranger": api.client(settings, peer="192.0.2.7"),
        "admin": api.client(settings, peer="192.0.2.7", headers=headers),
    }


@pytest.mark.parametrize("name", ["anna", "Anna", "ANNA"])
async def test_a_removed_persons_name_is_not_given_again(api: Api, name: str) -> None:
    access = api.plane.access
    await access.add_user("anna", Role.ADMIN, "a long enough password", by="person:t")
    await access.remove_user("anna", by="person:t")
    with pytest.raises(NameTaken):
        await access.add_user(name, Role.ADMIN, "a long enough password", by="person:t")
    with pytest.raises(NameTaken):
        await access.add_key(name, Role.ADMIN, by="person:t")


NAMES = ["Product A", "Product B"]
AMOUNTS = ["٣", "３", "۳.۵", "१२", "1_0", "²", "1٫5", "１０.００", "1 0", "০৫"]


@pytest.mark.parametrize("amount", AMOUNTS)
async def test_amounts_have_ascii_digits(client: httpx.AsyncClient, amount: str) -> None:
    await client.post("/api/orders", json={"text": "Product A:1"})
    price = {"amount": amount, "currency": "EUR"}
    requests: list[tuple[str, str, Any]] = [
        ("PUT", "/api/products/X", {"name": "X", "price": price}),
        ("POST", "/api/orders/1/payments", {"reference": "r", "amount": amount}),
        ("POST", "/api/orders/1/authorizations", {"reference": "r", "amount": amount}),
        ("POST", "/api/discounts", {"code": "C", "percent": amount, "products": NAMES, "days": 1}),
        ("POST", "/api/bundles", {"name": "b", "products": NAMES, "price": amount}),
    ]
    for method, path, body in requests:
        response = await client.request(method, path, json=body)
        assert response.status_code == 400, (path, response.text)


@pytest.mark.parametrize("quality", ["²", "٣", "1.²", "0.٥", "1e5", "-1", "nan", ""])
async def test_no_weight_in_accept_upsets_the_root(client: httpx.AsyncClient, quality: str) -> None:
    headers = {"accept": f"text/html;q={quality}".encode("latin-1", "replace")}
    assert (await client.get("/", headers=headers)).status_code in (200, 307)


@pytest.mark.parametrize("path", ["/health/nonexistent", "/health/", "/health/a/b"])
async def test_a_path_beneath_the_health_leads_nowhere(
    closed: dict[str, httpx.AsyncClient], path: str
) -> None:
    assert (await closed["stranger"].get(path)).status_code == 404


async def test_strangers_hear_whether_it_is_healthy_and_no_names(
    api: Api, closed: dict[str, httpx.AsyncClient]
) -> None:
    await api.plane.services.register(ServiceSpec(id="secret-helper", executable="x"), by="t")
    stranger, admin = [await closed[who].get("/health") for who in ("stranger", "admin")]
    assert stranger.status_code == admin.status_code == 200
    assert stranger.json()["status"] == admin.json()["status"]
    assert "secret-helper" not in stranger.text
    assert stranger.json()["services"] == {}
    assert "secret-helper" in admin.json()["services"]
    wrong = await closed["stranger"].get("/health", headers={"authorization": "Bearer wrong"})
    assert (wrong.status_code, wrong.json()["services"]) == (200, {})
