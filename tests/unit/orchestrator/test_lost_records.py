"""Steps that were done and not written down, and attempts that others have taken over."""

import asyncio
from datetime import timedelta

from loop_parts import Flaky, TaskEngine, boot, recording_agent, to_price

from storecrew.domain.control.approvals import ApprovalStatus
from storecrew.domain.control.proposals import Proposal, Verdict
from storecrew.domain.errors import StorageBusy
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import SetCost, SetPrice
from storecrew.domain.shop.customers import Customer
from storecrew.domain.shop.inventory import StockRanLow
from storecrew.domain.shop.messages import SendMessage
from storecrew.orchestrator.inline import InlineEngine
from storecrew.sdk import agent
from storecrew.sdk.context import UsageMeter
from support.in_memory_plane import low, settle


class Forgetful(Flaky):
    """A journal that cannot be written when it is told what the store did."""

    def __init__(self, port):
        super().__init__(port, "record_step", 1)

    async def record_step(self, step):
        if step.settled and self.left:
            self.left -= 1
            raise StorageBusy("journal")
        return await self._port.record_step(step)


async def after_a_lost_record(in_memory_plane, change=None):
    """Let a price be set and not recorded, something change, and the run be tried again."""

    @agent(on=StockRanLow, allowed_actions=[SetPrice])
    async def scarcity(event, ctx):
        """Raise the price."""
        yield to_price("10.50")

    await in_memory_plane.stock()
    in_memory_plane.agents = (scarcity,)
    plane = await boot(
        in_memory_plane, InlineEngine(), scarcity, journal=Forgetful(in_memory_plane.journal)
    )
    await plane.publish([in_memory_plane.news(low())])
    await settle(plane)
    if change is not None:
        await in_memory_plane.store.apply(change, key="change")
    in_memory_plane.later(minutes=1)
    await settle(plane)
    [story] = await in_memory_plane.stories()
    return story


async def test_what_was_done_and_not_recorded_is_recorded_by_the_next_try(in_memory_plane):
    story = await after_a_lost_record(in_memory_plane)

    assert story.outcome.applied
    assert (
        len(
            await in_memory_plane.store.price_changes(
                in_memory_plane.clock.now() - timedelta(days=1)
            )
        )
        == 2
    )
    assert not await in_memory_plane.verify()


async def test_what_was_done_stays_done_though_it_would_be_refused_by_now(in_memory_plane):
    dearer = SetCost(sku="mug", cost=Money.of("10.40", "EUR"))
    story = await after_a_lost_record(in_memory_plane, dearer)

    assert story.outcome.applied
    assert (await in_memory_plane.store.product("mug")).price == Money.of("10.50", "EUR")
    assert not await in_memory_plane.verify()


async def test_a_yes_that_was_carried_out_and_not_recorded_is_recorded_by_the_next_try(
    in_memory_plane,
):
    @agent(on=StockRanLow, allowed_actions=[SetPrice])
    async def scarcity(event, ctx):
        """Ask."""
        yield to_price("15")

    await in_memory_plane.stock()
    plane = await boot(
        in_memory_plane, InlineEngine(), scarcity, journal=Forgetful(in_memory_plane.journal)
    )
    await plane.publish([in_memory_plane.news(low())])
    await settle(plane)
    [asked] = (await in_memory_plane.journal.approvals(page=1, per_page=9)).items
    await plane.decide(asked.filed.id, ApprovalStatus.APPROVED, by="owner")
    await settle(plane)
    in_memory_plane.later(minutes=1)
    await settle(plane)

    story = await in_memory_plane.journal.story(asked.filed.id)
    assert (story.outcome.applied, story.decision.by) == (True, "owner")
    assert not await in_memory_plane.verify()


async def test_an_attempt_that_another_has_taken_over_from_does_nothing(in_memory_plane):
    received = asyncio.Queue()
    plane = await boot(in_memory_plane, TaskEngine(), recording_agent(received))
    await plane.publish([in_memory_plane.news(low())])
    taken = await in_memory_plane.journal.claim_runs(
        in_memory_plane.pipeline().registry.claim_specs(), in_memory_plane.clock.now(), 1
    )
    await in_memory_plane.journal.reclaim_runs()

    await in_memory_plane.pipeline().execute(taken.runs[0], 1, UsageMeter())
    assert received.empty()
    await in_memory_plane.pipeline().execute(taken.runs[0], 2, UsageMeter())
    assert await received.get() == "mug"


async def test_what_a_message_rests_on_is_looked_up(in_memory_plane):
    @agent(on=StockRanLow, allowed_actions=[SendMessage])
    async def writer(event, ctx):
        """Write to one who is known and one who is not."""
        for customer in ("ann", "nobody"):
            yield Proposal(
                action=SendMessage(customer=customer, purpose="service", title="t", body="b"),
                reason="",
            )

    await in_memory_plane.store.put_customers([Customer(id="ann", name="Ann")])
    in_memory_plane.later(hours=6)
    plane = await in_memory_plane.boot(writer)
    await plane.publish([in_memory_plane.news(low())])
    await settle(plane)

    told = {s.filed.proposal.action.customer: s.decision for s in await in_memory_plane.stories()}
    assert told["ann"].verdict is Verdict.ALLOW
    assert told["nobody"].reason == "there is no customer 'nobody'"
    assert not await in_memory_plane.verify()
