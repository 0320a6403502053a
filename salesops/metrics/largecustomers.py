"""Customers with large contracts and bad cases, and what bad cases have meant for renewals."""

import datetime as dt

import numpy as np
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.methods.intervals import wilson
from salesops.metrics.catalogue import find_metric
from salesops.metrics.contractstates import terms
from salesops.metrics.serviceframes import SPAN, late_cases, with_customer

BAD = ["customer", "account_id", "owner_id", "money", "ends_on", "n_bad", "is_large", "because"]
RENEWED = ["group", "share", "low", "high", "n", "n_renewed"]
# Cases that may bear on a renewal are those of the half-year before the contract ends; contracts
# are those of two years.
BEFORE, BACK = 182, 728
NO_DAYS = pd.Timedelta(0)


def in_force(book: Book) -> pd.DataFrame:
    """Sum the contracts that run now by customer: `account_id`, `money`, `ends_on` (the first end).

    Notes
    -----
    A contract without an end runs for a year from its signing.
    """
    rows = book.contracts.filter(_.account_id.notnull())
    keep = [c for c in ("account_id", "amount", "signed_on", "ends_on", "cancelled_on")
            if c in rows.columns]  # fmt: skip
    frame = rows.select(*keep).to_pandas()
    for column in ("signed_on", "ends_on", "cancelled_on"):
        known = frame[column] if column in frame else pd.Series(pd.NaT, index=frame.index)
        frame[column] = pd.to_datetime(known)
    today = pd.Timestamp(book.date)
    until = frame["ends_on"].fillna(frame["signed_on"] + pd.Timedelta(days=365))
    runs = (frame["signed_on"] <= today) & (until >= today)
    runs &= ~(frame["cancelled_on"] <= today)
    mine = frame.assign(money=frame["amount"].astype(float))[runs]
    sums = mine.groupby("account_id").agg(money=("money", "sum"), ends_on=("ends_on", "min"))
    return sums.reset_index()


def large_from(values: "pd.Series[float]", share: float) -> float:
    """Give the value from which on a customer is among the largest share of them.

    Examples
    --------
    >>> large_from(pd.Series([1.0, 2.0, 3.0, 4.0, 5.0]), 0.2)
    5.0
    """
    n = max(round(len(values) * share), 1)
    return float(values.sort_values(ascending=False).iloc[n - 1]) if len(values) else np.inf


def bad_customers(book: Book) -> pd.DataFrame:
    """Which customers with running contracts had bad cases in the last 91 days?

    Returns
    -------
    pandas.DataFrame
        Most money first: `customer`, `account_id`, `owner_id`, `money` (contracts that run),
        `ends_on` (the first of their ends), `n_bad`, `is_large` (among the largest share of the
        settings) and `because`: `(reason, count, norm)` for cases rated badly (`rated`), open
        beyond their time (`late`) and come again (`again`).
    """
    if not (book.has("contracts.account_id") and book.has("contracts.amount")
            and book.has("contracts.signed_on") and book.has("tickets.account_id")):  # fmt: skip
        return pd.DataFrame(columns=BAD)
    money = in_force(book)
    bad = _bad_cases(book)
    if money.empty or bad.empty:
        return pd.DataFrame(columns=BAD)
    edge = large_from(money["money"], book.settings.norms.service.large_share)
    counts = bad.groupby(["account_id", "why"]).size().unstack(fill_value=0)
    rows = money.merge(counts.reset_index(), on="account_id")
    reasons = [c for c in ("late", "rated", "again") if c in counts]
    rows["because"] = [
        [(name, float(row[name]), np.nan) for name in reasons if row[name]]
        for row in rows.to_dict("records")
    ]
    distinct = bad.groupby("account_id")["id"].nunique()
    rows["n_bad"] = rows["account_id"].map(distinct)
    rows["is_large"] = rows["money"] >= edge
    rows = with_customer(book, rows)
    return rows.sort_values(["money", "account_id"], ascending=[False, True])[BAD].reset_index(
        drop=True
    )


def _bad_cases(book: Book) -> pd.DataFrame:
    """Give the bad cases of the last 91 days: `id`, `account_id`, `why`."""
    rows = book.tickets.filter(_.account_id.notnull()).to_pandas()
    first = _utc(book, book.date - dt.timedelta(days=SPAN - 1))
    found = []
    for why, when in _whens(book, rows).items():
        found.append(rows[when >= first].assign(why=why))
    late = rows[rows["id"].isin(late_cases(book))]
    found.append(late.assign(why="late"))
    return pd.concat(found, ignore_index=True)[["id", "account_id", "why"]]


def _whens(book: Book, rows: pd.DataFrame) -> "dict[str, pd.Series[pd.Timestamp]]":
    """Say when each case turned out badly rated, or come again; null where it did not."""
    found = {}
    if "csat" in rows and "closed_at" in rows:
        rated = (rows["csat"] <= book.settings.norms.service.bad_rating).fillna(False).astype(bool)
        found["rated"] = rows["closed_at"].where(rated)
    if "is_repeat" in rows:
        found["again"] = rows["opened_at"].where(rows["is_repeat"].eq(True).fillna(False))
    return found


def _utc(book: Book, day: dt.date) -> pd.Timestamp:
    return pd.Timestamp(book.calendar.start_of(day)).tz_localize(None)


def renewed_by_cases(book: Book) -> pd.DataFrame:
    """Were contracts renewed less often where cases had gone badly?

    Returns
    -------
    pandas.DataFrame
        One row per `group`: `bad` (a case rated badly or come again in the 182 days before the
        contract's end), `good` (cases, none of them bad) and `none`: `share` renewed, `low`,
        `high`, `n` and `n_renewed`. Contracts are those whose end and grace days are over, of 728
        days. Customers without cases may hardly use the product, so bad is held against good.
    """
    needs = (*find_metric("renewal_rate").needs, "tickets.account_id", "tickets.opened_at")
    if not all(book.has(need) for need in needs):
        return pd.DataFrame(columns=RENEWED)
    rows = terms(book)
    today = pd.Timestamp(book.date)
    over = rows["ends_on"] + pd.Timedelta(days=book.settings.norms.renewal_grace_days) < today
    rows = rows[over & (rows["ends_on"] >= today - pd.Timedelta(days=BACK))]
    cases = book.tickets.filter(_.account_id.notnull()).to_pandas()
    marks = _whens(book, cases)
    if rows.empty or cases.empty or not marks:
        return pd.DataFrame(columns=RENEWED)
    had = _near(rows, cases.assign(when=cases["opened_at"]))
    went_badly = _near(rows, pd.concat([cases.assign(when=when) for when in marks.values()]))
    groups = {"bad": went_badly, "good": had & ~went_badly, "none": ~had & ~went_badly}
    found = []
    for group, inside in groups.items():
        n, kept = int(inside.sum()), int((~rows.loc[inside, "happened"].astype(bool)).sum())
        found.append((group, kept / n if n else np.nan, *wilson(kept, n), n, kept))
    return pd.DataFrame(found, columns=RENEWED)


def _near(terms_over: pd.DataFrame, cases: pd.DataFrame) -> "pd.Series[bool]":
    """Say of each contract whether a case lies in the half-year before its end."""
    cases = cases.dropna(subset=["when"])[["account_id", "when"]]
    near = terms_over[["id", "account_id", "ends_on"]].merge(cases, on="account_id")
    before = near["ends_on"] - near["when"]
    near = near[(before >= NO_DAYS) & (before <= pd.Timedelta(days=BEFORE))]
    return terms_over["id"].isin(near["id"])
