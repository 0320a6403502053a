"""What is behind this number? Its definition, its source, and the very rows."""

import html
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from salesops.book.book import Book
from salesops.metrics.catalogue import find_metric
from salesops.metrics.metric import Metric, UnknownGroup, reduced
from salesops.wording import count, money, ratio, say

_WRITE = {"ratio": ratio, "money": money, "count": count, "days": count}
_SHOWN = 15


@dataclass(frozen=True, kw_only=True, eq=False)
class Explanation:
    """A number and all that made it.

    Attributes
    ----------
    metric
        The catalogue's entry.
    value, low, high, n
        The number (null where undefined), its 80 % range where it has one, and the rows counted.
    reason
        Why it is null; null where it is not.
    rows
        The very rows that make it, in the book's scope and at its date.
    """

    metric: Metric
    value: float
    low: float
    high: float
    n: int
    reason: str | None
    rows: pd.DataFrame = field(repr=False)

    def lines(self) -> list[str]:
        """Say it line by line in the current language."""
        write = _WRITE[self.metric.unit]
        found = [f"{say(f'metric.{self.metric.id}')}: {write(self.value)}  (n = {count(self.n)})"]
        if self.low == self.low:
            found.append(f"{write(self.low)} … {write(self.high)}  (80 %)")
        if self.reason:
            found.append(self.reason)
        return [*found, say(f"metric.{self.metric.id}.definition"), ", ".join(self.metric.needs)]

    def _repr_html_(self) -> str:
        head, *rest = (html.escape(line) for line in self.lines())
        body = "".join(f"<p>{line}</p>" for line in rest)
        return f"<h3>{head}</h3>{body}{self.rows.head(_SHOWN).to_html(index=False)}"


def explain(book: Book, id: str, *, period: str = "latest", **where: Any) -> Explanation:  # noqa: A002 - the agreed public name
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
        Column of the rows -> value, such as `team="North/1"`.

    Returns
    -------
    Explanation
        The number is made of exactly these rows.

    Raises
    ------
    UnknownMetric, UnknownGroup, BadPeriod
        The name, a column or the period is not known.

    Examples
    --------
    >>> from salesops.book.book import open_book
    >>> explain(open_book("tests/tiny_company"), "win_rate", period="2026Q1").rows["id"].tolist()
    ['d01', 'd02', 'd03', 'd05']
    """
    metric = find_metric(id)
    of = book.period(period)
    by = list(where)
    frame = reduced(metric, book, of, by)
    chosen = frame
    for column, value in where.items():
        chosen = chosen[chosen[column] == value]
    if metric.reason(book) is not None:
        rows, chosen = pd.DataFrame(), frame
    else:
        table = metric.rows(book, of)
        for column, value in where.items():
            if column not in table.columns:
                raise UnknownGroup(value=column, metric=id, known=tuple(table.columns))
            table = table.filter(table[column] == value)
        rows = table.order_by("id").to_pandas()
    row = chosen.iloc[0] if len(chosen) else None
    nothing = float("nan")
    return Explanation(
        metric=metric, rows=rows, n=len(rows),
        value=nothing if row is None else float(row[metric.id]),
        low=nothing if row is None else float(row["low"]),
        high=nothing if row is None else float(row["high"]),
        reason="no rows" if row is None else row["reason"],
    )  # fmt: skip


def described(name: str) -> tuple[str, str]:
    """Give a metric's name and definition in the current language."""
    find_metric(name)
    return say(f"metric.{name}"), say(f"metric.{name}.definition")
