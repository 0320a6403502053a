"""Metrics of leads: how many become valid, a deal and a customer, and how fast they are answered.

A rate of a creation cohort is null until the whole cohort is old enough: younger ones still win.
"""

import datetime as dt
from collections.abc import Callable

import pandas as pd

from salesops.book.book import Book
from salesops.methods.intervals import wilson
from salesops.metrics import response
from salesops.metrics.cohorts import lead_accounts, lead_steps, no_link
from salesops.metrics.metric import Estimate, Estimator, Metric, Table
from salesops.model.calendar import Period

STEP_DAYS = 90


def is_mature(book: Book, last_day: dt.date, horizon: int) -> bool:
    """Say whether all that was created up to a day has had its time at the book's date."""
    return last_day + dt.timedelta(days=horizon) <= book.date


def share_of_cohort(column: str, horizon: int) -> Estimator:
    """Make the estimator of a cohort's share whose column is true or set, once it is mature."""

    def estimate(rows: pd.DataFrame, book: Book, period: Period) -> Estimate:
        if not is_mature(book, period.end, horizon):
            return Estimate(reason="immature")
        values = rows[column]
        hits = values.sum() if values.dtype == bool else values.notna().sum()
        low, high = wilson(float(hits), len(rows))
        return Estimate(value=float(hits) / len(rows), low=low, high=high)

    return estimate


def _accounts(horizon: int) -> Callable[[Book, Period], Table]:
    def rows(book: Book, period: Period) -> Table:
        found = lead_accounts(book, horizon)
        return found.filter(book.calendar.contains(period, found.created_at))

    return rows


def _steps(book: Book, period: Period) -> Table:
    found = lead_steps(book, STEP_DAYS)
    return found.filter(book.calendar.contains(period, found.created_at))


def _conversion(horizon: int) -> Metric:
    return Metric(
        id=f"customer_conversion_{horizon}", unit="ratio", better="up",
        needs=("leads.created_at",), grain="account", dated="created_at",
        rows=_accounts(horizon), estimate=share_of_cohort("signed_on", horizon),
        undefined=no_link,
    )  # fmt: skip


def _step(name: str, column: str, needs: str) -> Metric:
    return Metric(
        id=name, unit="ratio", better="up", needs=(needs,), grain="lead", dated="created_at",
        rows=_steps, estimate=share_of_cohort(column, STEP_DAYS), undefined=no_link,
    )  # fmt: skip


METRICS: tuple[Metric, ...] = (
    _conversion(90),
    _conversion(180),
    _step("lead_valid_rate", "is_valid", "leads.qualified_at"),
    _step("lead_opportunity_rate", "is_opportunity", "leads.created_at"),
    _step("lead_won_rate", "won_on", "leads.created_at"),
    *response.METRICS,
)
