"""When an agent wakes by the clock: no tick skipped, none doubled, whatever the clocks do."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, strategies as st

from storecrew.domain.errors import InvalidInput
from storecrew.sdk import cron, every
from storecrew.sdk.schedule import Every

BERLIN = ZoneInfo("Europe/Berlin")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")  # its clocks change by half an hour
NEW_YORK = ZoneInfo("America/New_York")
EXPRESSIONS = [
    "*/15 * * * *",
    "0 * * * *",
    "30 2 * * *",
    "15,45 2 * * *",
    "30 1-3 * * *",
    "* 2 * * *",
    "5 */2 * * *",
    "0 6 * * mon",
    "0 0 1 * *",
    "0 0 L * *",
    "0 0 29 2 *",
]
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]
schedules = st.one_of(
    st.builds(cron, st.sampled_from(EXPRESSIONS), zone=st.sampled_from(ZONES)),
    st.builds(
        Every,
        st.timedeltas(timedelta(seconds=1), timedelta(days=40)),
        st.timedeltas(timedelta(0), timedelta(days=2)),
    ),
)
changes_of_clocks = st.sampled_from(
    [
        datetime(2026, 3, 8, 7, tzinfo=UTC),
        datetime(2026, 3, 29, 1, tzinfo=UTC),
        datetime(2026, 4, 4, 15, tzinfo=UTC),
        datetime(2026, 10, 3, 15, 30, tzinfo=UTC),
        datetime(2026, 10, 25, 1, tzinfo=UTC),
        datetime(2026, 11, 1, 6, tzinfo=UTC),
    ]
)
moments = st.one_of(
    st.timedeltas(timedelta(0), timedelta(days=48 * 365)).map(
        lambda passed: datetime(2001, 1, 1, tzinfo=UTC) + passed
    ),
    st.builds(
        lambda change, off: change + off,
        changes_of_clocks,
        st.timedeltas(timedelta(hours=-3), timedelta(hours=3)),
    ),
)


def ticks(schedule, start, end):
    """Return the ticks after the start, up to the end, as one schedule after another names them."""
    found = []
    at = schedule.after(start)
    while at <= end:
        found.append(at)
        at = schedule.after(at)
    return found


@given(schedules, moments)
@example(cron("*/15 * * * *"), datetime(2026, 3, 29, 3, 59, 59, 500_000, tzinfo=UTC))
@example(
    cron("15,45 2 * * *", zone="Europe/Berlin"), datetime(2026, 10, 25, 1, 0, 0, 1, tzinfo=UTC)
)
def test_every_moment_lies_between_its_latest_tick_and_the_one_after(schedule, moment):
    latest = schedule.latest(moment)

    assert latest <= moment < schedule.after(latest)


@given(schedules, moments)
def test_the_next_tick_is_later_and_is_the_latest_once_it_comes(schedule, moment):
    following = schedule.after(moment)

    assert following > moment
    assert schedule.latest(following) == following
    assert schedule.after(schedule.latest(moment)) == following


@given(schedules, moments, st.lists(st.integers(0, 7200), max_size=8))
@example(
    cron("* 2 * * *", zone="Australia/Lord_Howe"), datetime(2026, 4, 4, 15, tzinfo=UTC), [1800]
)
def test_looking_often_or_seldom_names_the_same_ticks(schedule, start, looks):
    end = start + timedelta(hours=2)
    seen = {schedule.latest(start + timedelta(seconds=n)) for n in looks}

    assert seen <= {schedule.latest(start), *ticks(schedule, start, end)}


@given(schedules, moments, st.integers(1, 7200))
def test_a_clock_that_steps_back_names_no_new_tick(schedule, moment, seconds):
    before = schedule.latest(moment)
    stepped = schedule.latest(moment - timedelta(seconds=seconds))

    assert stepped <= before
    assert before in {stepped, *ticks(schedule, stepped, moment)[-1:]}


def local_hours(expression, zone, day):
    start = datetime(*day, tzinfo=zone).astimezone(UTC) - timedelta(seconds=1)
    end = (datetime(*day, tzinfo=zone) + timedelta(days=1)).astimezone(UTC)
    schedule = cron(expression, zone=zone.key)
    return [f"{at.astimezone(zone):%H:%M}" for at in ticks(schedule, start, end) if at < end]


@pytest.mark.parametrize(
    ("zone", "spring", "autumn", "doubled"),
    [
        (BERLIN, (2026, 3, 29), (2026, 10, 25), "02:00"),
        (NEW_YORK, (2026, 3, 8), (2026, 11, 1), "01:00"),
    ],
)
def test_an_hourly_tick_comes_23_times_in_spring_and_25_times_in_autumn(
    zone, spring, autumn, doubled
):
    hours = [f"{hour:02}:00" for hour in range(24)]

    assert local_hours("0 * * * *", zone, spring) == [h for h in hours if h != "02:00"]
    in_autumn = local_hours("0 * * * *", zone, autumn)
    assert sorted(in_autumn) == sorted([*hours, doubled])


@pytest.mark.parametrize(
    ("zone", "expression", "day", "expected"),
    [
        (BERLIN, "30 2 * * *", (2026, 3, 29), ["03:00"]),
        (BERLIN, "30 2 * * *", (2026, 10, 25), ["02:30"]),
        (BERLIN, "15,45 2 * * *", (2026, 10, 25), ["02:15", "02:45"]),
        (NEW_YORK, "30 2 * * *", (2026, 3, 8), ["03:00"]),
        (NEW_YORK, "30 1 * * *", (2026, 11, 1), ["01:30"]),
        (NEW_YORK, "0 6 * * *", (2026, 3, 8), ["06:00"]),
        (BERLIN, "*/30 2 * * *", (2026, 3, 29), []),
        (BERLIN, "*/30 2 * * *", (2026, 10, 25), ["02:00", "02:30"] * 2),
        (LORD_HOWE, "*/30 2 * * *", (2026, 4, 5), ["02:00", "02:30"]),
        (LORD_HOWE, "45 1 * * *", (2026, 4, 5), ["01:45"]),
        (NEW_YORK, "0 6 * * *", (2026, 11, 1), ["06:00"]),
    ],
)
def test_a_tick_on_the_days_when_clocks_change(zone, expression, day, expected):
    assert local_hours(expression, zone, day) == expected


def test_the_grid_of_fixed_distances_does_not_depend_on_who_looks():
    hourly = every(hours=1)

    assert hourly.latest(datetime(2026, 3, 2, 6, 59, 59, tzinfo=UTC)) == datetime(
        2026, 3, 2, 6, tzinfo=UTC
    )
    shifted = Every(timedelta(hours=1), offset=timedelta(minutes=10))
    assert shifted.after(datetime(2026, 3, 2, 6, tzinfo=UTC)) == datetime(
        2026, 3, 2, 6, 10, tzinfo=UTC
    )


@pytest.mark.parametrize("wrong", [{}, {"hours": -1}, {"seconds": 0.5}])
def test_a_distance_under_a_second_is_refused(wrong):
    with pytest.raises(InvalidInput, match="at least a second"):
        every(**wrong)


@pytest.mark.parametrize(
    ("expression", "zone", "problem"),
    [
        ("often", "UTC", "often"),
        ("61 * * * *", "UTC", "61"),
        ("0 0 31 2 *", "UTC", "0 0 31 2"),
        ("0 0 6 * * mon", "UTC", "5 fields"),
        ("0 6 * * *", "Mars/Olympus", "no time zone"),
        ("0 6 * * *", "../etc", "no time zone"),
    ],
)
def test_what_is_no_schedule_is_refused_when_it_is_declared(expression, zone, problem):
    with pytest.raises(InvalidInput, match=problem):
        cron(expression, zone=zone)
