"""What went wrong is found, mended where a rule allows it, and else put before a person."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from storecrew.agents.resolver import payments, proposals
from storecrew.agents.resolver.anomaly_detection import WEEKS, DetectedAnomaly, detect_anomalies
from storecrew.agents.resolver.root_causes import days_needed, price_back, root_causes
from storecrew.agents.resolver.settings import ResolverSettings
from storecrew.domain.control.agents import PauseAgent
from storecrew.domain.control.events import ClockTicked, RunRequested
from storecrew.domain.control.incidents import AnomalyDetected, OpenIncident
from storecrew.domain.control.integrity import IntegrityCheckFailed
from storecrew.domain.control.runs import RunFailed
from storecrew.domain.control.services import RestartService, ServiceFailed
from storecrew.domain.events import Event
from storecrew.domain.shop.catalog import ObservationRejected, SetPrice
from storecrew.domain.shop.payments import (
    PaymentAuthorized,
    PaymentFailed,
    PaymentMethodChanged,
    PaymentReceived,
    SetPaymentMethod,
)
from storecrew.sdk import Context, Proposal, Proposals, agent, every

_DAY = timedelta(days=1)
_RECENT = timedelta(days=3)
"""Price changes of that time may be why sales moved."""
_OWN = "anomaly_resolver"


@agent(
    name=_OWN,
    on=[
        PaymentFailed,
        RunFailed,
        ServiceFailed,
        IntegrityCheckFailed,
        ObservationRejected,
        AnomalyDetected,
    ],
    schedule=every(minutes=30),
    allowed_actions=[RestartService, PauseAgent, SetPaymentMethod, SetPrice, OpenIncident],
    publishes=[AnomalyDetected],
    batch=500,
    batch_window=timedelta(seconds=10),
    priority=30,
    settings=ResolverSettings,
    capabilities=["anomalies", "incidents"],
    tags=["operations"],
)
async def anomaly_resolver(events: Sequence[Event], ctx: Context[ResolverSettings]) -> Proposals:
    """Find what went wrong, mend what a rule can mend, and call a person for the rest.

    Payments, services, agents and books are judged as they are heard of; orders, takings and
    refunds each hour against their own rhythm. What it does is judged like any other wish.
    """
    settings = ctx.settings
    kinds = {type(event) for event in events}
    if PaymentFailed in kinds:
        for each in await _payments(ctx, settings):
            yield each
    for each in await _plane(ctx, events, settings):
        yield each
    if ObservationRejected in kinds:
        for each in await _odd_values(ctx, events, settings):
            yield each
    if kinds & {ClockTicked, RunRequested}:
        for each in await _regular(ctx, events, settings):
            yield each


async def _payments(
    ctx: Context[ResolverSettings], settings: ResolverSettings
) -> list[Proposal | Event]:
    """Judge each way to pay by the payments of the last hour; once per fault."""
    kinds = [PaymentFailed, PaymentAuthorized, PaymentReceived, AnomalyDetected]
    past = await ctx.history.events(kinds, ctx.now - payments.LOOK_BACK)
    quiet = timedelta(minutes=settings.payment_minutes / 2)
    failing = [
        each
        for each in payments.failing(past, ctx.now, settings)
        if not payments.recently_reported(past, each.method, ctx.now, quiet)
    ]
    if not failing:
        return []
    offered = await ctx.store.payment_methods()
    return [
        said
        for each in failing
        if offered.get(each.method, True)  # else it is off, and these are the last to try it
        for said in proposals.of_payments(each, offered, settings)
    ]


async def _plane(
    ctx: Context[ResolverSettings], events: Sequence[Event], settings: ResolverSettings
) -> list[Proposal]:
    """Judge services, agents, books and what others found."""
    found: list[Proposal] = []
    failed = {e.service: e.detail for e in events if isinstance(e, ServiceFailed)}
    if failed:
        past = await ctx.history.events([ServiceFailed], ctx.now - _DAY)
        count = Counter(e.event.service for e in past if isinstance(e.event, ServiceFailed))
        for name, detail in failed.items():
            found.append(proposals.of_service(name, detail, max(1, count[name]), settings))
    found += await _agents(ctx, events, settings)
    for event in events:
        if isinstance(event, IntegrityCheckFailed):
            found.append(_books(ctx, event))
        elif isinstance(event, AnomalyDetected) and not event.metric.startswith(payments.METRIC):
            found.append(_unknown(ctx, event))
    return found


async def _agents(
    ctx: Context[ResolverSettings], events: Sequence[Event], settings: ResolverSettings
) -> list[Proposal]:
    failed = {e.agent: e.reason for e in events if isinstance(e, RunFailed) and e.agent != _OWN}
    if not failed:
        return []
    past = await ctx.history.events([RunFailed], ctx.now - timedelta(hours=settings.agent_hours))
    runs = {(e.event.agent, e.event.run) for e in past if isinstance(e.event, RunFailed)}
    count = Counter(name for name, _ in runs)
    return [
        proposal
        for name, reason in failed.items()
        if count[name] >= settings.agent_failures
        for proposal in proposals.of_agent(name, count[name], reason, settings)
    ]


def _books(ctx: Context[ResolverSettings], event: IntegrityCheckFailed) -> Proposal:
    return proposals.incident(
        f"books/{ctx.now:%Y-%m-%d}",
        title="The books do not add up",
        cause=event.first,
        observed=f"{event.count} lines differ",
        expected="none",
    )


def _unknown(ctx: Context[ResolverSettings], event: AnomalyDetected) -> Proposal:
    return proposals.incident(
        f"anomaly/{event.metric[:80]}/{ctx.now:%Y-%m-%d}",
        title=f"{event.metric[:80]} is unusual",
        cause=event.cause or "unknown",
        observed=f"{event.observed:g}",
        expected=f"{event.expected:g}",
    )


async def _odd_values(
    ctx: Context[ResolverSettings], events: Sequence[Event], settings: ResolverSettings
) -> list[Proposal]:
    """Call a person where one source sends odd values again and again."""
    past = await ctx.history.events([ObservationRejected], ctx.now - timedelta(hours=1))
    known = [e.event for e in past if isinstance(e.event, ObservationRejected)]
    count = Counter(event.what for event in known)
    fresh = {event.what: event for event in events if isinstance(event, ObservationRejected)}
    return [
        proposals.incident(
            f"odd values/{what[:80]}/{ctx.now:%Y-%m-%d}",
            title=f"Odd values: {what[:80]}",
            cause=event.reason,
            observed=f"{count[what]} within an hour, the last {event.value[:80]!r}",
            expected=f"fewer than {settings.rejected_observations}",
        )
        for what, event in fresh.items()
        if count[what] >= settings.rejected_observations
    ]


async def _regular(
    ctx: Context[ResolverSettings], events: Sequence[Event], settings: ResolverSettings
) -> list[Proposal]:
    """Try again what was switched off, and once an hour look at the rhythm of trade."""
    found: list[Proposal] = []
    offered = await ctx.store.payment_methods()
    if not all(offered.values()):
        kinds = [AnomalyDetected, PaymentMethodChanged]
        past = await ctx.history.events(kinds, ctx.now - payments.LOOK_BACK)
        due = payments.due_for_trial(past, offered, ctx.now, settings)
        found += [proposals.trial(method) for method in due]
    ticks = [event.due.minute for event in events if isinstance(event, ClockTicked)]
    if not ticks or min(ticks) < 30:
        hours = await ctx.store.hourly_sales(ctx.now - timedelta(weeks=WEEKS))
        for each in detect_anomalies(hours, ctx.now):
            found += await _explained(ctx, each)
    return found


async def _explained(ctx: Context[ResolverSettings], found: DetectedAnomaly) -> list[Proposal]:
    """Rank what may be the cause, and propose what would help."""
    first, today = days_needed(ctx.now.date())
    if found.stream == "refunds":
        return proposals.of_stream(found, (), (), f"{today}")
    sales = await ctx.store.daily_sales(first, today)
    changes = await ctx.store.price_changes(ctx.now - _RECENT)
    ranked = root_causes(sales, changes, await ctx.store.stock(), fell=found.fell)
    products = {p.sku: p for p in await ctx.store.products([s.cause.part for s in ranked])}
    fixes = [fix for each in ranked if (fix := price_back(each, products)) is not None]
    return proposals.of_stream(found, ranked, fixes, f"{today}")
