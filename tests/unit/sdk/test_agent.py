"""Declaring an agent, and what it may touch."""

from datetime import UTC, datetime, timedelta

import pytest

from storecrew.domain.errors import NotPermitted
from storecrew.domain.ports.store import Store, StoreView
from storecrew.domain.shop.catalog import CostChanged, SetPrice
from storecrew.domain.shop.inventory import StockRanLow
from storecrew.domain.shop.purchasing import CreatePurchaseOrder
from storecrew.models import basic_models
from storecrew.sdk import AgentSettings, Context, agent, every
from storecrew.sdk.context import ReadOnly
from storecrew.testing.fake_store import FakeStore


def low(sku):
    return StockRanLow(sku=sku, warehouse="main", position=1, reorder_point=5, daily_demand=1.0)


CONTEXT = Context(
    run="r",
    agent="a",
    now=datetime(2026, 3, 2, tzinfo=UTC),
    store=FakeStore(),
    models=basic_models(),
    settings=AgentSettings(),
)


def test_an_agent_is_named_and_described_by_its_function():
    @agent(on=StockRanLow, allowed_actions=[SetPrice, CreatePurchaseOrder])
    async def clerk(event, ctx):
        """Do what is to be done.

        And more.
        """
        yield event

    assert (clerk.name, clerk.purpose) == ("clerk", "Do what is to be done.")
    assert clerk.on == (StockRanLow,)
    assert clerk.allowed_actions == {SetPrice, CreatePurchaseOrder}


def test_an_agent_that_declares_nothing_may_do_nothing_and_runs_one_event_at_a_time():
    @agent()
    async def idle(event, ctx):
        yield event

    assert (idle.on, idle.allowed_actions, idle.schedule, idle.purpose) == (
        (),
        frozenset(),
        None,
        "",
    )
    assert (idle.batch, idle.concurrency, idle.priority) == (1, 1, 0)
    assert (idle.batch_window, idle.deadline) == (timedelta(0), timedelta(minutes=5))


def test_what_is_declared_is_kept():
    @agent(
        name="other",
        on=[StockRanLow, CostChanged],
        schedule=every(hours=1),
        capabilities=["pricing"],
        tags=["slow"],
        priority=3,
        concurrency=2,
        batch=10,
        batch_window=timedelta(minutes=1),
        deadline=timedelta(seconds=1),
    )
    async def declared(events, ctx):
        yield events

    assert (declared.name, declared.on) == ("other", (StockRanLow, CostChanged))
    assert (declared.capabilities, declared.tags) == (("pricing",), ("slow",))
    assert (declared.priority, declared.concurrency, declared.batch) == (3, 2, 10)
    assert declared.schedule == every(hours=1)
    assert (declared.batch_window, declared.deadline) == (
        timedelta(minutes=1),
        timedelta(seconds=1),
    )


async def test_an_agent_gets_one_event_or_as_declared_a_batch():
    @agent(on=StockRanLow)
    async def single(event, ctx):
        yield event

    @agent(on=StockRanLow, batch=5)
    async def many(events, ctx):
        for event in reversed(events):
            yield event

    assert [said async for said in single.invoke([low("a")], CONTEXT)] == [low("a")]
    assert [s async for s in many.invoke([low("a"), low("b")], CONTEXT)] == [low("b"), low("a")]


async def test_a_read_only_store_answers_every_reading_call():
    view = ReadOnly(FakeStore(), "clerk")

    assert await view.products() == await FakeStore().products()
    reads = [name for name in vars(StoreView) if name[0] != "_"]
    assert len(reads) > 10
    assert all(callable(getattr(view, name)) for name in reads)


@pytest.mark.parametrize("name", [n for n in vars(Store) if n[0] != "_"] + ["database", "_store"])
def test_a_read_only_store_hands_out_nothing_that_changes_it(name):
    view = ReadOnly(FakeStore(), "clerk")

    with pytest.raises(NotPermitted, match=f"agent 'clerk' may not call '{name}' on the store"):
        getattr(view, name)


def test_a_read_only_store_cannot_be_given_new_calls():
    view = ReadOnly(FakeStore(), "clerk")

    with pytest.raises(TypeError):
        view._reads["apply"] = print
    with pytest.raises(AttributeError):
        view.apply = print  # type: ignore[attr-defined]
