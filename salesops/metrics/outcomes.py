"""What a metric was for each person and month: the ground on which actions are judged."""

import datetime as dt
from typing import Literal, TypeAlias

import ibis
import pandas as pd

from salesops.book.book import Book
from salesops.metrics.catalogue import find_metric
from salesops.metrics.clock import with_local_days
from salesops.metrics.leads import STEP_DAYS
from salesops.metrics.metric import Metric, Table
from salesops.model.calendar import Period

# Shares of a cohort: the column that says of each row whether it came so far, and the days that it
# is given. A month is judged when all its rows have had these.
COHORTS = {
    "lead_valid_rate": ("is_valid", STEP_DAYS),
    "lead_opportunity_rate": ("is_opportunity", STEP_DAYS),
    "lead_won_rate": ("won_on", STEP_DAYS),
}
COLUMNS = ["unit", "team", "period", "value", "n"]
# What is treated as a whole: teams, or the deals of customers of a segment, or of a product line.
Side: TypeAlias = Literal["team", "segment", "product_line"]


def reason_unfollowed(book: Book, name: str) -> str | None:
    """Say why an action on a metric can't be judged, where it can't: a reason's code."""
    found = find_metric(name)
    reason = found.reason(book)
    if reason is not None:
        return reason
    if name in COHORTS or (found.numerator is not None and found.dated and found.rows is not None):
        return None
    return "not_by_month"


def month_number(day: dt.date) -> int:
    """Give a day's month as a number that counts on through the years.

    Examples
    --------
    >>> month_number(dt.date(2026, 1, 31)) - month_number(dt.date(2025, 12, 1))
    1
    """
    return day.year * 12 + day.month - 1


def monthly(book: Book, name: str, first: dt.date, side: Side = "team") -> pd.DataFrame:
    """What was a metric for each person and whole month since a day?

    Parameters
    ----------
    book
        The company; in all its teams, since others are what a team is compared with.
    name
        Metric of the catalogue that is a sum, a share of sums or a share of a cohort.
    first
        From the month of this day on.
    side
        What the cases are told apart by: whose team they were, or their segment or product line.

    Returns
    -------
    pandas.DataFrame
        One row per person in a team (`unit`, `team`; or a person's part of a segment or product
        line, which stands as the team then) and month (`period`, see `month_number`):
        `value` and `n` (what it is of: rows for counts and shares; 1 for money, which is 0 in a
        month without any). Months that are not over, or whose rows have not had their time, are
        left out; empty where the metric's rows have no person or no such side.
    """
    metric = find_metric(name)
    until = _last_whole(book, COHORTS[name][1] if name in COHORTS else 0)
    span = Period(first.replace(day=1), until, "")
    if until < span.start:
        return pd.DataFrame(columns=COLUMNS)
    rows = metric.rows_of(book, span)
    rows = _with_side(book, rows, side)
    if not {"owner_id", side} <= set(rows.columns):
        return pd.DataFrame(columns=COLUMNS)
    frame = _summed(book, metric, rows, side)
    frame = frame.dropna(subset=["owner_id", "team"])
    frame = frame[frame["team"] != ""]
    frame["unit"] = frame["owner_id"] + "|" + frame["team"]
    frame["period"] = frame["month"].astype("int64")
    if metric.denominator is None and name not in COHORTS:
        return _filled(frame)
    frame = frame[frame["below"] > 0]
    value = frame["above"].astype(float) / frame["below"].astype(float)
    return frame.assign(value=value, n=frame["below"].astype(float))[COLUMNS].reset_index(drop=True)


def _last_whole(book: Book, days: int) -> dt.date:
    """Give the last day of the last month that is over and whose rows have had so many days."""
    day = book.data_until - dt.timedelta(days=days)
    after = day + dt.timedelta(days=1)
    return day if after.day == 1 else day.replace(day=1) - dt.timedelta(days=1)


def _with_side(book: Book, rows: Table, side: Side) -> Table:
    """Give rows of a customer the customer's segment, where they don't say it."""
    if side != "segment" or side in rows.columns or "account_id" not in rows.columns:
        return rows
    if not book.has("accounts.segment"):
        return rows
    accounts = book.unscoped("accounts").select(customer_="id", segment="segment")
    return rows.left_join(accounts, rows.account_id == accounts.customer_).drop("customer_")


def _summed(book: Book, metric: Metric, rows: Table, side: Side) -> pd.DataFrame:
    """Sum by person, side and month in the engine."""
    dated = rows[metric.dated]
    if dated.type().is_timestamp():
        rows = with_local_days(book, rows, {"day_": metric.dated})
    else:
        rows = rows.mutate(day_=dated.cast("date"))
    month = rows.day_.year() * 12 + rows.day_.month() - 1
    rows = rows.mutate(month=month)
    if metric.id in COHORTS:
        flag = rows[COHORTS[metric.id][0]]
        hit = flag if flag.type().is_boolean() else flag.notnull()
        sums = {"above": ibis.ifelse(hit, 1, 0).sum(), "below": rows.count()}
    else:
        below = metric.denominator if metric.denominator is not None else ibis._.count()
        sums = {"above": metric.numerator, "below": below}
    keys = {"owner_id": rows.owner_id, "team": rows[side], "month": rows.month}
    return rows.group_by(**keys).agg(**sums).to_pandas()


def _filled(frame: pd.DataFrame) -> pd.DataFrame:
    """Give sums, with nought in the months between a person's first and last that have none."""
    found = []
    for (unit, team), part in frame.groupby(["unit", "team"]):
        sums = part.groupby("period")["above"].sum().astype(float)
        whole = sums.reindex(
            range(int(sums.index.min()), int(sums.index.max()) + 1), fill_value=0.0
        )
        found.append(pd.DataFrame({"unit": unit, "team": team, "period": whole.index,
                                   "value": whole.to_numpy(), "n": 1.0}))  # fmt: skip
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=COLUMNS)
