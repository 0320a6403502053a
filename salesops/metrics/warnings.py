"""Open deals that something warns of, and how often such a warning came true in this company.

A warning is read off what was known at the book's date, so that the same code, asked at dates a
year back, says how it would have done: its precision is the share of the deals that it marked and
that were not won within the following months, beside the same share of those it did not mark.
"""

import datetime as dt
import math

import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.book.past import has_past
from salesops.methods.intervals import wilson
from salesops.metrics.breaks import pushes
from salesops.metrics.opendeals import has_touches
from salesops.metrics.stagetable import ageing_of, deals_frame

WARNINGS = (
    "silent", "overdue", "pushed", "single_contact", "aged", "no_next_step", "unusual_value",
)  # fmt: skip
# Past dates at which the warnings are tried, that many days apart.
LOOKS, APART = 4, 84


def unseen(book: Book) -> dict[str, str]:
    """Say of each warning that can't be given what it lacks: warning -> table or column."""
    lacks = {}
    touches = has_touches(book)
    if touches:
        lacks["silent"] = "activities"
    if not book.has("opportunities.expected_close_on"):
        lacks["overdue"] = lacks["pushed"] = "opportunities.expected_close_on"
    elif not book.is_tracked("opportunities", "expected_close_on"):
        lacks["pushed"] = "changes"
    if touches or not book.has("activities.contact_id"):
        lacks["single_contact"] = "activities.contact_id"
    if not book.is_tracked("opportunities", "stage"):
        lacks["aged"] = "changes"
    if not book.has("opportunities.next_step"):
        lacks["no_next_step"] = "opportunities.next_step"
    if not book.has("opportunities.amount"):
        lacks["unusual_value"] = "opportunities.amount"
    return lacks


def deal_warnings(book: Book) -> pd.DataFrame:
    """Which open deals does something warn of?

    Parameters
    ----------
    book
        The company, at its date and in its scope.

    Returns
    -------
    pandas.DataFrame
        One row per open deal, largest first: `id`, `name`, `owner_id`, `stage`, `amount` (company
        currency), a column of True and False per warning of `WARNINGS` (null where it can't be
        seen), and `n_warnings`.

    Notes
    -----
    Limits are those of the settings: `silent_after`, `push_count` and `aged_after` of the norms,
    and `[warnings]`. An unusual value lies beyond a quantile of what was won in the last two years.

    Examples
    --------
    >>> from salesops.book.book import open_book
    >>> int(deal_warnings(open_book("tests/tiny_company"))["n_warnings"].sum())
    6
    """
    selling = book.without_renewals()
    deals = deals_frame(selling)
    lacks = unseen(selling)
    seen = {
        name: _SEE[name](selling, deals) for name in WARNINGS if name not in lacks
    }  # fmt: skip
    columns = ["id", "name", "owner_id", "stage", "amount"]
    found = deals[columns].copy()
    for name in WARNINGS:
        found[name] = (
            seen[name].astype("boolean") if name in seen else pd.Series(pd.NA, found.index)
        )
        found[name] = found[name].astype("boolean")
    found["n_warnings"] = found[list(WARNINGS)].fillna(False).sum(axis=1).astype("int64")
    order = ["n_warnings", "amount", "id"]
    return found.sort_values(order, ascending=[False, False, True], ignore_index=True)


def _silent(_book: Book, deals: pd.DataFrame) -> "pd.Series[bool]":
    return deals["silent"].eq(True)


def _overdue(_book: Book, deals: pd.DataFrame) -> "pd.Series[bool]":
    return deals["overdue"].eq(True)


def _pushed(book: Book, deals: pd.DataFrame) -> "pd.Series[bool]":
    counts = pushes(book).to_pandas().set_index("moved_id")["pushes"]
    return deals["id"].map(counts).fillna(0) >= book.settings.norms.push_count


def _single_contact(book: Book, deals: pd.DataFrame) -> "pd.Series[bool]":
    """Few people of the customer were spoken to, though the deal is qualified."""
    spoken = book.activities.filter(_.contact_id.notnull(), _.opportunity_id.notnull())
    people = spoken.group_by("opportunity_id").agg(n=_.contact_id.nunique()).to_pandas()
    n = deals["id"].map(people.set_index("opportunity_id")["n"]).fillna(0)
    return (n < book.settings.warnings.contacts) & _qualified(book, deals)


def _aged(book: Book, deals: pd.DataFrame) -> "pd.Series[bool]":
    ageing = ageing_of(book, deals, None)
    if ageing is None:
        return pd.Series(False, deals.index)
    times = ageing.deals.set_index("id")["age_times"]
    return deals["id"].map(times) > book.settings.norms.aged_after


def _no_next_step(book: Book, deals: pd.DataFrame) -> "pd.Series[bool]":
    """Nothing is agreed next, or its day is over, though the deal is qualified."""
    rows = book.opportunities.filter(_.outcome == "open")
    steps = rows.select("id", "next_step", "next_step_due_on").to_pandas().set_index("id")
    steps = steps.reindex(deals["id"])
    due = pd.to_datetime(steps["next_step_due_on"])
    missing = steps["next_step"].isna() | (due < pd.Timestamp(book.date))
    return pd.Series(missing.to_numpy(), deals.index) & _qualified(book, deals)


def _unusual_value(book: Book, deals: pd.DataFrame) -> "pd.Series[bool]":
    """Larger than nearly all that was won in the last two years."""
    since = pd.Timestamp(book.instant) - pd.DateOffset(years=2)
    won = book.opportunities.filter(_.outcome == "won", _.closed_at > since.to_pydatetime())
    amounts = won.select("amount").to_pandas()["amount"].astype("float64").dropna()
    if len(amounts) < book.settings.norms.too_few:
        return pd.Series(False, deals.index)
    return deals["amount"] > amounts.quantile(book.settings.warnings.value_quantile)


def _qualified(book: Book, deals: pd.DataFrame) -> "pd.Series[bool]":
    stages = book.settings.stage_ids("open")
    first = book.settings.qualified_stage
    late = stages[stages.index(first) :] if first in stages else stages
    return deals["stage"].isin(late)


_SEE = {
    "silent": _silent, "overdue": _overdue, "pushed": _pushed, "single_contact": _single_contact,
    "aged": _aged, "no_next_step": _no_next_step, "unusual_value": _unusual_value,
}  # fmt: skip


def warning_record(book: Book) -> pd.DataFrame:
    """How often did each warning come true in this company?

    Returns
    -------
    pandas.DataFrame
        One row per warning: `warning`, `n_now` (open deals it marks), `amount_now` (company
        currency), `n` (deals that it marked at past dates, each counted once, at the first of
        them), `precision` (share of those not won within the settings' `horizon_days`), `low`,
        `high` (80 %), `base_n`, `base` (the same of deals that were open then and not marked, at
        the mix of stages of those marked); null where the past is not known.
    """
    now = deal_warnings(book)
    looks = _looks(book)
    past = _past(book, looks) if looks else pd.DataFrame(columns=["id", "won", *WARNINGS])
    return pd.DataFrame([_row(name, now, past) for name in WARNINGS])


def _looks(book: Book) -> list[dt.date]:
    """Give past dates whose deals have had their time, and at which the past is known."""
    last = book.date - dt.timedelta(days=book.settings.warnings.horizon_days)
    days = [last - dt.timedelta(days=APART * i) for i in range(LOOKS)]
    return [day for day in reversed(days) if has_past(book, day)]


def _past(book: Book, looks: list[dt.date]) -> pd.DataFrame:
    """Give what was warned of at each date, and whether the deal was won in time."""
    ends = book.opportunities.filter(_.outcome == "won").select("id", "closed_at").to_pandas()
    closed = ends.set_index("id")["closed_at"]
    parts = []
    for day in looks:
        then = book.as_of(day)
        rows = deal_warnings(then)
        limit = pd.Timestamp(then.instant) + pd.Timedelta(days=book.settings.warnings.horizon_days)
        parts.append(rows.assign(won=rows["id"].map(closed) <= limit, look=day))
    return pd.concat(parts, ignore_index=True)


def _row(name: str, now: pd.DataFrame, past: pd.DataFrame) -> dict[str, object]:
    marked = now[name].fillna(False).astype(bool)
    known = bool(now[name].notna().any())
    flags = past[name].fillna(False).astype(bool) if len(past) else pd.Series(dtype=bool)
    first = past[flags].drop_duplicates("id") if len(past) else past
    others = past[~flags].drop_duplicates("id") if len(past) else past
    n, hits = len(first), int((~first["won"].astype(bool)).sum())
    low, high = wilson(hits, n) if n else (math.nan, math.nan)
    return {
        "warning": name, "n_now": int(marked.sum()) if known else None,
        "amount_now": float(now.loc[marked, "amount"].sum()) if known else math.nan,
        "n": n, "precision": hits / n if n else math.nan, "low": low, "high": high,
        "base_n": len(others), "base": _alike(first, others),
    }  # fmt: skip


def _alike(first: pd.DataFrame, others: pd.DataFrame) -> float:
    """Give the share not won of deals not marked, at the mix of stages of those marked."""
    if first.empty or others.empty:
        return math.nan
    missed = (~others["won"].astype(bool)).groupby(others["stage"]).mean()
    return float(first["stage"].map(missed).mean())
