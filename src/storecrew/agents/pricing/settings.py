"""How far and how fast prices may move."""

from typing import Annotated

from pydantic import Field

from storecrew.sdk import AgentSettings

_Share = Annotated[float, Field(ge=0, lt=1)]
_NotNegative = Annotated[float, Field(ge=0)]


class PricingSettings(AgentSettings):
    """The limits of the agent's own proposals; the policy's hold beside them."""

    margin_floor: _Share = 0.10
    """Smallest margin, as a share of the price, that is ever proposed; as the policy's default."""
    step: _Share = 0.05
    """Largest move at once, as a share of the price; half of what the policy lets pass."""
    max_drift: _Share = 0.25
    """Farthest from the price of twelve weeks ago, as a share of it: what was learned from small
    moves says little about large ones."""
    min_hold_days: _NotNegative = 7.0
    """Days that a new price stays before the next move, so that its effect can be seen."""
    max_above_competitors: _NotNegative = 0.15
    """How far above the competitors' median a price may rise, as a share of it."""
    low_stock_days: _NotNegative = 10.0
    """With stock for fewer days than this a price is not cut."""
    min_gain: _NotNegative = 0.004
    """Smallest gain worth a move, as a share of the product's present profit."""
    min_gain_per_month: Annotated[float, Field(ge=0, json_schema_extra={"unit": "money"})] = 0.5
    """Smallest gain worth a move, in the shop's currency over 30 days."""
    explore: bool = False
    """Whether prices may also move to learn, at an expected cost, where that pays within half a
    year. Only the owner switches it on."""
