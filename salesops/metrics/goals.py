"""What was to be signed in a whole period: by the book's scope, or by team, region or person."""

import math

import pandas as pd

from salesops.book.book import Book
from salesops.metrics.targets import LEVELS, targets_of
from salesops.model.calendar import Period


def goal(book: Book, period: Period) -> float:
    """Give the target of the book's scope; null unless one is set for all of the period."""
    plan = targets_of(book, period)
    if plan.empty or not plan["is_whole"].all():
        return math.nan
    return float(plan["plan_cents"].sum()) / 100


def goals(book: Book, period: Period, by: str) -> "pd.Series[float]":
    """Give the targets by `team`, `region` or `owner_id`, of those that have a whole one."""
    plan = targets_of(book, period, by=(by,)) if by in LEVELS else targets_of(book, period).iloc[:0]
    plan = plan[plan["is_whole"].astype(bool)]
    return plan.groupby("key")["plan_cents"].sum().astype("float64") / 100
