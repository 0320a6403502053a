"""Money received against the cash target of the same period and of the same people."""

from collections.abc import Sequence

import ibis
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.metrics.allocation import cents, resolved_receipts
from salesops.metrics.metric import Estimate, Metric, Table
from salesops.model.calendar import Period

_PLAN = {"month": "string", "level": "string", "key": "string", "target_cents": "int64"}
_LEVELS = {"owner_id": "user", "team": "team", "region": "region"}


def cash_months(period: Period) -> list[str]:
    """List the months of a period as targets write them.

    Examples
    --------
    >>> cash_months(Period.parse("2026Q1"))
    ['2026-01', '2026-02', '2026-03']
    """
    first = Period.parse(f"{period.start:%Y-%m}")
    return [first.shifted(n).text for n in range(period.months)]


def cash_targets(book: Book) -> pd.DataFrame:
    """List the cash targets, one row per month, level and key; of one set anew the latest counts.

    Returns
    -------
    pandas.DataFrame
        `month`, `level`, `key` (empty for the company), `target_cents`.
    """
    rows = book.table("targets").filter(_.metric == "collection")
    rows = rows.select(month="period", level="level", key=rows.key.fill_null(""),
                       target_cents=cents(rows.amount), set_at="set_at")  # fmt: skip
    frame = rows.to_pandas().sort_values("set_at", kind="stable", na_position="first")
    last = frame.drop_duplicates(["month", "level", "key"], keep="last")
    return last.drop(columns="set_at").reset_index(drop=True)


def targets_of(
    targets: pd.DataFrame, book: Book, months: Sequence[str], by: Sequence[str] = ()
) -> pd.DataFrame:
    """Choose the targets of some months at the level that a grouping, or else the scope, asks for.

    A company without a target of its own has the sum of its regions' or teams'; never that of its
    people, whose quotas sum to more than the plan.
    """
    rows = targets[targets["month"].isin(list(months))]
    limits = book.limits
    level = next((_LEVELS[c] for c in by if c in _LEVELS), None)
    if level is not None:
        return rows[rows["level"] == level]
    for side in ("user", "team", "region"):
        wanted = getattr(limits, side)
        if wanted != "all":
            of_side = rows[rows["level"] == side]
            own = of_side[of_side["key"] == wanted]
            return own if _complete(own, months) else of_side
    for level in ("company", "region", "team"):
        found = rows[rows["level"] == level]
        if _complete(found, months):
            return found
    return rows[:0]


def _complete(rows: pd.DataFrame, months: Sequence[str]) -> bool:
    return rows["month"].nunique() == len(months)


def received_and_target(book: Book, period: Period, by: tuple[str, ...]) -> Table:
    """One row per receipt of the period and one per month's target of the level grouped by."""
    came = resolved_receipts(book, by)
    came = came.filter(book.calendar.contains(period, came.received_on).fill_null(False))
    none, text = ibis.null("int64"), ibis.null("string")
    came = came.select("id", "owner_id", "team", "region", received_on="received_on", month=text,
                       received_cents="cents", target_cents=none)  # fmt: skip
    chosen = targets_of(cash_targets(book), book, cash_months(period), by)
    plan = ibis.memtable(chosen.reset_index(drop=True), schema=_PLAN)
    name = ibis.literal("target ").concat(plan.month, " ", plan.level, " ", plan.key)
    sides = {c: ibis.ifelse(plan.level == level, plan.key, text) for c, level in _LEVELS.items()}
    plan = plan.select(
        id=name, **sides, received_on=ibis.null("date"), month="month", received_cents=none,
        target_cents="target_cents",
    )  # fmt: skip
    return came.union(plan)


def _attained(frame: pd.DataFrame, _book: Book, period: Period) -> Estimate:
    plan = frame[frame["month"].notna()]
    if not _complete(plan, cash_months(period)):
        return Estimate(reason="no_cash_target")
    target = float(plan["target_cents"].sum())
    if not target:
        return Estimate(reason="nothing_below")
    return Estimate(value=float(frame["received_cents"].sum()) / target)


CASH_ATTAINMENT = Metric(
    id="cash_attainment", unit="ratio", better="up",
    needs=("receipts.received_on", "targets.amount"), grain="receipt_or_target",
    dated="received_on", rows_by=received_and_target, estimate=_attained,
)  # fmt: skip
