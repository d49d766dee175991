"""A hundred agents on equal intervals, each of which leaves one trace in the shop per tick."""

from datetime import timedelta

from storecrew.domain.control.events import ClockTicked
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import RecordCompetitorPrice
from storecrew.sdk import Agent, Context, Proposal
from storecrew.sdk.schedule import Every

COUNT = 100
INTERVAL = timedelta(seconds=4)


async def _trace(event, ctx: Context):
    """Tell of a price seen under the tick's own name."""
    if isinstance(event, ClockTicked):
        seen = RecordCompetitorPrice(sku="mug", competitor=ctx.run, price=Money.of(9, ctx.currency))
        yield Proposal(action=seen, reason="it ticked")


def _agent(n: int) -> Agent:
    return Agent(
        name=f"ticking_{n:03}",
        purpose="Leave a trace per tick.",
        propose=_trace,
        schedule=Every(INTERVAL),
        allowed_actions=frozenset({RecordCompetitorPrice}),
    )


NAMES = [f"ticking_{n:03}" for n in range(COUNT)]
globals().update({name: _agent(n) for n, name in enumerate(NAMES)})
SETTINGS = {name: {"source": f"ticking_crew:{name}"} for name in NAMES}
