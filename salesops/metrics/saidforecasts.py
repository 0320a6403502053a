"""What people said would come, against what came, beside the simplest guess."""

import datetime as dt

import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.metrics.catalogue import find_metric
from salesops.metrics.metric import reduced
from salesops.model.calendar import Period

SAID = ["month", "said", "came", "year_ago", "n"]
MONTHS = 6
# The widest level that says anything speaks for the company.
_LEVELS = ("company", "region", "team", "user")


def said_and_came(book: Book) -> pd.DataFrame:
    """How far off was what was committed at the beginning of each month?

    Returns
    -------
    pandas.DataFrame
        One row per month of the last six that are over and of which a commit was kept: `month`
        (2026-03), `said` (sum of the first commit of each team, or of the widest level that says
        any), `came` (bookings), `year_ago` (bookings of the same month a year before) and `n`
        (statements).
    """
    needs = ("forecasts.amount", "forecasts.period", "forecasts.category", "forecasts.entered_at")
    bookings = find_metric("bookings")
    if not all(book.has(need) for need in needs) or bookings.reason(book) is not None:
        return pd.DataFrame(columns=SAID)
    rows = book.forecasts.filter(_.category == "commit").to_pandas()
    found = []
    for period in _months(book):
        first = _first_said(rows[rows["period"] == period.text], period)
        if first.empty:
            continue
        came, ago = (reduced(bookings, book, p)["bookings"].iloc[0]
                     for p in (period, period.shifted(-12)))  # fmt: skip
        found.append((period.text, float(first["amount"].sum()), float(came), float(ago),
                      len(first)))  # fmt: skip
    return pd.DataFrame(found, columns=SAID)


def _months(book: Book) -> list[Period]:
    running = Period.running("month", on=book.data_until + dt.timedelta(days=1))
    return [running.shifted(-k) for k in range(MONTHS, 0, -1)]


def _first_said(rows: pd.DataFrame, period: Period) -> pd.DataFrame:
    """Give the first commit of each key at the widest level, said before the month was half over.

    What is said later knows most of what came.
    """
    half = pd.Timestamp(period.start) + pd.Timedelta(days=15)
    early = rows[rows["entered_at"] < half]
    for level in _LEVELS:
        mine = early[early["level"] == level].sort_values("entered_at")
        if len(mine):
            return mine.drop_duplicates("key")
    return early.head(0)
