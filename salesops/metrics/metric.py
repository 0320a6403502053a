"""A metric: the rows that make a number, and how they are reduced. Undefined is null, never 0."""

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
Unit: TypeAlias = Literal["ratio", "money", "days", "count"]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One number: one name, one unit, one definition; null where it has no meaning.

    Attributes
    ----------
    id
        Its name in code; `metric.<id>` and `metric.<id>.definition` are its words.
    unit
        `ratio` (0-1), `money` (company currency), `days` or `count`.
    better
        `up` or `down` where that is better, `none` where neither is.
    needs
        Tables and columns without which it is null.
    rows
        The rows of a book and period that make it; every column may be used to group.
    numerator, denominator
        Deferred sums over the rows; without a denominator the numerator is the value.
    counts
        True where the numerator counts rows of the denominator, so that it has a Wilson interval.
    undefined
        Says of a book why the metric has no meaning there, or nothing.
    """

    id: str
    unit: Unit
    better: Literal["up", "down", "none"]
    needs: tuple[str, ...]
    rows: Callable[[Book, Period], Table]
    numerator: Deferred
    denominator: Deferred | None = None
    counts: bool = False
    undefined: Callable[[Book], str | None] | None = None

    def reason(self, book: Book) -> str | None:
        """Say why the metric is null in a book: a missing table, or that it has no meaning."""
        for needed in self.needs:
            if not book.has(needed):
                return f"missing {needed}"
        return self.undefined(book) if self.undefined else None


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
        `low`, `high` (80 %, null but for shares of counted rows) and `reason` (null where the
        metric is defined).

    Raises
    ------
    UnknownGroup
        A column of `by` is not there.
    """
    reason = metric.reason(book)
    if reason is not None:
        return pd.DataFrame(
            {**{c: [None] for c in by}, metric.id: [float("nan")], "n": [0],
             "low": [float("nan")], "high": [float("nan")], "reason": [reason]}
        )  # fmt: skip
    rows = metric.rows(book, period)
    for column in by:
        if column not in rows.columns:
            raise UnknownGroup(value=column, metric=metric.id, known=tuple(rows.columns))
    below = metric.denominator if metric.denominator is not None else ibis.literal(1)
    sums = {"n": ibis._.count(), "above_": metric.numerator, "below_": below}
    if not by:
        frame = rows.agg(**sums).to_pandas()
    else:
        frame = rows.group_by(list(by)).agg(**sums).order_by(list(by)).to_pandas()
    above, under = (frame[c].astype(float) for c in ("above_", "below_"))
    frame[metric.id] = (above / under.where(under != 0)).where(frame["n"] > 0)
    if metric.denominator is None:
        frame[metric.id] = above.fillna(0.0) if metric.unit == "count" else above
    bounds = [wilson(a, b) if metric.counts and b > 0 else (float("nan"),) * 2
              for a, b in zip(above, under, strict=True)]  # fmt: skip
    frame["low"], frame["high"] = zip(*bounds, strict=True) if bounds else ((), ())
    frame["reason"] = frame[metric.id].isna().map({True: "no rows", False: None})
    return frame[[*by, metric.id, "n", "low", "high", "reason"]]
