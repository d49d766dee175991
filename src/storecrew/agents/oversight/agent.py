"""Order flow, seen from above: says where it is stuck. It changes nothing."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import timedelta

from storecrew.agents.oversight.metrics import Survey, Thresholds, survey
from storecrew.domain.control.events import ClockTicked, ExternalEventReceived
from storecrew.domain.control.incidents import BottleneckDetected
from storecrew.domain.events import Event
from storecrew.domain.shop.returns import OrderReturned
from storecrew.sdk import Context, Proposals, agent, every

REPORT_HOUR = 8
"""Hour of the day (UTC) at which standing bottlenecks are reported again."""


@agent(
    on=[OrderReturned, ExternalEventReceived],
    schedule=every(hours=1, offset=timedelta(0)),
    batch=500,
    batch_window=timedelta(minutes=5),
    capabilities=["oversight"],
    tags=["flow"],
)
async def oversight(events: Sequence[Event], ctx: Context) -> Proposals:
    """Look over the order flow every hour and report where it is stuck.

    Hours of routine are silent but for one a day; a return, a report from outside or a
    person's wish has the bottlenecks reported at once.
    """
    routine = all(isinstance(event, ClockTicked) for event in events)
    if routine and ctx.now.hour != int(ctx.settings.get("report_hour", REPORT_HOUR)):
        return
    seen = await survey(ctx.store, ctx.now, thresholds_from(ctx))
    for event in _bottlenecks(seen):
        yield event


def thresholds_from(ctx: Context) -> Thresholds:
    """Return the thresholds of the agent's settings, defaults where they say nothing."""
    names = {each.name for each in fields(Thresholds)}
    given = {name: int(value) for name, value in ctx.settings.items() if name in names}
    return Thresholds(**given)


def _bottlenecks(seen: Survey) -> list[BottleneckDetected]:
    advice = {
        insight.what: each.title
        for insight, each in zip(seen.insights, seen.recommendations, strict=False)
    }
    return [
        BottleneckDetected(
            what=insight.what,
            count=insight.count,
            threshold=insight.threshold,
            advice=advice[insight.what],
        )
        for insight in seen.insights
    ]
