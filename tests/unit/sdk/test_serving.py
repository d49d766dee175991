"""A remote agent's place in the crew: entered with a token that is told once and kept."""

import stat
import threading

import pytest

from storecrew.domain.shop.catalog import SetPrice
from storecrew.domain.shop.inventory import StockRanLow
from storecrew.sdk import Client, RequestRejected, agent, cron, every
from storecrew.sdk.serving import AgentPresence, TokenLost, manifest_of

AGENTS, CLERK = "/api/agents", "/api/agents/clerk"


def declared(**more):
    @agent(**({"name": "clerk", "allowed_actions": [SetPrice]} | more))
    async def clerk(event, ctx):
        """Keep order."""
        for proposal in ():
            yield proposal

    return clerk


@pytest.fixture
def duty(listener, tmp_path):
    plane = Client(listener.url, api_key="admin")
    return lambda: AgentPresence(declared(), "http://10.0.0.7/", plane, tmp_path / "clerk.token")


def test_the_declaration_says_what_the_decorator_said():
    said = manifest_of(declared(on=StockRanLow, schedule=every(hours=2), tags=["a"]), "http://x")
    assert said == {
        "agent_id": "clerk",
        "endpoint": "http://x",
        "purpose": "Keep order.",
        "on": ["StockRanLow"],
        "allowed_actions": ["SetPrice"],
        "publishes": [],
        "capabilities": [],
        "tags": ["a"],
        "priority": 0,
        "max_concurrent_tasks": 1,
        "deadline": 300.0,
        "batch": 1,
        "budget": {},
        "interval": 7200.0,
    }


def test_a_cron_schedule_keeps_its_zone():
    said = manifest_of(declared(schedule=cron("0 6 * * *", zone="Europe/Berlin")), "http://x")
    assert (said["cron"], said["zone"]) == ("0 6 * * *", "Europe/Berlin")


def test_a_first_registration_keeps_its_token_from_others(listener, duty, tmp_path):
    listener.will("POST", AGENTS, 201, {"token": "agent_1"})
    one = duty()
    one.register()

    file = tmp_path / "clerk.token"
    assert (one.token, file.read_text()) == ("agent_1", "agent_1\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_restart_finds_its_place_again(listener, duty, tmp_path):
    (tmp_path / "clerk.token").write_text("agent_1\n")
    listener.will("POST", AGENTS, 200, {})
    one = duty()
    one.register()
    assert (one.token, listener.paths()) == ("agent_1", [("POST", AGENTS)])


def test_a_changed_declaration_takes_the_place_of_the_one_before(listener, duty, tmp_path):
    (tmp_path / "clerk.token").write_text("agent_1\n")
    listener.will("POST", AGENTS, 409, {"message": "registered otherwise"})
    listener.will("POST", AGENTS, 201, {"token": "agent_2"})
    listener.will("DELETE", CLERK, 204)
    one = duty()
    one.register()

    assert (one.token, (tmp_path / "clerk.token").read_text()) == ("agent_2", "agent_2\n")
    assert listener.paths() == [("POST", AGENTS), ("DELETE", CLERK), ("POST", AGENTS)]


def test_a_stranger_does_not_push_an_agent_out(listener, duty):
    listener.will("POST", AGENTS, 409, {"message": "registered otherwise"})
    with pytest.raises(RequestRejected, match="409"):
        duty().register()
    assert listener.paths() == [("POST", AGENTS)]


def test_a_lost_token_is_told_with_the_way_out(listener, duty):
    listener.will("POST", AGENTS, 200, {})
    with pytest.raises(TokenLost, match=r"clerk\.token.*DELETE /api/agents/clerk"):
        duty().register()


def test_it_beats_with_its_own_token(listener, duty, tmp_path):
    (tmp_path / "clerk.token").write_text("agent_1\n")
    listener.will("POST", AGENTS, 200, {})
    listener.will("POST", f"{CLERK}/heartbeat", 200, {})
    one = duty()
    one.register()
    ended = threading.Event()
    ended.set()
    one.heartbeat_until(ended)

    method, path, _, headers = listener.asked[-1]
    assert (method, path) == ("POST", f"{CLERK}/heartbeat")
    assert headers["Authorization"] == "Bearer agent_1"
