"""Working days between instants, in the engine, by the company's own days."""

import datetime as dt

import ibis
import pandas as pd
import pytest

from salesops.book.book import Book, open_book
from salesops.metrics.workdays import local_day, with_working_days
from salesops.model.settings import Settings, default_text


def company(zone: str, country: str) -> Book:
    text = default_text().replace("Asia/Shanghai", zone).replace('"CN"', f'"{country}"')
    return open_book("tests/tiny_company", settings=Settings.parse(text, where="a test"))


def instants(*texts: str) -> ibis.Table:
    return ibis.memtable(pd.DataFrame({"at": pd.to_datetime(list(texts))}))


@pytest.mark.parametrize(
    ("zone", "utc", "day"),
    [
        ("Asia/Shanghai", "2026-03-31 15:59:59", "2026-03-31"),
        ("Asia/Shanghai", "2026-03-31 16:00:00", "2026-04-01"),
        ("Asia/Shanghai", "2024-02-28 16:00:00", "2024-02-29"),
        # Summer time: midnight in Berlin is 22:00 UTC, in winter 23:00.
        ("Europe/Berlin", "2026-07-01 22:30:00", "2026-07-02"),
        ("Europe/Berlin", "2026-01-01 22:30:00", "2026-01-01"),
        ("America/New_York", "2026-03-08 04:30:00", "2026-03-07"),
    ],
)
def test_an_instant_falls_on_the_companys_day(zone, utc, day):
    book, table = company(zone, "CN"), instants(utc)
    assert str(table.select(d=local_day(book, table["at"])).to_pandas()["d"].iloc[0])[:10] == day


def test_make_up_saturdays_count_and_holidays_do_not():
    # From Friday 13 February 2026 to Saturday 28: 14 and 28 are worked, 15 to 23 are the festival.
    table = instants("2026-02-13 02:00:00")
    until = dt.date(2026, 2, 28)
    rows = with_working_days(company("Asia/Shanghai", "CN"), table, "at", until, "days")
    assert rows.to_pandas()["days"].tolist() == [1 + 4 + 1]
    rows = with_working_days(company("Asia/Shanghai", "XX"), table, "at", until, "days")
    assert rows.to_pandas()["days"].tolist() == [10]


def test_between_two_columns_and_null_where_either_end_is():
    table = ibis.memtable(pd.DataFrame({
        "at": pd.to_datetime(["2026-03-02 02:00", None]),
        "end": pd.to_datetime(["2026-03-09 02:00", "2026-03-09 02:00"]),
    }))  # fmt: skip
    book = company("Asia/Shanghai", "XX")
    days = with_working_days(book, table, "at", "end", "days").to_pandas()["days"]
    assert days.iloc[0] == 5
    assert pd.isna(days.iloc[1])
