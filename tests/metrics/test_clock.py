"""The company's clock in the engine: local days and working hours, against Python's own zones."""

import datetime as dt
from dataclasses import replace
from zoneinfo import ZoneInfo

import ibis
import numpy as np
import pandas as pd
import pytest

from salesops.book.book import Book
from salesops.metrics.clock import with_local_days, with_working_hours
from salesops.model.settings import Settings


def clock_book(tiny_book: Book, zone: str, country: str = "XX", **hours: int) -> Book:
    settings = Settings.default()
    company = settings.company.model_copy(update={"zone": zone, "country": country, **hours})
    settings = settings.model_copy(update={"company": company})
    return replace(tiny_book, store=replace(tiny_book.store, settings=settings))


def between(book: Book, first: str, last: str) -> float:
    rows = pd.DataFrame({"a": [pd.Timestamp(first)], "b": [pd.Timestamp(last)]})
    found = with_working_hours(book, ibis.memtable(rows), {"hours": ("a", "b")})
    return float(found.to_pandas()["hours"].iloc[0])


# In Shanghai nine o'clock is 01:00 UTC and 18:00 is 10:00 UTC.
@pytest.mark.parametrize(
    ("first", "last", "hours"),
    [
        ("2026-03-10 02:00", "2026-03-10 03:30", 1.5),
        ("2026-03-10 09:00", "2026-03-11 02:00", 1 + 1),  # overnight: to 18, from 9
        ("2026-03-10 12:00", "2026-03-10 13:00", 0),  # in the evening
        ("2026-03-13 09:30", "2026-03-16 01:05", 0.5 + 5 / 60),  # Friday to Monday
        ("2026-03-10 03:00", "2026-03-10 02:00", 0),  # the last comes first
        ("2026-02-13 02:00", "2026-02-24 02:00", 8 + 9 + 1),  # 14th is a make-up day, festival off
        ("2024-02-29 01:00", "2024-02-29 10:00", 9),  # leap day
        ("2026-03-31 15:30", "2026-04-01 02:00", 1),  # 23:30 on the last of the month
    ],
)
def test_working_hours_by_hand(tiny_book, first, last, hours):
    book = clock_book(tiny_book, "Asia/Shanghai", "CN")
    assert between(book, first, last) == pytest.approx(hours)


def test_of_nothing_the_clock_knows_nothing(tiny_book):
    rows = pd.DataFrame({"a": pd.to_datetime(["2026-03-10", None]),
                         "b": pd.to_datetime([None, "2026-03-10"])})  # fmt: skip
    table = with_working_hours(tiny_book, ibis.memtable(rows), {"hours": ("a", "b")})
    assert table.to_pandas()["hours"].isna().all()
    days = with_local_days(tiny_book, ibis.memtable(rows), {"on": "a"}).to_pandas()
    assert days["on"].isna().tolist().count(True) == 1


ZONES = ("Asia/Shanghai", "America/Los_Angeles", "Europe/London", "Australia/Lord_Howe")


@pytest.mark.parametrize("zone", ZONES)
def test_local_days_are_those_of_the_zone_through_all_changes_of_the_clock(tiny_book, zone):
    rng = np.random.default_rng(7)
    seconds = rng.integers(1_735_000_000, 1_770_000_000, 3_000)
    instants = pd.DataFrame({"a": pd.to_datetime(seconds, unit="s")})
    book = clock_book(tiny_book, zone)
    found = with_local_days(book, ibis.memtable(instants), {"on": "a"}).to_pandas()
    clock = ZoneInfo(zone)
    for at, day in zip(found["a"], found["on"], strict=True):
        wanted = at.to_pydatetime().replace(tzinfo=dt.UTC).astimezone(clock).date()
        assert pd.Timestamp(day).date() == wanted, at


@pytest.mark.parametrize("zone", ZONES)
def test_working_hours_are_those_counted_minute_by_minute(tiny_book, zone):
    book = clock_book(tiny_book, zone, works_from=8, works_to=20)
    clock = ZoneInfo(zone)
    start = dt.datetime(2026, 3, 27, tzinfo=dt.UTC)  # a weekend in which clocks change
    minutes = [start + dt.timedelta(minutes=m) for m in range(6 * 24 * 60)]
    local = [m.astimezone(clock) for m in minutes]
    works = np.array([m.weekday() < 5 and 8 <= m.hour < 20 for m in local])
    rng = np.random.default_rng(3)
    ends = rng.integers(0, len(minutes) - 1, (40, 2))
    rows = pd.DataFrame({c: pd.to_datetime([minutes[i].replace(tzinfo=None) for i in ends[:, k]])
                         for k, c in enumerate("ab")})  # fmt: skip
    rows["i"] = range(len(rows))
    found = with_working_hours(book, ibis.memtable(rows), {"hours": ("a", "b")})
    hours = found.order_by("i").to_pandas()["hours"]
    for (first, last), value in zip(ends, hours, strict=True):
        assert value == pytest.approx(works[first:last].sum() / 60 if last > first else 0)
