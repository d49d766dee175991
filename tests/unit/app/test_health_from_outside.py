"""Health as another process sees it, and who is told: once per incident, and when it is over."""

import asyncio
import json
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import aiosmtpd.controller
import pytest
from remote_agent import RemoteAgentServer

from storecrew.app.alerts import alerts_of
from storecrew.app.crew import CREW
from storecrew.app.journal_connection import open_journal_client
from storecrew.app.settings import load_settings
from storecrew.database import DISPOSABLE
from storecrew.domain.control.health import (
    AgentHealth,
    AgentState,
    JournalNotFound,
    report,
)
from storecrew.domain.control.incidents import Incident, IncidentKind, OpenIncident
from storecrew.domain.control.runs import RunStatus
from storecrew.domain.ports.journal import RunFailure
from storecrew.journal import health as rows, open_journal
from storecrew.journal.health import SqlHealthRepository
from storecrew.journal.incidents import SqlIncidentRepository, open_incident
from storecrew.monitoring.alert_channels import alert_text
from storecrew.monitoring.alerts import AlertKind
from storecrew.orchestrator import (
    get_agent_registry,
    get_health_status,
    register_autogen_agents,
    send_health_alerts,
    verify_heartbeats,
)
from storecrew.stores.simulated.clock import VirtualClock
from storecrew.testing.live.server import free_port

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # Apprise's own
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def clock():
    return VirtualClock(NOON)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A place of its own, as a cron job finds it; the journal stands in its data folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    return tmp_path


@pytest.fixture
async def journal(folder):
    journal = open_journal(f"sqlite:///{folder}/data/registry.db", durability=DISPOSABLE)
    yield journal
    await journal.close()


@pytest.fixture
def book(journal):
    return SqlHealthRepository(journal.database)


async def fail(book, agent, times, now):
    for n in range(times):
        failure = RunFailure(
            run=f"{agent}@{n}", attempt=1, error="no luck", retry_at=None, now=now, agent=agent
        )
        await book.database.write(lambda c, f=failure: rows.note_failure(c, f, escalate=False))


def told(settings, book, clock):
    """Return alerts that note what is told instead of telling it."""
    heard = []

    async def tell(incident, news):
        heard.append((incident.subject, str(incident.kind), str(news)))
        return True

    return replace(alerts_of(settings, book.database, clock), send=tell), heard


# --- words -----------------------------------------------------------------------------------


def test_r062_stale_after_121_seconds_by_the_injected_clock():
    pulse = AgentHealth(agent="a", beat_at=NOON)
    assert pulse.state(NOON + timedelta(seconds=120)) is AgentState.HEALTHY
    assert pulse.state(NOON + timedelta(seconds=121)) is AgentState.STALE
    assert pulse.state(NOON - timedelta(hours=1)) is AgentState.HEALTHY  # a clock was set back
    assert AgentHealth(agent="a", beat_at=None).state(NOON) is AgentState.UNKNOWN


def test_r063_heartbeat_report_matches_its_schema():
    well = AgentHealth(agent="well", beat_at=NOON)
    late = AgentHealth(agent="late", beat_at=NOON - timedelta(hours=1))
    ill = AgentHealth(agent="ill", beat_at=NOON, failures=2, error="no luck")
    found = report([well, late, ill], NOON)
    assert json.loads(json.dumps(found)) == found
    assert found.keys() == {
        "timestamp", "total_agents", "healthy", "stale", "error", "unknown", "overall_status",
    }  # fmt: skip
    assert datetime.fromisoformat(found["timestamp"]) == NOON
    assert [found[word]["count"] for word in ("healthy", "stale", "error")] == [1, 1, 1]
    assert found["error"]["agents"][0]["agent_id"] == "ill"
    assert found["overall_status"] == "degraded"
    assert report([well, late], NOON)["overall_status"] == "warning"
    assert report([well], NOON)["overall_status"] == "healthy"
    assert report([], NOON)["overall_status"] == "warning"  # nobody is not everybody well


# --- from another process --------------------------------------------------------------------


async def test_r066_any_process_reads_the_journal(folder, journal, book):
    await book.heartbeat(["one", "two"], datetime.now(UTC))
    found = verify_heartbeats()
    assert (found["total_agents"], found["overall_status"]) == (2, "healthy")


@pytest.mark.parametrize("content", [None, b"", b"this is no database"])
def test_r066_without_a_journal_nobody_is_healthy(folder, content):
    if content is not None:
        (folder / "data" / "registry.db").write_bytes(content)
    with pytest.raises(JournalNotFound):
        verify_heartbeats()
    assert content is not None or not (folder / "data" / "registry.db").exists()


def test_r066_where_nobody_knows_the_journal_it_is_said(monkeypatch):
    monkeypatch.setattr("storecrew.orchestrator.journal_client.entry_points", lambda group: ())
    with pytest.raises(JournalNotFound, match="entry point"):
        verify_heartbeats()


async def test_r052_get_health_status_from_outside(folder, journal, book):
    assert get_health_status()["status"] == "stopped"
    await book.heartbeat(["one"], datetime.now(UTC))
    found = get_health_status()
    assert found["agent_name"] == "royal_orchestrator_agent"
    assert found["status"] == "active"
    assert found["statistics"]["agents"] == 1
    assert found["configuration"]["max_concurrent"] == 10
    await journal.set_paused(True, by="owner", now=NOON)
    assert get_health_status()["status"] == "paused"


async def test_r049_register_autogen_agents_twice_and_they_really_run(folder):
    from storecrew.app.bootstrap import open_plane

    settings = load_settings(directory=folder, environ={})
    async with open_plane(settings):  # makes the journal
        pass
    registry = get_agent_registry()
    first = await register_autogen_agents(registry, count=100)
    again = await register_autogen_agents(get_agent_registry(), count=100)
    assert first == {"success": True, "registered": 100, "total": 100}
    assert again == {"success": True, "registered": 0, "total": 100}
    known = await registry.agents()
    assert [one.declaration.agent_id for one in known][::99] == [
        "autogen_agent_000",
        "autogen_agent_099",
    ]
    assert known[0].declaration.tags == ("autogenerated", "royalgpt", "orchestration")

    async with open_plane(settings) as plane:
        assert len(plane.agents) == len(CREW) + 100
        summary = await plane.once()
        ran = [
            (await plane.journal.runs(page=1, per_page=1, agent=f"autogen_agent_{n:03}")).items
            for n in (0, 50, 99)
        ]
    assert summary.runs >= 100
    assert all(runs[0].status is RunStatus.DONE for runs in ran)


# --- who is told -----------------------------------------------------------------------------


async def test_r064_health_alerts_once_per_agent_and_incident(folder, journal, book):
    now = datetime.now(UTC)
    await book.heartbeat(["ill", "unlucky", "well"], now)
    await fail(book, "ill", 5, now)
    await fail(book, "unlucky", 4, now)

    first = await send_health_alerts(threshold_error_count=5)
    again = await send_health_alerts(threshold_error_count=5)

    assert [incident.partition("/")[0] for incident in first["sent"]] == ["ill"]
    assert again == {"sent": [], "recovered": [], "held": []}
    lower = await send_health_alerts(threshold_error_count=4)
    assert [incident.partition("/")[0] for incident in lower["sent"]] == ["unlucky"]


async def test_who_was_told_of_an_incident_is_told_when_it_is_over(folder, book, clock):
    alerts, heard = told(load_settings(directory=folder, environ={}), book, clock)
    await book.heartbeat(["ill"], NOON)
    await fail(book, "ill", 5, NOON)
    await alerts.poll()
    await book.database.write(lambda c: c.exec_driver_sql("UPDATE heartbeats SET failures = 0"))
    await alerts.poll()
    await alerts.poll()
    assert heard == [("agent:ill", "agent_error", "began"), ("agent:ill", "agent_error", "ended")]

    await fail(book, "ill", 5, NOON)
    clock.advance_to(NOON + timedelta(minutes=1))
    await alerts.poll()
    assert heard[2:] == [("agent:ill", "agent_error", "began")]  # another incident, another alert


async def test_what_falls_silent_is_told_and_what_fails_then_is_told_again(folder, book, clock):
    alerts, heard = told(load_settings(directory=folder, environ={}), book, clock)
    await book.heartbeat(["far"], NOON)
    clock.advance_to(NOON + timedelta(minutes=5))
    await alerts.poll()
    await fail(book, "far", 5, NOON)
    await alerts.poll()
    await alerts.poll()
    assert heard == [("agent:far", "agent_stale", "began"), ("agent:far", "agent_error", "began")]


async def test_quiet_hours_hold_back_all_but_what_is_degraded(folder, book, clock):
    environ = {"STORECREW_ALERTS__QUIET_HOURS": "22:00-07:00"}
    alerts, heard = told(load_settings(directory=folder, environ=environ), book, clock)
    await book.heartbeat(["far", "ill"], NOON)
    await fail(book, "ill", 5, NOON)
    clock.advance_to(NOON + timedelta(hours=11))
    found = await alerts.poll()
    assert heard == [("agent:ill", "agent_error", "began")]
    assert [incident.partition("/")[0] for incident in found.held] == ["far"]

    clock.advance_to(NOON + timedelta(hours=19, minutes=1))
    await alerts.poll()
    assert heard[1:] == [("agent:far", "agent_stale", "began")]


async def test_an_open_incident_is_repeated_where_the_owner_wants_it(folder, book, clock):
    environ = {"STORECREW_ALERTS__REPEAT_HOURS": "2"}
    alerts, heard = told(load_settings(directory=folder, environ=environ), book, clock)
    await book.heartbeat(["ill"], NOON)
    await fail(book, "ill", 5, NOON)
    for hours in (0, 1, 2, 3, 4):
        clock.advance_to(NOON + timedelta(hours=hours))
        await book.heartbeat(["ill"], clock.now())
        await alerts.poll()
    assert [news for _, _, news in heard] == ["began", "goes on", "goes on"]


async def open_anomaly(database, **changes):
    fields = {
        "incident": "orders",
        "title": "Orders fell",
        "cause": "price",
        "observed": "3",
        "expected": "40",
        "plan": ({"type": "SetPrice"},),
    }
    action = OpenIncident(**fields | changes)
    await database.write(lambda c: open_incident(c, action, NOON))


async def test_an_anomaly_is_alerted_once_and_once_when_it_is_closed(folder, book, clock):
    alerts, heard = told(load_settings(directory=folder, environ={}), book, clock)
    await open_anomaly(book.database)
    for _ in range(3):
        await alerts.poll()
    assert heard == [("incident:orders", "anomaly", "began")]

    incidents = SqlIncidentRepository(book.database)
    await incidents.close_incident("orders", reason="mended", by="person:owner", now=NOON)
    assert (await alerts.poll()).recovered == ("orders",)
    assert (await alerts.poll()).recovered == ()


async def test_what_was_closed_before_its_alert_is_not_alerted(folder, book, clock):
    alerts, heard = told(load_settings(directory=folder, environ={}), book, clock)
    await open_anomaly(book.database)
    incidents = SqlIncidentRepository(book.database)
    await incidents.close_incident("orders", reason="mended", by="person:owner", now=NOON)
    await alerts.poll()
    assert heard == []


async def test_an_anomaly_opened_anew_is_alerted_anew_though_the_old_end_was_under_way(
    folder, book, clock
):
    alerts, heard = told(load_settings(directory=folder, environ={}), book, clock)
    incidents = SqlIncidentRepository(book.database)
    await open_anomaly(book.database)
    await alerts.poll()
    await incidents.close_incident("orders", reason="mended", by="person:owner", now=NOON)
    [ended] = await incidents.unnotified()
    later = NOON + timedelta(minutes=1)
    action = OpenIncident(incident="orders", title="Again", cause="", observed="", expected="")
    await book.database.write(lambda c: open_incident(c, action, later))
    await incidents.mark_notified(ended, later)
    await alerts.poll()
    assert [alert for _, _, alert in heard] == ["began", "began"]


def test_an_alert_says_what_was_observed_its_cause_and_what_would_help():
    incident = Incident(
        id="orders",
        kind=IncidentKind.ANOMALY,
        subject="incident:orders",
        title="Orders fell",
        status="open",
        cause="price",
        observed="3",
        expected="40",
        plan=({"type": "SetPrice"},),
        opened_at=NOON,
    )
    assert alert_text(incident, AlertKind.BEGAN) == (
        "storecrew: Orders fell",
        "observed: 3; expected: 40; cause: price; plan: SetPrice (since 2026-03-02 12:00 UTC)",
    )
    closed = replace(incident, status="closed", resolution="mended", plan=())
    assert alert_text(closed, AlertKind.ENDED) == (
        "storecrew: resolved: Orders fell",
        "observed: 3; expected: 40; cause: price; resolution: mended (since 2026-03-02 12:00 UTC)",
    )


async def test_two_processes_that_look_at_once_tell_once(folder, book, clock):
    settings = load_settings(directory=folder, environ={})
    pairs = [told(settings, book, clock) for _ in range(4)]
    await book.heartbeat(["ill"], NOON)
    incidents = SqlIncidentRepository(book.database)
    await incidents.open_agent_incident("ill", IncidentKind.AGENT_HUNG, "hung", NOON)
    await fail(book, "ill", 1, NOON)
    await asyncio.gather(*(alerts.poll() for alerts, _ in pairs))
    assert sum(len(heard) for _, heard in pairs) == 1


async def test_an_alert_that_reached_nobody_is_tried_again(folder, book, clock):
    environ = {"STORECREW_ALERTS__URLS": '["json://127.0.0.1:1/nobody"]'}
    alerts = alerts_of(load_settings(directory=folder, environ=environ), book.database, clock)
    await book.heartbeat(["ill"], NOON)
    await fail(book, "ill", 5, NOON)
    assert len((await alerts.poll()).held) == 1
    assert len((await alerts.poll()).held) == 1


class Mailbox:
    """Keeps what it is sent."""

    def __init__(self):
        self.mails = []

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 - the library's name
        self.mails.append(envelope.content.decode())
        return "250 OK"


async def test_r065_alert_reaches_loopback_smtp_and_webhook_once(folder, book, clock):
    mailbox = Mailbox()
    smtp = free_port()
    post = aiosmtpd.controller.Controller(mailbox, hostname="127.0.0.1", port=smtp)
    post.start()
    try:
        async with RemoteAgentServer().serving() as hook:
            urls = [
                f"mailto://127.0.0.1:{smtp}?from=crew@shop.example&to=owner@shop.example",
                f"json://127.0.0.1:{hook.port}/hook",
            ]
            environ = {"STORECREW_ALERTS__URLS": json.dumps(urls)}
            settings = load_settings(directory=folder, environ=environ)
            await book.heartbeat(["ill"], NOON)
            await fail(book, "ill", 5, NOON)
            for _ in range(2):
                with closing(open_journal_client(settings, clock)) as client:
                    await client.alert(None)
    finally:
        post.stop()

    assert len(mailbox.mails) == 1
    assert "agent ill is unwell" in mailbox.mails[0]
    assert len(hook.calls) == 1
    assert json.loads(hook.calls[0][1])["title"] == "storecrew: agent ill is unwell"
