"""How often, to how many customers and at which discount marketing may sell."""

from typing import Annotated

from pydantic import Field

from storecrew.sdk import AgentSettings

_Count = Annotated[int, Field(ge=1)]
_Amount = Annotated[float, Field(ge=0)]
_Money = Annotated[float, Field(ge=0, json_schema_extra={"unit": "money"})]


class MarketingSettings(AgentSettings):
    """The limits of the agent's own proposals; the policy's hold beside them."""

    holdout: Annotated[float, Field(ge=0.1, le=0.2)] = 0.15
    """Share of a segment that is written nothing, so that what the campaign brings can be
    measured."""
    min_segment_size: _Count = 50
    """Customers of a segment below whom no campaign is worth the trouble, or could be measured."""
    max_recipients: _Count = 2000
    """Customers of one campaign at most; those who spent most come first."""
    messages_per_week: _Count = 2
    """Marketing messages within seven days after which a customer is left out; as the policy's."""
    rest_days: _Count = 60
    """Days within which a customer is in one campaign of a kind at most, written to or left out:
    who is thanked every week stops reading."""
    max_trials: _Count = 4
    """Campaigns of a kind that must be enough to show beyond doubt whether such letters pay. Where
    so few could not show it, because customers are few or buy unevenly, none is written; more
    trials let a smaller shop write."""
    min_gain: _Money = 10.0
    """Expected gain, in the shop's money, below which nothing is proposed."""
    window_days: _Count = 14
    """Days for which the effect of a campaign is counted, and a code holds."""
    discount_percent: Annotated[float, Field(gt=0, lt=100)] = 10.0
    """Per cent off that a code gives."""
    margin_floor: Annotated[float, Field(ge=0, lt=1)] = 0.10
    """Smallest margin of a price with a code, as a share of it; as the policy's."""
    overstock_days: _Amount = 90.0
    """Days of cover from which a product counts as overstocked."""
    cost_per_message: _Money = 0.0
    """What one message costs, in the shop's money."""
    shop_name: str = ""
    """The shop's name, with which letters are signed."""
