"""How sure a delivery must come in time."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from storecrew.sdk import AgentSettings


class InventorySettings(AgentSettings):
    """The service level that stock is held for, and what a purchase has to bring."""

    service: Annotated[float, Field(gt=0, lt=1)] = 0.97
    """Chance that stock lasts until the delivery. Where a unit earns nearly its cost and holding
    it costs a fifth of that a year, a lost sale weighs a hundred times a unit kept too long; a
    little less, as goods also go out of fashion."""
    handling_cost: Annotated[Decimal, Field(ge=0, json_schema_extra={"unit": "money"})] = Decimal(1)
    """What it costs to order, receive and put away one product, in the shop's currency. A purchase
    whose expected benefit is less is not proposed."""
