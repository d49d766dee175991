"""How much is shown to customers and offered to them."""

from typing import Annotated

from pydantic import Field

from storecrew.sdk import AgentSettings

_Count = Annotated[int, Field(ge=1)]
_Limit = Annotated[int, Field(ge=0)]
_Percent = Annotated[float, Field(gt=0, lt=100)]


class PersonalizationSettings(AgentSettings):
    """The limits of the agent's own proposals; the policy's hold beside them."""

    max_products: Annotated[int, Field(ge=1, le=50)] = 8
    """Products of a placement at most: what fits a screen."""
    max_placements: _Count = 50
    """Placements changed in one run at most, the busiest first, so that an owner who reads each is
    not flooded."""
    min_changes: _Count = 3
    """Products that must be new in a placement, or sold out there, before it is changed: fewer are
    not worth the attention."""
    max_bundles: _Limit = 10
    """Bundles offered at once at most."""
    max_new_bundles: _Limit = 3
    """Bundles proposed in one run at most."""
    max_bundle_discount_percent: _Percent = 10.0
    """Largest saving of a bundle, in per cent of its parts."""
    min_gain: Annotated[float, Field(ge=0, json_schema_extra={"unit": "money"})] = 5.0
    """Expected gain of a bundle in four weeks, in the shop's money, below which it is not worth
    proposing."""
    margin_floor: Annotated[float, Field(ge=0, lt=1)] = 0.10
    """Smallest margin of a bundle or an offer, as a share of its price; as the policy's."""
    personal_offers: bool = False
    """Whether single customers are given discounts. Prices then differ by person, which many find
    unfair, so it is off until the owner wants it. The policy must allow it too."""
    personal_discount_percent: _Percent = 5.0
    """Per cent off that a personal offer gives."""
    personal_offer_days: _Count = 7
    """Days that a personal offer holds."""
    max_personal_offers: _Limit = 20
    """Personal offers of one run at most."""
