"""Variable pay: what a person has earned in a pay period, deal by deal, and what comes next."""

from dataclasses import dataclass

import ibis
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from salesops.book.book import Book
from salesops.methods.payout import payout
from salesops.metrics.goals import goal
from salesops.metrics.metric import Metric, Table
from salesops.metrics.signed import missing_for_signed, signings
from salesops.model.calendar import Period
from salesops.model.settings import Settings

Floats = npt.NDArray[np.float64]
DEALS = ["id", "booked_on", "name", "credit_share", "amount", "attained", "pay"]


def pay_period(book: Book) -> Period:
    """Give the pay period that holds the book's date."""
    return book.running(book.settings.pay.period)


def paid_for(settings: Settings, attained: npt.ArrayLike) -> Floats:
    """Give what share of the variable pay the plan of the settings pays for an attainment."""
    plan = settings.pay
    return payout(attained, threshold=plan.threshold, cap=plan.cap, steps=plan.steps,
                  accelerators=plan.accelerators)  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class PaySheet:
    """What one person has earned in a pay period.

    Attributes
    ----------
    period
        The pay period.
    quota
        The person's target of it.
    deals
        One row per signing and cancellation credited to the person, by day: `id`, `booked_on`,
        `name`, `credit_share`, `amount` (the part credited), `attained` (after it), `pay` (what it
        added, whole cents).
    attained, earned
        By now: of the quota; money.
    next_amount, next_pay
        A usual further deal, and what it would add.
    """

    period: Period
    quota: float
    deals: pd.DataFrame
    attained: float
    earned: float
    next_amount: float
    next_pay: float


def pay_sheet(book: Book, period: Period) -> PaySheet | None:
    """What has the one person in the book's scope earned, deal by deal?

    Returns
    -------
    PaySheet or None
        None unless the scope is one person, who has a target for all of the period, and the
        settings say what the variable pay is (`pay.on_target`).

    Notes
    -----
    Each deal adds what the plan pays after it less what it paid before: the parts make the whole,
    and a step of the plan is seen in the deal that reached it.
    """
    plan = goal(book, period)
    if why_no_pay(book) is not None or not plan > 0:
        return None
    rows = signings(book, period).dropna(subset=["amount"])
    rows = rows.sort_values(["booked_on", "id"], kind="stable", ignore_index=True)
    attained = rows["amount"].cumsum() / plan
    whole = book.settings.pay.on_target
    after = np.rint(paid_for(book.settings, attained) * whole * 100)
    added = np.diff(after, prepend=0.0) / 100
    reached = float(attained.iloc[-1]) if len(rows) else 0.0
    usual = _usual(book)
    more, now = paid_for(book.settings, [reached + usual / plan, reached]) * whole
    return PaySheet(
        period=period, quota=plan, attained=reached, earned=float(added.sum()),
        deals=rows[["id", "booked_on", "name", "credit_share", "amount"]].assign(
            attained=attained, pay=added),
        next_amount=usual, next_pay=round(float(more - now), 2),
    )  # fmt: skip


def why_no_pay(book: Book) -> str | None:
    """Give the code of why nobody's pay is shown; nothing where one person's can be."""
    if book.limits.user == "all":
        return "not_one_person"
    if not book.settings.pay.on_target:
        return "no_variable_pay"
    return missing_for_signed(book)


def _usual(book: Book) -> float:
    """Give the value of the person's usual deal, the middle of the last two years'."""
    month = Period.parse(f"{book.date:%Y-%m}").shifted(-24)
    rows = signings(book, Period(month.start, book.date, ""))
    rows = rows[(rows["event"] == "signed") & (rows["amount"] > 0)]
    return float(rows["amount"].median()) if len(rows) else 0.0


def pay_rows(book: Book, period: Period) -> Table:
    """One row per signing credited to the one person in scope, with what it added to the pay."""
    sheet = pay_sheet(book, period)
    frame = pd.DataFrame(columns=DEALS) if sheet is None else sheet.deals
    days = [day.date() for day in pd.to_datetime(frame["booked_on"])]
    table = {
        "id": pa.array(frame["id"], pa.string()),
        "booked_on": pa.array(days, pa.date32()),
        "name": pa.array(frame["name"], pa.string(), from_pandas=True),
        "credit_share": pa.array(frame["credit_share"].astype(float), pa.float64()),
        "amount": pa.array(frame["amount"].astype(float), pa.float64()),
        "attained": pa.array(frame["attained"].astype(float), pa.float64()),
        "pay_cents": pa.array((frame["pay"].astype(float) * 100).round().astype("int64")),
    }  # fmt: skip
    return ibis.memtable(pa.table(table))


METRICS = (
    Metric(
        id="variable_pay", unit="money", better="up",
        needs=("opportunities", "targets.amount"), grain="signing", dated="booked_on",
        rows=pay_rows, numerator=ibis._.pay_cents.sum() / 100, undefined=why_no_pay,
    ),
)  # fmt: skip
