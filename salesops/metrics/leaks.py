"""What was lost or made void, by the last open stage, against earlier periods at the same day."""

import datetime as dt

import ibis
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.metrics.currency import in_company_currency
from salesops.metrics.stages import has_stage_history
from salesops.model.calendar import Period

EARLIER = 8


def elapsed(book: Book, period: Period) -> int:
    """Give the days of a period that are over at the book's date, all of them once it has ended."""
    last = min(book.date, period.end)
    return max((last - period.start).days + 1, 0)


def same_days(period: Period, days: int) -> Period:
    """Cut a period to its first days, to compare it with one that is still running."""
    end = min(period.end, period.start + dt.timedelta(days=max(days, 1) - 1))
    return Period(period.start, end, period.text)


def losses(book: Book, period: Period) -> pd.DataFrame:
    """How much was lost or made void in a period, by the stage where it stood?

    Returns
    -------
    pandas.DataFrame
        One row per last open stage, and `unknown` where no history says it (then alone, since
        nobody knows that no other stage lost anything): `stage`, `n` deals,
        `n_valued` of them with a value, `leak` (value, company currency; null where none of the
        deals has one), `leak_share` (of all stages' value), `prior_n`, `prior_leak` (the period
        before up to the same day) and `norm_n`, `norm_leak` (median of the eight periods before,
        up to the same day; null where the book does not reach back over them).
    """
    days = elapsed(book, period)
    windows = [same_days(period.shifted(-k * period.months), days) for k in range(EARLIER + 1)]
    deals = in_company_currency(book).filter(_.outcome.isin(["lost", "void"]))
    columns = {}
    for k, window in enumerate(windows):
        inside = book.calendar.contains(window, deals.closed_at)
        columns[f"n_{k}"] = inside.ifelse(1, 0).sum()
        columns[f"valued_{k}"] = (inside & deals.cents.notnull()).ifelse(1, 0).sum()
        columns[f"cents_{k}"] = deals.cents.sum(where=inside).fill_null(0)
    grouped = deals.group_by(stage=ibis.coalesce(deals.last_stage, "unknown")).agg(**columns)
    frame = grouped.to_pandas().set_index("stage").astype("float64").fillna(0.0)
    order = [*book.settings.stage_ids("open"), "unknown"]
    if "unknown" in frame.index and not has_stage_history(book):
        order = ["unknown"]
    frame = frame.reindex([s for s in order if s != "unknown" or s in frame.index], fill_value=0.0)
    first = book.opportunities.closed_at.min().to_pandas()
    reach = pd.isna(first) or book.calendar.local_date(pd.Timestamp(first)) > windows[-1].start
    return _with_norm(frame, knows_norm=not reach)


def _with_norm(frame: pd.DataFrame, *, knows_norm: bool) -> pd.DataFrame:
    earlier = range(1, EARLIER + 1)
    valued = frame[[f"valued_{k}" for k in range(EARLIER + 1)]]

    def money(k: int) -> pd.Series:
        known = (frame[f"n_{k}"] == 0) | (frame[f"valued_{k}"] > 0)
        return (frame[f"cents_{k}"] / 100).where(known)

    nothing = pd.Series(float("nan"), index=frame.index)
    leak = money(0)
    total = leak.sum()
    any_value = bool(valued.to_numpy().sum() > 0)
    money_norm = pd.concat([money(k) for k in earlier], axis=1).median(axis=1)
    count_norm = frame[[f"n_{k}" for k in earlier]].median(axis=1)
    found = pd.DataFrame(
        {
            "n": frame["n_0"].astype(int),
            "n_valued": frame["valued_0"].astype(int),
            "leak": leak if any_value else nothing,
            "leak_share": leak / total if any_value and total else nothing,
            "prior_n": frame["n_1"].astype(int),
            "prior_leak": money(1) if any_value else nothing,
            "norm_n": count_norm if knows_norm else nothing,
            "norm_leak": money_norm if knows_norm and any_value else nothing,
        }
    )
    return found.reset_index()
