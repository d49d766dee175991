"""Keys, people and sessions: who is let in, as what, and for how long."""

import asyncio
import sqlite3
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from in_memory_api import NO_LIMITS, Api, ManualClock, settings_of

from storecrew.api.authentication import COOKIE
from storecrew.app.access import Access, csrf_token, digest
from storecrew.domain.control.access import NameTaken, Role
from storecrew.domain.errors import InvalidInput, NotFound
from storecrew.journal.schema.access import keys, sessions, users
from storecrew.journal.schema.journal import audit

PASSWORD = "correct horse battery"  # noqa: S105 - a test's
SETTINGS = settings_of(**NO_LIMITS)


@pytest.fixture
def access(api: Api) -> Access:
    return api.plane.access


async def audited(access: Access) -> list[Any]:
    query = sa.select(audit).order_by(audit.c.seq)
    return await access.book.database.read(lambda c: list(c.execute(query)))  # type: ignore[attr-defined]


async def until_audited(access: Access, kind: str) -> list[Any]:
    for _ in range(200):
        if found := [row for row in await audited(access) if row.subject.startswith(f"{kind}/")]:
            return found
        await asyncio.sleep(0.01)
    raise AssertionError(f"no {kind} was audited")


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def test_a_stored_key_opens_the_door_with_its_role_and_name(api: Api, access: Access) -> None:
    token = await access.add_key("packer", Role.OPERATOR, by="person:owner")
    client = api.client(SETTINGS, peer="192.0.2.7", headers=bearer(token))
    assert (await client.get("/api/orders")).status_code == 200
    run = await client.post("/run_agent/pricing")
    assert run.status_code == 200
    assert await api.requested_by() == ["person:packer"]
    me = (await client.get("/api/session")).json()
    assert (me["name"], me["role"], me["csrf_token"]) == ("packer", "operator", None)


async def test_from_the_first_key_on_everybody_needs_one_also_after_it_is_revoked(
    api: Api, access: Access
) -> None:
    client = api.client(SETTINGS)
    assert (await client.get("/api/orders")).status_code == 200
    token = await access.add_key("first", Role.ADMIN, by="person:owner")
    assert (await client.get("/api/orders")).status_code == 401
    assert (await client.get("/api/orders", headers=bearer(token))).status_code == 200
    await access.revoke_key("first", by="person:owner")
    assert (await client.get("/api/orders", headers=bearer(token))).status_code == 401
    assert (await client.get("/api/orders")).status_code == 401
    assert (await client.get("/healthz")).status_code == 200


async def test_a_revoked_key_opens_nothing_at_once(api: Api, access: Access) -> None:
    first, second = [await access.add_key(n, Role.ADMIN, by="person:o") for n in ("a", "b")]
    client = api.client(SETTINGS)
    assert (await client.get("/api/orders", headers=bearer(second))).status_code == 200
    gone = await client.delete("/api/keys/b", headers=bearer(first))
    assert gone.json() == {"name": "b", "status": "revoked"}
    assert (await client.get("/api/orders", headers=bearer(second))).status_code == 401
    assert (await client.delete("/api/keys/b", headers=bearer(first))).status_code == 404


async def test_a_key_revoked_by_another_process_opens_nothing_after_a_second(
    access: Access,
) -> None:
    now = [0.0]
    here = Access(access.book, access.clock, ticks=lambda: now[0])
    token = await access.add_key("far", Role.VIEWER, by="person:o")
    assert await here.by_key(token) is not None
    await access.revoke_key("far", by="person:o")
    now[0] = 0.9
    assert await here.by_key(token) is not None
    now[0] = 1.0
    assert await here.by_key(token) is None


async def test_the_book_is_read_once_for_many_who_ask(access: Access) -> None:
    reads = 0
    book = access.book

    class Counting:
        async def load_credentials(self, now: Any) -> Any:
            nonlocal reads
            reads += 1
            return await book.load_credentials(now)

    here = Access(Counting(), access.clock, ticks=lambda: 0.0)  # type: ignore[arg-type]
    await asyncio.gather(*(here.by_key("x") for _ in range(50)))
    assert reads == 1


async def test_no_secret_is_kept(access: Access) -> None:
    token = await access.add_key("k", Role.VIEWER, by="person:o")
    await access.add_user("anna", Role.ADMIN, PASSWORD, by="person:o")
    begun = await access.log_in("anna", PASSWORD, lasts=timedelta(hours=1))
    assert begun is not None
    connection: sqlite3.Connection = access.book.database.engine.raw_connection().driver_connection  # type: ignore[attr-defined]
    dump = "\n".join(connection.iterdump())
    for secret in (token, PASSWORD, begun.token, csrf_token(begun.token)):
        assert secret not in dump
    assert "$argon2id$" in dump
    assert digest(token) in dump


@pytest.mark.parametrize("name", ["", "local", "API", "system", "-x", "a b", "x" * 65, "ä"])
async def test_a_name_that_would_mislead_is_refused(access: Access, name: str) -> None:
    with pytest.raises(InvalidInput):
        await access.add_key(name, Role.VIEWER, by="person:o")


async def test_a_name_stands_for_one_caller_for_ever(access: Access) -> None:
    await access.add_key("anna", Role.VIEWER, by="person:o")
    await access.revoke_key("anna", by="person:o")
    with pytest.raises(NameTaken):
        await access.add_key("Anna", Role.VIEWER, by="person:o")
    with pytest.raises(NameTaken):
        await access.add_user("anna", Role.VIEWER, PASSWORD, by="person:o")
    with pytest.raises(NotFound):
        await access.revoke_key("anna", by="person:o")


async def test_keys_over_http_are_shown_once_and_audited(api: Api, access: Access) -> None:
    client = api.client(SETTINGS)
    made = await client.post("/api/keys", json={"name": "dash", "role": "viewer"})
    assert made.status_code == 201
    admin = await access.add_key("boss", Role.ADMIN, by="person:local")
    found = await client.get("/api/keys", headers=bearer(admin))
    assert made.json()["key"] not in found.text
    assert [(k["name"], k["role"]) for k in found.json()["items"]] == [
        ("boss", "admin"),
        ("dash", "viewer"),
    ]
    again = await client.post(
        "/api/keys", json={"name": "dash", "role": "viewer"}, headers=bearer(admin)
    )
    assert again.status_code == 409
    wrong = await client.post(
        "/api/keys", json={"name": "x", "role": "king"}, headers=bearer(admin)
    )
    assert (wrong.status_code, list(wrong.json()["fields"])) == (400, ["role"])
    first = (await audited(access))[0]
    assert (first.kind, first.actor, first.subject) == ("access", "person:local", "add_key/1")


async def logged_in(api: Api, host: str = "http://127.0.0.1:8000") -> httpx.AsyncClient:
    await api.plane.access.add_user("anna", Role.OPERATOR, PASSWORD, by="person:o")
    client = api.client(SETTINGS)
    said = await client.post(f"{host}/api/session", json={"name": "anna", "password": PASSWORD})
    assert said.status_code == 200, said.text
    return client


async def test_who_logs_in_gets_a_session_that_writes_need_a_second_proof_for(api: Api) -> None:
    client = await logged_in(api)
    assert (await client.get("/api/orders")).status_code == 200
    refused = await client.post("/run_agent/pricing")
    assert (refused.status_code, refused.json()["error"]) == (403, "Forbidden")
    assert "x-csrf-token" in refused.json()["message"]
    me = (await client.get("/api/session")).json()
    assert (me["name"], me["role"]) == ("anna", "operator")
    proof = {"x-csrf-token": me["csrf_token"]}
    assert (await client.post("/run_agent/pricing", headers=proof)).status_code == 200
    assert await api.requested_by() == ["person:anna"]
    wrong = {"x-csrf-token": "0" * 64}
    assert (await client.post("/run_agent/pricing", headers=wrong)).status_code == 403
    ended = await client.delete("/api/session", headers=proof)
    assert ended.status_code == 200
    client.cookies.clear()
    assert (await client.get("/api/orders")).status_code == 401


async def test_an_ended_session_opens_nothing(api: Api) -> None:
    client = await logged_in(api)
    token = client.cookies[COOKIE]
    proof = {"x-csrf-token": csrf_token(token)}
    await client.delete("/api/session", headers=proof)
    stolen = {"cookie": f"{COOKIE}={token}"}
    assert (await client.get("/api/orders", headers=stolen)).status_code == 401


async def test_a_session_ends_with_its_hours_and_with_its_person(api: Api) -> None:
    client = await logged_in(api)
    clock = api.plane.access.clock
    assert isinstance(clock, ManualClock)
    clock.at += timedelta(hours=11)
    assert (await client.get("/api/orders")).status_code == 200
    clock.at += timedelta(hours=1)
    assert (await client.get("/api/orders")).status_code == 401


async def test_a_session_ends_with_its_person(api: Api) -> None:
    client = await logged_in(api)
    await api.plane.access.remove_user("anna", by="person:o")
    assert (await client.get("/api/orders")).status_code == 401


@pytest.mark.parametrize(
    ("host", "secure"),
    [
        ("http://127.0.0.1:8000", False),
        ("http://localhost", False),
        ("http://[::1]:8000", False),
        ("https://127.0.0.1", True),
        ("http://shop.example", True),
    ],
)
async def test_the_cookie_is_out_of_reach_and_travels_encrypted_off_this_machine(
    api: Api, host: str, secure: bool
) -> None:
    await api.plane.access.add_user("anna", Role.VIEWER, PASSWORD, by="person:o")
    said = await api.client(SETTINGS).post(
        f"{host}/api/session", json={"name": "anna", "password": PASSWORD}
    )
    cookie = said.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert ("Secure" in cookie) is secure
    assert said.headers["cache-control"] == "no-store"


async def test_an_unknown_name_is_answered_as_a_wrong_password(api: Api, access: Access) -> None:
    await access.add_user("anna", Role.ADMIN, PASSWORD, by="person:o")
    client = api.client(SETTINGS)
    answers = []
    for name in ("anna", "nobody"):
        said = await client.post("/api/session", json={"name": name, "password": "x" * 12})
        body = said.json()
        body.pop("request_id")
        answers.append((said.status_code, body))
        assert "set-cookie" not in said.headers
    assert answers[0] == answers[1]
    assert answers[0][0] == 401
    (row,) = await until_audited(access, "unauthorized")
    assert row.actor == "address:127.0.0.1"
    assert "POST /api/session" in row.action


async def test_failed_logins_are_slowed(api: Api, access: Access) -> None:
    await access.add_user("anna", Role.ADMIN, PASSWORD, by="person:o")
    client = api.client(SETTINGS)
    body = {"name": "anna", "password": "wrong wrong wrong"}
    tried = [(await client.post("/api/session", json=body)).status_code for _ in range(6)]
    assert tried == [401] * 5 + [429]
    right = await client.post("/api/session", json={"name": "anna", "password": PASSWORD})
    assert right.status_code == 429
    assert int(right.headers["retry-after"]) > 0
    elsewhere = api.client(SETTINGS, peer="192.0.2.9")  # another server: counted by process
    said = await elsewhere.post("/api/session", json={"name": "anna", "password": PASSWORD})
    assert said.status_code == 200


async def test_attempts_at_once_are_slowed_too(api: Api, access: Access) -> None:
    await access.add_user("anna", Role.ADMIN, PASSWORD, by="person:o")
    client = api.client(SETTINGS)
    body = {"name": "anna", "password": "wrong wrong wrong"}
    tried = await asyncio.gather(*(client.post("/api/session", json=body) for _ in range(12)))
    assert sorted(each.status_code for each in tried) == [401] * 5 + [429] * 7


async def test_who_gets_in_is_pardoned(api: Api, access: Access) -> None:
    await access.add_user("anna", Role.ADMIN, PASSWORD, by="person:o")
    client = api.client(SETTINGS)
    for _ in range(2):
        for _ in range(4):
            wrong = {"name": "anna", "password": "wrong wrong wrong"}
            assert (await client.post("/api/session", json=wrong)).status_code == 401
        right = {"name": "anna", "password": PASSWORD}
        assert (await client.post("/api/session", json=right)).status_code == 200
        client.cookies.clear()


async def test_sessions_of_one_person_are_bounded(access: Access) -> None:
    await access.add_user("anna", Role.ADMIN, PASSWORD, by="person:o")
    clock = access.clock
    assert isinstance(clock, ManualClock)
    book = access.book
    for n in range(25):
        clock.at += timedelta(seconds=1)
        ends = clock.at + timedelta(hours=1)
        await book.begin_session("anna", digest(str(n)), now=clock.at, ends_at=ends)
    kept = (await book.load_credentials(clock.at)).sessions
    assert kept.keys() == {digest(str(n)) for n in range(5, 25)}


@pytest.mark.parametrize("password", ["short", "x" * 257])
async def test_a_password_has_a_length(access: Access, password: str) -> None:
    with pytest.raises(InvalidInput, match="12 to 256"):
        await access.add_user("anna", Role.ADMIN, password, by="person:o")


async def test_who_cannot_be_looked_up_does_not_come_in(api: Api, access: Access) -> None:
    from storecrew.domain.errors import StorageBusy

    class Broken:
        database = access.book.database  # type: ignore[attr-defined]

        async def load_credentials(self, _now: Any) -> Any:
            raise StorageBusy("journal")

    away = Access(Broken(), access.clock)  # type: ignore[arg-type]
    api.plane = replace(api.plane, access=away)
    client = api.client(SETTINGS)
    said = await client.get("/api/orders", headers=bearer("x"))
    assert (said.status_code, said.json()["error"]) == (503, "Service unavailable")
    assert (await client.get("/healthz")).status_code == 200


def test_the_tables_keep_hashes_alone() -> None:
    columns = {c.name for table in (keys, users, sessions) for c in table.c}
    assert not columns & {"token", "key", "secret", "csrf"}
