"""When a service is started again: at once, then later and later, then no more."""

import pytest
from hypothesis import given, strategies as st

from storecrew.domain.errors import InvalidInput
from storecrew.supervisor import dependency_order
from storecrew.supervisor.resource_limits import CpuBudget
from storecrew.supervisor.restarts import (
    HEALTHY_SECONDS,
    SPREAD,
    Abandon,
    Restart,
    RestartBudget,
    counted_attempts,
    next_restart,
)

USUAL = RestartBudget(enabled=True, max_retries=3, backoff_seconds=30)


def pauses(patience: RestartBudget, chance: float = 0.0) -> list[float]:
    found = []
    while isinstance(decided := next_restart(patience, len(found), chance=chance), Restart):
        found.append(decided.seconds)
    return found


def test_r079_the_usual_pauses_are_none_30_and_60_seconds_then_it_is_given_up() -> None:
    assert pauses(USUAL) == [0, 30, 60]
    assert isinstance(next_restart(USUAL, 3, chance=0), Abandon)


def test_r079_without_retries_or_recovery_nothing_is_tried() -> None:
    assert pauses(RestartBudget(enabled=True, max_retries=0, backoff_seconds=1)) == []
    assert pauses(RestartBudget(enabled=False, max_retries=3, backoff_seconds=1)) == []


@given(
    st.integers(0, 12),
    st.floats(0, 1000, allow_nan=False),
    st.floats(0, 1, exclude_max=True, allow_nan=False),
)
def test_pauses_never_shrink_and_are_stretched_a_tenth_at_most(
    retries: int, backoff: float, chance: float
) -> None:
    patience = RestartBudget(enabled=True, max_retries=retries, backoff_seconds=backoff)
    plain, spread = pauses(patience), pauses(patience, chance)
    assert len(plain) == retries
    assert plain == sorted(plain)
    for least, found in zip(plain, spread, strict=True):
        assert least <= found <= least * (1 + SPREAD)


def test_r079_five_healthy_minutes_wipe_the_count() -> None:
    assert counted_attempts(2, well_for=HEALTHY_SECONDS - 1) == 2
    assert counted_attempts(2, well_for=HEALTHY_SECONDS) == 0


def test_what_is_depended_on_comes_first() -> None:
    found = dependency_order({"web": ["api"], "api": ["db", "cache"], "db": [], "cache": []})
    assert found.index("db") < found.index("api") < found.index("web")


def test_a_circle_of_dependencies_is_told_with_its_members() -> None:
    with pytest.raises(InvalidInput, match=r"wait for each other: .*a.*b") as caught:
        dependency_order({"a": ["b"], "b": ["a"]})
    assert caught.value.field == "depends_on"


def test_an_unknown_dependency_is_named() -> None:
    with pytest.raises(InvalidInput, match="'db', which is no service"):
        dependency_order({"web": ["db"]})


@given(st.lists(st.floats(0, 0.2, allow_nan=False), max_size=200), st.floats(0.05, 2))
def test_r085_who_stops_when_in_debt_uses_its_share_in_the_long_run(
    steps: list[float], share: float
) -> None:
    """Run while there is something left; each step then uses the whole time that passes."""
    balance, used, now = CpuBudget(share), 0.0, 0.0
    balance.book(used, now)
    for step in steps:
        runs = balance.left >= 0
        now += step
        used += step * max(1.0, share) if runs else 0.0
        balance.book(used, now)
    assert used <= share * now + 0.2 * max(1.0, share) + share * 0.5 + 1e-6
