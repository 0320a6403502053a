"""How much of recurring business stayed, beside a quarter before, and why some of it left."""

import datetime as dt
import math

import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.metrics.catalogue import metric
from salesops.metrics.contractstates import terms
from salesops.model.calendar import Period

RATES = ("nrr", "grr", "renewal_rate", "renewal_rate_by_value")
RATE_COLUMNS = ["rate", "value", "low", "high", "prior", "n"]
LOST = ["reason", "n", "money"]


def rates(book: Book) -> pd.DataFrame:
    """Give the rates, with those of a quarter before."""
    found = []
    before = book.as_of(book.date - dt.timedelta(days=91))
    for name in RATES:
        now = _rate(book, name)
        then = _rate(book, name, 1) if name.startswith("renewal") else _rate(before, name)
        found.append((name, now[0], now[1], now[2], then[0], now[3]))
    return pd.DataFrame(found, columns=RATE_COLUMNS)


def _rate(book: Book, name: str, back: int = 0) -> tuple[float, float, float, int]:
    """Give a rate with its range and n: today's, or of the last quarter whose grace is over."""
    period = "latest"
    if name.startswith("renewal"):
        over = book.date - dt.timedelta(days=book.settings.norms.renewal_grace_days)
        starts = book.settings.company.fiscal_year_starts
        quarter = Period.running("quarter", on=over, fiscal_year_starts=starts)
        period = quarter.shifted(-3 * (1 + back)).text
    row = metric(book, name, period=period).iloc[0]
    if row[name] is None or row[name] != row[name]:
        return (math.nan, math.nan, math.nan, 0)
    return (float(row[name]), float(row["low"]), float(row["high"]), int(row["n"]))


def lost(book: Book) -> pd.DataFrame:
    """Give what was settled as not renewed in the last 91 days, by the reason entered."""
    rows = terms(book)
    last = pd.Timestamp(book.date)
    mine = rows[rows["happened"] & (rows["settled_on"] <= last)]
    mine = mine[mine["settled_on"] > last - pd.Timedelta(days=91)]
    if mine.empty:
        return pd.DataFrame(columns=LOST)
    entered = mine["cancel_reason"].fillna(mine["account_id"].map(_reasons_of_deals(book)))
    reason = entered.fillna("churn.no_reason")
    sums = mine.assign(reason=reason).groupby("reason")["yearly"].agg(n="size", money="sum")
    return sums.sort_values("money", ascending=False).reset_index()


def _reasons_of_deals(book: Book) -> "pd.Series[str]":
    """Give the reason of each customer's last lost renewal."""
    deals = book.unscoped("opportunities")
    if "lost_reason" not in deals.columns or "type" not in deals.columns:
        return pd.Series(dtype=object)
    rows = deals.filter(_.type == "renewal", _.lost_reason.notnull(), _.closed_at.notnull())
    frame = rows.select("account_id", "lost_reason", "closed_at").to_pandas()
    frame = frame.sort_values("closed_at").drop_duplicates("account_id", keep="last")
    return frame.set_index("account_id")["lost_reason"]
