"""Periods and working days against dates looked up by hand."""

import datetime as dt

import ibis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesops.model.calendar import Calendar, Period, spring_festival
from salesops.model.errors import BadPeriod

SHANGHAI = Calendar("Asia/Shanghai")


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2024-02", dt.date(2024, 2, 1), dt.date(2024, 2, 29)),
        ("2026Q4", dt.date(2026, 10, 1), dt.date(2026, 12, 31)),
        ("2025", dt.date(2025, 1, 1), dt.date(2025, 12, 31)),
    ],
)
def test_a_period_runs_from_its_first_to_its_last_day(text, start, end):
    period = Period.parse(text)
    assert (period.start, period.end, period.text) == (start, end, text)


def test_a_fiscal_year_from_april_ends_in_march():
    year = Period.parse("2026", fiscal_year_starts=4)
    assert (year.start, year.end) == (dt.date(2026, 4, 1), dt.date(2027, 3, 31))
    last = Period.parse("2026Q4", fiscal_year_starts=4)
    assert (last.start, last.end) == (dt.date(2027, 1, 1), dt.date(2027, 3, 31))
    assert last.shifted(3) == Period.parse("2027Q1", fiscal_year_starts=4)


@pytest.mark.parametrize("text", ["2026-13", "2026Q5", "26", "March", "", "2026-1", "latest"])
def test_what_is_no_period_is_refused_with_an_example(text):
    with pytest.raises(BadPeriod) as caught:
        Period.parse(text)
    assert repr(text) in str(caught.value)
    assert "2026Q1" in str(caught.value)


@given(st.integers(2000, 2060), st.integers(1, 12), st.integers(1, 12))
def test_the_period_before_ends_the_day_before_this_one_starts(year, month, fiscal):
    for text in (f"{year}-{month:02d}", f"{year}Q{(month - 1) // 3 + 1}", str(year)):
        period = Period.parse(text, fiscal_year_starts=fiscal)
        prior = period.prior()
        assert prior.end + dt.timedelta(days=1) == period.start
        assert Period.parse(prior.text, fiscal_year_starts=fiscal) == prior
        assert Period.parse(period.year_ago().text, fiscal_year_starts=fiscal) == period.year_ago()


@given(st.dates(dt.date(2000, 1, 1), dt.date(2060, 12, 31)), st.integers(1, 12))
def test_the_period_in_progress_holds_the_day_and_is_read_back(day, fiscal):
    for kind, months in (("month", 1), ("quarter", 3), ("year", 12)):
        period = Period.running(kind, on=day, fiscal_year_starts=fiscal)
        assert period.start <= day <= period.end
        assert period.months == months
        assert Period.parse(period.text, fiscal_year_starts=fiscal) == period


def test_what_is_no_kind_of_period_is_refused():
    with pytest.raises(BadPeriod, match="week"):
        Period.running("week", on=dt.date(2026, 1, 1))


def test_half_past_eleven_at_night_belongs_to_the_local_day():
    at = dt.datetime(2026, 1, 31, 15, 30)  # 23:30 in Shanghai
    assert SHANGHAI.local_date(at) == dt.date(2026, 1, 31)
    start, end = SHANGHAI.instants(Period.parse("2026-01"))
    assert start == dt.datetime(2025, 12, 31, 16)
    assert start <= at < end


def test_an_ibis_condition_cuts_instants_and_dates_at_the_same_local_day():
    january = Period.parse("2026-01")
    frame = ibis.memtable(
        {"at": [dt.datetime(2026, 1, 31, 15, 59, 59), dt.datetime(2026, 1, 31, 16)],
         "on": [dt.date(2026, 1, 31), dt.date(2026, 2, 1)]}
    )  # fmt: skip
    shown = frame.select(
        at=SHANGHAI.contains(january, frame["at"]), on=SHANGHAI.contains(january, frame["on"])
    ).to_pandas()
    assert shown["at"].tolist() == [True, False]
    assert shown["on"].tolist() == [True, False]


def test_the_days_of_the_golden_week_do_not_count_and_make_up_days_do():
    # The State Council's notice for 2026: Spring Festival 15–23 February, work on 14 and 28.
    assert not any(SHANGHAI.is_working_day(dt.date(2026, 2, d)) for d in range(15, 24))
    assert SHANGHAI.is_working_day(dt.date(2026, 2, 14))  # a Saturday
    assert SHANGHAI.is_working_day(dt.date(2026, 2, 28))  # a Saturday
    assert SHANGHAI.working_days(dt.date(2026, 2, 13), dt.date(2026, 2, 24)) == 2


def test_years_without_a_notice_count_monday_to_friday_and_say_so():
    assert not SHANGHAI.is_known(dt.date(2040, 1, 1))
    assert SHANGHAI.working_days(dt.date(2040, 1, 1), dt.date(2040, 1, 8)) == 5


@given(st.dates(dt.date(2005, 1, 1), dt.date(2030, 1, 1)), st.integers(0, 300))
def test_working_days_add_up_over_a_cut(start, length):
    middle = start + dt.timedelta(days=length // 3)
    end = start + dt.timedelta(days=length)
    whole = SHANGHAI.working_days(start, end)
    assert whole == SHANGHAI.working_days(start, middle) + SHANGHAI.working_days(middle, end)
    assert whole == -SHANGHAI.working_days(end, start)


@pytest.mark.parametrize(
    ("year", "day"),
    [(2024, dt.date(2024, 2, 10)), (2025, dt.date(2025, 1, 29)), (2026, dt.date(2026, 2, 17))],
)
def test_the_lunar_new_year_falls_on_the_published_day(year, day):
    assert spring_festival(year) == day
