"""Which days of the year before to compare with: the same ones, or the same around the festival.

Spring Festival moves by up to a month, and for weeks around it hardly anything is signed. A month
near it is compared with the same days counted from the festival, and a running quarter or year
with the one before up to the same day counted from it. What holds the end of a quarter, or would
reach into another quarter, stays on its calendar days: the rush there weighs more than the feast.
"""

import datetime as dt
from dataclasses import dataclass

from salesops.book.book import Book
from salesops.metrics.leaks import elapsed, same_days
from salesops.metrics.pace import AFTER_FESTIVAL, BEFORE_FESTIVAL
from salesops.model.calendar import Period, spring_festival


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Days that are compared with those of a period that are over.

    Attributes
    ----------
    window
        Those days.
    aligned
        Whether they were moved so that Spring Festival falls alike.
    apart
        Whether the festival lies differently in both, which nothing could mend.
    """

    window: Period
    aligned: bool = False
    apart: bool = False


def year_ago(book: Book, period: Period) -> Compared:
    """Give the days of the year before that compare with those of a period that are over.

    Examples
    --------
    >>> from salesops.book.book import open_book
    >>> book = open_book("tests/tiny_company").as_of("2026-02-10")
    >>> year_ago(book, book.period("2026-02")).window.start  # festivals on 17 Feb and 29 Jan
    datetime.date(2025, 1, 13)
    """
    days = elapsed(book, period)
    here = same_days(period, days)
    same = period.year_ago() if days >= period.days else same_days(period.year_ago(), days)
    near = _is_near(here) or _is_near(same)
    whole = days >= period.days
    if book.settings.company.country != "CN" or not near or (whole and period.months > 1):
        return Compared(window=same)
    year = period.year_ago().end.year
    shift = spring_festival(here.end.year) - spring_festival(here.end.year - 1)
    if period.months > 1:
        last = here.end - shift
        if not _day_is_near(here.end) and not _day_is_near(same.end):
            return Compared(window=same)
        if not same.start <= last <= period.year_ago().end:
            return Compared(window=same, apart=True)
        return Compared(window=Period(same.start, last, period.year_ago().text), aligned=True)
    moved = Period(here.start - shift, here.end - shift, period.year_ago().text)
    quarters = {_quarter(book, day) for day in (moved.start, moved.end, same.start)}
    if len(quarters) > 1 or _closes_quarter(book, here.end) or moved.end.year > year:
        return Compared(window=same, apart=True)
    return Compared(window=moved, aligned=True)


def prior(book: Book, period: Period) -> Compared:
    """Give the days of the period before that compare with those of a period that are over."""
    days = elapsed(book, period)
    before = period.prior()
    return Compared(window=before if days >= period.days else same_days(before, days))


def _day_is_near(day: dt.date) -> bool:
    since = (day - spring_festival(day.year)).days
    return -BEFORE_FESTIVAL <= since < AFTER_FESTIVAL


def _is_near(window: Period) -> bool:
    """Say whether any day of a window lies around Spring Festival."""
    festival = spring_festival(window.end.year)
    first = festival - dt.timedelta(days=BEFORE_FESTIVAL)
    last = festival + dt.timedelta(days=AFTER_FESTIVAL - 1)
    return window.start <= last and window.end >= first


def _quarter(book: Book, day: dt.date) -> int:
    months = day.year * 12 + day.month - book.settings.company.fiscal_year_starts
    return months // 3


def _closes_quarter(book: Book, day: dt.date) -> bool:
    return _quarter(book, day) != _quarter(book, day + dt.timedelta(days=1))
