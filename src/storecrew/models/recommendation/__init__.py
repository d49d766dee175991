"""What to show next: partners of a cart, offers to a customer, bundles, behaviour."""

from storecrew.models.recommendation.behaviour import (
    Act,
    Aggregate,
    Aggregates,
    Behaviour,
    behaviour_aggregates,
)
from storecrew.models.recommendation.bundles import (
    Bundle,
    Worth,
    bundle_price,
    bundles,
    proven_pairs,
    upsells,
)
from storecrew.models.recommendation.counting import Together, together
from storecrew.models.recommendation.purchases import UNKNOWN, Purchases
from storecrew.models.recommendation.similarities import Similarities, Suggestion
from storecrew.models.recommendation.training import train

__all__ = [
    "UNKNOWN",
    "Act",
    "Aggregate",
    "Aggregates",
    "Behaviour",
    "Bundle",
    "Purchases",
    "Similarities",
    "Suggestion",
    "Together",
    "Worth",
    "behaviour_aggregates",
    "bundle_price",
    "bundles",
    "proven_pairs",
    "together",
    "train",
    "upsells",
]
