"""The thirteen acceptance cases of the agent registry's guide, against a real server.

Phase 1: every answer is JSON. Phase 2: keys, agents, executions. Phase 3: heartbeats and alerts.
"""

import asyncio
import http.client
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from storecrew.domain.ports.journal import RunFailure
from storecrew.journal import open_journal
from storecrew.journal.health import SqlHealthRepository, note_failure
from storecrew.orchestrator import (
    get_agent_registry,
    get_health_status,
    register_autogen_agents,
    send_health_alerts,
    verify_heartbeats,
)
from storecrew.testing.live.server import ServerProcess

KEY = "the-key-of-a-dashboard-of-32-characters"
HTML = {"Accept": "text/html"}
BEARER = {"Authorization": f"Bearer {KEY}"}


class Answer:
    """One answer of a server: its status, its headers and its JSON."""

    def __init__(
        self, server: ServerProcess, path: str, method: str = "GET", headers: Mapping[str, str] = {}
    ) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        connection.request(method, path, headers=dict(headers))
        response = connection.getresponse()
        self.status, self.headers = response.status, response.headers
        self.body: Any = json.loads(response.read())
        connection.close()


def serve(folder: Path, settings: Mapping[str, str]) -> Iterator[ServerProcess]:
    server = ServerProcess(folder, settings)
    server.start()
    try:
        asyncio.run(server.ready())
        yield server
    finally:
        server.kill()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server whose callers need a key."""
    yield from serve(tmp_path_factory.mktemp("guarded"), {"API_KEY_ROYALGPT": KEY})


@pytest.fixture(scope="module")
def keyless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server without a key."""
    yield from serve(tmp_path_factory.mktemp("keyless"), {})


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a shop as a cron job finds it."""
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


class TestFase1APIRouting:
    def test_r186_an_unknown_api_path_is_a_404_in_json(self, guarded: ServerProcess) -> None:
        answer = Answer(guarded, "/api/nonexistent", headers=HTML | BEARER)
        assert (answer.status, answer.body["error"]) == (404, "Not Found")
        assert answer.body["path"] == "/api/nonexistent"
        assert answer.headers.get_content_type() == "application/json"

    @pytest.mark.parametrize("path", ["/healthz", "/liveness"])
    def test_r186_liveness_is_json(self, guarded: ServerProcess, path: str) -> None:
        answer = Answer(guarded, path, headers=HTML)
        assert (answer.status, answer.body) == (200, {"status": "healthy"})

    @pytest.mark.parametrize("path", ["/readyz", "/readiness"])
    def test_r186_readiness_names_its_checks(self, guarded: ServerProcess, path: str) -> None:
        answer = Answer(guarded, path, headers=HTML)
        assert (answer.status, answer.body["ready"]) == (200, True)
        assert answer.body["checks"]
        assert all(check.keys() == {"name", "ok", "detail"} for check in answer.body["checks"])

    def test_r186_an_unknown_health_path_is_a_404_in_json(self, keyless: ServerProcess) -> None:
        answer = Answer(keyless, "/health/nonexistent", headers=HTML)
        assert (answer.status, answer.body["error"]) == (404, "Not Found")
        assert answer.headers.get_content_type() == "application/json"


class TestFase2RoyalGPT:
    @pytest.mark.parametrize("credentials", [f"Bearer {KEY}", f"bearer {KEY}", KEY])
    def test_r186_a_bearer_and_a_plain_token_open(
        self, guarded: ServerProcess, credentials: str
    ) -> None:
        answer = Answer(guarded, "/api/services", headers={"Authorization": credentials})
        assert answer.status == 200

    @pytest.mark.parametrize("credentials", [f"Bearer {KEY}x", KEY[:-1], "Bearer", "Basic eDp5"])
    def test_r186_a_wrong_token_is_refused(self, guarded: ServerProcess, credentials: str) -> None:
        answer = Answer(guarded, "/api/services", headers={"Authorization": credentials})
        assert (answer.status, answer.body["error"]) == (401, "Unauthorized")
        assert answer.headers["WWW-Authenticate"] == "Bearer"

    def test_r186_without_a_configured_key_loopback_opens_and_a_remote_caller_is_refused(
        self, keyless: ServerProcess
    ) -> None:
        assert Answer(keyless, "/api/services").status == 200
        remote = {"X-Forwarded-For": "198.51.100.7"}  # a proxy on this machine passes it on
        assert Answer(keyless, "/api/services", headers=remote).status in (401, 403)

    def test_r186_an_agent_is_executed_with_the_key_alone(self, guarded: ServerProcess) -> None:
        path = "/api/agents/oversight/execute?wait=30"
        assert Answer(guarded, path, "POST").status == 401
        done = Answer(guarded, path, "POST", BEARER)
        assert (done.status, done.body["status"]) == (200, "completed")

    def test_r186_the_agents_and_their_state_are_listed(self, guarded: ServerProcess) -> None:
        listed = Answer(guarded, "/api/agents", headers=BEARER)
        assert listed.status == 200
        names = {each["agent_id"] for each in listed.body["agents"]}
        assert {"oversight", "pricing_optimizer", "inventory"} <= names
        assert len(names) == listed.body["total"]

    async def test_r186_autogenerated_agents_register_once(self, outside: Path) -> None:
        journal = open_journal(f"sqlite:///{outside / 'data' / 'registry.db'}")
        try:
            first = await register_autogen_agents(get_agent_registry(), count=10)
            again = await register_autogen_agents(get_agent_registry(), count=10)
        finally:
            await journal.close()
        assert first == {"success": True, "registered": 10, "total": 10}
        assert again == {"success": True, "registered": 0, "total": 10}


class TestFase3Monitoring:
    async def test_r186_heartbeats_are_verified_from_another_process(self, outside: Path) -> None:
        journal = open_journal(f"sqlite:///{outside / 'data' / 'registry.db'}")
        try:
            await SqlHealthRepository(journal.database).heartbeat(["one", "two"], datetime.now(UTC))
            found = await asyncio.to_thread(verify_heartbeats, max_age_seconds=120)
        finally:
            await journal.close()
        assert (found["total_agents"], found["overall_status"]) == (2, "healthy")
        assert found["healthy"]["count"] == 2
        assert (found["stale"]["count"], found["error"]["count"]) == (0, 0)

    async def test_r186_an_agent_over_the_error_threshold_is_alerted_once(
        self, outside: Path
    ) -> None:
        journal = open_journal(f"sqlite:///{outside / 'data' / 'registry.db'}")
        book, now = SqlHealthRepository(journal.database), datetime.now(UTC)
        try:
            await book.heartbeat(["failing", "well"], now)
            for n in range(5):
                failure = RunFailure(
                    run=f"failing@{n}",
                    attempt=1,
                    error="down",
                    retry_at=None,
                    now=now,
                    agent="failing",
                )
                await book.database.write(lambda c, f=failure: note_failure(c, f, escalate=False))
            first = await send_health_alerts(threshold_error_count=5)
            again = await send_health_alerts(threshold_error_count=5)
        finally:
            await journal.close()
        assert [incident.partition("/")[0] for incident in first["sent"]] == ["failing"]
        assert again["sent"] == []

    def test_r186_the_status_of_a_running_orchestrator_is_read_from_outside(
        self, guarded: ServerProcess, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(guarded.folder)
        found = get_health_status()
        assert found["status"] == "active"
        assert found["statistics"]["agents"] > 0
