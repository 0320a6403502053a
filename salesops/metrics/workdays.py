"""Working days between instants and days, counted in the engine for whole tables.

An instant falls on the company's day by the offsets of its zone, and a day has the running count
of working days of the company's calendar: two such counts give the days between.
"""

import datetime as dt
from functools import cache
from itertools import pairwise
from typing import TypeAlias
from zoneinfo import ZoneInfo

import ibis
import pyarrow as pa

from salesops.book.book import Book
from salesops.book.versions import AT

Table: TypeAlias = ibis.Table
# Deals before the first year count from there; no zone's clock changes twice within a week.
_FIRST, _LAST = dt.datetime(2000, 1, 1, tzinfo=dt.UTC), dt.datetime(2041, 1, 1, tzinfo=dt.UTC)


@cache
def _offsets(zone: str) -> tuple[tuple[dt.datetime, int], ...]:
    """Give the offsets of a zone in seconds, each with the UTC instant from which it holds."""
    clock = ZoneInfo(zone)

    def offset(at: dt.datetime) -> int:
        gap = at.astimezone(clock).utcoffset()
        assert gap is not None  # a zone's time always has one
        return int(gap.total_seconds())

    found, at = [(_FIRST, offset(_FIRST))], _FIRST
    while at < _LAST:
        after = at + dt.timedelta(days=7)
        if offset(after) != found[-1][1]:
            low, high = at, after
            while high - low > dt.timedelta(seconds=1):
                middle = low + (high - low) // 2
                low, high = (low, middle) if offset(middle) != found[-1][1] else (middle, high)
            found.append((high.replace(microsecond=0), offset(high)))
        at = after
    return tuple((start.replace(tzinfo=None), seconds) for start, seconds in found)


def local_day(book: Book, instant: ibis.Value) -> ibis.Value:
    """Give the company's day on which a UTC instant falls; of a day, itself."""
    if instant.type().is_date():
        return instant
    offsets = _offsets(book.settings.company.zone)
    last = _shifted(instant, offsets[-1][1])
    if len(offsets) == 1:
        return last
    cases = []
    for (_start, seconds), (until, _next) in pairwise(offsets):
        cases.append((instant < ibis.literal(until).cast(AT), _shifted(instant, seconds)))
    return ibis.cases(*cases, else_=last)


def _shifted(instant: ibis.Value, seconds: int) -> ibis.Value:
    return (instant + ibis.interval(seconds=seconds)).date()


@cache
def _counts(country: str, zone: str) -> pa.Table:
    from salesops.model.calendar import Calendar

    counts, origin = Calendar(zone, country).working_day_counts()
    skip = (_FIRST.date() - origin).days
    days = [origin + dt.timedelta(days=i) for i in range(skip, (_LAST.date() - origin).days)]
    upto = counts[skip : skip + len(days)]
    return pa.table({"day_": pa.array(days, pa.date32()), "worked_": pa.array(upto, pa.int64())})


def with_working_days(
    book: Book, table: Table, after: str, until: dt.date | str, name: str
) -> Table:
    """Add the working days after one day up to and with another.

    Parameters
    ----------
    after
        Column of the instant or day after which days count.
    until
        A day, or the column of an instant or day.
    name
        Of the new column; null where either end is.
    """
    company = book.settings.company
    days = ibis.memtable(_counts(company.country, company.zone))
    start = days.select(start_day_="day_", start_worked_="worked_")
    kept = table.columns
    table = table.mutate(from_=local_day(book, table[after]))
    table = table.left_join(start, table.from_ == start.start_day_)
    if isinstance(until, str):
        end = days.select(end_day_="day_", end_worked_="worked_")
        table = table.mutate(to_=local_day(book, table[until]))
        table = table.left_join(end, table.to_ == end.end_day_)
        worked = table.end_worked_
    else:
        worked = ibis.literal(_worked(company.country, company.zone, until), "int64")
    return table.select(*kept, **{name: worked - table.start_worked_})


def _worked(country: str, zone: str, day: dt.date) -> int:
    from salesops.model.calendar import Calendar

    counts, origin = Calendar(zone, country).working_day_counts()
    return int(counts[(day - origin).days])


def worked_between(book: Book, first: dt.date, last: dt.date) -> int:
    """Count the working days from one day to another, both included."""
    return book.calendar.working_days(first - dt.timedelta(days=1), last)
