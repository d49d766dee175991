"""What to show next: partners of a cart, offers to a customer, bundles, behaviour."""

from storecrew.models.recommendation.behaviour import (
    ActivityKind,
    Aggregate,
    Aggregates,
    Behaviour,
    behaviour_aggregates,
)
from storecrew.models.recommendation.bundles import (
    ProposedBundle,
    Worth,
    bundle_price,
    bundles,
    proven_pairs,
    upsells,
)
from storecrew.models.recommendation.cooccurrence import CooccurrenceCounts, count_cooccurrences
from storecrew.models.recommendation.purchases import UNKNOWN, Purchases
from storecrew.models.recommendation.similarities import ScoredProduct, Similarities
from storecrew.models.recommendation.training import train

__all__ = [
    "UNKNOWN",
    "ActivityKind",
    "Aggregate",
    "Aggregates",
    "Behaviour",
    "CooccurrenceCounts",
    "ProposedBundle",
    "Purchases",
    "ScoredProduct",
    "Similarities",
    "Worth",
    "behaviour_aggregates",
    "bundle_price",
    "bundles",
    "count_cooccurrences",
    "proven_pairs",
    "train",
    "upsells",
]
