"""Ways to pay that fail: more often than bad luck explains, while others work. Pure functions.

On ordinary days a share of payments fails, which differs from hour to hour; so the count of
failures f among n payments is held against a beta-binomial with mean `usual_failure_rate` and the
weight of twenty payments:

    P(X >= f) = sum over k >= f of C(n, k) B(k + a, n - k + b) / B(a, b)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import exp, lgamma

from storecrew.agents.resolver.settings import ResolverSettings
from storecrew.domain.control.events import StoredEvent
from storecrew.domain.control.incidents import AnomalyDetected
from storecrew.domain.shop.payments import (
    PaymentAuthorized,
    PaymentFailed,
    PaymentMethodChanged,
    PaymentReceived,
)

METRIC = "payments failing: "
"""How the resolver names what it found of a way to pay."""
_WEIGHT = 20.0
"""Payments that the usual share is worth."""
LOOK_BACK = timedelta(hours=24)
_LONGEST_TRIAL = timedelta(hours=8)


@dataclass(frozen=True, kw_only=True)
class Failing:
    """A way to pay that fails far above the usual."""

    method: str
    failed: int
    payments: int
    """Tried with it, or, where nobody records how it was paid, received at all."""
    chance: float
    """Of so many failures on an ordinary day."""
    since: datetime
    reason: str
    """What the provider said most often."""


def failing(
    past: Sequence[StoredEvent], now: datetime, settings: ResolverSettings
) -> list[Failing]:
    """Return the ways to pay that fail more often than chance explains, the rarest first."""
    start = now - timedelta(minutes=settings.payment_minutes)
    recent = [each for each in past if start <= each.at <= now]
    failures: dict[str, list[StoredEvent]] = {}
    for each in recent:
        if isinstance(each.event, PaymentFailed):
            failures.setdefault(each.event.method, []).append(each)
    found = [_judged(m, fs, recent, settings) for m, fs in sorted(failures.items())]
    faults = [
        f
        for f in found
        if f.failed >= settings.payment_failures and f.chance < settings.max_probability
    ]
    return sorted(faults, key=lambda f: f.chance)


def _judged(
    method: str,
    failures: Sequence[StoredEvent],
    recent: Sequence[StoredEvent],
    settings: ResolverSettings,
) -> Failing:
    asides = [each.event for each in recent if isinstance(each.event, PaymentAuthorized)]
    worked = sum(event.method == method for event in asides)
    if not asides:  # nobody says how it was paid, so all of it may have been paid this way
        worked = sum(isinstance(each.event, PaymentReceived) for each in recent)
    count = len(failures)
    reasons = [e.event.reason for e in failures if isinstance(e.event, PaymentFailed)]
    return Failing(
        method=method,
        failed=count,
        payments=count + worked,
        chance=chance_of(count, count + worked, settings.usual_failure_rate),
        since=failures[0].at,
        reason=max(set(reasons), key=reasons.count)[:200],
    )


def chance_of(failed: int, payments: int, usual: float) -> float:
    """Return the chance of so many failures or more among so many payments."""
    a, b = usual * _WEIGHT, (1 - usual) * _WEIGHT
    base = lgamma(a) + lgamma(b) - lgamma(a + b) + lgamma(payments + a + b)
    return min(1.0, sum(exp(_log(k, payments, a, b) - base) for k in range(failed, payments + 1)))


def _log(k: int, n: int, a: float, b: float) -> float:
    chosen = lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
    return chosen + lgamma(k + a) + lgamma(n - k + b)


def recently_reported(
    past: Sequence[StoredEvent], method: str, now: datetime, within: timedelta
) -> bool:
    """Tell whether this way to pay was found to fail a moment ago."""
    return any(
        isinstance(each.event, AnomalyDetected)
        and each.event.metric == METRIC + method
        and now - each.at < within
        for each in past
    )


def due_for_trial(
    past: Sequence[StoredEvent],
    offered: Mapping[str, bool],
    now: datetime,
    settings: ResolverSettings,
) -> list[str]:
    """Return the ways to pay that were switched off for a fault and may be tried again.

    What the owner switched off, without a fault found since it was last on, stays off.
    """
    found = []
    for method in sorted(name for name, is_on in offered.items() if not is_on):
        faults = [e.at for e in past if _is_fault(e, method)]
        ons = [e.at for e in past if _is_switch(e, method, enabled=True)]
        offs = [e.at for e in past if _is_switch(e, method, enabled=False)]
        if not faults or not offs or (ons and faults[-1] <= ons[-1]) or offs[-1] < faults[-1]:
            continue
        pause = timedelta(minutes=settings.trial_minutes) * 2 ** (len(faults) - 1)
        if now - offs[-1] >= min(pause, _LONGEST_TRIAL):
            found.append(method)
    return found


def _is_fault(each: StoredEvent, method: str) -> bool:
    return isinstance(each.event, AnomalyDetected) and each.event.metric == METRIC + method


def _is_switch(each: StoredEvent, method: str, *, enabled: bool) -> bool:
    event = each.event
    return (
        isinstance(event, PaymentMethodChanged)
        and event.method == method
        and event.enabled is enabled
    )
