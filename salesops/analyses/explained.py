"""What is behind this number? Its definition, its source, and the very rows."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ibis
import pandas as pd

from salesops.analyses.result import fingerprint_of
from salesops.book.book import Book
from salesops.book.moment import instant
from salesops.charts.behind import Behind, Source
from salesops.metrics.catalogue import find_metric
from salesops.metrics.metric import Metric, reduced, reduced_rows
from salesops.model.calendar import Calendar, Period
from salesops.model.errors import SalesopsError
from salesops.wording import say


@dataclass(eq=False, kw_only=True)
class BadWhere(SalesopsError, ValueError):
    """A value to filter rows by can't be one of its column."""

    column: str
    value: str
    expected: str

    def __str__(self) -> str:
        return (
            f"{self.value!r} can't be a value of the column {self.column!r}.\n"
            f"Expected: {self.expected}, or nothing for rows without a value.\n"
            f"Write for example: {self.column}={_EXAMPLES.get(self.expected, 'x')}."
        )


_DAY, _NUMBER, _FLAG = "a day", "a number", "true or false"
_EXAMPLES = {_DAY: "2026-03-31", _NUMBER: "1000", _FLAG: "true"}
_FLAGS = {"true": True, "yes": True, "1": True, "是": True,
          "false": False, "no": False, "0": False, "否": False}  # fmt: skip


def explain(book: Book, id: str, /, *, period: str = "latest", **where: Any) -> Behind:  # noqa: A002 - the agreed public name
    """Which rows make this number, and what does it mean?

    Parameters
    ----------
    book
        The company.
    id
        Name of a metric, such as `win_rate`.
    period
        `2026-03`, `2026Q1`, `2026` or `latest`.
    **where
        Column of the rows -> value, such as `team="North/1"` or `closed_at="2026-03-05"`; None for
        rows without a value. A day stands for its whole local day.

    Returns
    -------
    Behind
        The number is made of exactly these rows.

    Raises
    ------
    UnknownMetric, UnknownGroup, BadWhere, BadPeriod
        The name, a column, a value or the period is not known.

    Examples
    --------
    >>> from salesops.book.book import open_book
    >>> explain(open_book("tests/tiny_company"), "win_rate", period="2026Q1").rows["id"].tolist()
    ['d01', 'd02', 'd03', 'd05']
    """
    return rows_behind(book, id, book.period(period), where)


def rows_behind(book: Book, name: str, period: Period, where: Mapping[str, Any]) -> Behind:
    """Explain a number as `explain` does, for filters whose columns have any name."""
    metric = find_metric(name)
    if metric.reason(book) is not None:
        number, rows = reduced(metric, book, period), pd.DataFrame()
    else:
        columns = {_stored(c, metric, book, period): value for c, value in where.items()}
        table = metric.rows_of(book, period, tuple(columns))
        for column, value in columns.items():
            table = table.filter(_holds(table[column], column, value, book.calendar))
        number = reduced_rows(metric, table, book, period)
        rows = table.order_by("id").to_pandas()
    row = number.iloc[0]
    source = Source(
        tables=metric.needs, as_of=book.date, scope=str(book.limits),
        fingerprint=lambda: fingerprint_of(book),
    )  # fmt: skip
    return Behind(
        metric=metric.id, unit=metric.unit, grain=metric.grain, source=source, rows=rows,
        n=len(rows), value=float(row[metric.id]), low=float(row["low"]), high=float(row["high"]),
        reason=row["reason"],
    )  # fmt: skip


def _stored(column: str, metric: Metric, book: Book, period: Period) -> str:
    """Name the column of the rows that is shown under this name: money is kept in cents."""
    cents = column.replace("amount", "cents")
    if cents == column or column in (known := metric.rows_of(book, period).columns):
        return column
    return cents if cents in known else column


def _holds(column: ibis.Value, name: str, value: Any, calendar: Calendar) -> ibis.Value:
    """Say whether a column has a value, written or not, of its own type."""
    if value is None or (isinstance(value, str) and not value.strip()):
        empty = column.isnull()
        return empty | (column.strip() == "") if column.type().is_string() else empty
    kind = column.type()
    if kind.is_boolean():
        return column == _flag(name, value)
    if kind.is_numeric():
        number = _number(name, value)
        return column == round(number * 100) if "cents" in name else column == number
    if kind.is_date():
        return column == _day(name, value)
    if kind.is_timestamp():
        return _within(column, name, value, calendar)
    return column == str(value)


def _within(column: ibis.Value, name: str, value: Any, calendar: Calendar) -> ibis.Value:
    """Compare an instant with a moment, or with a whole local day."""
    if isinstance(value, dt.datetime):
        return column == instant(value)
    day = _day(name, value)
    begins, ends = calendar.start_of(day), calendar.start_of(day + dt.timedelta(days=1))
    return (column >= instant(begins)) & (column < instant(ends))


def _flag(name: str, value: Any) -> bool:
    found = _FLAGS.get(str(value).strip().lower())
    if found is None:
        raise BadWhere(column=name, value=str(value), expected=_FLAG)
    return found


def _number(name: str, value: Any) -> float:
    try:
        return float(str(value).replace(",", ""))
    except ValueError as error:
        raise BadWhere(column=name, value=str(value), expected=_NUMBER) from error


def _day(name: str, value: Any) -> dt.date:
    if isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(str(value).strip())
    except ValueError as error:
        raise BadWhere(column=name, value=str(value), expected=_DAY) from error


def described(name: str) -> tuple[str, str]:
    """Give a metric's name and definition in the current language."""
    find_metric(name)
    return say(f"metric.{name}"), say(f"metric.{name}.definition")
