"""Agents in numbers, on mixed schedules, for `agents.py`: each looks at the shop and is done."""

import json
import os
from datetime import timedelta

from storecrew.app.crew import CREW
from storecrew.domain.events import Event
from storecrew.sdk import Agent, Context, Proposals
from storecrew.sdk.schedule import Every

SECONDS = (30, 60, 120, 300)
"""A quarter of the agents on each: 15.4 ticks a second for a thousand agents."""
COUNT = int(os.environ.get("BENCH_AGENTS", "1000"))
IDLE = os.environ.get("BENCH_IDLE") == "1"


async def _look(_event: Event, ctx: Context) -> Proposals:
    await ctx.store.order_counts()
    for nothing in ():
        yield nothing


def _agent(n: int) -> Agent:
    seconds = 86_400 * 7 if IDLE else SECONDS[n % len(SECONDS)]
    return Agent(
        name=f"bench_{n:04}",
        purpose="Look at the shop.",
        propose=_look,
        schedule=Every(timedelta(seconds=seconds)),
    )


NAMES = [f"bench_{n:04}" for n in range(COUNT)]
globals().update({name: _agent(n) for n, name in enumerate(NAMES)})


def interval_of(name: str) -> timedelta:
    """Return the interval of an agent by its name."""
    return timedelta(seconds=SECONDS[int(name.rpartition("_")[2]) % len(SECONDS)])


def settings() -> str:
    """Return what the settings must say to have these agents, and only them, on duty."""
    own = {name: {"source": f"_schedules:{name}"} for name in NAMES}
    return json.dumps(own | {agent.name: {"enabled": False} for agent in CREW})
