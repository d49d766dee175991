"""Order flow, seen from above: says where it is stuck. It changes nothing."""

from collections.abc import Sequence
from datetime import timedelta

from storecrew.agents.oversight.metrics import Survey, survey
from storecrew.agents.oversight.settings import OversightSettings
from storecrew.domain.control.events import ClockTicked, ExternalEventReceived
from storecrew.domain.control.incidents import BottleneckDetected
from storecrew.domain.events import Event
from storecrew.domain.shop.returns import OrderReturned
from storecrew.sdk import Context, Proposals, agent, every


@agent(
    on=[OrderReturned, ExternalEventReceived],
    schedule=every(hours=1, offset=timedelta(0)),
    batch=500,
    batch_window=timedelta(minutes=5),
    publishes=[BottleneckDetected],
    settings=OversightSettings,
    capabilities=["oversight"],
    tags=["flow"],
)
async def oversight(events: Sequence[Event], ctx: Context[OversightSettings]) -> Proposals:
    """Look over the order flow every hour and report where it is stuck.

    Hours of routine are silent but for one a day; a return, a report from outside or a
    person's wish has the bottlenecks reported at once.
    """
    routine = all(isinstance(event, ClockTicked) for event in events)
    if routine and ctx.now.hour != ctx.settings.report_hour:
        return
    report = await survey(ctx.store, ctx.now, ctx.settings)
    for event in _bottlenecks(report):
        yield event


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
