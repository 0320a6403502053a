"""The waterfall of a period beside that of the period before, with the deals behind each bar."""

import datetime as dt
import math

import pandas as pd

from salesops.book.book import Book
from salesops.metrics.leaks import elapsed, same_days
from salesops.metrics.waterfall import moved_deals, pipeline_moves, waterfall_bars
from salesops.model.calendar import Period
from salesops.model.finding import Gap

BARS = ["bucket", "kind", "n", "amount", "prior_amount"]
DEALS = ["id", "name", "owner_id", "owner", "bucket", "amount"]


def changed(book: Book, period: Period) -> tuple[pd.DataFrame, pd.DataFrame, tuple[Gap, ...]]:
    """What became of the pipeline in a period, now and one period before?

    Returns
    -------
    tuple
        The bars, the deals behind them (see `analyses.funnel.Funnel`) and what is not known; no
        row where the history does not show the period's start.
    """
    start = book.as_of(period.start - dt.timedelta(days=1))
    window = period if book.has("opportunities.expected_close_on") else None
    for field in ("stage", "amount", *(("expected_close_on",) if window else ())):
        if book.has(f"opportunities.{field}") and not start.is_tracked("opportunities", field):
            gap = Gap(what="what.waterfall", reason="no_history", needs="changes")
            return pd.DataFrame(columns=BARS), pd.DataFrame(columns=DEALS), (gap,)
    end = book if book.date <= period.end else book.as_of(period.end)
    moves = pipeline_moves(start, end, window)
    bars = waterfall_bars(moves)
    bars["prior_amount"] = _prior_bars(book, period, window)
    gaps = () if window else (Gap(what="what.waterfall_window", reason="missing_column",
                                  needs="opportunities.expected_close_on"),)  # fmt: skip
    behind = moved_deals(moves)
    behind["owner"] = names_of(book, behind["owner_id"])
    return bars[BARS], behind[DEALS], gaps


def names_of(book: Book, ids: "pd.Series[str]") -> "pd.Series[str]":
    """Name people; who is outside the scope or unknown keeps what stands in the id."""
    people = book.people().set_index("id")["name"]
    return ids.map(people).fillna(ids)


def _prior_bars(book: Book, period: Period, window: Period | None) -> "pd.Series[float] | float":
    prior = period.prior()
    start = book.as_of(prior.start - dt.timedelta(days=1))
    if not start.is_tracked("opportunities", "stage"):
        return math.nan
    end = book.as_of(same_days(prior, elapsed(book, period)).end)
    return waterfall_bars(pipeline_moves(start, end, window and prior))["amount"]
