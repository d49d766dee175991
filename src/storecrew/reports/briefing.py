"""The daily briefing: yesterday's trade, what the crew did, what waits, failed and would help."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import sqrt
from statistics import mean, stdev
from zoneinfo import ZoneInfo

from storecrew.agents.oversight.metrics import Recommendation, Survey
from storecrew.domain.control.incidents import Incident
from storecrew.domain.control.runs import RunStatus
from storecrew.domain.control.traces import ProposalHistory
from storecrew.domain.money import Money
from storecrew.domain.plurals import plural
from storecrew.domain.ports.journal import JournalView
from storecrew.domain.ports.repositories import IncidentRepository
from storecrew.domain.ports.store import StoreView
from storecrew.domain.shop.orders import HourlySales, OrderQuery
from storecrew.domain.shop.support import TicketStatus
from storecrew.reports.support import NORMAL_80

_WEEKS = 8
"""Earlier days of the same weekday that a day is compared with."""
_ENOUGH = 4
"""So many of them are needed before a range is stated."""
_PAGE = 200
_PAGES = 100
"""Pages of proposals that are read at most; a shop that files 20,000 a day sees the newest."""
_UNDOABLE = 5
"""Proposals that are named per agent and action, the newest."""


@dataclass(frozen=True, kw_only=True)
class DayOfTrade:
    """One day's orders, beside what the same weekday usually brings."""

    day: date
    orders: int
    sales: Money
    refunds: Money
    usual_low: Money | None
    """Lower end of the range that held 80 % of such days, as a normal of the last eight; None
    with fewer than four."""
    usual_high: Money | None


@dataclass(frozen=True, kw_only=True)
class WorkDone:
    """What one agent did of one kind, since yesterday's beginning."""

    agent: str
    action: str
    count: int
    benefit: Money
    """The sum of the expected benefits that were stated."""
    proposals: Sequence[str]
    """The newest of them, each to be undone by its id."""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """What waits for a person."""

    approvals: int
    held_orders: int
    orders_to_pack: int
    """Paid, and not sent."""
    tickets: int
    """Escalated, and not answered."""


@dataclass(frozen=True, kw_only=True)
class Briefing:
    """What an owner should know this morning."""

    at: datetime
    yesterday: DayOfTrade
    done: Sequence[WorkDone]
    waiting: Waiting
    incidents: Sequence[Incident]
    """Those that are open."""
    failed_runs: int
    """Runs that failed for good since yesterday's beginning."""
    recommendations: Sequence[Recommendation]


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Where a briefing is read from."""

    store: StoreView
    journal: JournalView
    incidents: IncidentRepository
    survey: Survey


async def briefing(sources: Sources, now: datetime, *, zone: str, currency: str) -> Briefing:
    """Read the books and return the briefing of this moment; days are the shop's."""
    today = now.astimezone(ZoneInfo(zone)).date()
    yesterday = today - timedelta(days=1)
    since = datetime.combine(yesterday, datetime.min.time(), ZoneInfo(zone))
    hours = await sources.store.hourly_sales(since - timedelta(weeks=_WEEKS))
    backlog = await sources.store.order_backlog()
    return Briefing(
        at=now,
        yesterday=_trade(hours, yesterday, zone, currency),
        done=_work_done(await _stories(sources.journal, since), currency),
        waiting=Waiting(
            approvals=(await sources.journal.approvals(page=1, per_page=1)).total,
            held_orders=(await sources.store.orders(OrderQuery(held=True, per_page=1))).total,
            orders_to_pack=backlog.paid_not_sent,
            tickets=len(await sources.store.tickets(status=TicketStatus.ESCALATED)),
        ),
        incidents=await sources.incidents.incidents(status="open"),
        failed_runs=await _failed(sources.journal, since),
        recommendations=sources.survey.recommendations,
    )


def _trade(hours: Sequence[HourlySales], day: date, zone: str, currency: str) -> DayOfTrade:
    nothing = Money.of(0, currency)
    days: dict[date, list[HourlySales]] = {}
    for hour in hours:
        if hour.value.currency == currency:
            days.setdefault(hour.hour.astimezone(ZoneInfo(zone)).date(), []).append(hour)
    first = min(days, default=day)
    same = [day - timedelta(weeks=n) for n in range(1, _WEEKS + 1)]
    usual = [sum((h.value for h in days.get(d, ())), nothing) for d in same if d >= first]
    low, high = _range(usual)
    own = days.get(day, [])
    return DayOfTrade(
        day=day,
        orders=sum(hour.orders for hour in own),
        sales=sum((hour.value for hour in own), nothing),
        refunds=sum((hour.refunds for hour in own), nothing),
        usual_low=low,
        usual_high=high,
    )


def _range(sales: Sequence[Money]) -> tuple[Money | None, Money | None]:
    """Return the ends of a normal's 80 % prediction interval for one more such day."""
    if len(sales) < _ENOUGH:
        return None, None
    minor, currency = [each.minor for each in sales], sales[0].currency
    reach = NORMAL_80 * stdev(minor) * sqrt(1 + 1 / len(minor))
    low, high = max(0, round(mean(minor) - reach)), round(mean(minor) + reach)
    return Money.from_minor(low, currency), Money.from_minor(high, currency)


async def _stories(journal: JournalView, since: datetime) -> list[ProposalHistory]:
    """Return the proposals that were made since then and applied, newest first."""
    found: list[ProposalHistory] = []
    for number in range(1, _PAGES + 1):
        some = await journal.proposals(page=number, per_page=_PAGE)
        found += [s for s in some.items if s.at >= since and s.outcome and s.outcome.applied]
        if number * _PAGE >= some.total or not some.items or some.items[-1].at < since:
            break
    return found


def _work_done(stories: Sequence[ProposalHistory], currency: str) -> list[WorkDone]:
    groups: dict[tuple[str, str], list[ProposalHistory]] = {}
    for story in stories:
        kind = type(story.filed.proposal.action).__name__
        groups.setdefault((story.filed.agent, kind), []).append(story)
    return [
        WorkDone(
            agent=agent,
            action=action,
            count=len(some),
            benefit=sum(_benefits(some, currency), Money.of(0, currency)),
            proposals=[story.filed.id for story in some[:_UNDOABLE]],
        )
        for (agent, action), some in sorted(groups.items(), key=lambda item: -len(item[1]))
    ]


def _benefits(stories: Sequence[ProposalHistory], currency: str) -> list[Money]:
    effects = [story.filed.proposal.effect for story in stories]
    return [e.expected for e in effects if e is not None and e.expected.currency == currency]


async def _failed(journal: JournalView, since: datetime) -> int:
    runs = await journal.runs(page=1, per_page=_PAGE, status=RunStatus.FAILED)
    return sum(run.created_at >= since for run in runs.items)


Line = tuple[str, str]


def lines(found: Briefing) -> list[Line]:
    """Return the briefing as headed lines of plain text."""
    return [*_trade_lines(found.yesterday), *_done_lines(found.done), *_open_lines(found)]


def _trade_lines(day: DayOfTrade) -> list[Line]:
    usual = "too few such weekdays to say what is usual"
    if day.usual_low is not None and day.usual_high is not None:
        usual = f"usually {day.usual_low} to {day.usual_high} on this weekday"
    refunds = f", {day.refunds} paid back" if day.refunds.amount else ""
    count = plural(day.orders, "order")
    return [(f"{day.day:%A %Y-%m-%d}", f"{count}, {day.sales}{refunds}; {usual}")]


def _done_lines(done: Sequence[WorkDone]) -> list[Line]:
    found = []
    for each in done:
        benefit = f", {each.benefit} expected" if each.benefit.amount else ""
        undo = f"; undo with: storecrew undo {each.proposals[0]}" if each.count == 1 else ""
        found.append((each.agent, f"{each.count} × {each.action}{benefit}{undo}"))
    return found or [("the crew", "did nothing alone or on your word")]


_WAITING: Sequence[tuple[Callable[[Waiting], int], str, str, str]] = (
    (lambda w: w.approvals, "question", "", "storecrew approvals list"),
    (lambda w: w.held_orders, "held order", "", "storecrew orders list --held"),
    (
        lambda w: w.orders_to_pack,
        "paid order to pack",
        "paid orders to pack",
        "storecrew orders to-pack",
    ),
    (lambda w: w.tickets, "escalated ticket", "", "storecrew tickets list --status escalated"),
)
"""How many of what wait, and the command that lists them."""


def _open_lines(found: Briefing) -> list[Line]:
    lines = [
        ("waits for you", f"{plural(count(found.waiting), one, many)}: {command}")
        for count, one, many, command in _WAITING
        if count(found.waiting)
    ]
    lines += [("open incident", f"{each.title} ({each.id})") for each in found.incidents]
    if found.failed_runs:
        failed = plural(found.failed_runs, "run")
        lines.append(("failed", f"{failed} of agents: storecrew incidents list"))
    for each in found.recommendations:
        evidence = ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in each.evidence.items())
        lines.append(("would help", f"{each.title}: {each.reason} ({evidence})"))
    return lines
