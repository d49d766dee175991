"""Evidence that purchases and transfers share: cover, forecast, the plan over all warehouses."""

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal

from storecrew.agents.inventory.snapshot import ProductSituation
from storecrew.domain.control.proposals import Effect, Evidence, Scalar
from storecrew.domain.money import Money


def days(count: float) -> float | None:
    """Return days as they are shown; None for what lasts for ever."""
    return round(count, 1) if math.isfinite(count) else None


def money(unit: Money, units: float) -> Money:
    """Return so many units' worth."""
    return (unit * Decimal(str(round(units, 2)))).rounded()


def worth(unit: Money, units: Sequence[float]) -> Effect:
    """Return low, mean and high of so many units' worth, given their quantiles."""
    expected = sum(units) / len(units)
    low, middle, high = sorted((units[0], expected, units[-1]))
    return Effect(low=money(unit, low), expected=money(unit, middle), high=money(unit, high))


def demand(case: ProductSituation) -> Mapping[str, Evidence]:
    """Return what the demand rests on, and how such forecasts did so far."""
    found: dict[str, Evidence] = {
        "daily_demand": round(case.forecast.daily, 3),
        "forecast": case.forecast.basis,
    }
    if "wape" in case.accuracy:
        found["forecast_error"] = case.accuracy["wape"]
        found["forecast_error_basis"] = case.accuracy.get("basis")
    return found


def warehouses(
    case: ProductSituation,
    moved: Mapping[str, int] | None = None,
    bought: Mapping[str, int] | None = None,
) -> Mapping[str, Evidence]:
    """Return the plan over all warehouses, where there are several."""
    if len(case.levels) < 2:
        return {}
    rows: list[dict[str, Scalar]] = []
    for level in case.levels:
        place = level.warehouse
        coming = sum(each.quantity for each in case.open if each.warehouse == place)
        rows.append(
            {
                "warehouse": place,
                "available": level.available,
                "on_order": coming,
                "share_of_demand": round(case.shares.get(place, 0.0), 2),
                "days_of_cover_p50": days(case.cover_in(level)),
                "moved": (moved or {}).get(place, 0),
                "bought": (bought or {}).get(place, 0),
            }
        )
    return {"warehouses": rows}
