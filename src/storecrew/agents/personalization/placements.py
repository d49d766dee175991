"""What is shown where: proposed only when it differs enough from what is shown."""

from collections.abc import Mapping, Sequence

from storecrew.agents.personalization.settings import PersonalizationSettings
from storecrew.agents.personalization.snapshot import StorefrontSnapshot
from storecrew.domain.control.proposals import Evidence, Scalar
from storecrew.domain.ports.models import RecommendedProduct
from storecrew.domain.shop.promotions import SetRecommendations
from storecrew.sdk import Proposal

LEAST = 2
"""Products below which a place is left empty: one is no choice."""


def place(
    name: str,
    found: Sequence[RecommendedProduct],
    shown: Sequence[str],
    window: StorefrontSnapshot,
    settings: PersonalizationSettings,
) -> Proposal | None:
    """Return the proposal to show these products, None where it changes too little.

    Too little is fewer than `changes` products that are new, or that cannot be had any more.
    """
    chosen = found[: settings.max_products]
    skus = tuple(each.sku for each in chosen)
    gone = [sku for sku in shown if sku not in window.for_sale]
    new = [sku for sku in skus if sku not in shown]
    if len(skus) < LEAST:
        return _emptied(name, shown, gone) if len(gone) >= settings.min_changes else None
    enough = min(settings.min_changes, len(skus))
    if len(new) < enough and len(gone) < min(settings.min_changes, len(shown)):
        return None
    rows: list[Mapping[str, Scalar]] = [
        {
            "sku": each.sku,
            "name": window.products[each.sku].name,
            "price": str(window.products[each.sku].price),
            "why": each.reason,
            "new": each.sku in new,
        }
        for each in chosen
    ]
    evidence: dict[str, Evidence] = {"products": rows, "shown_before": len(shown)}
    if gone:
        evidence["cannot_be_had_any_more"] = ", ".join(gone)
    off = f", {len(gone)} of what is shown cannot be had any more" if gone else ""
    return Proposal(
        action=SetRecommendations(place=name, skus=skus),
        reason=f"{len(new)} of {len(skus)} products are new for {_words(name, window)}{off}.",
        evidence=evidence,
    )


def _emptied(name: str, shown: Sequence[str], gone: Sequence[str]) -> Proposal | None:
    """Return the proposal to leave out what cannot be had, where nothing takes its place."""
    left = tuple(sku for sku in shown if sku not in gone)
    return Proposal(
        action=SetRecommendations(place=name, skus=left),
        reason=f"{len(gone)} of what is shown cannot be had any more.",
        evidence={"cannot_be_had_any_more": ", ".join(gone), "shown_before": len(shown)},
    )


def _words(name: str, window: StorefrontSnapshot) -> str:
    kind, _, key = name.partition(":")
    if kind == "product":
        product = window.products.get(key)
        return f"who looks at {product.name if product else key}"
    return "this customer" if kind == "customer" else "the home page"
