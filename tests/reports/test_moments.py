"""Dates and periods follow from the scheduled time, on the company's calendar."""

import datetime as dt

import pytest

from salesops.model.settings import Settings
from salesops.reports.moments import moment


def settings(zone: str = "Asia/Shanghai", fiscal: int = 1) -> Settings:
    default = Settings.default()
    company = default.company.model_copy(update={"zone": zone, "fiscal_year_starts": fiscal})
    return default.model_copy(update={"company": company})


def resolved(at: str, period: str, *, as_of: str = "day_before", **of: object) -> tuple[str, str]:
    found = moment(dt.datetime.fromisoformat(at), as_of=as_of, period=period,
                   settings=settings(**of))  # fmt: skip
    return found.as_of, found.period


MIDDLE = "2026-05-18T07:00+08:00"


@pytest.mark.parametrize(
    ("period", "wanted"),
    [("this_month", "2026-05"), ("last_month", "2026-04"), ("this_quarter", "2026Q2"),
     ("last_quarter", "2026Q1"), ("this_year", "2026"), ("last_year", "2025"),
     ("latest", "latest"), ("2026Q1", "2026Q1")],
)  # fmt: skip
def test_a_relative_period_is_that_of_the_scheduled_day(period, wanted):
    assert resolved(MIDDLE, period) == ("2026-05-17", wanted)


@pytest.mark.parametrize(
    ("at", "period", "as_of", "wanted"),
    [
        # Known to the end of May: the month that is looked at is over, and is the last one too.
        ("2026-06-01T07:00+08:00", "this_month", "2026-05-31", "2026-05"),
        ("2026-06-01T07:00+08:00", "last_month", "2026-05-31", "2026-05"),
        ("2026-06-02T07:00+08:00", "last_month", "2026-06-01", "2026-05"),
        ("2026-04-01T07:00+08:00", "last_quarter", "2026-03-31", "2026Q1"),
        ("2026-01-01T07:00+08:00", "last_quarter", "2025-12-31", "2025Q4"),
        ("2026-01-01T07:00+08:00", "last_year", "2025-12-31", "2025"),
        ("2026-01-02T07:00+08:00", "this_year", "2026-01-01", "2026"),
        ("2024-03-01T07:00+08:00", "last_month", "2024-02-29", "2024-02"),
    ],
)
def test_over_the_border_of_a_month_a_quarter_or_a_year(at, period, as_of, wanted):
    assert resolved(at, period) == (as_of, wanted)


@pytest.mark.parametrize(
    ("at", "period", "wanted"),
    [("2026-04-01T07:00+08:00", "last_year", "2025"),  # April 2025 to March 2026
     ("2026-03-31T07:00+08:00", "last_year", "2024"),
     ("2026-03-31T07:00+08:00", "this_quarter", "2025Q4"),
     ("2026-04-02T07:00+08:00", "this_quarter", "2026Q1")],
)  # fmt: skip
def test_over_the_border_of_a_fiscal_year_from_april(at, period, wanted):
    assert resolved(at, period, fiscal=4)[1] == wanted


def test_the_day_is_cut_where_the_company_is_and_not_where_the_scheduler_is():
    # The same instant is Sunday evening in London and Monday morning in Shanghai.
    at = "2026-05-31T23:30+00:00"
    assert resolved(at, "last_month") == ("2026-05-31", "2026-05")
    assert resolved(at, "last_month", zone="Europe/London") == ("2026-05-31", "2026-05")
    at = "2026-05-31T22:30+00:00"  # half past eleven at night in London: May is not over
    assert resolved(at, "last_month", zone="Europe/London") == ("2026-05-30", "2026-04")


def test_of_the_same_day_all_is_known_up_to_the_scheduled_minute():
    evening = "2026-05-31T18:30+08:00"
    assert resolved(evening, "this_month", as_of="same_day") == (evening, "2026-05")
    assert resolved(evening, "last_month", as_of="same_day") == (evening, "2026-04")


def test_a_time_without_a_zone_means_nothing():
    with pytest.raises(ValueError, match="zone"):
        resolved("2026-05-31T18:30", "latest")
