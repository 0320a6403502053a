"""Money received against the cash target of the same period and of the same people."""

import ibis
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.metrics.allocation import cents, resolved_receipts, signed_contracts
from salesops.metrics.metric import Estimate, Metric, Table
from salesops.model.calendar import Period

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


def cash_targets(book: Book, period: Period, by: tuple[str, ...] = ()) -> Table:
    """Give one row per month and key of the cash target at the level that a grouping asks for.

    Returns
    -------
    ibis.Table
        `period`, `level`, `key`, `target_cents`. Of a target that was set anew the latest counts.

    Notes
    -----
    Ungrouped the level is that of the scope. A company without a target of its own has the sum of
    its regions' or teams'; never that of its people, whose quotas sum to more than the plan.
    """
    rows = book.table("targets").filter(_.metric == "collection")
    rows = rows.filter(_.period.isin(cash_months(period)))
    key = ["period", "level", "key"]
    last = rows.mutate(key=_.key.fill_null(""))
    newest = last.group_by(key).agg(newest=_.set_at.max())
    rows = last.join(newest, key)
    same = (rows.set_at == rows.newest) | rows.newest.isnull()
    rows = rows.filter(same).select(*key, target_cents=cents(rows.amount))
    return _of_level(book, rows, period, by)


def _of_level(book: Book, rows: Table, period: Period, by: tuple[str, ...]) -> Table:
    grouped = [_LEVELS[c] for c in by if c in _LEVELS]
    if grouped:
        return rows.filter(rows.level == grouped[0])
    limits = book.limits
    if limits.user != "all":
        return rows.filter(rows.level == "user", rows.key == limits.user)
    if limits.team != "all":
        own = rows.filter(rows.level == "team", rows.key == limits.team)
        return own if _complete(own, period) else rows.filter(rows.level == "team")
    if limits.region != "all":
        return rows.filter(rows.level == "region")
    for level in ("company", "region", "team"):
        found = rows.filter(rows.level == level)
        if _complete(found, period):
            return found
    return rows.filter(rows.level == "company")


def _complete(rows: Table, period: Period) -> bool:
    return int(rows.agg(n=_.period.nunique()).to_pandas()["n"].iloc[0]) == period.months


def received_and_target(book: Book, period: Period, by: tuple[str, ...]) -> Table:
    """One row per receipt of the period and one per month's target of the level grouped by."""
    came = resolved_receipts(book)
    came = came.filter(book.calendar.contains(period, came.received_on).fill_null(False))
    people = signed_contracts(book).select("owner_id", "team", "region", of="id")
    came = came.left_join(people, came.contract_id == people.of)
    none, text = ibis.null("int64"), ibis.null("string")
    came = came.select("id", "owner_id", "team", "region", received_on="received_on", month=text,
                       received_cents="cents", target_cents=none)  # fmt: skip
    plan = cash_targets(book, period, by)
    name = ibis.literal("target ").concat(plan.period, " ", plan.level, " ", plan.key)
    sides = {c: ibis.ifelse(plan.level == level, plan.key, text) for c, level in _LEVELS.items()}
    plan = plan.select(
        id=name, **sides, received_on=ibis.null("date"), month="period", received_cents=none,
        target_cents="target_cents",
    )  # fmt: skip
    return came.union(plan)


def _attained(frame: pd.DataFrame, _book: Book, period: Period) -> Estimate:
    plan = frame[frame["month"].notna()]
    if set(plan["month"]) != set(cash_months(period)):
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
