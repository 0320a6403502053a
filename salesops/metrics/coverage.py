"""How far the open deals of a period cover what is still to be won, and how far they had to.

A period is looked at at the same day as the eight before it: what was open then and expected in
it, and how much of that was won before it ended. Weeks are counted from the first day.
"""

import datetime as dt
import math
from typing import TypeAlias

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
from ibis import _

from salesops.book.book import Book
from salesops.book.past import grid_of, has_past, open_in_past
from salesops.book.scope import OUTSIDE
from salesops.book.versions import AT
from salesops.metrics.alldeals import all_deals
from salesops.metrics.currency import whole_cents, with_cents
from salesops.metrics.kept import kept
from salesops.metrics.leaks import EARLIER, elapsed
from salesops.model.calendar import Period

Table: TypeAlias = ibis.Table
# Fewer earlier periods do not say what is usual.
ENOUGH = 4
TENTHS = (0.1, 0.9)


def won_deals(book: Book) -> pd.DataFrame:
    """List the deals won so far that count for the scope: `id`, `closed_at`, `cents`, `day`.

    A deal that is credited to several people counts with the share of those in the scope.
    """
    selling = book.without_renewals()
    return kept("won_deals", selling, lambda: _won_deals(selling))


def _won_deals(book: Book) -> pd.DataFrame:
    deals = all_deals(book).filter(_.outcome == "won")
    share = ibis.literal(1.0)
    if book.limits.limits_people and book.has("credits"):
        shared = book.unscoped("credits").filter(_.opportunity_id.notnull())
        inside = ibis.ifelse(shared.user_id.isin(book.insiders.person), shared.share, 0.0)
        shared = shared.mutate(inside_=inside).group_by(credited_id="opportunity_id")
        shares = shared.agg(inside_=_.inside_.sum(), whole_=_.share.sum())
        deals = deals.left_join(shares, deals.id == shares.credited_id)
        own = ibis.ifelse(deals.owner_id == OUTSIDE, 0.0, 1.0)
        share = ibis.coalesce(deals.inside_ / deals.whole_.nullif(0), own)
    frame = deals.select("id", "closed_at", cents=whole_cents(deals.cents * share)).to_pandas()
    frame["cents"] = frame["cents"].astype("float64")
    local = frame["closed_at"].dt.tz_localize("UTC").dt.tz_convert(book.settings.company.zone)
    return frame.assign(day=local.dt.tz_localize(None).dt.normalize()).dropna(subset=["day"])


def earlier_periods(book: Book, period: Period) -> list[Period]:
    """List the periods before, nearest first, whose whole course the history shows."""
    found = [period.shifted(-k * period.months) for k in range(1, EARLIER + 1)]
    over = [p for p in found if p.end < book.date or book.date == p.end]
    return [p for p in over if has_past(book, p.start - dt.timedelta(days=1))]


def offsets(book: Book, period: Period) -> list[int]:
    """Give the days of a period that are over at each point of the curve: whole weeks and now."""
    weeks = range(7, period.days + 7, 7)
    days = {min(week, period.days) for week in weeks} | {elapsed(book, period)}
    return sorted(day for day in days if day > 0)


def laid_out(book: Book, period: Period, days: list[int], *, now: bool = True) -> Table | None:
    """Lay out what was open in this period and earlier ones after so many days; see `with_won`."""
    earlier = earlier_periods(book, period)
    reach = elapsed(book, period)
    slots = [
        (k, d, p.start + dt.timedelta(days=min(d, p.days) - 1), p)
        for k, p in enumerate([period, *earlier])
        for d in days
        if (d <= reach and now if k == 0 else True)
    ]
    if not slots or (now and not has_past(book, period.start - dt.timedelta(days=1))):
        return None
    rows = open_in_past(book.without_renewals(), grid_of(book, slots))
    due = (rows.expected_close_on >= rows.first_on) & (rows.expected_close_on <= rows.last_on)
    rows = rows.filter(due.fill_null(False))
    return with_cents(book, rows)


def with_won(rows: Table, won: pd.DataFrame) -> Table:
    """Add `is_won`: won after one looked and before the period ended."""
    times = pa.table({
        "won_id": pa.array(won["id"], pa.string()),
        "closed_at": pa.array(won["closed_at"], pa.timestamp("us")),
        "won_cents": pa.array(won["cents"].fillna(0.0), pa.float64()),
    })  # fmt: skip
    ended = ibis.memtable(times).mutate(closed_at=_.closed_at.cast(AT))
    rows = rows.left_join(ended, rows.id == ended.won_id).drop("won_id")
    inside = (rows.closed_at >= rows.at) & (rows.closed_at < rows.until)
    return rows.mutate(is_won=inside.fill_null(False))


def past_shares(points: pd.DataFrame) -> pd.DataFrame:
    """Turn sums by period and day into the share won, per day: `share`, `low`, `high`, `n`."""
    past = points[points["period"] > 0]
    sums = past.groupby("days")[["cents", "won_cents", "n"]].sum()
    each = past.assign(share=past["won_cents"] / past["cents"].where(past["cents"] > 0))
    spread = each.groupby("days")["share"].quantile(list(TENTHS)).unstack()
    spread = spread.reindex(columns=list(TENTHS))
    n_periods = each.groupby("days")["share"].count()
    found = pd.DataFrame({
        "share": sums["won_cents"] / sums["cents"].where(sums["cents"] > 0),
        "low": spread[TENTHS[0]], "high": spread[TENTHS[1]],
        "n_periods": n_periods, "n": sums["n"],
    })  # fmt: skip
    enough = found["n_periods"] >= ENOUGH
    found.loc[~enough, ["share", "low", "high"]] = math.nan
    return found


def inverse(share: "pd.Series[float]") -> "pd.Series[float]":
    """Turn a share into how many times it goes into the whole; null of 0."""
    return (1 / share.where(share > 0)).astype("float64")


def won_by(won: pd.DataFrame, period: Period, days: int) -> float:
    """Sum what was won in the first days of a period, in company currency."""
    start = pd.Timestamp(period.start)
    inside = (won["day"] >= start) & (won["day"] < start + pd.Timedelta(days=days))
    return float(won.loc[inside, "cents"].sum() / 100)


def quantiles(values: list[float]) -> tuple[float, float]:
    """Give the bounds that hold eight of ten values; null of fewer than four."""
    if len(values) < ENOUGH:
        return (math.nan, math.nan)
    low, high = np.quantile(values, TENTHS)
    return float(low), float(high)
