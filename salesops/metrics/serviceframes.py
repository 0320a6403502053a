"""How after-sales service does: ratings, levels, what waits, what comes again, call-backs."""

import datetime as dt
import math

import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.methods.intervals import wilson
from salesops.metrics.callbacks import call_backs, planned_call_backs
from salesops.metrics.catalogue import find_metric
from salesops.metrics.kept import kept
from salesops.metrics.service import (
    ANSWER,
    SOLUTION,
    opened_tickets,
    promised,
)
from salesops.model.calendar import Period

# Service is compared over quarters of a year of whole weeks, so that each has as many Mondays.
SPAN, SPANS, YEAR = 91, 8, 364
# Days up to which a case has been open: a day, a week, a month, and longer.
AGES = (1, 7, 30)
LEVELS = {"sla_first_response": ANSWER, "sla_resolution": SOLUTION}
RATED = ["until", "csat", "low", "high", "n", "response_rate", "n_closed", "by_customer"]
KEPT = ["level", "severity", "share", "low", "high", "prior", "n"]
AGED = ["age", "n", "n_late"]
AGAIN = ["product_line", "share", "low", "high", "prior", "n", "n_again"]
CALLED = ["rule", "share", "low", "high", "prior", "n", "n_made"]


def span(book: Book, back: int = 0, days: int = SPAN) -> Period:
    """Give so many days up to the book's date, or as many before, so many times back."""
    end = book.date - dt.timedelta(days=days * back)
    return Period(end - dt.timedelta(days=days - 1), end, "")


def _spans(book: Book, n: int, days: int = SPAN) -> Period:
    """Give so many spans up to the book's date as one."""
    return Period(span(book, n - 1, days).start, book.date, "")


def _lately(book: Book, at: "pd.Series[pd.Timestamp]", days: int = SPAN) -> "pd.Series[int]":
    """Say in which span each instant or day lies: 0 for the last, 1 for the one before."""
    ends = pd.Timestamp(book.calendar.end_of(book.date)).tz_localize(None)
    return ((ends - at) // pd.Timedelta(days=days)).astype("int64")


def _share(rows: pd.DataFrame, flag: str) -> tuple[float, float, float, int]:
    """Give the share of rows with a flag, its range and n."""
    n, hits = len(rows), int(rows[flag].sum())
    return (hits / n if n else math.nan, *wilson(hits, n), n)


def ratings(book: Book) -> pd.DataFrame:
    """How satisfied were customers, quarter by quarter of the last two years?

    Returns
    -------
    pandas.DataFrame
        One row per 91 days, oldest first: `until`, `csat`, `low`, `high`, `n` (answers),
        `response_rate`, `n_closed` and `by_customer` (satisfied share with one voice per customer).
        Spans without a closed ticket are left out.
    """
    if not book.has("tickets.csat"):
        return pd.DataFrame(columns=RATED)
    rows = find_metric("response_rate").rows_of(book, _spans(book, SPANS))
    closed = rows.select("account_id", "csat", "closed_at").to_pandas()
    closed = closed.assign(back=_lately(book, closed["closed_at"]), is_good=closed["csat"] >= 4)
    found = []
    for back, frame in closed.groupby("back"):
        rated = frame.dropna(subset=["csat"])
        voices = rated["is_good"].groupby(rated["account_id"]).mean()
        share, low, high, n = _share(rated, "is_good")
        found.append((
            pd.Timestamp(span(book, int(str(back))).end), share, low, high, n, n / len(frame),
            len(frame), float(voices.mean()) if len(voices) else math.nan,
        ))  # fmt: skip
    return pd.DataFrame(found[::-1], columns=RATED)


def levels(book: Book) -> pd.DataFrame:
    """How often were customers answered, and their cases solved, in time?

    Returns
    -------
    pandas.DataFrame
        One row per metric (`level`) over the last 91 days, then by severity (`severity`; empty for
        all): `share`, `low`, `high`, `prior` (of the 91 days before) and `n`. Levels that the
        settings do not name, or without their instants, are left out.
    """
    found: list[tuple[object, ...]] = []
    for name, what in LEVELS.items():
        if find_metric(name).reason(book) is not None:
            continue
        rows = promised(book, _spans(book, 2), what).to_pandas()
        rows["is_now"] = _lately(book, rows["opened_at"]) == 0
        found += [(name, *cells) for cells in _compared(rows, "is_in_time", "severity")]
    return pd.DataFrame(found, columns=KEPT)


def _compared(rows: pd.DataFrame, flag: str, by: str) -> list[tuple[object, ...]]:
    """Give shares now beside those before: of all (an empty name), then by a column, most first."""
    now, then = rows[rows["is_now"]], rows[~rows["is_now"]]
    if now.empty:
        return []
    found: list[tuple[object, ...]] = []
    parts = {"": (now, then)}
    if by in rows and rows[by].notna().any():
        for name in now[by].value_counts().index:
            parts[str(name)] = (now[now[by] == name], then[then[by] == name])
    for name, (mine, before) in parts.items():
        share, low, high, n = _share(mine, flag)
        found.append((name, share, low, high, _share(before, flag)[0], n))
    return found


def waiting(book: Book) -> pd.DataFrame:
    """Which cases are open now?

    Returns
    -------
    pandas.DataFrame
        Oldest first: `id`, `account_id`, `customer`, `owner_id`, `opened_at`, `product_line`,
        `category`, `severity` (null where not recorded), `age_days` and `is_late` (beyond the
        service level for a solution; false without one).
    """
    columns = ["id", "account_id", "customer", "owner_id", "opened_at", "product_line", "category",
               "severity", "age_days", "is_late"]  # fmt: skip
    metric = find_metric("open_backlog")
    if metric.reason(book) is not None:
        return pd.DataFrame(columns=columns)
    rows = metric.rows_of(book, Period(book.date, book.date, "")).to_pandas()
    late = set(late_cases(book))
    rows["is_late"] = rows["id"].isin(late)
    rows = with_customer(book, rows)
    for column in columns:
        if column not in rows:
            rows[column] = None
    return rows.sort_values(["age_days", "id"], ascending=[False, True])[columns].reset_index(
        drop=True
    )


def late_cases(book: Book) -> list[str]:
    """Name the open cases whose time for a solution is over."""
    return kept("late cases", book, lambda: _late_cases(book))


def _late_cases(book: Book) -> list[str]:
    if find_metric("sla_resolution").reason(book) is not None:
        return []
    first = dt.date(book.date.year - 5, 1, 1)
    rows = promised(book, Period(first, book.date, ""), SOLUTION)
    late = rows.filter(rows.closed_at.isnull()).select("id").to_pandas()["id"]
    return [str(one) for one in late]


def ages(waiting_now: pd.DataFrame) -> pd.DataFrame:
    """Count the open cases by how long they have been open: `age`, `n`, `n_late`."""
    if waiting_now.empty:
        return pd.DataFrame(columns=AGED)
    edges = [-math.inf, *AGES, math.inf]
    names = ["day", "week", "month", "longer"]
    age = pd.cut(waiting_now["age_days"].astype(float), edges, labels=names, right=True)
    sums = waiting_now.assign(age=age).groupby("age", observed=False)["is_late"]
    found = sums.agg(n="size", n_late="sum").reset_index()
    return found.astype({"age": str, "n": "int64", "n_late": "int64"})


def repeated(book: Book) -> pd.DataFrame:
    """How often did complaints come again in the last 364 days, by product?

    Returns
    -------
    pandas.DataFrame
        All first (an empty `product_line`), then by product, most often first: `share`, `low`,
        `high`, `prior` (of the 364 days before), `n` and `n_again`.
    """
    if find_metric("repeat_rate").reason(book) is not None:
        return pd.DataFrame(columns=AGAIN)
    rows = opened_tickets(book, _spans(book, 2, YEAR)).to_pandas()
    rows = rows.assign(is_now=_lately(book, rows["opened_at"], YEAR) == 0,
                       is_repeat=rows["is_repeat"].astype(bool))  # fmt: skip
    found = pd.DataFrame(_compared(rows, "is_repeat", "product_line"), columns=AGAIN[:-1])
    by_share = found.iloc[1:].sort_values(["share", "product_line"], ascending=[False, True])
    found = pd.concat([found.iloc[:1], by_share], ignore_index=True)
    return found.assign(n_again=(found["share"] * found["n"]).round().astype("int64"))


def called(book: Book) -> pd.DataFrame:
    """How many planned call-backs were made in the last 91 days, rule by rule?

    Returns
    -------
    pandas.DataFrame
        One row per rule of the settings whose windows ended: `rule` (id), `share`, `low`, `high`,
        `prior`, `n` (planned) and `n_made`.
    """
    if find_metric("call_back_rate").reason(book) is not None:
        return pd.DataFrame(columns=CALLED)
    rows = planned_call_backs(book, _spans(book, 2)).to_pandas()
    ended = pd.to_datetime(rows["until_on"]) + pd.Timedelta(hours=12)
    rows["is_now"] = ended >= pd.Timestamp(span(book).start)
    found = pd.DataFrame(_compared(rows, "is_made", "rule")[1:], columns=CALLED[:-1])
    order = [rule.id for rule in book.settings.call_backs if rule.id in set(found["rule"])]
    found = found.set_index("rule").loc[order].reset_index()
    return found.assign(n_made=(found["share"] * found["n"]).round().astype("int64"))


def to_call(book: Book) -> pd.DataFrame:
    """Which customers are to be called back now?

    Returns
    -------
    pandas.DataFrame
        Windows that run and have seen no call or visit, and those missed in the last 28 days, the
        earliest end first: `customer`, `account_id`, `owner_id`, `rule`, `until_on`, `is_over`,
        `amount`.
    """
    columns = ["customer", "account_id", "owner_id", "rule", "until_on", "is_over", "amount"]
    if find_metric("call_back_rate").reason(book) is not None:
        return pd.DataFrame(columns=columns)
    oldest = book.date - dt.timedelta(days=28)
    rows = call_backs(book).filter(
        _.called_on.isnull(), _.begins_on <= book.date, _.until_on >= oldest
    )
    frame = rows.select("account_id", "owner_id", "rule", "until_on", "amount").to_pandas()
    frame["until_on"] = pd.to_datetime(frame["until_on"])
    frame["amount"] = frame["amount"].astype(float)
    frame["is_over"] = frame["until_on"] < pd.Timestamp(book.date)
    frame = with_customer(book, frame).sort_values(["until_on", "amount"], ascending=[True, False])
    return frame[columns].reset_index(drop=True)


def with_customer(book: Book, rows: pd.DataFrame) -> pd.DataFrame:
    """Add the customer's name, and their owner where the rows name none."""
    accounts = book.unscoped("accounts")
    names = accounts.select("id", "name").to_pandas() if book.has("accounts.name") else None
    if names is not None:
        of = names.set_index("id")["name"]
        rows = rows.assign(customer=rows["account_id"].map(of).fillna(rows["account_id"]))
    else:
        rows = rows.assign(customer=rows["account_id"])
    if "owner_id" in rows:
        return rows
    if not book.has("accounts.owner_id"):
        return rows.assign(owner_id=None)
    owners = accounts.select("id", "owner_id").to_pandas().set_index("id")["owner_id"]
    return rows.assign(owner_id=rows["account_id"].map(owners))
