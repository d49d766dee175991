"""What holds for every agent of the crew: what it says can be judged, done, undone and repeated."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from storecrew.app.crew import CREW
from storecrew.domain.codec import decode_action, decode_event, encode
from storecrew.domain.control.approvals import ApprovalStatus
from storecrew.domain.control.events import ClockTicked, RunRequested
from storecrew.domain.control.proposals import Proposal, Verdict
from storecrew.domain.control.runs import RunStatus
from storecrew.domain.errors import NotUndoable
from storecrew.domain.events import Event
from storecrew.domain.money import Money
from storecrew.testing.fake_store import FakeStore
from storecrew.testing.run_agent import run_agent
from storecrew.testing.simulation.faults import Crash
from support.crew_scenarios import ASKS, DENIED_UNDO, EFFECTS, SCENARIOS, WATCHES, Scenario
from support.in_memory_plane import settle

AGENTS = {agent.name: agent for agent in CREW}
SAYS = sorted(SCENARIOS)


class Nth:
    """Dies at the nth write, once."""

    def __init__(self, n):
        self.left, self.died = n, False

    def __call__(self, name):
        self.left -= name != "read"
        if self.left == 0 and not self.died:
            self.died = True
            raise Crash(name)


async def prepared_event(in_memory_plane, name):
    """Prepare the agent's scenario, and return what wakes it."""
    scenario = Scenario(in_memory_plane)
    await scenario.open_shop()
    return await SCENARIOS[name](scenario)


async def played(in_memory_plane, name, event=None, fault=None):
    """Play the agent's scenario to its end, beginning again where a crash left it."""
    event = event or await prepared_event(in_memory_plane, name)
    in_memory_plane.store.database.fault_hook = in_memory_plane.journal.database.fault_hook = (
        fault or (lambda _name: None)
    )
    while True:
        try:
            others = [silent(each) for each in CREW if each.name != name]
            plane = await in_memory_plane.boot(AGENTS[name], *others, wait_for_batches=False)
            if isinstance(event, RunRequested):
                await plane.request_run(name, key="scenario", by=event.by, parameters={})
            else:
                await plane.publish([in_memory_plane.news(event, id="scenario")])
            await settle(plane)
        except Crash:
            continue
        return plane


def silent(agent):
    """Return one of the same name that hears nothing."""
    return replace(agent, on=(), schedule=None, propose=nothing)


async def nothing(_events, _ctx):
    for never in ():
        yield never


async def applied(in_memory_plane):
    return [
        s for s in await in_memory_plane.stories() if s.outcome is not None and s.outcome.applied
    ]


async def answered(in_memory_plane, plane):
    """Say yes to all that waits for a person."""
    for waiting in (await in_memory_plane.journal.approvals(page=1, per_page=50)).items:
        await plane.decide(waiting.filed.id, ApprovalStatus.APPROVED, by="person:test")
    await settle(plane)


def test_every_agent_has_a_scenario_and_an_effect_unless_it_only_watches():
    assert AGENTS.keys() == SCENARIOS.keys() == EFFECTS.keys() | WATCHES
    assert not EFFECTS.keys() & WATCHES


@pytest.mark.parametrize("name", SAYS)
async def test_what_an_agent_says_is_judged_and_can_be_read_back(in_memory_plane, name):
    await played(in_memory_plane, name)

    runs = [run for run in await in_memory_plane.runs() if run.agent == name]
    assert {run.status for run in runs} == {RunStatus.DONE}
    stories = await in_memory_plane.stories()
    assert bool(stories) is (name not in WATCHES)
    for story in stories:
        proposal = story.filed.proposal
        assert type(proposal.action) in AGENTS[name].allowed_actions
        assert len(proposal.reason) > 15
        assert proposal.evidence
        assert decode_action(json.loads(json.dumps(encode(proposal.action)))) == proposal.action
        assert story.decision is not None
        assert story.decision.rule != "silence"
        done = story.outcome is not None and story.outcome.applied
        assert done is (story.decision.verdict is Verdict.ALLOW), story
        assert done is (name not in ASKS)
    assert not await in_memory_plane.verify()


@pytest.mark.parametrize("name", sorted(EFFECTS))
async def test_what_an_agent_does_is_in_the_books_once_it_is_allowed(in_memory_plane, name):
    effect, event = EFFECTS[name], await prepared_event(in_memory_plane, name)
    assert await effect.read(in_memory_plane) == effect.before

    plane = await played(in_memory_plane, name, event)

    if name in ASKS:
        assert await effect.read(in_memory_plane) == effect.before
        await answered(in_memory_plane, plane)
    assert await effect.read(in_memory_plane) == effect.after
    assert not await in_memory_plane.verify()


@pytest.mark.parametrize("name", sorted(WATCHES))
async def test_an_agent_that_watches_tells_of_it_and_changes_nothing(in_memory_plane, name):
    event = await prepared_event(in_memory_plane, name)
    before = await in_memory_plane.store.applied_keys()

    await played(in_memory_plane, name, event)

    assert await in_memory_plane.store.applied_keys() == before
    assert await in_memory_plane.book.applied_keys() == []
    told = {r.source for r in (await in_memory_plane.journal.events(page=1, per_page=500)).items}
    assert f"agent:{name}" in told


@pytest.mark.parametrize("name", SAYS)
async def test_an_agent_that_is_woken_again_does_nothing_twice(in_memory_plane, name):
    event = await prepared_event(in_memory_plane, name)
    plane = await played(in_memory_plane, name, event)
    first, runs = await in_memory_plane.stories(), await in_memory_plane.runs()

    if not isinstance(event, RunRequested):
        [again] = await plane.publish([in_memory_plane.news(event, id="scenario")])
        await settle(plane)
        assert again.duplicate
        assert await in_memory_plane.runs() == runs
    await plane.request_run(name, key="again", by="person:test", parameters={})
    await settle(plane)

    assert len(await in_memory_plane.runs()) == len(runs) + 1
    assert await in_memory_plane.stories() == first
    if name in EFFECTS.keys() - ASKS:
        assert await EFFECTS[name].read(in_memory_plane) == EFFECTS[name].after
    assert not await in_memory_plane.verify()


@pytest.mark.parametrize("name", sorted(EFFECTS))
async def test_what_an_agent_did_is_undone_or_it_says_why_not(in_memory_plane, name):
    plane, effect = await played(in_memory_plane, name), EFFECTS[name]
    await answered(in_memory_plane, plane)
    done = await applied(in_memory_plane)
    assert done
    for story in done:
        run, why = await undone(plane, story.filed.id)
        assert bool(run) is (effect.undone is not None or name in DENIED_UNDO)
        if not run:
            assert why.count(" ") >= 4
            continue
        await settle(plane)
        assert (await in_memory_plane.journal.run(run)).status is RunStatus.DONE
        (back,) = [s for s in await in_memory_plane.stories() if s.filed.run == run]
        denied = back.decision.verdict is Verdict.DENY  # the floor holds for who takes back, too
        assert denied is (name in DENIED_UNDO), back
    state = await effect.read(in_memory_plane)
    assert state == (effect.after if effect.undone is None else effect.undone)
    assert not await in_memory_plane.verify()


async def undone(plane, proposal):
    try:
        return await plane.undo(proposal, by="person:test"), ""
    except NotUndoable as error:
        return "", str(error)


@pytest.mark.parametrize("name", SAYS)
async def test_a_crash_at_any_write_of_a_run_changes_nothing_in_the_end(open_plane_copy, name):
    async with open_plane_copy() as prepared:
        event, at = await prepared_event(prepared, name), prepared.clock.now()

    async def replayed(fault=None):
        async with open_plane_copy(prepared.folder, at) as in_memory_plane:
            await played(in_memory_plane, name, event, fault)
            assert not await in_memory_plane.verify()
            effect = (
                EFFECTS[name].read(in_memory_plane)
                if name in EFFECTS
                else in_memory_plane.store.applied_keys()
            )
            done = [s.filed.proposal.action for s in await applied(in_memory_plane)]
            return sorted(map(repr, done)), await effect

    wanted = await replayed()
    for n in count(1):
        fault = Nth(n)
        assert await replayed(fault) == wanted, n
        if not fault.died:
            break
    assert n > 3


MONEY = st.builds(Money, st.decimals(-(10**6), 10**6, places=2), st.sampled_from(["EUR", "USD"]))
TEXT = st.sampled_from(["", "mug", "\u202e<b>", "x" * 5000, "' OR 1=1", "Product A:5", "-1", "0"])


def odd(kind: type[Event]) -> st.SearchStrategy[Event]:
    """Return any event of the kind: of things that do not exist, with odd words and numbers."""
    st.register_type_strategy(Money, MONEY)
    st.register_type_strategy(str, TEXT)
    st.register_type_strategy(datetime, st.datetimes(timezones=st.just(UTC)))
    st.register_type_strategy(Decimal, st.decimals(-1000, 1000, places=2))
    st.register_type_strategy(Mapping, st.dictionaries(TEXT, TEXT | st.integers(), max_size=2))
    return st.builds(kind)


def events_for(name: str) -> st.SearchStrategy[list[Event]]:
    kinds = [*AGENTS[name].on, RunRequested]
    own = st.just(ClockTicked(agent=name, due=datetime(2026, 3, 2, 6, tzinfo=UTC)))
    return st.lists(st.one_of(*(odd(kind) for kind in kinds), own), min_size=1, max_size=4)


@pytest.mark.parametrize("name", SAYS)
@given(data=st.data())
@settings(max_examples=40, suppress_health_check=list(HealthCheck))
async def test_news_of_what_does_not_exist_stops_no_agent(name, data):
    agent, events = AGENTS[name], data.draw(events_for(name))
    woken_by = events if agent.batch > 1 else events[:1]
    for said in await run_agent(agent, woken_by, FakeStore()):
        value, decode = (
            (said.action, decode_action) if isinstance(said, Proposal) else (said, decode_event)
        )
        assert decode(json.loads(json.dumps(encode(value)))) == value
