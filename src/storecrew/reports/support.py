"""How support does: what is answered, by whom, and how customers like it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import mean, stdev

from storecrew.domain.shop.support import Ticket, TicketStatus

NORMAL_80 = 1.2816
"""Deviations of a normal on either side that hold 80 %."""
NEWEST = 1_000
"""Newest tickets that the figures are of."""


@dataclass(frozen=True, kw_only=True)
class SupportFigures:
    """Counts over the newest tickets."""

    tickets: int
    open: int
    answered: int
    escalated: int
    """Waiting for a person now."""
    closed: int
    answered_share: float | None
    """Answered or closed, of all; None without a ticket."""
    ratings: int
    rating: float | None
    """Mean, 1 to 5; None where nobody rated."""
    rating_low: float | None = None
    """Lower end of the mean's 80 % interval; None for fewer than two ratings."""
    rating_high: float | None = None


def figures(tickets: Sequence[Ticket]) -> SupportFigures:
    """Count what became of these tickets."""
    count = Counter(ticket.status for ticket in tickets)
    done = count[TicketStatus.ANSWERED] + count[TicketStatus.CLOSED]
    ratings = [ticket.rating for ticket in tickets if ticket.rating is not None]
    low, high = _interval(ratings)
    return SupportFigures(
        tickets=len(tickets),
        open=count[TicketStatus.OPEN],
        answered=count[TicketStatus.ANSWERED],
        escalated=count[TicketStatus.ESCALATED],
        closed=count[TicketStatus.CLOSED],
        answered_share=round(done / len(tickets), 4) if tickets else None,
        ratings=len(ratings),
        rating=round(mean(ratings), 3) if ratings else None,
        rating_low=low,
        rating_high=high,
    )


def _interval(ratings: Sequence[int]) -> tuple[float | None, float | None]:
    if len(ratings) < 2:
        return None, None
    reach = NORMAL_80 * stdev(ratings) / sqrt(len(ratings))
    middle = mean(ratings)
    return round(max(1.0, middle - reach), 3), round(min(5.0, middle + reach), 3)
