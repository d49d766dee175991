"""Remote agents: called with proof, heard once, and nothing done on an answer that is none."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import ValidationError
from remote_agent import RemoteAgentServer

from storecrew.app.clocks import SystemClock
from storecrew.app.manifests import AgentManifestRequest, manifest_agent
from storecrew.app.remote import RemoteAgentClient
from storecrew.database import DISPOSABLE
from storecrew.domain.control.agents import AgentOrigin, GoalSet
from storecrew.domain.control.events import (
    ClockTicked,
    EventEnvelope,
    ExternalEventReceived,
    RunRequested,
)
from storecrew.domain.control.incidents import AnomalyDetected
from storecrew.domain.control.proposals import Proposal
from storecrew.domain.control.runs import RunFailed, RunStatus
from storecrew.domain.errors import InvalidInput
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import SetPrice, UpsertProduct
from storecrew.domain.shop.inventory import SetStock, StockCount, StockRanLow, StockReported
from storecrew.domain.shop.messages import MailReceived
from storecrew.domain.shop.payments import PaymentReceived
from storecrew.journal import open_journal
from storecrew.models import basic_models
from storecrew.orchestrator.inline import InlineEngine
from storecrew.orchestrator.loop_settings import LoopSettings
from storecrew.orchestrator.orchestrator import Orchestrator
from storecrew.orchestrator.pipeline import Pipeline
from storecrew.orchestrator.registry import Registry
from storecrew.policy import Policy, PolicySettings
from storecrew.sdk import wire
from storecrew.stores.sql import open_store
from storecrew.web.ssrf_guard import OutboundPolicy, Unresolved

CLOCK = SystemClock()
TOKEN = "a-token-of-the-agent-that-is-long"  # noqa: S105 - of this test alone
PRIVATE = OutboundPolicy(allow_private=True)
LOW = StockRanLow(sku="mug", warehouse="main", position=1, reorder_point=5, daily_demand=1.0)
WISH = Proposal(action=SetPrice(sku="mug", price=Money.of("10.50", "EUR")), reason="it sells out")


def declared(url, **changes):
    given = {
        "agent_id": "far",
        "endpoint": url,
        "on": ["StockRanLow"],
        "allowed_actions": ["SetPrice"],
    }
    body = AgentManifestRequest(**given | changes)
    return manifest_agent(
        body.declaration("EUR", PRIVATE), AgentOrigin.HTTP, TOKEN, by="person:t", now=CLOCK.now()
    )


@pytest.fixture
async def books():
    store = await open_store(
        "sqlite://", clock=CLOCK, currency="EUR", durability=DISPOSABLE, inline=True
    )
    journal = open_journal("sqlite://", durability=DISPOSABLE, inline=True)
    put = UpsertProduct(sku="mug", name="mug", price=Money.of(10, "EUR"), cost=Money.of(5, "EUR"))
    await store.apply(put, key="put")
    await store.apply(SetStock(levels=(StockCount(sku="mug", on_hand=9),)), key="set")
    yield store, journal
    await store.close()
    await journal.close()


async def woken(books, remote_agent, **changes):
    """Wake the remote agent by an event, and return its run once nothing more is due."""
    store, journal = books
    caller = RemoteAgentClient(PRIVATE, CLOCK)
    agent = caller.build_agent(declared(remote_agent.url, **changes))
    pipeline = Pipeline(
        store=store,
        journal=journal,
        policy=Policy(PolicySettings(autonomy={"*.*": "limits"})),
        registry=Registry([agent]),
        models=basic_models(),
        clock=CLOCK,
        wall=CLOCK,
        currency="EUR",
        settings={"far": {"step": 2}},
    )
    plane = Orchestrator(pipeline, InlineEngine(), LoopSettings(attempts=1))
    await plane.start(alone=True)
    news = EventEnvelope(source="test", external_id="1", event=LOW, at=CLOCK.now())
    await plane.publish([news])
    while (await plane.sweep()).progress:
        pass
    await caller.close()
    [run] = (await journal.runs(page=1, per_page=9, agent="far")).items
    price = (await store.product("mug")).price
    return run, price


async def test_a_remote_agent_is_woken_with_proof_and_its_wish_is_judged_as_any_other(books):
    said = wire.AgentResponse(proposals=(WISH,), events=(), tokens=42)
    async with RemoteAgentServer(wire.encode_response(said)).serving() as remote_agent:
        run, price = await woken(books, remote_agent)

    assert (run.status, run.tokens, price) == (RunStatus.DONE, 42, Money.of("10.50", "EUR"))
    [(headers, body)] = remote_agent.calls
    assert headers[":request"] == "POST /wake?a=1 HTTP/1.1"
    assert headers["host"] == f"127.0.0.1:{remote_agent.port}"
    assert wire.is_signed(wire.signing_key(TOKEN), headers, body, CLOCK.now())
    assert headers["x-storecrew-run"] == run.id
    assert headers["x-storecrew-deadline"] == "30"
    wake = wire.decode_request(body)
    assert (wake.run, wake.attempt, wake.currency, wake.events) == (run.id, 1, "EUR", (LOW,))
    assert wake.settings == {"step": 2}
    assert TOKEN not in repr(remote_agent.calls)


def answering(**content):
    return RemoteAgentServer(json.dumps(content).encode())


WISHES = json.loads(wire.encode_response(wire.AgentResponse(proposals=(WISH,))))["proposals"]
WRONG = {
    "an unknown action": answering(proposals=[{"reason": "", "action": {"type": "DropTables"}}]),
    "an action it may not": RemoteAgentServer(
        wire.encode_response(wire.AgentResponse(proposals=(replace(WISH, action=UpsertProduct(
            sku="x", name="x", price=Money.of(1, "EUR"))),)))
    ),
    "one good wish and one that is none": answering(
        proposals=[*WISHES, 7]
    ),
    "bad JSON": RemoteAgentServer(b"{"),
    "another status": RemoteAgentServer(status="500 Oops"),
    "no content": RemoteAgentServer(b"", status="204 No Content"),
    "a redirect": RemoteAgentServer(status="307 Away", headers=("Location: http://169.254.169.254/",)),
    "too much": RemoteAgentServer(b" " * (wire.MAX_ANSWER + 1)),
    "too late": RemoteAgentServer(delay=1.0),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
async def test_a_wrong_answer_fails_the_run_and_touches_nothing(books, what):
    remote_agent = replace(WRONG[what], calls=[])
    async with remote_agent.serving():
        run, price = await woken(books, remote_agent, deadline=0.3 if what == "too late" else 10)

    assert (run.status, price) == (RunStatus.FAILED, Money.of(10, "EUR"))
    assert (await books[1].proposals(page=1, per_page=9)).total == 0
    assert len(remote_agent.calls) == 1


async def test_what_cannot_be_reached_is_tried_again_as_long_as_it_takes(books):
    async with RemoteAgentServer().serving() as remote_agent:
        pass  # nobody listens there any more
    run, _ = await woken(books, remote_agent)
    assert run.status is RunStatus.RETRYING
    assert "cannot be reached" in run.error


# --- where the plane may call ----------------------------------------------------------------

HOSTILE = [
    "http://127.0.0.1/", "http://localhost/", "http://[::1]/", "http://10.0.0.1/",
    "http://192.168.1.1/", "http://169.254.169.254/latest", "http://[fd00::1]/",
    "http://[::ffff:127.0.0.1]/", "http://0.0.0.0/", "http://224.0.0.1/", "http://100.64.0.1/",
    "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "http:///path",
    "http://user:pass@example.com/", "http://example.com:99999/", "example.com",
    "http://exa\r\nmple.com/", "http://example.com/a b",
]  # fmt: skip


@pytest.mark.parametrize("url", HOSTILE)
def test_hostile_endpoints_are_refused_as_they_stand(url):
    with pytest.raises(InvalidInput, match="endpoint"):
        OutboundPolicy().check(url)


@pytest.mark.parametrize("url", ["http://169.254.169.254/", "http://224.0.0.1/", "http://0.0.0.0/"])
def test_where_clouds_keep_their_secrets_nobody_is_ever_called(url):
    with pytest.raises(InvalidInput):
        PRIVATE.check(url)


async def test_a_name_that_means_this_machine_is_refused_when_it_is_resolved(monkeypatch):
    answers = {"rebound.example": ["93.184.216.34", "127.0.0.1"], "v6.example": ["::ffff:10.0.0.1"]}

    async def getaddrinfo(host, port, **_options):
        return [(0, 0, 0, "", (address, port)) for address in answers[host]]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    for host in answers:
        OutboundPolicy().check(f"http://{host}/")
        with pytest.raises(InvalidInput, match="public address"):
            await OutboundPolicy().target(f"http://{host}/")


async def test_the_call_goes_to_the_address_that_was_judged(monkeypatch):
    async def getaddrinfo(host, port, **_options):
        return [(0, 0, 0, "", ("2606:2800:220:1::1", port, 0, 0))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    target = await OutboundPolicy().target("https://agents.example:8443/wake?x=1")
    assert target.url == "https://[2606:2800:220:1::1]:8443/wake?x=1"
    assert (target.host, target.name) == ("agents.example:8443", "agents.example")


async def test_a_host_without_an_address_may_have_one_later():
    with pytest.raises(Unresolved):
        await OutboundPolicy().target("http://no-such-host.invalid/")


# --- what may be declared --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"on": ["ClockTicked"]}, "on"),
        ({"on": ["Nonsense"]}, "on"),
        ({"allowed_actions": ["DropTables"]}, "allowed_actions"),
        ({"interval": 60, "cron": "* * * * *"}, "interval"),
        ({"interval": 0.5}, "interval"),
        ({"cron": "every day"}, "cron"),
        ({"agent_id": "A b"}, "agent_id"),
        ({"agent_id": "a@b"}, "agent_id"),
        ({"max_concurrent_tasks": 0}, "max_concurrent_tasks"),
        ({"budget": {"euros": 1}}, "euros"),
        ({"budget": {"runs": -1}}, "runs"),
        ({"endpoint": "http://u:p@x/"}, "endpoint"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_declaration_that_is_none_names_its_field(wrong, word):
    with pytest.raises((ValueError, InvalidInput), match=word):
        declared("http://127.0.0.1:1/", **wrong)


def test_a_declaration_becomes_an_agent():
    url = "http://127.0.0.1:1/"
    options = {"cron": "0 6 * * *", "zone": "Europe/Berlin", "priority": 3, "deadline": 7}
    one = declared(url, max_concurrent_tasks=4, budget={"money": "12.50"}, **options)
    agent = RemoteAgentClient(PRIVATE, CLOCK).build_agent(one)
    assert (agent.priority, agent.concurrency) == (3, 4)
    assert agent.deadline == timedelta(seconds=7)
    assert agent.budget.money == Money.of("12.50", "EUR")
    assert agent.schedule.zone == "Europe/Berlin"
    assert TOKEN not in repr(one)


FOUND = AnomalyDetected(metric="sales", observed=1.0, expected=9.0)
ORDER = MailReceived(mail="mug:900", customer="eve")


@pytest.mark.parametrize(
    "event",
    [
        FOUND,
        ORDER,
        GoalSet(goal="growth"),
        LOW,
        RunRequested(agent="far", by="person:anna"),
        ClockTicked(agent="far", due=CLOCK.now()),
        RunFailed(agent="far", run="far@1", reason="odd"),
        ExternalEventReceived(event_type="orders/paid", data={"id": 1}),
        StockReported(stock="mug:0units"),
        PaymentReceived(order_id=1, amount=Money.of(1, "EUR")),
    ],
    ids=lambda event: type(event).__name__,
)
async def test_an_event_that_an_agent_did_not_declare_fails_the_run_and_is_not_recorded(
    books, event
):
    said = wire.encode_response(wire.AgentResponse(proposals=(WISH,), events=(event,)))
    async with RemoteAgentServer(said).serving() as remote_agent:
        run, price = await woken(books, remote_agent, publishes=[])

    assert (run.status, price) == (RunStatus.FAILED, Money.of(10, "EUR"))
    sources = {each.source for each in (await books[1].events(page=1, per_page=9)).items}
    assert "agent:far" not in sources
    assert await books[0].verify() == []
    assert await books[1].verify(await books[0].applied_keys()) == []


async def test_a_declared_event_is_recorded_and_audited_under_the_agents_name(books):
    said = wire.encode_response(wire.AgentResponse(events=(FOUND,)))
    async with RemoteAgentServer(said).serving() as remote_agent:
        run, _ = await woken(books, remote_agent, publishes=["AnomalyDetected"])

    assert run.status is RunStatus.DONE
    rows = (await books[1].audit(page=1, per_page=9)).items
    assert [row.reason for row in rows if row.actor == "agent:far"] == ["AnomalyDetected"]


@pytest.mark.parametrize("name", ["GoalSet", "MailReceived", "RunFailed", "ClockTicked", "None"])
def test_a_manifest_cannot_declare_events_of_the_plane(name):
    with pytest.raises(ValidationError, match=f"publishes: '{name}' is none of"):
        declared("http://127.0.0.1:1/", publishes=[name])
