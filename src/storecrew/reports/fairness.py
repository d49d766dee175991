"""The report on parity: do groups of customers pay alike, get alike, and are answered alike?"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from storecrew.domain.ports.store import StoreView
from storecrew.domain.shop.customers import Customer
from storecrew.domain.shop.orders import SoldLines
from storecrew.domain.shop.promotions import Campaign, Discount
from storecrew.domain.shop.support import Ticket, TicketStatus
from storecrew.models.fairness import FairnessSettings, GroupDisparity, prices, rates

_MOST_TICKETS = 10_000
_GOOD = 4
"""Stars from which an answer was liked."""
_RETURNING = 2
"""Orders within the period from which a customer is no longer new."""

GroupOf = Callable[[Customer], str]


@dataclass(frozen=True, kw_only=True)
class FairnessFinding:
    """One measure, by one way to group customers."""

    measure: str
    """`price_paid`, `personal_discounts`, `campaigns`, `answers_liked` or `answered_by_crew`."""
    what: str
    """The measure in words."""
    by: str
    """`language` or `loyalty`."""
    groups: Sequence[GroupDisparity]
    gap: bool
    """Whether a group fares worse by more than is allowed, and by more than chance."""


@dataclass(frozen=True, kw_only=True)
class FairnessReport:
    """Parity over a period."""

    first: datetime
    last: datetime
    terms: FairnessSettings
    findings: Sequence[FairnessFinding]

    @property
    def gaps(self) -> Sequence[FairnessFinding]:
        """The findings that a person should look at."""
        return [finding for finding in self.findings if finding.gap]


async def fairness_report(
    store: StoreView, now: datetime, *, days: int = 180, terms: FairnessSettings | None = None
) -> FairnessReport:
    """Return how alike groups of customers were treated in the last days.

    Groups are languages, and new against returning customers; those with few members are left out.
    """
    terms, first = terms or FairnessSettings(), now - timedelta(days=days)
    customers = await store.customers()
    spending = await store.customer_spend(first, now)
    lines = await store.sold_lines(first.date(), now.date())
    given = [d for d in await store.discounts(ending_after=first) if d.customers]
    written = [c for c in await store.campaigns() if c.started_at >= first]
    tickets = [t for t in await store.tickets(limit=_MOST_TICKETS) if t.opened_at >= first]

    def loyalty(customer: Customer) -> str:
        each = spending.get(customer.id)
        if each is None:
            return "bought nothing"
        return "returning" if each.orders >= _RETURNING else "new"

    groupings: dict[str, GroupOf] = {"language": lambda c: c.locale, "loyalty": loyalty}
    findings: list[FairnessFinding] = []
    for by, group_of in groupings.items():
        groups = {each.id: group_of(each) for each in customers}
        findings += [
            _paid(by, groups, lines, terms),
            _offered(by, groups, given, terms),
            _written(by, groups, customers, written, terms),
            *_answered(by, groups, tickets, terms),
        ]
    return FairnessReport(first=first, last=now, terms=terms, findings=findings)


def _paid(
    by: str, groups: Mapping[str, str], lines: SoldLines, terms: FairnessSettings
) -> FairnessFinding:
    """Compare what customers paid with what the same products usually cost in the period."""
    paid: dict[str, list[tuple[str, float]]] = defaultdict(list)
    sums: dict[str, list[float]] = defaultdict(list)
    for sku, customer, price in zip(lines.skus, lines.customers, lines.prices, strict=True):
        sums[sku].append(price)
        if customer is not None and customer in groups and price > 0:
            paid[customer].append((sku, price))
    usual = {sku: sum(each) / len(each) for sku, each in sums.items()}
    found: dict[str, list[float]] = defaultdict(list)
    for customer, bought in paid.items():
        ratios = [price / usual[sku] for sku, price in bought]
        found[groups[customer]].append(sum(ratios) / len(ratios))
    words = "what customers paid over the usual price of the same products (1 is the same)"
    return _finding("price_paid", words, by, prices(found, terms))


def _offered(
    by: str, groups: Mapping[str, str], given: Iterable[Discount], terms: FairnessSettings
) -> FairnessFinding:
    had = {customer for discount in given for customer in discount.customers}
    words = "share of customers who were given a discount of their own"
    return _finding("personal_discounts", words, by, rates(_counts(groups, had), terms))


def _written(
    by: str,
    groups: Mapping[str, str],
    people: Iterable[Customer],
    campaigns: Iterable[Campaign],
    terms: FairnessSettings,
) -> FairnessFinding:
    agreed = {each.id: groups[each.id] for each in people if each.marketing_consent}
    had = {customer for campaign in campaigns for customer in campaign.recipients}
    words = "share of those who agreed to marketing who were written to"
    return _finding("campaigns", words, by, rates(_counts(agreed, had), terms))


def _answered(
    by: str, groups: Mapping[str, str], tickets: Sequence[Ticket], terms: FairnessSettings
) -> Iterable[FairnessFinding]:
    ours = [ticket for ticket in tickets if ticket.customer in groups]
    of = {ticket.id: groups[str(ticket.customer)] for ticket in ours}
    rated = {t.id: of[t.id] for t in ours if t.rating is not None}
    liked = {t.id for t in ours if t.rating is not None and t.rating >= _GOOD}
    words = "share of rated answers that got four stars or five"
    yield _finding("answers_liked", words, by, rates(_counts(rated, liked), terms))
    done = {t.id: of[t.id] for t in ours if t.status is not TicketStatus.OPEN}
    alone = {t.id for t in ours if t.status is not TicketStatus.ESCALATED}
    words = "share of questions seen to that did not have to wait for a person"
    yield _finding("answered_by_crew", words, by, rates(_counts(done, alone), terms))


def _counts(groups: Mapping[str, str], had: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Return per group how many are among `had`, and how many there are."""
    lucky = set(had)
    found: dict[str, tuple[int, int]] = {}
    for member, group in groups.items():
        got, of = found.get(group, (0, 0))
        found[group] = (got + (member in lucky), of + 1)
    return found


def _finding(measure: str, what: str, by: str, groups: Sequence[GroupDisparity]) -> FairnessFinding:
    gap = any(standing.flagged for standing in groups)
    return FairnessFinding(measure=measure, what=what, by=by, groups=groups, gap=gap)
