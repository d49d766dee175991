"""Moments as text."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from storecrew.database import moment, stamp


def test_both_hours_of_a_doubled_one_are_told_apart():
    first = datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    second = first.replace(fold=1)

    assert first == second  # for Python, within one zone
    assert moment(stamp(second)) - moment(stamp(first)) == timedelta(hours=1)
    assert stamp(first) == "2026-10-25T00:30:00.000000+00:00"
