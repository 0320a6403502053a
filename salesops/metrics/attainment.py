"""Signed business against its target: attainment, pace, and how many people reach theirs."""

import math

import ibis
import pandas as pd
import pyarrow as pa
from ibis import _

from salesops.book.book import Book
from salesops.metrics.currency import whole_cents
from salesops.metrics.leaks import elapsed
from salesops.metrics.metric import Estimate, Metric, Table
from salesops.metrics.pace import expected_shares
from salesops.metrics.signed import missing_for_signed, signed
from salesops.metrics.targets import as_table, targets_of
from salesops.model.calendar import Period

_SIGNED = ("id", "booked_on", "name", "account_id", "type", "source", "product_line", "segment",
           "owner_id", "team", "region", "cents")  # fmt: skip


def signed_and_target(book: Book, period: Period, by: tuple[str, ...]) -> Table:
    """One row per signing of the period, and one per month's target of the level grouped by."""
    return _laid_together(book, period, targets_of(book, period, by=by))


def signed_and_expected(book: Book, period: Period, by: tuple[str, ...]) -> Table:
    """The same, the targets with `expected_cents`: what of them should be signed by now."""
    plan = targets_of(book, period, by=by)
    shares = expected_shares(book, period) if len(plan) else {}
    return _laid_together(book, period, plan, plan["month"].map(shares).astype("float64"))


def due_by_now(book: Book, period: Period) -> float:
    """Give what of the target should be signed by now, in company currency; null without one."""
    plan = targets_of(book, period, by=())
    if plan.empty or not plan["is_whole"].all():
        return math.nan
    shares = plan["month"].map(expected_shares(book, period)).astype("float64")
    return float((plan["plan_cents"] * shares).round().sum(skipna=False)) / 100


def target_days(book: Book, period: Period, by: tuple[str, ...]) -> Table:
    """One row per month's target of the level grouped by, with its days and those that are over."""
    plan = targets_of(book, period, by=by)
    months = [Period.parse(m) for m in plan["month"]]
    days = pa.table({
        "of": pa.array(plan["id"], pa.string()),
        "length_days": pa.array([m.days for m in months], pa.int64()),
        "over_days": pa.array([elapsed(book, m) for m in months], pa.int64()),
    })  # fmt: skip
    rows, beside = as_table(plan), ibis.memtable(days)
    return rows.join(beside, rows.id == beside.of).drop("of")


def _laid_together(
    book: Book, period: Period, plan: pd.DataFrame, shares: "pd.Series[float] | None" = None
) -> Table:
    """Lay signings and targets under each other; what one has not is null in it."""
    done = signed(book, period).select(*_SIGNED)
    targets = as_table(plan)
    planned = {"month": "string", "plan_cents": "int64", "is_whole": "boolean"}
    done = done.mutate(**{c: ibis.null(kind) for c, kind in planned.items()})
    if shares is not None:
        due = pa.table({
            "of": pa.array(plan["id"], pa.string()),
            "expected_share": pa.array(shares, pa.float64(), from_pandas=True),
        })  # fmt: skip
        beside = ibis.memtable(due)
        targets = targets.join(beside, targets.id == beside.of).drop("of")
        expected_cents = whole_cents(targets.plan_cents * targets.expected_share)
        targets = targets.mutate(expected_cents=expected_cents)
        done = done.mutate(expected_share=ibis.null("float64"), expected_cents=ibis.null("int64"))
    none = {c: ibis.null(done[c].type()) for c in done.columns if c not in targets.columns}
    return done.union(targets.mutate(**none).select(done.columns))


def _against(frame: pd.DataFrame, column: str) -> Estimate:
    plan = frame[frame["plan_cents"].notna()]
    if plan.empty:
        return Estimate(reason="no_target")
    if not plan["is_whole"].astype(bool).all():
        return Estimate(reason="target_partial")
    target = plan[column].astype("float64").sum(skipna=False)
    if math.isnan(target):
        return Estimate(reason="short_curve")
    if target == 0:
        return Estimate(reason="nothing_below")
    return Estimate(value=float(frame["cents"].astype("float64").sum()) / float(target))


def _attained(frame: pd.DataFrame, _book: Book, _period: Period) -> Estimate:
    return _against(frame, "plan_cents")


def _paced(frame: pd.DataFrame, _book: Book, _period: Period) -> Estimate:
    return _against(frame, "expected_cents")


def reps(book: Book, period: Period) -> Table:
    """One row per person with a whole target in the period: what was signed, and the target.

    Where people's targets are not set to the end of the period, it is cut to the months for which
    they are.
    """
    plan = targets_of(book, period, by=("owner_id",))
    cut = people_period(plan, period)
    if cut is not period:
        plan = targets_of(book, cut, by=("owner_id",))
    plan = plan[plan["is_whole"]]
    targets = as_table(plan).group_by("owner_id", "team", "region").agg(
        plan_cents=_.plan_cents.sum().cast("int64")
    )  # fmt: skip
    targets = targets.filter(targets.plan_cents > 0)
    done = signed(book, cut).group_by(who="owner_id").agg(cents=_.cents.sum().cast("int64"))
    rows = targets.left_join(done, targets.owner_id == done.who)
    rows = rows.mutate(cents=rows.cents.fill_null(0))
    share = rows.cents.cast("float64") / rows.plan_cents
    return rows.select("owner_id", "team", "region", "cents", "plan_cents", id="owner_id",
                       attained_share=share, is_reached=rows.cents >= rows.plan_cents)  # fmt: skip


def people_period(plan: pd.DataFrame, period: Period) -> Period:
    """Cut a period to the months for which people have targets; itself where they all have."""
    if plan.empty:
        return period
    last = Period.parse(str(plan["month"].max()))
    if last.end >= period.end:
        return period
    return Period(period.start, last.end, period.text)


def _median(frame: pd.DataFrame, _book: Book, _period: Period) -> Estimate:
    return Estimate(value=float(frame["attained_share"].median()))


_NEEDS = ("opportunities", "targets.amount")
METRICS = (
    Metric(
        id="attainment", unit="ratio", better="up", needs=_NEEDS, grain="signing_or_target",
        dated="booked_on", rows_by=signed_and_target, estimate=_attained,
        undefined=missing_for_signed,
    ),
    Metric(
        id="pace", unit="ratio", better="up", needs=_NEEDS, grain="signing_or_target",
        dated="booked_on", rows_by=signed_and_expected, estimate=_paced,
        undefined=missing_for_signed,
    ),
    Metric(
        id="calendar_pace", unit="ratio", better="none", needs=("targets.amount",),
        grain="target", dated="month", rows_by=target_days,
        numerator=_.over_days.sum(), denominator=_.length_days.sum(),
    ),
    Metric(
        id="reps_at_target", unit="ratio", better="up", needs=_NEEDS, grain="rep",
        dated="", rows=reps, numerator=ibis.ifelse(_.is_reached, 1, 0).sum(),
        denominator=_.count(), counts=True, undefined=missing_for_signed,
    ),
    Metric(
        id="median_attainment", unit="ratio", better="up", needs=_NEEDS, grain="rep",
        dated="", rows=reps, estimate=_median, undefined=missing_for_signed,
    ),
)  # fmt: skip
