"""When to buy and how much: quantiles of demand over the days that stock must last."""

import math

from storecrew.domain.errors import InvalidInput
from storecrew.domain.ports.models import DemandForecast, ReplenishmentPolicy, ReplenishmentQuery

_ROUNDING = 1e-9
"""Keeps a level that is whole but for floating point from being rounded up."""


def stocking(forecast: DemandForecast, question: ReplenishmentQuery) -> ReplenishmentPolicy:
    """Return reorder point s and order-up-to level S, in units.

    s = quantile(service, lead + lead_sd + review): what may be sold until an order placed at the
    next review arrives. S = s + daily · max(cycle, lead + review): as only one purchase may be
    open, each must last until the next can arrive. Silver, Pyke, Thomas, "Inventory and
    Production Management in Supply Chains", ch. 7 ((R, s, S) with a quantile for the normal).
    """
    _check(question)
    exposed = question.lead_days + question.lead_sd + question.review_days
    safe = forecast.quantile(question.service, exposed)
    cycle = max(question.cycle_days, question.lead_days + question.review_days)
    return ReplenishmentPolicy(
        reorder_point=math.ceil(safe - _ROUNDING),
        order_up_to=math.ceil(safe + forecast.daily * cycle - _ROUNDING),
        pack_size=question.pack_size,
    )


def _check(question: ReplenishmentQuery) -> None:
    if not 0 < question.service < 1:
        raise InvalidInput("service", f"{question.service} is not between 0 and 1")
    for name in ("lead_days", "lead_sd", "review_days", "cycle_days"):
        if not 0 <= getattr(question, name) < math.inf:
            raise InvalidInput(name, "must be a number of days from zero up")
    if question.pack_size < 1:
        raise InvalidInput("pack_size", f"{question.pack_size} is less than one unit")
