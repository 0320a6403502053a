"""A metric: the rows that make a number, and how they are reduced. Undefined is null, never 0."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import ibis
import pandas as pd
from ibis import Deferred

from salesops.book.book import Book
from salesops.methods.intervals import wilson
from salesops.model.calendar import Period
from salesops.model.errors import SalesopsError, nearest

Table: TypeAlias = ibis.Table
Unit: TypeAlias = Literal[
    "ratio", "money", "money_per_day", "days", "hours", "count", "times", "score"
]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A number with its 80 % range, or the code of the reason why there is none."""

    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    reason: str | None = None


_SUMS = ("above_", "below_")
Estimator: TypeAlias = Callable[[pd.DataFrame, Book, Period], Estimate]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One number: one name, one unit, one definition; null where it has no meaning.

    Attributes
    ----------
    id
        Its name in code; `metric.<id>` and `metric.<id>.definition` are its words.
    unit
        `ratio` (0-1), `money` (company currency), `money_per_day`, `days`, `hours`, `count`,
        `times` (a multiple) or `score`.
    better
        `up` or `down` where that is better, `none` where neither is.
    needs
        Tables and columns without which it is null.
    grain
        What one row is, such as `deal`; `grain.<grain>` is its word.
    dated
        The column of the rows by which they fall into the period; empty where they are those
        that stand at the book's date.
    rows
        The rows of a book and period that make it, with a unique `id`; every other column may be
        used to group.
    numerator, denominator
        Deferred sums over the rows; without a denominator the numerator is the value.
    counts
        True where the numerator counts rows of the denominator, so that it has a Wilson interval.
    estimate
        Instead of the sums: turns the rows of one group, as a frame, into the number.
    rows_by
        Instead of `rows` where these hang on the grouping, such as targets by level.
    undefined
        Gives of a book the code of the reason why the metric has no meaning there, or nothing.
    empty
        Code of the reason why it is null where there are no rows.
    """

    id: str
    unit: Unit
    better: Literal["up", "down", "none"]
    needs: tuple[str, ...]
    grain: str
    dated: str
    rows: Callable[[Book, Period], Table] | None = None
    numerator: Deferred | None = None
    denominator: Deferred | None = None
    counts: bool = False
    estimate: Estimator | None = None
    rows_by: Callable[[Book, Period, tuple[str, ...]], Table] | None = None
    undefined: Callable[[Book], str | None] | None = None
    empty: str = "no_rows"

    def __post_init__(self) -> None:
        if (self.rows is None) == (self.rows_by is None):
            raise TypeError(f"metric {self.id}: give rows or rows_by")
        if (self.numerator is None) == (self.estimate is None):
            raise TypeError(f"metric {self.id}: give numerator or estimate")

    def reason(self, book: Book) -> str | None:
        """Give the code of why the metric is null in a book, such as `missing:targets`."""
        for needed in self.needs:
            if not book.has(needed):
                return f"missing:{needed}"
        return self.undefined(book) if self.undefined else None

    def rows_of(self, book: Book, period: Period, by: Sequence[str] = ()) -> Table:
        """Give the rows that make the number, for a grouping.

        Raises
        ------
        UnknownGroup
            A column of `by` is not among theirs.
        """
        if self.rows_by is not None:
            rows = self.rows_by(book, period, tuple(by))
        else:
            assert self.rows is not None
            rows = self.rows(book, period)
        for column in by:
            if column not in rows.columns:
                raise UnknownGroup(value=column, metric=self.id, known=tuple(rows.columns))
        return rows


@dataclass(eq=False, kw_only=True)
class UnknownMetric(SalesopsError, LookupError):
    """The catalogue has no metric of that name."""

    value: str
    known: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"There is no metric {self.value!r}.\n"
            f"Known metrics: {', '.join(self.known)}. Nearest: {nearest(self.value, self.known)}.\n"
            "List them with what they mean: salesops metrics."
        )


@dataclass(eq=False, kw_only=True)
class UnknownGroup(SalesopsError, LookupError):
    """A metric's rows have no column to group or to filter by."""

    value: str
    metric: str
    known: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"The rows of {self.metric!r} have no column {self.value!r}.\n"
            f"Known columns: {', '.join(self.known)}. Nearest: {nearest(self.value, self.known)}.\n"
            f"Write for example: by=[{self.known[0]!r}]."
        )


def reduced(metric: Metric, book: Book, period: Period, by: Sequence[str] = ()) -> pd.DataFrame:
    """Reduce a metric's rows, by groups or to one number.

    Returns
    -------
    pandas.DataFrame
        One row per group: the columns `by`; `<id>` (null where undefined), `n` (rows),
        `low`, `high` (80 %, null where the metric has none) and `reason` (code of why it is
        null, such as `no_rows` or `missing:targets`, or beside a number how far it can be
        trusted, such as `upper_bound`; else null).

    Raises
    ------
    UnknownGroup
        A column of `by` is not there.
    """
    reason = metric.reason(book)
    if reason is not None:
        return _frame(metric, by, [((None,) * len(by), 0, Estimate(reason=reason))])
    return reduced_rows(metric, metric.rows_of(book, period, by), book, period, by)


def reduced_rows(
    metric: Metric, rows: Table, book: Book, period: Period, by: Sequence[str] = ()
) -> pd.DataFrame:
    """Reduce some of a metric's rows, as `reduced` does all of them."""
    if metric.estimate is not None:
        return _estimated(metric, rows, book, period, by)
    return _summed(metric, rows, by)


def _summed(metric: Metric, rows: Table, by: Sequence[str]) -> pd.DataFrame:
    """Reduce by sums, in the engine."""
    below = metric.denominator if metric.denominator is not None else ibis.literal(1)
    sums = {"n": ibis._.count(), "above_": metric.numerator, "below_": below}
    if not by:
        frame = rows.agg(**sums).to_pandas()
    else:
        frame = rows.group_by(list(by)).agg(**sums).order_by(list(by)).to_pandas()
    found = []
    for row in frame.to_dict("records"):
        n = int(row["n"])
        above, under = (math.nan if pd.isna(row[c]) else float(row[c]) for c in _SUMS)
        found.append((tuple(row[c] for c in by), n, _share(metric, n, above, under)))
    return _frame(metric, by, found)


def _share(metric: Metric, n: int, above: float, under: float) -> Estimate:
    if not n:
        return Estimate(value=0.0) if metric.unit == "count" else Estimate(reason=metric.empty)
    if math.isnan(above) or math.isnan(under):
        return Estimate(reason="no_values")
    if under == 0:
        return Estimate(reason="nothing_below")
    low, high = wilson(above, under) if metric.counts else (math.nan, math.nan)
    return Estimate(value=above / under, low=low, high=high)


def _estimated(
    metric: Metric, rows: Table, book: Book, period: Period, by: Sequence[str]
) -> pd.DataFrame:
    """Reduce by the metric's estimator, group by group."""
    assert metric.estimate is not None
    frame = rows.to_pandas()
    if not by:
        groups = [((), frame)]
    else:
        grouped = frame.groupby(list(by), dropna=False, sort=True)
        groups = [(key if isinstance(key, tuple) else (key,), part) for key, part in grouped]
    found = []
    for key, part in groups:
        nothing = Estimate(reason=metric.empty)
        # Nothing to count is a count all the same.
        counted = len(part) or metric.unit == "count"
        estimate = metric.estimate(part, book, period) if counted else nothing
        found.append((key, len(part), estimate))
    return _frame(metric, by, found)


def _frame(
    metric: Metric, by: Sequence[str], found: Sequence[tuple[tuple[object, ...], int, Estimate]]
) -> pd.DataFrame:
    rows = [(*key, e.value, n, e.low, e.high, e.reason) for key, n, e in found]
    frame = pd.DataFrame(rows, columns=[*by, metric.id, "n", "low", "high", "reason"])
    numbers = {metric.id: "float64", "n": "int64", "low": "float64", "high": "float64"}
    return frame.astype({**numbers, "reason": object})
