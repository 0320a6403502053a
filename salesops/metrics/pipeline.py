"""Metrics of open deals: coverage, velocity, silence, ageing and what can be believed."""

import datetime as dt
import math

import ibis
import pandas as pd
import pyarrow as pa
from ibis import _

from salesops.book.book import Book
from salesops.book.past import has_past
from salesops.metrics.ageing import YEAR, stage_entries, stay_norms
from salesops.metrics.breaks import broken, pushes
from salesops.metrics.coverage import laid_out, past_shares, with_won, won_deals
from salesops.metrics.credible import chances, credible_deals
from salesops.metrics.deals import deals_at_event, no_stage_history, not_qualified, one
from salesops.metrics.goals import goal, goals
from salesops.metrics.leaks import elapsed
from salesops.metrics.metric import Estimate, Metric, Table
from salesops.metrics.opendeals import has_touches, open_deals, standing, with_silence
from salesops.metrics.stages import has_stage_history
from salesops.metrics.targets import LEVELS
from salesops.metrics.velocity import velocity, year_of_deals
from salesops.model.calendar import Period

MOVING = ("opportunities.amount", "opportunities.expected_close_on")


def standing_deals(book: Book, period: Period) -> Table:
    """One row per open deal, at the period's end or, before it, at the book's date."""
    stood = standing(book, period)
    return with_silence(stood, open_deals(stood))


def due_at_start(book: Book, period: Period, by: tuple[str, ...]) -> Table:
    """One row per deal that was open on the day before the period and expected in it."""
    before = period.start - dt.timedelta(days=1)
    then = book.as_of(before) if before < book.date else book
    deals = open_deals(then)
    due = book.calendar.contains(period, deals.expected_close_on).fill_null(False)
    return _with_goal(book, period, deals.filter(due), by)


def due_and_won(book: Book, period: Period, by: tuple[str, ...]) -> Table:
    """One row per deal that is open and expected in the period, or was won in it."""
    stood = standing(book, period)
    deals = with_silence(stood, open_deals(stood))
    due = deals.filter(book.calendar.contains(period, deals.expected_close_on).fill_null(False))
    never = ibis.null(stood.opportunities.closed_at.type())
    due = due.mutate(outcome=ibis.literal("open"), closed_at=never)
    won = deals_at_event(stood).filter(_.outcome == "won")
    won = won.filter(book.calendar.contains(period, won.closed_at).fill_null(False))
    share = won_deals(stood)
    counted = ibis.memtable(pa.table({
        "won_id": pa.array(share["id"], pa.string()),
        "won_cents": pa.array(share["cents"], pa.float64()),
    }))  # fmt: skip
    won = won.join(counted, won.id == counted.won_id)
    won = won.mutate(cents=won.won_cents.cast("int64"), silent=ibis.literal(False),
                     overdue=ibis.literal(False), expected_close_on=ibis.null("date"))  # fmt: skip
    columns = ("id", "name", "type", "source", "product_line", "account_id", "outcome",
               "expected_close_on", "closed_at", "cents", "owner_id", "team", "region", "silent",
               "overdue")  # fmt: skip
    due, won = due.select(columns), won.select(columns)
    return _with_goal(book, period, ibis.union(due, won.cast(due.schema())), by)


def _with_goal(book: Book, period: Period, rows: Table, by: tuple[str, ...]) -> Table:
    """Add `target_cents`: the goal of each row's group; null where that has none."""
    if not by:
        whole = goal(book, period)
        cents = ibis.null("int64") if math.isnan(whole) else ibis.literal(round(whole * 100))
        return rows.mutate(target_cents=cents.cast("int64"))
    if len(by) > 1 or by[0] not in LEVELS:
        return rows.mutate(target_cents=ibis.null("int64"))
    found = goals(book, period, by[0])
    table = ibis.memtable(pa.table({
        "goal_key": pa.array(found.index.astype(str), pa.string()),
        "target_cents": pa.array((found * 100).round().astype("int64"), pa.int64()),
    }))  # fmt: skip
    return rows.left_join(table, rows[by[0]] == table.goal_key).drop("goal_key")


def start_cover(rows: pd.DataFrame, _book: Book, _period: Period) -> Estimate:
    """Open value expected in the period, of its target."""
    target = float(rows["target_cents"].astype("float64").max())
    return _times(rows["cents"], target)


def _times(cents: "pd.Series[float]", below: float) -> Estimate:
    value = float(cents.astype("float64").sum(min_count=1)) if len(cents) else 0.0
    if math.isnan(below):
        return Estimate(reason="no_target")
    if math.isnan(value):
        return Estimate(reason="no_values")
    return Estimate(value=value / below) if below > 0 else Estimate(reason="target_met")


def to_go_cover(rows: pd.DataFrame, _book: Book, _period: Period) -> Estimate:
    """Open value expected in the period, of what its target still wants."""
    target = float(rows["target_cents"].astype("float64").max())
    won = rows.loc[rows["outcome"] == "won", "cents"].astype("float64").sum()
    left = max(target - won, 0.0) if not math.isnan(target) else math.nan
    return _times(rows.loc[rows["outcome"] == "open", "cents"], left)


def no_goal(book: Book) -> str | None:
    """Say why coverage has no meaning: values of open deals or the history are not known."""
    row = open_deals(book).agg(n=_.count(), valued=_.cents.count()).to_pandas().iloc[0]
    return "no_open_amounts" if row["n"] and not row["valued"] else None


def no_start(book: Book) -> str | None:
    """Say why what was open at a period's first day is not known."""
    return no_goal(book) or no_past(book)


def no_past(book: Book) -> str | None:
    """Say why earlier values and dates of deals are not known."""
    return None if has_past(book, book.date - dt.timedelta(days=1)) else "no_history"


def open_then(book: Book, period: Period) -> Table:
    """One row per earlier period and deal that was open in it after as many days, and due in it.

    `is_won` tells whether it was won before that period ended, `cents` its value then.
    """
    stood = standing(book, period)
    reach = elapsed(stood, period)
    rows = laid_out(stood, period, [reach], now=False) if reach else None
    if rows is None:
        rows = open_deals(book).filter(ibis.literal(False)).mutate(
            opportunity_id="id", is_won=ibis.literal(False), period=ibis.literal(1, "int64")
        )  # fmt: skip
    else:
        rows = with_won(rows, won_deals(stood)).mutate(opportunity_id="id")
        key = rows.opportunity_id.concat("@", rows.first_on.cast("string"))
        rows = rows.mutate(id=key).rename(team="event_team", region="event_region")
    return rows.select("id", "opportunity_id", "name", "type", "source", "product_line",
                       "account_id", "stage", "expected_close_on", "cents", "is_won", "period",
                       "owner_id", "team", "region")  # fmt: skip


def week_n(rows: pd.DataFrame, _book: Book, _period: Period) -> Estimate:
    """Share by value of what was open then that was won in its period; range over periods."""
    cents = rows["cents"].astype("float64").fillna(0.0)
    points = pd.DataFrame({"period": rows["period"], "days": 0, "n": 1, "cents": cents,
                           "won_cents": cents.where(rows["is_won"], 0.0)})  # fmt: skip
    sums = points.groupby(["period", "days"], as_index=False).sum()
    found = past_shares(sums).iloc[0]
    if math.isnan(found["share"]):
        return Estimate(reason="too_few_periods")
    return Estimate(value=found["share"], low=found["low"], high=found["high"])


def needed(rows: pd.DataFrame, book: Book, period: Period) -> Estimate:
    """How many times what is to go had to be open: one over the share that was won."""
    share = week_n(rows, book, period)
    if share.reason:
        return share
    if share.value == 0:
        return Estimate(reason="nothing_below")
    high = 1 / share.low if share.low > 0 else math.nan
    return Estimate(value=1 / share.value, low=1 / share.high, high=high)


def gap(rows: pd.DataFrame, _book: Book, _period: Period) -> Estimate:
    """Median over deals of the silence in touch norms."""
    return _median(rows["gap_times"])


def age(rows: pd.DataFrame, _book: Book, _period: Period) -> Estimate:
    """Median over deals of the time in stage in norms."""
    return _median(rows["age_times"])


def _median(values: "pd.Series[float]") -> Estimate:
    known = values.astype("float64").dropna()
    return Estimate(reason="no_values") if known.empty else Estimate(value=float(known.median()))


def aged_deals(book: Book, period: Period) -> Table:
    """One row per open deal with its days in stage and how many norms they are (`age_times`)."""
    stood = standing(book, period)
    if has_stage_history(stood):
        norms = stay_norms(stood, stage_entries(stood, YEAR).to_pandas())
    else:
        norms = pd.DataFrame({"stage": [], "norm_days": []})
    table = ibis.memtable(pa.table({
        "norm_stage": pa.array(norms["stage"], pa.string()),
        "norm_days": pa.array(norms["norm_days"].astype("float64"), pa.float64()),
    }))  # fmt: skip
    deals = open_deals(stood)
    deals = deals.left_join(table, deals.stage == table.norm_stage).drop("norm_stage")
    return deals.mutate(age_times=deals.stage_days / deals.norm_days)


def believable(book: Book, period: Period) -> Table:
    """One row per open deal with its chance of being won by its expected date."""
    stood = standing(book, period)
    return credible_deals(stood, chances(stood, won_deals(stood)))


def norm_share(book: Book, period: Period) -> float:
    """Give the part of open value whose chance comes from the settings, not from the past."""
    rows = believable(book, period).filter(_.days_left >= 0)
    frame = rows.select("cents", "chance_from").to_pandas()
    cents = frame["cents"].astype("float64")
    whole = float(cents.sum())
    return float(cents[frame["chance_from"] == "settings"].sum()) / whole if whole else math.nan


def pushed_deals(book: Book, period: Period) -> Table:
    """One row per open deal with how often its expected date was moved to later."""
    stood = standing(book, period)
    deals, moves = open_deals(stood), pushes(stood)
    rows = deals.left_join(moves, deals.id == moves.moved_id).drop("moved_id")
    return rows.mutate(pushes=rows.pushes.fill_null(0))


def broken_deals(book: Book, period: Period) -> Table:
    """One row per deal that is open, or ended in the period, with what broke it."""
    return broken(standing(book, period), period)


def no_pushes(book: Book) -> str | None:
    """Say why moves of the expected date are not known."""
    tracking = book.tracked.get("opportunities", {}).get("expected_close_on")
    return None if tracking is not None and tracking.since < book.instant else "no_history"


def velocity_rows(book: Book, period: Period) -> Table:
    """One row per deal that is qualified and open, or was qualified or won in the last year."""
    stood = standing(book, period)
    deals = deals_at_event(stood)
    if not has_stage_history(stood):
        return deals.filter(ibis.literal(False))
    return year_of_deals(stood, period, deals)


def no_velocity(book: Book) -> str | None:
    """Say why velocity has no meaning."""
    return not_qualified(book)


def no_breaks(book: Book) -> str | None:
    """Say what is missing to see breaks."""
    return has_touches(book) or no_stage_history(book)


METRICS = (
    Metric(
        id="start_coverage", unit="times", better="up", needs=("targets", *MOVING), grain="deal",
        dated="expected_close_on", rows_by=due_at_start, estimate=start_cover, undefined=no_start,
    ),
    Metric(
        id="to_go_coverage", unit="times", better="up", needs=("targets", *MOVING), grain="deal",
        dated="expected_close_on", rows_by=due_and_won, estimate=to_go_cover, undefined=no_goal,
    ),
    Metric(
        id="week_n_conversion", unit="ratio", better="up", needs=MOVING, grain="deal_then",
        dated="", rows=open_then, estimate=week_n, undefined=no_past,
    ),
    Metric(
        id="needed_coverage", unit="times", better="down", needs=MOVING, grain="deal_then",
        dated="", rows=open_then, estimate=needed, undefined=no_past,
    ),
    Metric(
        id="follow_up_gap", unit="times", better="down", needs=("activities",), grain="deal",
        dated="", rows=standing_deals, estimate=gap, undefined=has_touches,
    ),
    Metric(
        id="stage_ageing", unit="times", better="down", needs=("opportunities.stage",),
        grain="deal", dated="", rows=aged_deals, estimate=age, undefined=no_stage_history,
    ),
    Metric(
        id="stalled", unit="ratio", better="down", needs=("activities",), grain="deal", dated="",
        rows=standing_deals, numerator=one(_.stalled.fill_null(False)).sum(),
        denominator=_.count(), counts=True, undefined=no_breaks,
    ),
    Metric(
        id="broken_share", unit="ratio", better="down", needs=("activities",), grain="deal",
        dated="closed_at", rows=broken_deals, numerator=one(_.broken).sum(), denominator=_.count(),
        counts=True, undefined=no_breaks,
    ),
    Metric(
        id="credible_pipeline", unit="money", better="up", needs=MOVING, grain="deal", dated="",
        rows=believable, numerator=_.credible_cents.sum().cast("float64") / 100,
        undefined=no_goal,
    ),
    Metric(
        id="push_count", unit="score", better="down", needs=("opportunities.expected_close_on",),
        grain="deal", dated="", rows=pushed_deals, numerator=_.pushes.sum(),
        denominator=_.count(), undefined=no_pushes,
    ),
    Metric(
        id="velocity", unit="money_per_day", better="up",
        needs=("opportunities.amount", "opportunities.stage"), grain="deal", dated="",
        rows=velocity_rows, estimate=velocity, undefined=no_velocity,
    ),
)  # fmt: skip
