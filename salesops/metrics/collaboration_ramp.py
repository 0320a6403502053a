"""How new people come up to speed, who writes things down, and how won deals began."""

import datetime as dt
import math

import ibis
import numpy as np
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.methods.intervals import wilson
from salesops.metrics.collaboration_load import LEAST_PEOPLE, sellers
from salesops.metrics.currency import with_cents
from salesops.metrics.records import logged
from salesops.metrics.workdays import local_day
from salesops.model.calendar import Period

# Months shown, and the month from which somebody counts as settled.
MONTHS, SETTLED = 12, 13
LEAST_SETTLED = 3
FIRST_DAYS, BACK = 30, 730
_DAY = 86_400


def won_deals(book: Book) -> pd.DataFrame:
    """Give the deals won but renewals: `id`, `person` (owner at the event), `won_on`, `amount`."""
    rows = with_cents(book, book.without_renewals().attributed("opportunities"))
    rows = rows.filter(rows.outcome == "won", rows.closed_at.notnull())
    rows = rows.select(
        "id", "cents", person="event_owner_id", won_on=local_day(book, rows.closed_at)
    )
    frame = rows.order_by("won_on", "id").to_pandas()
    frame["won_on"] = pd.to_datetime(frame["won_on"])
    return frame.assign(amount=frame["cents"].astype("float64") / 100).drop(columns="cents")


def ramp(book: Book) -> pd.DataFrame:
    """How much do new people sign by month since they came, against settled ones?

    Returns
    -------
    pandas.DataFrame
        One row per month of twelve: `month` (1 is the month of hiring), `n` (people seen in it),
        `n_won` (deals they won), `even` (deals that settled people won in the same calendar months,
        for as many days), `share` (of n_won in even), `low`, `high` (80 %), `amount_share` (the
        same by value; null where amounts are not known). Empty where fewer than three people
        are settled or nobody came.

    Notes
    -----
    Settled is who came at least a year ago. Comparing within calendar months takes the season out.
    Exact bounds of a Poisson count (Garwood 1936, Biometrika 28, 437-442).
    """
    people = sellers(book)
    people = people[people["hired_on"].notna()]
    won = won_deals(book)
    if people.empty or won.empty:
        return _no_ramp()
    return _by_month(_stretches(book, people, won))


def _no_ramp() -> pd.DataFrame:
    kinds = {"month": "int64", "n": "int64", "n_won": "int64"} | dict.fromkeys(
        ("even", "share", "low", "high", "amount_share"), "float64")  # fmt: skip
    return pd.DataFrame({c: pd.Series(dtype=kind) for c, kind in kinds.items()})


def _stretches(book: Book, people: pd.DataFrame, won: pd.DataFrame) -> pd.DataFrame:
    """Lay out people by calendar month: `days` there, `month` since hiring, wins and value."""
    # The month in progress counts as far as it went.
    today = pd.Timestamp(book.date)
    months = pd.period_range(won["won_on"].min(), today, freq="M")
    grid = people.merge(pd.DataFrame({"period": months}), how="cross")
    begins, ends = grid["period"].dt.start_time, grid["period"].dt.end_time.dt.normalize()
    first = begins.where(begins > grid["hired_on"], grid["hired_on"])
    gone = grid["left_on"].fillna(today)
    last = ends.where(ends < gone, gone).clip(upper=today)
    grid["days"] = (last - first).dt.days + 1
    grid = grid[grid["days"] > 0]
    since = grid["period"].dt.year * 12 + grid["period"].dt.month
    hired = grid["hired_on"].dt.year * 12 + grid["hired_on"].dt.month
    grid = grid.assign(month=since - hired + 1)
    sums = won.assign(period=won["won_on"].dt.to_period("M"))
    sums = sums.groupby(["person", "period"])["amount"].agg(n_won="size", amount="sum")
    grid = grid.merge(sums.reset_index(), on=["person", "period"], how="left")
    return grid.fillna({"n_won": 0, "amount": 0.0})


def _by_month(grid: pd.DataFrame) -> pd.DataFrame:
    settled = grid[grid["month"] >= SETTLED]
    base = settled.groupby("period").agg(
        people=("person", "nunique"), days=("days", "sum"), n_won=("n_won", "sum"),
        amount=("amount", "sum"))  # fmt: skip
    base = base[base["people"] >= LEAST_SETTLED]
    new = grid[(grid["month"] <= MONTHS) & grid["period"].isin(base.index)]
    if new.empty:
        return _no_ramp()
    rates = base.loc[new["period"]]
    won, value = (rates[c].to_numpy() / rates["days"].to_numpy() for c in ("n_won", "amount"))
    new = new.assign(even=new["days"] * won, even_amount=new["days"] * value)
    sums = new.groupby("month").agg(
        n=("person", "nunique"), n_won=("n_won", "sum"), even=("even", "sum"),
        amount=("amount", "sum"), even_amount=("even_amount", "sum")).reset_index()  # fmt: skip
    even = sums["even"].where(sums["even"] > 0)
    low, high = _poisson(sums["n_won"].to_numpy())
    valued = sums["even_amount"].where(sums["even_amount"] > 0)
    frame = sums.assign(share=sums["n_won"] / even, low=low / even, high=high / even,
                        amount_share=sums["amount"] / valued)  # fmt: skip
    frame = frame.astype({"n_won": "int64", "month": "int64"})
    return frame[_no_ramp().columns.tolist()]


def _poisson(counts: "np.ndarray") -> tuple["np.ndarray", "np.ndarray"]:
    """Give the exact 80 % bounds of counts."""
    from scipy.stats import chi2

    low = np.where(counts > 0, chi2.ppf(0.1, 2 * np.maximum(counts, 1)) / 2, 0.0)
    return low, chi2.ppf(0.9, 2 * (counts + 1)) / 2


def adoption(book: Book) -> pd.DataFrame:
    """Which teams write down what they do, and how late?

    Returns
    -------
    pandas.DataFrame
        One row per team of at least five sellers: `team`, `people`, `touches_each` (activities per
        person and week of the last 13 weeks), `active_share` (weeks of people with any),
        `in_time_share` (logged within `logging_hours`), `prior_share` (13 weeks before), `n`.

    Notes
    -----
    By team, since nobody is ranked by what they write down.
    """
    people = sellers(book)
    now = people[people["left_on"].isna() | (people["left_on"] > pd.Timestamp(book.date))]
    windows = [Period(book.date - dt.timedelta(days=91 * (k + 1) - 1),
                      book.date - dt.timedelta(days=91 * k), "") for k in (0, 1)]  # fmt: skip
    weekly, before = (_weekly(book, window) for window in windows)
    rows = []
    for team, group in now.groupby("team", sort=True):
        if len(group) < LEAST_PEOPLE:
            continue
        mine, old = (part[part["person"].isin(group["person"])] for part in (weekly, before))
        n, n_old = mine["n"].sum(), old["n"].sum()
        rows.append((team, len(group), n / (13 * len(group)), len(mine) / (13 * len(group)),
                     mine["in_time"].sum() / n if n else math.nan,
                     old["in_time"].sum() / n_old if n_old else math.nan, int(n)))  # fmt: skip
    columns = ["team", "people", "touches_each", "active_share", "in_time_share", "prior_share",
               "n"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _weekly(book: Book, window: Period) -> pd.DataFrame:
    """Count what each person logged per week of a window: `person`, `week`, `n`, `in_time`."""
    rows = logged(book, window)
    day = local_day(book, rows.logged_at)
    week = day.delta(ibis.literal(window.start), unit="day") // 7
    rows = rows.select("is_in_time", person="owner_id", week=week)
    counted = rows.group_by(["person", "week"]).agg(
        n=_.count(), in_time=ibis.ifelse(_.is_in_time, 1, 0).sum())  # fmt: skip
    return counted.order_by("person", "week").to_pandas()


def first_days(book: Book) -> pd.DataFrame:
    """Give what each deal of the last two years contained in its first 30 days.

    Returns
    -------
    pandas.DataFrame
        One row per ended deal that was still open after 30 days, so that all had the same time:
        `id`, `won`, `source`, `amount`, `days` (creation to end) and true or false for `seen`
        (visit, meeting or demo), `soon` (a two-way touch within seven days), `often` (five or
        more touches), `quoted` and `contacts` (two or more people entered); a column is null where
        the data behind it is not there.
    """
    deals = with_cents(book, book.without_renewals().opportunities)
    deals = deals.filter(deals.outcome.isin(["won", "lost"]), deals.created_at.notnull())
    rows = deals.select("id", "source", "cents", "created_at", "closed_at", "outcome").to_pandas()
    days = (rows["closed_at"] - rows["created_at"]).dt.total_seconds() / _DAY
    old = rows["created_at"] >= pd.Timestamp(book.instant) - pd.Timedelta(days=BACK)
    rows = rows.assign(days=days)[old & (days > FIRST_DAYS)].sort_values("id")
    rows = rows.assign(won=rows["outcome"] == "won", amount=rows["cents"].astype("float64") / 100)
    for name in CONTENTS:
        rows[name] = pd.Series(None, index=rows.index, dtype="object")
    if book.has("activities.opportunity_id"):
        rows = _with_touches(book, rows)
    for name, table, column, least in (("quoted", "quotes", "issued_at", 1),
                                       ("contacts", "contacts", "created_at", 2)):  # fmt: skip
        if book.has(f"{table}.opportunity_id") and book.has(f"{table}.{column}"):
            rows[name] = _counted(book, rows, table, column) >= least
    return rows[["id", "won", "source", "amount", "days", *CONTENTS]].reset_index(drop=True)


CONTENTS = ("seen", "soon", "often", "quoted", "contacts")


def _near(book: Book, rows: pd.DataFrame, table: str, column: str) -> pd.DataFrame:
    """Give rows of a table that fall into the first days of a deal, with `after` in days."""
    found = book.table(table).filter(_.opportunity_id.notnull())
    extra = ["kind", "direction"] if table == "activities" else []
    frame = found.select("opportunity_id", column, *extra).to_pandas()
    frame = frame.merge(rows[["id", "created_at"]], left_on="opportunity_id", right_on="id")
    after = (frame[column] - frame["created_at"]).dt.total_seconds() / _DAY
    return frame.assign(after=after)[(after >= 0) & (after <= FIRST_DAYS)]


def _counted(book: Book, rows: pd.DataFrame, table: str, column: str) -> "pd.Series[int]":
    near = _near(book, rows, table, column).groupby("id").size()
    return rows["id"].map(near).fillna(0)


def _with_touches(book: Book, rows: pd.DataFrame) -> pd.DataFrame:
    near = _near(book, rows, "activities", "occurred_at")
    seen = near[near["kind"].isin(["visit", "meeting", "demo"])]["id"]
    soon = near[(near["direction"] == "two_way") & (near["after"] <= 7)]["id"]
    count = rows["id"].map(near.groupby("id").size()).fillna(0)
    return rows.assign(seen=rows["id"].isin(seen), soon=rows["id"].isin(soon), often=count >= 5)


def compared_starts(firsts: pd.DataFrame) -> pd.DataFrame:
    """How often were deals won that had something in their first 30 days, and those without it?

    Returns
    -------
    pandas.DataFrame
        One row per content that is known: `content`, `n` (deals with it), `share` (of the won deals
        that had it), `won_rate`, `low`, `high` (80 %), `n_others`, `others_rate`.
    """
    rows = []
    for name in CONTENTS:
        has = firsts[name].dropna().astype(bool)
        if has.empty:
            continue
        won = firsts.loc[has.index, "won"]
        n, hits = int(has.sum()), int(won[has].sum())
        low, high = wilson(hits, n)
        others = len(has) - n
        rows.append((name, n, float(has[won].mean()) if won.any() else math.nan,
                     hits / n if n else math.nan, low, high, others,
                     float(won[~has].mean()) if others else math.nan))  # fmt: skip
    columns = ["content", "n", "share", "won_rate", "low", "high", "n_others", "others_rate"]
    return pd.DataFrame(rows, columns=columns)


def cases(firsts: pd.DataFrame) -> pd.DataFrame:
    """Describe three won deals by how they began, without a name or an exact sum.

    Returns
    -------
    pandas.DataFrame
        One row per case: `case` (A, B, C), `source`, `amount` (rounded to one digit), `days` and
        the contents. Those nearest to the lower quarter, the middle and the upper quarter by days.
    """
    won = firsts[firsts["won"]].sort_values(["days", "id"], ignore_index=True)
    if len(won) < LEAST_PEOPLE:
        return pd.DataFrame(columns=["case", "source", "amount", "days", *CONTENTS])
    chosen = won.iloc[[len(won) // 4, len(won) // 2, 3 * len(won) // 4]]
    size = 10 ** np.floor(np.log10(chosen["amount"].clip(lower=1)))
    rounded = (chosen["amount"] / size).round() * size
    frame = chosen.assign(case=["A", "B", "C"], amount=rounded, days=chosen["days"].round())
    return frame[["case", "source", "amount", "days", *CONTENTS]].reset_index(drop=True)
