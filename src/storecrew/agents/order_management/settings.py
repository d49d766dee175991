"""What order management holds an order against."""

from typing import Annotated

from pydantic import Field

from storecrew.sdk import AgentSettings

_Positive = Annotated[float, Field(gt=0)]
_Count = Annotated[int, Field(ge=1)]


class OrderManagementSettings(AgentSettings):
    """Windows and limits of the order flow."""

    return_days: _Positive = 30
    """Days after delivery within which goods are taken back; most shops promise a month."""
    stalled_hours: _Positive = 1
    """Hours after which an order that stands still is checked: what lost its event is found."""
    recheck_hours: _Positive = 73
    """Hours after which it is checked again: later than an unanswered approval request expires."""
    baseline_orders: _Count = 100
    """Newest orders that a fresh one is compared with; older ones tell of another season."""
    min_baseline_orders: _Count = 20
    """Fewer orders to compare with tell nothing of what is usual."""
    max_ratio_to_largest: _Positive = 3
    """An order worth more than so many times the largest of those is unusual."""
    max_orders_per_hour: _Count = 5
    """More orders than this of one customer within an hour are left to a person."""
    reservation_hours: _Positive = 168
    """Hours after which an order that is not paid gives its units back, counted from its last
    step: a week, which a bank transfer takes at most. Longer for shops that sell on account."""
    min_unusual_units: _Count = 20
    """Lines of fewer units are never a signal, however small the usual ones are."""
