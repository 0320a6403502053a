"""The usual course of a period, and the days of the year before that compare with it."""

import datetime as dt
import itertools

import numpy as np
import pandas as pd
import pytest

from salesops.metrics.catalogue import metric
from salesops.metrics.pace import expected_shares, own_curve
from salesops.metrics.yearago import year_ago
from salesops.model.calendar import Calendar
from tests.companies import book_of
from tests.signings import OPEN, contract, contracts, day, deals, targets

SHANGHAI = Calendar("Asia/Shanghai")


def rhythm(first: str, last: str, rush: int = 10) -> list[dict]:
    """Sign one contract on every working day, and so many on the last one of a month."""
    rows = []
    works = [d for d in pd.date_range(first, last) if SHANGHAI.is_working_day(d.date())]
    for at, following in itertools.pairwise([*works, works[-1]]):
        n = rush if following.month != at.month else 1
        rows += [
            contract(id=f"c{at:%Y%m%d}-{k}", amount=1.0, signed_on=at.date()) for k in range(n)
        ]
    return rows


@pytest.fixture(scope="module")
def steady():
    plan = targets(("2026-05", "company", None, 100.0, "2026-01-01"))
    rows = rhythm("2023-05-01", "2026-05-22")
    return book_of({**deals(OPEN), **plan, **contracts(*rows)})


def test_a_month_is_expected_to_go_as_months_went(steady):
    # One on each working day and ten on the last: by the 22nd so many of all.
    works = [d for d in pd.date_range("2026-05-01", "2026-05-31")
             if SHANGHAI.is_working_day(d.date())]  # fmt: skip
    over = sum(d <= pd.Timestamp("2026-05-22") for d in works)
    curve = own_curve(steady, dt.date(2026, 5, 1))
    share = curve.share(steady.period("2026-05"), 22)
    assert share == pytest.approx(over / (len(works) - 1 + 10), abs=0.03)
    # By the calendar it would be 22 of 31.
    assert share < 22 / 31 - 0.1


def test_pace_is_what_was_signed_against_the_usual_share_of_the_target(steady):
    share = expected_shares(steady, steady.period("2026-05"))["2026-05"]
    signed = metric(steady, "bookings", period="2026-05")["bookings"].iloc[0]
    pace = metric(steady, "pace", period="2026-05")["pace"].iloc[0]
    # What is due is rounded to the cent.
    assert pace == pytest.approx(signed / (100 * share), rel=1e-4)


def test_what_is_signed_later_changes_nothing_of_the_curve(steady):
    before = own_curve(steady.as_of("2026-04-30"), dt.date(2026, 5, 1))
    after = own_curve(steady, dt.date(2026, 5, 1))
    weights = [c.weights(dt.date(2026, 5, 1), dt.date(2026, 5, 31)) for c in (before, after)]
    np.testing.assert_array_equal(*weights)


def test_a_curve_grows_from_nothing_to_the_whole(steady):
    curve = own_curve(steady, dt.date(2026, 5, 1))
    period = steady.period("2026Q2")
    shares = [curve.share(period, n) for n in range(period.days + 1)]
    assert shares[0] == 0
    assert shares[-1] == pytest.approx(1)
    assert all(a <= b for a, b in itertools.pairwise(shares))


def test_days_on_which_nobody_works_are_worth_next_to_nothing(steady):
    curve = own_curve(steady, dt.date(2026, 5, 1))
    weights = curve.weights(dt.date(2026, 5, 11), dt.date(2026, 5, 17))
    assert weights[5:].max() < 0.05 * weights[:5].min()


def test_spring_festival_is_expected_to_bring_little():
    rows = [r for r in rhythm("2023-01-02", "2025-12-31")
            if abs((r["signed_on"] - _festival(r["signed_on"].year)).days) > 13]  # fmt: skip
    curve = own_curve(book_of({**deals(OPEN), **contracts(*rows)}), dt.date(2026, 1, 1))
    # The festival of 2026 is on 17 February; 10 and 11 February are working days like others.
    near = curve.weights(dt.date(2026, 2, 10), dt.date(2026, 2, 11))
    far = curve.weights(dt.date(2026, 4, 14), dt.date(2026, 4, 15))
    assert near.max() < 0.4 * far.min()


def _festival(year: int) -> dt.date:
    # Days of the lunar new year as published in the State Council's calendars.
    return {2023: day("2023-01-22"), 2024: day("2024-02-10"), 2025: day("2025-01-29")}[year]


def test_a_year_expects_past_quarters_whole_and_later_ones_not_at_all(steady):
    shares = expected_shares(steady, steady.period("2026"))
    assert [shares[f"2026-{m:02d}"] for m in (1, 2, 3)] == [1, 1, 1]
    assert 0 < shares["2026-04"] == shares["2026-05"] == shares["2026-06"] < 1
    assert [shares[f"2026-{m:02d}"] for m in (7, 10, 12)] == [0, 0, 0]


def test_few_signings_or_a_short_record_make_no_curve():
    dates = [day("2024-01-01") + dt.timedelta(days=15 * i) for i in range(59)]
    long = [contract(id=f"c{d}", amount=1.0, signed_on=d) for d in dates]
    assert own_curve(book_of({**deals(OPEN), **contracts(*long)}), dt.date(2026, 7, 1)) is None
    short = rhythm("2026-01-01", "2026-06-30")
    assert own_curve(book_of({**deals(OPEN), **contracts(*short)}), dt.date(2026, 7, 1)) is None


# The year before. Spring Festival: 29 January 2025, 17 February 2026.


def window(book, date: str, period: str) -> tuple[str, str, bool, bool]:
    then = book.as_of(date)
    found = year_ago(then, then.period(period))
    first, last = (str(d) for d in (found.window.start, found.window.end))
    return first, last, found.aligned, found.apart


@pytest.mark.parametrize(
    ("date", "period", "wanted"),
    [
        # Away from the festival the same days of the calendar.
        ("2026-06-20", "2026-06", ("2025-06-01", "2025-06-20", False, False)),
        ("2026-06-20", "2026Q2", ("2025-04-01", "2025-06-20", False, False)),
        ("2026-06-20", "2026-05", ("2025-05-01", "2025-05-31", False, False)),
        # The tenth of February is seven days before the festival, so was 22 January.
        ("2026-02-10", "2026-02", ("2025-01-13", "2025-01-22", True, False)),
        ("2026-02-10", "2026Q1", ("2025-01-01", "2025-01-22", True, False)),
        # A whole quarter holds the whole festival in both years.
        ("2026-03-31", "2026Q1", ("2025-01-01", "2025-03-31", False, False)),
        # January would reach into the year-end rush, March holds the quarter's end.
        ("2026-01-31", "2026-01", ("2025-01-01", "2025-01-31", False, True)),
        ("2026-03-31", "2026-03", ("2025-03-01", "2025-03-31", False, True)),
        # 19 days after the festival of 10 February 2024 is the leap day, after 22 January 2023
        # the tenth of February.
        ("2024-04-30", "2024-02", ("2023-01-13", "2023-02-10", True, False)),
    ],
)
def test_the_days_compared(steady, date, period, wanted):
    assert window(steady, date, period) == wanted


def test_a_leap_february_far_from_the_festival_is_compared_whole():
    # A company outside China has no festival.
    from salesops.model.settings import Settings

    settings = Settings.default()
    company = settings.company.model_copy(update={"country": "DE"})
    there = settings.model_copy(update={"company": company})
    book = book_of({**deals(OPEN), **contracts(*rhythm("2023-01-01", "2024-03-15"))}, there)
    assert window(book, "2024-03-10", "2024-02") == ("2023-02-01", "2023-02-28", False, False)
