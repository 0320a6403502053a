"""The company's own clock in the engine: local days, and hours in which it works.

An instant is looked up in a small table of UTC days, joined by equality, so that the same
expression runs on every engine and a change to summer time needs no zone arithmetic there.
"""

import datetime as dt
from collections.abc import Mapping
from functools import cache
from zoneinfo import ZoneInfo

import ibis
import pyarrow as pa

from salesops.book.book import Book
from salesops.metrics.metric import Table
from salesops.model.calendar import Calendar

DAY = 86_400
_HOUR = 3_600
_EPOCH = dt.date(1970, 1, 1)


def with_local_days(book: Book, table: Table, columns: Mapping[str, str]) -> Table:
    """Add the company's day of instants.

    Parameters
    ----------
    book
        Whose days.
    table
        The rows.
    columns
        New column -> column with an instant. Null stays null.
    """
    table = with_day_numbers(book, table, {f"number_of_{new}": old for new, old in columns.items()})
    for new in columns:
        # The days come from a table too, since adding days to a date is no portable sum.
        names = _days(book).select(number_="number", **{new: "day"})
        number = f"number_of_{new}"
        table = table.left_join(names, table[number] == names.number_).drop(number, "number_")
    return table


def with_day_numbers(book: Book, table: Table, columns: Mapping[str, str]) -> Table:
    """Add the company's day of instants as its number, days since 1970; see `with_local_days`."""
    for new, old in columns.items():
        table = _beside(book, table, table[old])
        second = table.second_
        local = table.local_ + _one(second >= table.midnight_) + _one(second >= table.midnight2_)
        table = table.mutate(**{new: local}).drop(*_JOINED)
    return table


def with_working_hours(book: Book, table: Table, columns: Mapping[str, tuple[str, str]]) -> Table:
    """Add the hours of the company's working clock between two instants.

    Parameters
    ----------
    book
        Whose clock.
    table
        The rows.
    columns
        New column -> columns with the first and the last instant. Null where either is null; 0
        where no working time lies between them, or the last comes first.

    Notes
    -----
    The clock runs from `works_from` to `works_to` of the settings, on working days.
    """
    kept = table.columns
    instants = dict.fromkeys(name for pair in columns.values() for name in pair)
    for name in instants:
        table = _beside(book, table, table[name])
        table = table.mutate(**{f"worked_{name}": _worked(table)}).drop(*_JOINED)
    hours = {}
    for new, (first, last) in columns.items():
        seconds = ibis.greatest(table[f"worked_{last}"] - table[f"worked_{first}"], 0)
        known = table[first].notnull() & table[last].notnull()
        hours[new] = ibis.ifelse(known, seconds.cast("float64") / _HOUR, ibis.null("float64"))
    return table.select(*kept, **hours)


_JOINED = ("key_", "second_", "number_", "before_", "open_", "close_", "open2_", "close2_",
           "midnight_", "midnight2_", "local_")  # fmt: skip


def _beside(book: Book, table: Table, at: ibis.Value) -> Table:
    """Put the UTC day of an instant beside each row."""
    seconds = at.epoch_seconds().cast("int64")
    table = table.mutate(key_=(seconds - seconds % DAY) // DAY, second_=seconds % DAY)
    days = _days(book).drop("day")
    days = days.rename({f"{c}_": c for c in days.columns})
    return table.left_join(days, table.key_ == days.number_)


def _worked(table: Table) -> ibis.Value:
    """Give the working seconds from the first day of the table up to the instant."""
    one = ibis.least(ibis.greatest(table.second_, table.open_), table.close_) - table.open_
    two = ibis.least(ibis.greatest(table.second_, table.open2_), table.close2_) - table.open2_
    return table.before_ + one + two


def _one(condition: ibis.Value) -> ibis.Value:
    return ibis.ifelse(condition, 1, 0)


def _days(book: Book) -> Table:
    company = book.settings.company
    # Nobody asks for what lies more than twenty years back; it has neither day nor hours.
    first = dt.date(book.date.year - 20, 1, 1)
    last = dt.date(book.date.year + 2, 1, 1)
    return _days_table(book.calendar, company.works_from, company.works_to, first, last)


@cache
def _days_table(
    calendar: Calendar, opens: int, closes: int, first: dt.date, last: dt.date
) -> Table:
    return ibis.memtable(utc_days(calendar, opens, closes, first, last))


def utc_days(
    calendar: Calendar, opens: int, closes: int, first: dt.date, last: dt.date
) -> pa.Table:
    """Lay out UTC days with what the company's clock does in them.

    Returns
    -------
    pyarrow.Table
        One row per UTC day: `number` (days since 1970), `day`, `before` (working seconds before
        it), `open`, `close`, `open2`, `close2` (working hours in it, in its seconds; both equal
        where there are none), `midnight`, `midnight2` (seconds at which a local day begins, after
        its end where none does) and `local` (number of the local day at its first second).
    """
    starts, windows = _local_days(calendar, opens, closes, first, last)
    rows, worked = [], 0
    for i in range((last - first).days):
        day = first + dt.timedelta(days=i)
        row = _utc_day(day, starts, windows)
        rows.append((day, worked, *row))
        worked += row[_CLOSE] - row[_OPEN] + row[_CLOSE + 2] - row[_OPEN + 2]
    columns = ("day", "before", "open", "close", "open2", "close2", "midnight", "midnight2",
               "local", "number")  # fmt: skip
    made = dict(zip(columns, zip(*rows, strict=True), strict=True))
    days = {"day": pa.array(made.pop("day"), pa.date32())}
    return pa.table(days | {name: pa.array(v, pa.int64()) for name, v in made.items()})


_OPEN, _CLOSE = 0, 1


def _utc_day(
    day: dt.date, starts: Mapping[int, int], windows: Mapping[int, tuple[int, int]]
) -> tuple[int, ...]:
    """Cut local days to one UTC day: two working windows, two midnights, local day, number."""
    number = (day - _EPOCH).days
    begin = number * DAY
    near = range(number - 2, number + 3)
    worked = [(max(windows[n][0] - begin, 0), min(windows[n][1] - begin, DAY))
              for n in near if n in windows]  # fmt: skip
    pieces = [*(piece for piece in worked if piece[0] < piece[1]), (0, 0), (0, 0)]
    begins = {n: starts[n] - begin for n in near if n in starts}
    marks = [*sorted(s for s in begins.values() if 0 < s < DAY), 2 * DAY, 2 * DAY]
    local = max(n for n, s in begins.items() if s <= 0)
    return (*pieces[0], *pieces[1], *marks[:2], local, number)


def _local_days(
    calendar: Calendar, opens: int, closes: int, first: dt.date, last: dt.date
) -> tuple[dict[int, int], dict[int, tuple[int, int]]]:
    """Say in UTC seconds when each local day begins, and between which it works."""
    zone = ZoneInfo(calendar.zone)
    starts, windows = {}, {}
    for i in range(-3, (last - first).days + 3):
        day = first + dt.timedelta(days=i)
        number = (day - _EPOCH).days
        starts[number] = _utc(day, 0, zone)
        if calendar.is_working_day(day):
            windows[number] = (_utc(day, opens, zone), _utc(day, closes, zone))
    return starts, windows


def _utc(day: dt.date, hour: int, zone: ZoneInfo) -> int:
    later, hour = divmod(hour, 24)
    local = dt.datetime.combine(day + dt.timedelta(days=later), dt.time(hour), tzinfo=zone)
    return int(local.timestamp())
