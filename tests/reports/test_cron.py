"""A schedule falls due when cron, as every machine reads it, says."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from salesops.reports.cron import Cron

SHANGHAI, BERLIN = "Asia/Shanghai", "Europe/Berlin"


def at(text: str, zone: str = "UTC") -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("text", "day"),
    [("0 7 * * 1", "Mon"), ("0 7 * * mon", "Mon"), ("0 7 * * 0", "Sun"), ("0 7 * * 7", "Sun"),
     ("0 7 * * 6", "Sat")],
)  # fmt: skip
def test_days_of_the_week_are_counted_from_sunday(text, day):
    found = Cron(text, SHANGHAI).next_after(at("2026-03-04 12:00"))
    assert f"{found:%a %H:%M}" == f"{day} 07:00"


def test_a_time_is_due_at_its_very_minute_and_next_after_it():
    monday = Cron("0 7 * * mon", SHANGHAI)
    seven = at("2026-03-02 07:00", SHANGHAI)
    assert monday.last_until(seven) == seven
    assert monday.last_until(seven - dt.timedelta(microseconds=1)) == seven - dt.timedelta(days=7)
    assert monday.next_after(seven) == seven + dt.timedelta(days=7)
    assert monday.next_after(seven - dt.timedelta(seconds=1)) == seven


def brute(minutes: set, hours: set, days: set, months: set, local: dt.datetime) -> bool:
    return (local.minute in minutes and local.hour in hours and local.day in days
            and local.month in months)  # fmt: skip


def test_times_equal_those_found_by_trying_every_quarter_of_an_hour_of_a_year():
    cron = Cron("*/30 8-9 1,31 */2 *", SHANGHAI)
    found, moment = [], at("2026-01-01 00:00", SHANGHAI) - dt.timedelta(minutes=1)
    while (moment := cron.next_after(moment)) < at("2027-01-01 00:00", SHANGHAI):
        found.append(moment)
    quarters = [at("2026-01-01 00:00", SHANGHAI) + dt.timedelta(minutes=15 * i)
                for i in range(365 * 96)]  # fmt: skip
    wanted = [q for q in quarters
              if brute({0, 30}, {8, 9}, {1, 31}, {1, 3, 5, 7, 9, 11}, q)]  # fmt: skip
    assert found == wanted
    assert all(cron.last_until(time + dt.timedelta(minutes=7)) == time for time in found)


def test_in_spring_a_time_that_the_clock_leaps_over_is_due_once_just_after():
    nightly = Cron("30 2 * * *", BERLIN)
    before = at("2026-03-28 12:00", BERLIN)
    leap, after = nightly.next_after(before), None
    after = nightly.next_after(leap)
    assert leap.astimezone(dt.UTC).isoformat() == "2026-03-29T01:00:00+00:00"  # 03:00 in summer
    assert after.astimezone(dt.UTC).isoformat() == "2026-03-30T00:30:00+00:00"
    assert nightly.last_until(leap + dt.timedelta(hours=5)) == leap


def test_in_autumn_an_hour_that_comes_twice_makes_a_time_due_once():
    nightly = Cron("30 2 * * *", BERLIN)
    first = nightly.next_after(at("2026-10-24 12:00", BERLIN))
    assert first.astimezone(dt.UTC).isoformat() == "2026-10-25T00:30:00+00:00"
    second = nightly.next_after(first)
    assert second.astimezone(dt.UTC).isoformat() == "2026-10-26T01:30:00+00:00"


@pytest.mark.parametrize(
    "text",
    ["", "0 7 * *", "0 7 * * * *", "61 * * * *", "0 24 * * *", "0 7 L * *", "0 7 * * mon#1",
     "@daily", "0 0 31 2 *", "0 7 * * someday", "0 7 1 * mon", "$(rm) 7 * * *"],
)  # fmt: skip
def test_what_other_schedulers_would_read_differently_is_refused(text):
    with pytest.raises(ValueError, match=r"minute hour day month weekday|two entries"):
        Cron(text)
