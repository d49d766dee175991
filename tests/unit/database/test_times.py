"""Moments as text."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from storecrew.database import from_db_time, to_db_time


def test_both_hours_of_a_doubled_one_are_told_apart():
    first = datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    second = first.replace(fold=1)

    assert first == second  # for Python, within one zone
    assert from_db_time(to_db_time(second)) - from_db_time(to_db_time(first)) == timedelta(hours=1)
    assert to_db_time(first) == "2026-10-25T00:30:00.000000+00:00"
