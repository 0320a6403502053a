"""What was to be signed in a period: the target of whoever the book's scope shows."""

import datetime as dt
import math

import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.model.calendar import Period

# Column of a grouping -> level of the targets that belong to it.
LEVELS = {"team": "team", "region": "region", "owner_id": "user"}


def months_of(period: Period) -> list[str]:
    """Name the months of a period as the targets do."""
    first = period.start.year * 12 + period.start.month - 1
    days = [dt.date(m // 12, m % 12 + 1, 1) for m in range(first, first + period.months)]
    return [f"{day:%Y-%m}" for day in days]


def goals(book: Book, period: Period, level: str) -> pd.Series:
    """Give the targets of one level for a whole period, in company currency.

    Returns
    -------
    pandas.Series
        One value per key (the empty text for the company) whose targets name every month of the
        period: part of a period's target is none. Of several targets for a month the last set
        one holds.
    """
    if not book.has("targets"):
        return pd.Series(dtype="float64")
    months = months_of(period)
    rows = book.targets.filter(_.level == level, _.metric == "bookings", _.period.isin(months))
    rows = rows.filter(_.amount.notnull()).select("key", "period", "amount", "set_at").to_pandas()
    rows["key"] = rows["key"].fillna("")
    rows = rows.sort_values("set_at", na_position="first")
    last = rows.groupby(["key", "period"])["amount"].last().astype("float64").reset_index()
    whole = last.groupby("key")["amount"].agg(["sum", "size"])
    return whole.loc[whole["size"] == len(months), "sum"].astype("float64")


def goal(book: Book, period: Period) -> float:
    """Give the target of the book's scope for a period; null where none is set for all of it.

    A team whose parts have targets, but which has none of its own, has their sum.
    """
    limits = book.limits
    sides = {"team": limits.team, "region": limits.region, "user": limits.user,
             "segment": limits.segment, "product_line": limits.product_line}  # fmt: skip
    named = {side: value for side, value in sides.items() if value != "all"}
    if not named:
        return float(goals(book, period, "company").get("", math.nan))
    side, value = next(iter(named.items()))
    if len(named) > 1 or side in ("segment", "product_line"):
        return math.nan
    found = goals(book, period, side)
    if value in found.index:
        return float(found[value])
    parts = found[[str(key).startswith(f"{value}/") for key in found.index]]
    return float(parts.sum()) if side == "team" and len(parts) else math.nan
