"""From where on something counts as a bottleneck."""

from typing import Annotated

from pydantic import Field

from storecrew.sdk import AgentSettings

_Count = Annotated[int, Field(ge=0)]


class OversightSettings(AgentSettings):
    """Thresholds of the order flow, and the hour of the daily report."""

    report_hour: Annotated[int, Field(ge=0, le=23)] = 8
    """Hour of the day (UTC) at which standing bottlenecks are reported again."""
    max_pending_approvals: _Count = 2
    """More orders than this waiting for approval. An order is answered within the hour."""
    max_awaiting_payment: _Count = 3
    """More orders than this waiting for payment: customers were perhaps not asked."""
    max_in_delivery: _Count = 2
    """More orders than this on their way: the carrier may be late."""
    low_stock_units: _Count = 5
    """Fewer units than this available: the product is about to sell out."""
