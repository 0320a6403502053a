"""The catalogue of metrics: one name, one definition. It is the dictionary of code and reports.

Each family is a module of its own, with the rows that make its numbers; here they come together.
"""

from collections.abc import Sequence

import pandas as pd

from salesops.book.book import Book
from salesops.metrics import (
    bookings,
    callbacks,
    collection,
    deals,
    leads,
    pay,
    pipeline,
    records,
    recurring,
    service,
)
from salesops.metrics.metric import Metric, UnknownMetric, reduced

FAMILIES: dict[str, tuple[Metric, ...]] = {
    "bookings": bookings.METRICS,
    "deals": deals.METRICS,
    "pay": pay.METRICS,
    "pipeline": pipeline.METRICS,
    "leads": leads.METRICS,
    "collection": collection.METRICS,
    "recurring": recurring.METRICS,
    "records": records.METRICS,
    "service": (*service.METRICS, *callbacks.METRICS),
}
CATALOGUE: dict[str, Metric] = {m.id: m for family in FAMILIES.values() for m in family}


def find_metric(name: str) -> Metric:
    """Look a metric up.

    Raises
    ------
    UnknownMetric
        With the nearest names.
    """
    if name not in CATALOGUE:
        raise UnknownMetric(value=name, known=tuple(CATALOGUE))
    return CATALOGUE[name]


def metric(book: Book, id: str, *, period: str = "latest", by: Sequence[str] = ()) -> pd.DataFrame:  # noqa: A002 - the agreed public name
    """What is this number, as known at the book's date and in its scope?

    Parameters
    ----------
    book
        The company.
    id
        Name of a metric of the catalogue, such as `win_rate`.
    period
        `2026-03`, `2026Q1`, `2026` or `latest`.
    by
        Columns of the metric's rows to group by, such as `team` or `source`.

    Returns
    -------
    pandas.DataFrame
        One row per group: the columns `by`, the value under the metric's name (null where it has
        no meaning), `n` (rows that make it), `low`, `high` (80 %, for shares of counted rows) and
        `reason` (why it is null).

    Raises
    ------
    UnknownMetric
        The catalogue has no such metric.
    UnknownGroup
        Its rows have no such column.
    BadPeriod
        The period can't be read.

    Examples
    --------
    >>> from salesops.book.book import open_book
    >>> metric(open_book("tests/tiny_company"), "win_rate", period="2026Q1")["win_rate"].tolist()
    [0.5]
    """
    return reduced(find_metric(id), book, book.period(period), by)
