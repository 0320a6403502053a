"""All numbers of the collection report, each worked out once: frames, and headline numbers."""

import math
from dataclasses import dataclass

import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.metrics.allocation import signed_contracts
from salesops.metrics.cash_expected import expected_until, looking_back
from salesops.metrics.cash_frames import by_group, by_period, coming, standing, unaccepted
from salesops.metrics.collection import METRICS, no_due_dates
from salesops.metrics.leaks import elapsed, same_days
from salesops.metrics.metric import reduced
from salesops.metrics.receivables import (
    BUCKETS,
    LONG,
    ageing,
    causes,
    named,
    norm_unpaid,
    receivables,
    undated_money,
)
from salesops.model.calendar import Period

Numbers = dict[str, float | None]
_LATE = ["id", "contract_id", "customer", "owner", "team", "trigger", "due_on", "overdue_days",
         "unpaid", "cause"]  # fmt: skip
_TOP = 10


@dataclass(frozen=True, kw_only=True, eq=False)
class CashNumbers:
    """What the collection report is made of.

    Attributes
    ----------
    at
        The book at the end of the period, or at its own date where that is earlier.
    rows
        Receivables with names; see `receivables`.
    periods, buckets, overdue, coming, standing, groups, waiting, undated, tried
        The frames of the report.
    numbers
        Headline numbers by name; null where not known.
    undated_receipts
        Receipts without a day.
    """

    at: Book
    rows: pd.DataFrame
    periods: pd.DataFrame
    buckets: pd.DataFrame
    overdue: pd.DataFrame
    coming: pd.DataFrame
    standing: pd.DataFrame
    groups: pd.DataFrame
    waiting: pd.DataFrame
    undated: pd.DataFrame
    tried: pd.DataFrame
    numbers: Numbers
    undated_receipts: int


def cash_numbers(book: Book, period: Period) -> CashNumbers:
    """Work out the numbers of a period, as known at its end or at the book's date."""
    at = book if book.date <= period.end else book.as_of(period.end)
    rows = named(at, receivables(at))
    people = named(at, receivables(at, ("owner_id",))) if at.has("credits") else rows
    undated_receipts = undated_money(at)
    prior = _prior(book, period, undated_receipts)
    waiting = named(at, unaccepted(at))
    now = standing(at, rows, waiting)
    now["prior_amount"] = math.nan if prior is None else _prior_standing(prior)
    late = _overdue(at, rows)
    frames = {
        "periods": by_period(at, rows, period),
        "buckets": ageing(rows, None if prior is None else receivables(prior),
                          at.settings.norms.collection),
        "overdue": late, "coming": coming(at, rows), "standing": now,
        "groups": by_group(people, period, at.date), "waiting": waiting,
        "undated": _undated(rows), "tried": looking_back(at),
    }  # fmt: skip
    numbers = _numbers(at, period, frames, prior)
    return CashNumbers(at=at, rows=rows, numbers=numbers, undated_receipts=undated_receipts,
                       **frames)  # fmt: skip


def _prior(book: Book, period: Period, undated_receipts: int) -> Book | None:
    """Give the book one period before on the same day; none where it can't be compared."""
    days = elapsed(book, period)
    before = book.as_of(same_days(period.prior(), days).end)
    # Money without a day counts today alone, so that the past would look unpaid.
    if undated_receipts or not before.n("instalments"):
        return None
    return before


def _prior_standing(prior: Book) -> "pd.Series[float]":
    return standing(prior, receivables(prior), unaccepted(prior))["amount"]


def _overdue(at: Book, rows: pd.DataFrame) -> pd.DataFrame:
    late = rows[rows["state"] == "overdue"].sort_values(["unpaid", "id"], ascending=[False, True])
    late = late.assign(cause=causes(at, late), overdue_days=late["overdue_days"].astype("int64"))
    late = late.reset_index(drop=True)
    return late[_LATE]


def _undated(rows: pd.DataFrame) -> pd.DataFrame:
    found = rows[(rows["state"] == "undated")].sort_values(["unpaid", "id"],
                                                           ascending=[False, True])  # fmt: skip
    columns = ["id", "contract_id", "customer", "owner", "trigger", "unpaid"]
    return found[columns].reset_index(drop=True)


def _numbers(
    at: Book, period: Period, frames: dict[str, pd.DataFrame], prior: Book | None
) -> Numbers:
    found = _of_period(at, period, frames["periods"], prior)
    found |= _of_lateness(frames["buckets"], frames["overdue"])
    found |= _of_contracts(at)
    found |= _of_plan(at, period, found)
    items = frames["standing"].set_index("item")
    for side in ("amount", "prior_amount"):
        name = "not_yet_due" if side == "amount" else "prior_not_yet_due"
        found[name] = float(items.loc[["not_due", "undated"], side].sum(min_count=1))
    tried, norms = frames["tried"], at.settings.norms.collection
    found |= {
        "held_share": float(tried["inside"].mean()) if len(tried) else math.nan,
        "held_n": float(len(tried)),
        "unaccepted_days": float(norms.unaccepted_days),
        "norm_first_share": float(norm_unpaid(0, norms)),
        "norm_long_share": float(norm_unpaid(LONG, norms)),
    }
    for name in ("days_overdue", "overdue_rate", "dso", "retention_due", "advance_received",
                 "unallocated_received"):  # fmt: skip
        found[name] = _value(at, name, period)
    if not (at.has("instalments") and at.has("receipts")) or no_due_dates(at) is not None:
        # Without either nobody knows what is paid: what looks unpaid is not overdue.
        for name in ("due", "collected", "due_collection", "overdue", "overdue_long",
                     "prior_overdue", "norm_overdue"):  # fmt: skip
            found[name] = None
    return {k: None if v is None or math.isnan(v) else float(v) for k, v in found.items()}


def _value(book: Book, name: str, period: Period) -> float:
    known = next(m for m in METRICS if m.id == name)
    return float(reduced(known, book, period)[name].iloc[0])


def _of_period(at: Book, period: Period, periods: pd.DataFrame, prior: Book | None) -> Numbers:
    now = periods.iloc[-1]
    found: Numbers = {
        "due": now["due"], "due_n": now["n"], "collected": now["collected"],
        "due_collection": now["rate"], "received": now["came"], "target": now["target"],
        "cash_attainment": now["attainment"],
        "elapsed_share": min(elapsed(at, period) / period.days, 1.0),
        "prior_rate": math.nan, "prior_received": math.nan,
    }  # fmt: skip
    if prior is not None:
        before = period.prior()
        found["prior_rate"] = _value(prior, "due_collection", before)
        found["prior_received"] = _value(prior, "received", before)
    return found


def _of_lateness(buckets: pd.DataFrame, late: pd.DataFrame) -> Numbers:
    by_bucket = buckets.set_index("bucket")
    over = by_bucket.drop("not_due")
    top = late.head(_TOP)
    known = late[late["cause"] != "cause.unknown"].groupby("cause")["unpaid"].sum()
    total = float(over["amount"].sum())
    return {
        "overdue": total, "overdue_n": float(len(late)),
        "overdue_long": by_bucket.loc[list(BUCKETS)[-1], "amount"],
        "norm_long": by_bucket.loc[list(BUCKETS)[-1], "norm_amount"],
        "prior_overdue": over["prior_amount"].sum(min_count=len(over)),
        "norm_overdue": over["norm_amount"].sum(), "long_days": float(LONG),
        "top_n": float(len(top)), "top_amount": top["unpaid"].sum(),
        "top_share": top["unpaid"].sum() / total if total else math.nan,
        "cause_amount": float(known.max()) if len(known) else math.nan,
        "unknown_amount": late.loc[late["cause"] == "cause.unknown", "unpaid"].sum(),
    }  # fmt: skip


def _of_contracts(at: Book) -> Numbers:
    valid = signed_contracts(at).filter(_.cancelled_on.isnull())
    row = valid.agg(n=_.count(), cents=_.cents.sum(), came=_.received_cents.sum()).to_pandas()
    # A sum over no row is null.
    signed, came = (0.0 if pd.isna(v) else float(v) / 100 for v in row.loc[0, ["cents", "came"]])
    deals = at.opportunities.filter(_.outcome == "won")
    won = deals.agg(n=_.count(), amount=_.amount.sum().cast("float64")).to_pandas().iloc[0]
    return {
        "signed_n": float(row["n"].iloc[0]), "signed": signed, "signed_received": came,
        "contract_collection": came / signed if signed and at.has("receipts.amount") else math.nan,
        "won_n": float(won["n"]), "won_amount": float(won["amount"]),
    }  # fmt: skip


def _of_plan(at: Book, period: Period, found: Numbers) -> Numbers:
    """What may still come in the period, and what is missing to its cash target."""
    likely, low, high = expected_until(at, period.end)
    target, received = (float(found[name] or 0) for name in ("target", "received"))
    known = not math.isnan(target) and not math.isnan(received)
    rest = target - max(received, 0.0) - (0.0 if math.isnan(likely) else likely)
    return {
        "likely": likely, "likely_low": low, "likely_high": high,
        "short": max(rest, 0.0) if known else math.nan,
        "pace_amount": target * float(found["elapsed_share"] or 0) if known else math.nan,
    }  # fmt: skip
