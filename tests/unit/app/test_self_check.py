"""The plane proves its books once a day, and reports each failure of a service once."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from storecrew.domain.control.events import EventEnvelope
from storecrew.domain.control.integrity import Discrepancy, IntegrityCheckFailed
from storecrew.domain.control.services import (
    DesiredState,
    ObservedState,
    ServiceOrigin,
    ServiceRecord,
    ServiceSpec,
    ServiceStatus,
    view_of,
)
from storecrew.journal import open_journal
from storecrew.journal.key_values import SqlKeyValues
from storecrew.monitoring.self_check import SelfCheck, service_failed
from storecrew.stores.simulated.clock import VirtualClock

NIGHT = datetime(2026, 3, 2, 1, tzinfo=UTC)
WRONG = Discrepancy(check="stock", subject="mug", problem="one unit too many")


@dataclass
class Round:
    """A self-check with what it verified and published."""

    self_check: SelfCheck
    clock: VirtualClock
    published: list[EventEnvelope] = field(default_factory=list)
    proofs: int = 0
    wrong: tuple[Discrepancy, ...] = ()


@pytest.fixture
async def round_():
    clock = VirtualClock(NIGHT)
    journal = open_journal("sqlite://", inline=True)

    async def publish(items):
        found.published += items

    async def prove():
        found.proofs += 1
        return found.wrong

    self_check = SelfCheck(
        clock=clock,
        zone="Europe/Berlin",
        publish=publish,
        prove=prove,
        notes=SqlKeyValues(journal.database),
    )
    found = Round(self_check, clock)
    yield found
    await journal.close()


async def test_the_books_are_proved_once_a_night(round_):
    await round_.self_check.check()
    assert round_.proofs == 0  # two o'clock in Berlin
    for _ in range(6):
        round_.clock.advance_to(round_.clock.now() + timedelta(hours=5))
        await round_.self_check.check()

    assert round_.proofs == 2
    assert round_.published == []


async def test_a_restart_does_not_prove_the_books_of_a_day_again(round_):
    round_.clock.advance_to(NIGHT + timedelta(hours=3))
    await round_.self_check.check()
    await replace(round_.self_check).check()

    assert round_.proofs == 1


async def test_books_that_differ_are_told_once_a_day(round_):
    round_.wrong = (WRONG, WRONG)
    round_.clock.advance_to(NIGHT + timedelta(hours=3))
    for _ in range(2):
        await round_.self_check.check()
    await round_.self_check.notes.keep("books/proved", "")  # ended before that was written
    await round_.self_check.check()

    assert [fact.event for fact in round_.published] == [
        IntegrityCheckFailed(count=2, first="stock mug: one unit too many")
    ] * 2
    assert len({(fact.source, fact.external_id) for fact in round_.published}) == 1


def test_a_failed_service_is_one_fact_each_time_it_goes_so():
    entry = ServiceRecord(
        spec=ServiceSpec(id="reviews"),
        origin=ServiceOrigin.YAML,
        registered_at=NIGHT,
        desired=DesiredState.RUNNING,
        generation=0,
        revision=1,
    )

    def seen(since):
        observed = ObservedState(
            service="reviews", status=ServiceStatus.FAILED, since=since, restarts=3
        )
        return service_failed(view_of(entry, observed, supervised=True), NIGHT)

    first, later = seen(NIGHT), seen(NIGHT + timedelta(hours=1))
    assert first.external_id != later.external_id
    assert seen(NIGHT).external_id == first.external_id
    assert first.event.detail == "it ended 3 times"
