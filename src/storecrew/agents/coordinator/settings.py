"""What the owner wants where no goal was set."""

from typing import Literal

from storecrew.sdk import AgentSettings


class CoordinatorSettings(AgentSettings):
    """The goal that holds while the owner has set none."""

    goal: Literal["profit", "growth", "clear_stock", "service"] = "profit"
    """What work is ranked by."""
