"""Addresses: nothing forwarded is local, proxies are believed only where they are trusted."""

from typing import Any

import httpx
import pytest
from in_memory_api import NO_LIMITS, Api, settings_of

from storecrew.api.addresses import TrustedProxies, limit_key
from storecrew.api.request_limits import LogInAttempts
from storecrew.domain.control.access import Role
from storecrew.domain.errors import InvalidSettings

FORWARDING = """Forwarded Via X-Forwarded-For X-Forwarded-Host X-Forwarded-Proto X-Forwarded-Port
X-Forwarded-Server X-Forwarded-Prefix X-Forwarded X-Forwarded-By X-Real-IP X-Client-IP
X-Cluster-Client-IP CF-Connecting-IP CF-Ray CF-IPCountry CF-Visitor CDN-Loop True-Client-IP
Fastly-Client-IP Fly-Client-IP Fly-Forwarded-Port X-Envoy-External-Address X-Amzn-Trace-Id
X-Azure-ClientIP X-AppEngine-User-IP X-Cloud-Trace-Context X-Vercel-Forwarded-For
X-NF-Client-Connection-IP
X-Original-Forwarded-For X-Original-Host X-Original-URL X-Rewrite-URL X-Remote-IP X-Remote-Addr
X-ProxyUser-IP Client-IP WL-Proxy-Client-IP Proxy-Client-IP X-Proxy-Id X-Host X-Scheme
X-Varnish X-HAProxy-Server-State Akamai-Origin-Hop X-Request-Start Front-End-Https X-ARR-LOG-ID
Incap-Client-IP""".split()  # noqa: SIM905 - read as a list
HONEST = {
    "accept": "*/*", "user-agent": "curl/8", "accept-language": "de", "cookie": "a=b",
    "origin": "http://127.0.0.1:8000", "referer": "http://127.0.0.1:8000/", "dnt": "1",
    "sec-fetch-site": "same-origin", "x-requested-with": "XMLHttpRequest", "x-csrf-token": "x",
    "idempotency-key": "1", "cache-control": "no-cache", "upgrade-insecure-requests": "1",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "x-request-id": "7",
}  # fmt: skip


@pytest.mark.parametrize("name", FORWARDING)
async def test_without_a_key_nothing_forwarded_is_local(
    client: httpx.AsyncClient, name: str
) -> None:
    for value in ("127.0.0.1", "x", ""):
        response = await client.get("/api/orders", headers={name: value})
        assert response.status_code == 403, name
        assert "proxy" in response.json()["message"]


async def test_what_clients_send_themselves_is_no_proxy(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/orders", headers=HONEST)).status_code == 200


@pytest.mark.parametrize(
    ("networks", "peer", "forwarded", "caller"),
    [
        ((), "10.0.0.1", ["192.0.2.7"], "10.0.0.1"),
        (("10.0.0.1",), "10.0.0.1", ["192.0.2.7"], "192.0.2.7"),
        (("10.0.0.0/8",), "10.9.9.9", ["192.0.2.7"], "192.0.2.7"),
        (("10.0.0.0/8",), "10.9.9.9", ["192.0.2.7, 10.1.1.1"], "192.0.2.7"),
        (("10.0.0.0/8",), "10.9.9.9", ["192.0.2.7", "10.1.1.1"], "192.0.2.7"),
        (("10.0.0.1",), "10.0.0.2", ["192.0.2.7"], "10.0.0.2"),
        (("10.0.0.1",), "10.0.0.1", ["127.0.0.1, 192.0.2.7"], "192.0.2.7"),
        (("10.0.0.1",), "10.0.0.1", ["192.0.2.7, nonsense"], "10.0.0.1"),
        (("10.0.0.1",), "10.0.0.1", [""], "10.0.0.1"),
        (("10.0.0.1",), "10.0.0.1", [], "10.0.0.1"),
        (("::1",), "::1", ["2001:db8::7"], "2001:db8::7"),
        (("10.0.0.1",), "::ffff:10.0.0.1", ["192.0.2.7"], "192.0.2.7"),
        (("10.0.0.0/8",), "10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
    ],
)
def test_the_callers_address_is_the_last_that_no_trusted_proxy_has(
    networks: tuple[str, ...], peer: str, forwarded: list[str], caller: str
) -> None:
    assert TrustedProxies(networks).caller(peer, forwarded) == caller


@pytest.mark.parametrize("network", ["10.0.0", "proxy.example", "10.0.0.0/99", ""])
def test_a_proxy_that_is_no_network_is_refused(network: str) -> None:
    with pytest.raises(InvalidSettings, match=r"api\.trusted_proxies"):
        settings_of(STORECREW_API__TRUSTED_PROXIES=f'["{network}"]')


async def test_behind_a_trusted_proxy_each_caller_has_a_limit_and_a_name(api: Api) -> None:
    environ = NO_LIMITS | {
        "API_KEY_ROYALGPT": "k" * 32,
        "STORECREW_API__RATE_LIMIT": "2",
        "STORECREW_API__TRUSTED_PROXIES": '["10.0.0.1"]',
    }
    client = api.client(settings_of(**environ), peer="10.0.0.1")

    async def tried(address: str) -> int:
        headers = {"x-forwarded-for": f"127.0.0.1, {address}"}
        return (await client.post("/api/orders", headers=headers)).status_code

    assert [await tried("192.0.2.7") for _ in range(3)] == [401, 401, 429]
    assert await tried("192.0.2.8") == 401
    other = api.client(settings_of(**environ), peer="192.0.2.99")
    forged = {"x-forwarded-for": "192.0.2.200"}
    assert [(await other.post("/api/orders", headers=forged)).status_code for _ in range(3)] == [
        401,
        401,
        429,
    ]
    await client._transport.app.state.refusals.close()  # type: ignore[attr-defined]
    audited = {row.actor for row in (await api.plane.journal.audit(page=1, per_page=99)).items}
    assert {"address:192.0.2.7", "address:192.0.2.8"} <= audited
    assert "address:10.0.0.1" not in audited


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("unknown", "unknown"),
    ],
)
def test_an_address_is_counted_with_those_that_its_caller_has_as_well(
    address: str, key: str
) -> None:
    assert limit_key(address) == key


PASSWORDS = {"anna": "a long enough password 1", "owner": "a long enough password 2"}


@pytest.fixture
async def door(api: Api) -> Any:
    settings = settings_of(API_KEY_ROYALGPT="k" * 32, **NO_LIMITS)
    for name, password in PASSWORDS.items():
        await api.plane.access.add_user(name, Role.ADMIN, password, by="person:t")
    clients: dict[str, httpx.AsyncClient] = {}
    first = api.client(settings)

    async def log_in(name: str, password: str, address: str = "192.0.2.7") -> httpx.Response:
        transport = httpx.ASGITransport(first._transport.app, client=(address, 1))  # type: ignore[attr-defined]
        if address not in clients:
            clients[address] = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")
            api.clients.append(clients[address])
        clients[address].cookies.clear()
        body = {"name": name, "password": password}
        return await clients[address].post("/api/session", json=body)

    return log_in


async def test_right_log_ins_use_up_nothing(door: Any) -> None:
    statuses = [(await door("anna", PASSWORDS["anna"])).status_code for _ in range(25)]
    assert statuses == [200] * 25
    assert (await door("owner", PASSWORDS["owner"])).status_code == 200
    wrong = [(await door(f"nobody{n % 5}", "wrong")).status_code for n in range(25)]
    assert 429 in wrong
    assert (await door("owner", PASSWORDS["owner"])).status_code == 200


@pytest.mark.parametrize("template", ["2001:db8:0:1::{:x}", "2001:db8:0:1:{:x}::", "192.0.2.7"])
async def test_passwords_are_not_tried_from_one_network_without_end(
    door: Any, template: str
) -> None:
    tries = [
        await door("owner", f"wrong {n}", template.replace("{:x}", f"{n + 1:x}")) for n in range(8)
    ]
    assert [each.status_code for each in tries] == [401] * 5 + [429] * 3
    assert "retry-after" in tries[-1].headers


def test_a_name_is_not_tried_from_many_networks_without_end() -> None:
    attempts = LogInAttempts()
    for n in range(60):
        assert attempts.wait(f"2001:db8:{n:x}::/64", "owner") == 0
        attempts.count(f"2001:db8:{n:x}::/64", "owner")
    assert attempts.wait("192.0.2.7", "owner") > 0
    assert attempts.wait("192.0.2.7", "anna") == 0


def test_who_logged_in_from_an_address_is_not_locked_out_of_it_by_others() -> None:
    attempts = LogInAttempts()
    attempts.count("192.0.2.7", "owner")
    attempts.pardon("192.0.2.7", "owner")
    for n in range(100):
        attempts.count("192.0.2.7", f"nobody{n}")
        attempts.count(f"198.51.100.{n}", "owner")
    assert attempts.wait("192.0.2.7", "owner") == 0
    for _ in range(5):
        attempts.count("192.0.2.7", "owner")
    assert attempts.wait("192.0.2.7", "owner") > 0
