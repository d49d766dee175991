"""How sure a delivery must come in time."""

from typing import Annotated

from pydantic import Field

from storecrew.sdk import AgentSettings


class InventorySettings(AgentSettings):
    """The service level that stock is held for."""

    service: Annotated[float, Field(gt=0, lt=1)] = 0.97
    """Chance that stock lasts until the delivery. Where a unit earns nearly its cost and holding
    it costs a fifth of that a year, a lost sale weighs a hundred times a unit kept too long; a
    little less, as goods also go out of fashion."""
