"""What is behind this number? Its definition, its source, and the very rows."""

from typing import Any

import pandas as pd

from salesops.book.book import Book
from salesops.charts.behind import Behind
from salesops.metrics.catalogue import find_metric
from salesops.metrics.metric import UnknownGroup, reduced
from salesops.wording import say


def explain(book: Book, id: str, *, period: str = "latest", **where: Any) -> Behind:  # noqa: A002 - the agreed public name
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
    Behind
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
    by = tuple(where)
    chosen = reduced(metric, book, of, by)
    if metric.reason(book) is not None:
        rows = pd.DataFrame()
    else:
        table = metric.rows_of(book, of, by)
        for column, value in where.items():
            if column not in table.columns:
                raise UnknownGroup(value=column, metric=id, known=tuple(table.columns))
            chosen = chosen[chosen[column] == value]
            table = table.filter(table[column] == value)
        rows = table.order_by("id").to_pandas()
    row = chosen.iloc[0] if len(chosen) else None
    nothing = float("nan")
    return Behind(
        metric=metric.id, unit=metric.unit, grain=metric.grain, needs=metric.needs,
        rows=rows, n=len(rows),
        value=nothing if row is None else float(row[metric.id]),
        low=nothing if row is None else float(row["low"]),
        high=nothing if row is None else float(row["high"]),
        reason="no_rows" if row is None else row["reason"],
    )  # fmt: skip


def described(name: str) -> tuple[str, str]:
    """Give a metric's name and definition in the current language."""
    find_metric(name)
    return say(f"metric.{name}"), say(f"metric.{name}.definition")
