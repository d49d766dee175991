"""What the crew does to the plane goes the way of all else: judged, done once, audited."""

from dataclasses import replace
from datetime import timedelta

import pytest

from storecrew.domain.control.agents import AssignTask, PauseAgent, ResumeAgent
from storecrew.domain.control.approvals import ApprovalStatus
from storecrew.domain.control.events import RunRequested
from storecrew.domain.control.incidents import BottleneckDetected, OpenIncident
from storecrew.domain.control.proposals import RevertProposal, Verdict
from storecrew.domain.control.services import RestartService, ServiceOrigin, ServiceSpec
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import SetPrice
from storecrew.journal.services import SqlServiceRegistry
from storecrew.orchestrator.dry_run import plan
from storecrew.orchestrator.inline import InlineEngine
from storecrew.orchestrator.orchestrator import Orchestrator
from storecrew.policy import PolicySettings
from storecrew.sdk import Proposal, agent, every
from storecrew.testing.simulation.faults import Crash
from support.in_memory_plane import START, low, raise_to, settle

ALONE = PolicySettings(autonomy={"*.*": "auto"})
KINDS = (
    RestartService,
    PauseAgent,
    ResumeAgent,
    RevertProposal,
    OpenIncident,
    AssignTask,
    SetPrice,
)


def does(*actions, name="anomaly_resolver", tags=()):
    @agent(on=BottleneckDetected, allowed_actions=KINDS, name=name, tags=tags)
    async def doer(event, ctx):
        """Do what the test says."""
        for action in actions:
            yield Proposal(action=action, reason="the test says so")

    return doer


def idle(name, tags=()):
    @agent(on=RunRequested, name=name, tags=tags)
    async def idler(event, ctx):
        """Do nothing."""
        for nothing in ():
            yield nothing

    return idler


def stuck():
    return BottleneckDetected(what="stock", count=1, threshold=0, advice="look")


def incident(name="orders"):
    return OpenIncident(incident=name, title="t", cause="c", observed="1", expected="9")


async def act(in_memory_plane, *actions, others=(), policy=ALONE):
    in_memory_plane.policy = policy
    plane = await in_memory_plane.boot(does(*actions), *others, wait_for_batches=False)
    await plane.publish([in_memory_plane.news(stuck())])
    await settle(plane)
    return plane


async def stories(in_memory_plane):
    return sorted(await in_memory_plane.stories(), key=lambda story: story.filed.id)


async def test_actions_on_shop_and_plane_are_done_in_one_run(in_memory_plane):
    await in_memory_plane.stock()
    price = SetPrice(sku="mug", price=Money.of("10.50", "EUR"))
    await act(
        in_memory_plane, incident(), price, PauseAgent(agent="helper"), others=[idle("helper")]
    )

    found = await stories(in_memory_plane)
    assert [story.outcome.applied for story in found] == [True, True, True]
    assert [story.outcome.key for story in found] == [story.filed.id for story in found]
    assert (await in_memory_plane.store.product("mug")).price == Money.of("10.50", "EUR")
    assert await in_memory_plane.journal.paused("helper")
    assert [one.id for one in await in_memory_plane.incidents.incidents()] == ["orders"]
    assert not await in_memory_plane.verify()


@pytest.mark.parametrize("n", range(1, 13))
async def test_a_crash_between_deed_and_record_does_it_once(in_memory_plane, n):
    services = SqlServiceRegistry(in_memory_plane.journal.database)
    spec = ServiceSpec(id="reviews", executable="true")
    await services.register(spec, ServiceOrigin.API, by="me", now=START)
    left = {"n": n}

    def die(name):
        left["n"] -= name != "read"
        if left["n"] == 0:
            raise Crash(name)

    in_memory_plane.policy = ALONE
    in_memory_plane.journal.database.fault_hook = die
    work = AssignTask(agent="helper", task="t", due_at=START + timedelta(days=1))
    crew = [does(RestartService(service="reviews"), work), idle("helper")]
    news = in_memory_plane.news(stuck(), id="once")
    while True:
        try:
            plane = await in_memory_plane.boot(*crew, wait_for_batches=False)
            await plane.publish([news])
            await settle(plane)
            break
        except Crash:
            continue

    assert left["n"] <= 0
    assert (await services.entry("reviews")).generation == 1
    assert sorted(run.agent for run in await in_memory_plane.runs()) == [
        "anomaly_resolver",
        "helper",
    ]
    assert [story.outcome.applied for story in await stories(in_memory_plane)] == [True, True]
    assert not await in_memory_plane.verify()


async def test_without_a_plane_such_a_wish_is_refused(in_memory_plane):
    in_memory_plane.policy = ALONE
    in_memory_plane.agents = (does(incident()),)
    shop = replace(in_memory_plane.pipeline(), operations=None)
    plane = Orchestrator(shop, InlineEngine())
    await plane.start(alone=True)
    await plane.publish([in_memory_plane.news(stuck())])
    await settle(plane)

    [story] = await stories(in_memory_plane)
    assert story.outcome.code == "unsupported"
    assert not await in_memory_plane.verify()


async def test_a_service_that_was_restarted_often_waits_for_a_person(in_memory_plane):
    services = SqlServiceRegistry(in_memory_plane.journal.database)
    await services.register(
        ServiceSpec(id="reviews", executable="true"), ServiceOrigin.API, by="me", now=START
    )
    plane = await act(in_memory_plane, RestartService(service="reviews"))
    for _ in range(3):
        in_memory_plane.later(minutes=10)
        await plane.publish([in_memory_plane.news(stuck())])
        await settle(plane)

    assert (await services.entry("reviews")).generation == 3
    [waiting] = (await in_memory_plane.journal.approvals(page=1, per_page=9)).items
    assert waiting.question.rule == "service_restarts"
    in_memory_plane.later(days=1)
    await plane.decide(waiting.filed.id, ApprovalStatus.APPROVED, by="owner")
    await settle(plane)
    assert (await services.entry("reviews")).generation == 4
    assert not await in_memory_plane.verify()


@pytest.mark.parametrize(
    ("action", "verdict", "rule"),
    [
        (PauseAgent(agent="helper"), Verdict.ALLOW, "agent_pauses"),
        (PauseAgent(agent="orders"), Verdict.ASK, "agent_pauses"),
        (PauseAgent(agent="anomaly_resolver"), Verdict.DENY, "agent_pauses"),
        (PauseAgent(agent="nobody"), Verdict.DENY, "agent_pauses"),
        (ResumeAgent(agent="helper"), Verdict.ALLOW, "autonomy"),
        (RevertProposal(proposal_id="x"), Verdict.ALLOW, "autonomy"),
        (
            AssignTask(agent="nobody", task="t", due_at=START + timedelta(days=1)),
            Verdict.DENY,
            "delegation",
        ),
        (AssignTask(agent="helper", task="t", due_at=START), Verdict.DENY, "delegation"),
    ],
)
async def test_the_limits_hold_even_for_an_agent_with_full_autonomy(
    in_memory_plane, action, verdict, rule
):
    crew = [idle("helper"), idle("orders", tags=("flow",))]
    await act(in_memory_plane, action, others=crew)

    [story] = await stories(in_memory_plane)
    assert (story.decision.verdict, story.decision.rule) == (verdict, rule)
    assert not await in_memory_plane.verify()


async def test_a_revert_that_a_person_confirms_takes_the_price_back(in_memory_plane):
    await in_memory_plane.stock()
    in_memory_plane.policy = ALONE
    first = await in_memory_plane.boot(raise_to("10.50"))
    await first.publish([in_memory_plane.news(low())])
    await settle(first)
    [raised] = await in_memory_plane.stories()
    in_memory_plane.policy = PolicySettings()
    plane = await in_memory_plane.boot(
        does(RevertProposal(proposal_id=raised.filed.id)), wait_for_batches=False
    )
    await plane.publish([in_memory_plane.news(stuck())])
    await settle(plane)
    [asked] = (await in_memory_plane.journal.approvals(page=1, per_page=9)).items
    await plane.decide(asked.filed.id, ApprovalStatus.APPROVED, by="owner")
    await settle(plane)

    assert (await in_memory_plane.store.product("mug")).price == Money.of(10, "EUR")
    assert not await in_memory_plane.verify()


async def test_a_revert_by_an_agent_alone_is_judged_again_as_an_agents(in_memory_plane):
    await in_memory_plane.stock()
    first = await in_memory_plane.boot(raise_to("10.50"))
    await first.publish([in_memory_plane.news(low())])
    await settle(first)
    [raised] = await in_memory_plane.stories()
    trusting = PolicySettings(autonomy={"anomaly_resolver.*": "auto"})
    await act(in_memory_plane, RevertProposal(proposal_id=raised.filed.id), policy=trusting)

    [waiting] = (await in_memory_plane.journal.approvals(page=1, per_page=9)).items
    assert waiting.filed.proposal.action == SetPrice(
        sku="mug", price=Money.of(10, "EUR"), expected_price=Money.of("10.50", "EUR")
    )
    assert (await in_memory_plane.store.product("mug")).price == Money.of("10.50", "EUR")
    assert not await in_memory_plane.verify()


async def test_what_was_paused_by_the_crew_is_undone_by_a_person(in_memory_plane):
    plane = await act(in_memory_plane, PauseAgent(agent="helper"), others=[idle("helper")])
    [story] = await stories(in_memory_plane)

    await plane.undo(story.filed.id, by="owner")
    await settle(plane)

    assert not await in_memory_plane.journal.paused("helper")
    assert not await in_memory_plane.verify()


async def test_a_plan_shows_operations_and_does_none(in_memory_plane):
    @agent(schedule=every(hours=1), allowed_actions=[OpenIncident], name="watcher")
    async def watcher(event, ctx):
        """Call somebody."""
        yield Proposal(action=incident(), reason="look")

    await in_memory_plane.boot(watcher)
    [(filed, decision)] = await plan(in_memory_plane.pipeline(), ["watcher"])

    assert (filed.proposal.action, decision.verdict) == (incident(), Verdict.ALLOW)
    assert await in_memory_plane.incidents.incidents() == []
