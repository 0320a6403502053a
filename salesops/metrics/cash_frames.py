"""The frames of the collection report: periods, what comes next, and what stands out."""

import datetime as dt
import math

import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.metrics.allocation import signed_contracts, unallocated_money
from salesops.metrics.cash_expected import HORIZONS, came_in, expected_range, outlook
from salesops.metrics.cash_targets import cash_months, cash_targets, targets_of
from salesops.metrics.collection import acceptance_unknown, unaccepted_contracts
from salesops.metrics.payments import day_number, ledger, parts_paid
from salesops.metrics.receivables import money_in, within
from salesops.model.calendar import Period

EARLIER = 5


def by_period(book: Book, rows: pd.DataFrame, period: Period) -> pd.DataFrame:
    """What fell due, what came of it, and what came in at all, period by period?

    Returns
    -------
    pandas.DataFrame
        One row per period, the five before and this one, oldest first: `start` (date), `n`
        instalments due in it by the book's date, `due`, `collected` (received for them up to the
        book's date), `rate` (null where nothing was due), `came` (all dated money of the period;
        null where no money is dated), `target` (null where not set), `attainment` (null without a
        target).
    """
    money, targets = money_in(book), cash_targets(book)
    dated = book.has("receipts.received_on")
    found = []
    for k in range(EARLIER, -1, -1):
        of = period.shifted(-k * period.months)
        due = rows[within(rows["due_on"], of, book.date)]
        amount, paid = float(due["amount"].sum()), float(due["received"].sum())
        came = float(money.loc[within(money["received_on"], of, book.date), "amount"].sum())
        plan = targets_of(targets, book, cash_months(of))
        known = plan["month"].nunique() == len(cash_months(of))
        target = float(plan["target_cents"].sum()) / 100 if known else math.nan
        found.append((of.start, len(due), amount, paid, paid / amount if amount > 0 else math.nan,
                      came if dated else math.nan, target,
                      came / target if dated and target > 0 else math.nan))  # fmt: skip
    columns = ["start", "n", "due", "collected", "rate", "came", "target", "attainment"]
    return pd.DataFrame(found, columns=columns)


def coming(book: Book, rows: pd.DataFrame) -> pd.DataFrame:
    """What is owed within 30, 60 and 90 days, and what of it may come in?

    Returns
    -------
    pandas.DataFrame
        One row per horizon: `days`, `n` instalments overdue or falling due by then, `owed`
        (unpaid of them), `expected`, `low`, `high` (80 %; null where there is too little to learn
        from), `prior_came` (money of the same days before the book's date, for contracts that had
        been signed when they began; null where no money is dated).
    """
    seen, whole = outlook(book), ledger(book)
    parts = parts_paid(whole)
    found = []
    for days in HORIZONS:
        due = rows[(rows["unpaid"] > 0) & (rows["age"] >= -days)]
        expected = seen.expected(days) if seen is not None else math.nan
        low, high = expected_range(book, days)
        before = day_number(book.date) - days
        came = math.nan if whole.undated else came_in(whole, parts, before, days)
        found.append((days, len(due), float(due["unpaid"].sum()), expected, low, high, came))
    columns = ["days", "n", "owed", "expected", "low", "high", "prior_came"]
    return pd.DataFrame(found, columns=columns)


def unaccepted(book: Book) -> pd.DataFrame:
    """List what was delivered and not accepted, longest wait first; none where nobody says so."""
    rows = unaccepted_contracts(book, book.period("latest")).to_pandas()
    if acceptance_unknown(book) is not None:
        rows = rows[:0]
    rows["delivered_on"] = pd.to_datetime(rows["delivered_on"])
    rows = rows.assign(amount=rows["cents"] / 100, unpaid=rows["unpaid_cents"] / 100)
    rows = rows.drop(columns=["cents", "received_cents", "unpaid_cents"])
    return rows.sort_values(["waiting_days", "id"], ascending=[False, True], ignore_index=True)


def delivered_in_a_year(book: Book) -> float:
    """Sum the value of contracts delivered in the 365 days up to the book's date."""
    since = book.date - dt.timedelta(days=365)
    rows = signed_contracts(book).filter(_.delivered_on > since, _.cancelled_on.isnull())
    cents = rows.agg(cents=_.cents.sum()).to_pandas()["cents"].iloc[0]
    return 0.0 if pd.isna(cents) else float(cents) / 100


ITEMS = ("not_due", "undated", "unaccepted", "unaccepted_long", "retention", "advance",
         "unallocated")  # fmt: skip


def standing(book: Book, rows: pd.DataFrame, waiting: pd.DataFrame) -> pd.DataFrame:
    """What is signed and not due, delivered and not accepted, held back, or paid ahead?

    Returns
    -------
    pandas.DataFrame
        One row per item: `item`, `n` (instalments, or contracts where they are not accepted or
        not allocated) and `amount`. `not_due` and `undated` have no row in common;
        `unaccepted_long` (longer than the norm) is a part of `unaccepted`, and `retention` lies
        across the others.
    """
    open_ = rows[rows["unpaid"] > 0]
    long = waiting[waiting["waiting_days"] > book.settings.norms.collection.unaccepted_days]
    rest = unallocated_money(book).to_pandas()
    ahead = rows[(rows["age"] < 0) & (rows["received"] > 0)]
    parts = {
        "not_due": open_.loc[open_["state"] == "not_due", "unpaid"],
        "undated": open_.loc[open_["state"] == "undated", "unpaid"],
        "unaccepted": waiting["amount"],
        "unaccepted_long": long["amount"],
        "retention": open_.loc[open_["trigger"] == "retention", "unpaid"],
        "advance": ahead["received"],
        "unallocated": rest["unallocated_cents"] / 100,
    }
    found = [(item, len(parts[item]), float(parts[item].sum())) for item in ITEMS]
    return pd.DataFrame(found, columns=["item", "n", "amount"])


def by_group(rows: pd.DataFrame, period: Period, until: dt.date) -> pd.DataFrame:
    """How do the teams stand, or the owners where there is one team alone?

    Parameters
    ----------
    rows
        Receivables with names, by owner.
    period, until
        Whose instalments count, and up to which day.

    Returns
    -------
    pandas.DataFrame
        One row per group: `group`, `n` instalments due in the period, `due`, `collected`, `rate`
        (null where nothing was due), `overdue`, `overdue_rate` (of all that has fallen due; null
        where nothing has).
    """
    side = "team" if rows["team"].nunique() > 1 else "owner"
    known = rows[rows[side].notna()]
    mine = known[within(known["due_on"], period, until)].groupby(side)
    past = known[known["age"] >= 0].groupby(side)["amount"].sum()
    late = known[known["state"] == "overdue"].groupby(side)["unpaid"].sum()
    names = sorted(set(known[side]))
    frame = pd.DataFrame({
        "n": mine["id"].nunique(), "due": mine["amount"].sum(), "collected": mine["received"].sum(),
    }).reindex(names).fillna(0.0)  # fmt: skip
    frame["rate"] = frame["collected"] / frame["due"].where(frame["due"] > 0)
    frame["overdue"] = late.reindex(names).fillna(0.0)
    whole = past.reindex(names)
    frame["overdue_rate"] = frame["overdue"] / whole.where(whole > 0)
    return frame.astype({"n": int}).rename_axis("group").reset_index()
