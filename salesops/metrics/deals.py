"""Metrics of deals that ended or moved: win rates, conversion, sales cycle, qualified deals."""

import math
from functools import partial

import ibis
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.book.versions import AT
from salesops.methods.bootstrap import ratio_range
from salesops.methods.survival import aalen_johansen
from salesops.metrics.ageing import YEAR, stage_entries
from salesops.metrics.alldeals import all_deals
from salesops.metrics.metric import Estimate, Metric, Table
from salesops.metrics.opendeals import has_touches, open_deals, standing, with_silence
from salesops.metrics.stages import ON, has_stage_history
from salesops.metrics.velocity import born_lately, cycle, qualified_at, won_days
from salesops.metrics.workdays import worked_between
from salesops.model.calendar import Period

_DEALS = ("id", "name", "type", "source", "product_line", "account_id", "outcome", "created_at",
          "closed_at")  # fmt: skip
_PEOPLE = ("owner_id", "team", "region")


def one(condition: ibis.Value) -> ibis.Value:
    """Write a condition as 1 or 0, to be summed."""
    return ibis.ifelse(condition, 1, 0)


def deals_at_event(book: Book) -> Table:
    """Give one row per deal but renewals, with its value and whom it belongs to at the event."""
    return all_deals(book).select(*_DEALS, "cents", *_PEOPLE)


def ended(book: Book, period: Period) -> Table:
    """One row per deal that was won or lost in the period."""
    deals = deals_at_event(book)
    inside = book.calendar.contains(period, deals.closed_at).fill_null(False)
    return deals.filter(deals.outcome.isin(["won", "lost"]), inside)


def won_in(book: Book, period: Period) -> Table:
    """One row per deal that was won in the period."""
    return ended(book, period).filter(_.outcome == "won")


def ended_or_silent(book: Book, period: Period) -> Table:
    """One row per deal that was won or lost in the period, or fell silent in it and is still.

    Silent is beyond as many touch norms as the settings say. A silence counts in the one period
    in which it passed that limit, so that an old one is not held against every period after.
    """
    gone = ended(book, period)
    stood = standing(book, period)
    quiet = with_silence(stood, open_deals(stood))
    limit = quiet.touch_days * book.settings.norms.silent_after
    before = quiet.silent_days - worked_between(book, period.start, stood.date)
    fell = quiet.filter(quiet.silent, before.cast("float64") <= limit)
    rows = fell.mutate(outcome=ibis.literal("open"), closed_at=ibis.null(AT))
    return ibis.union(gone, rows.select(gone.columns).cast(gone.schema()))


def created_in(book: Book, period: Period) -> Table:
    """One row per deal created in the period, won, lost or still open; void ones are none."""
    deals = deals_at_event(book)
    inside = book.calendar.contains(period, deals.created_at).fill_null(False)
    return deals.filter(deals.outcome != "void", inside)


def won_by_value(rows: pd.DataFrame, _book: Book, _period: Period) -> Estimate:
    """Value won of the value of all rows that have one, with a range over deals."""
    known = rows[rows["cents"].notna()]
    cents = known["cents"].astype("float64")
    if known.empty:
        return Estimate(reason="no_values")
    if cents.sum() == 0:
        return Estimate(reason="nothing_below")
    won = cents.where(known["outcome"] == "won", 0.0)
    low, high = ratio_range(won, cents)
    return Estimate(value=float(won.sum() / cents.sum()), low=low, high=high)


def only_won_valued(book: Book) -> str | None:
    """By value a win rate has no meaning where only won deals have amounts."""
    row = all_deals(book).agg(
        lost=one(_.outcome == "lost").sum().fill_null(0),
        valued=one((_.outcome == "lost") & _.amount.notnull()).sum().fill_null(0),
    ).to_pandas().iloc[0]  # fmt: skip
    return "amounts_only_for_won" if row["lost"] and not row["valued"] else None


def _silent_by_value(book: Book) -> str | None:
    return has_touches(book) or only_won_valued(book)


def qualified(book: Book, period: Period) -> Table:
    """One row per deal that first reached the qualified stage, or one beyond it, in the period."""
    times = qualified_at(book).select("times_id", "qualified_at")
    deals = deals_at_event(book)
    rows = deals.join(times, deals.id == times.times_id).drop("times_id")
    return rows.filter(book.calendar.contains(period, rows.qualified_at).fill_null(False))


def no_stage_history(book: Book) -> str | None:
    """Say why the moves between stages are not known, if they are not."""
    return None if has_stage_history(book) else "no_history"


def not_qualified(book: Book) -> str | None:
    """Say why nobody knows which deals are qualified, if nobody does."""
    if book.settings.qualified_stage is None:
        return "no_qualified_stage"
    return no_stage_history(book)


def entries_of_year(book: Book, period: Period) -> Table:
    """One row per first entry into a stage in the 12 months up to the period's end."""
    stood = standing(book, period)
    if not has_stage_history(stood):
        rows = deals_at_event(stood).filter(ibis.literal(False))
        return rows.mutate(opportunity_id="id", stage="name", entered_at="created_at",
                           stay_days=ibis.literal(0), left_by="name")  # fmt: skip
    entries = stage_entries(stood, YEAR).drop("life_days", "ended_by")
    deals = deals_at_event(stood).select("name", "type", "source", "product_line", "account_id",
                                         "cents", *_PEOPLE, deal_id="id")  # fmt: skip
    return entries.join(deals, entries.opportunity_id == deals.deal_id).drop("deal_id")


def chance_to_get_on(rows: pd.DataFrame, _book: Book, _period: Period) -> Estimate:
    """Chance of reaching the next stage or beyond, loss and void competing."""
    found = aalen_johansen(rows["stay_days"], rows["left_by"])
    if not len(found.ages):
        return Estimate(reason="nobody_left")
    if ON not in found.by_cause:
        return Estimate(value=0.0)
    chance, low, high = found.plateau(ON)
    return Estimate(reason="nobody_left") if math.isnan(chance) else Estimate(
        value=chance, low=low, high=high
    )  # fmt: skip


def _born(book: Book, period: Period) -> Table:
    return born_lately(book, period, deals_at_event(standing(book, period)))


_win = partial(
    Metric, unit="ratio", better="up", grain="deal", numerator=one(_.outcome == "won").sum(),
    denominator=_.count(), counts=True,
)  # fmt: skip
_win_value = partial(Metric, unit="ratio", better="up", grain="deal", estimate=won_by_value)
_ENDED, _VALUED = ("opportunities.closed_at",), ("opportunities.closed_at", "opportunities.amount")
_BORN = ("opportunities.created_at", "opportunities.amount")

METRICS = (
    _win(id="win_rate", needs=_ENDED, dated="closed_at", rows=ended),
    _win_value(id="win_rate_by_value", needs=_VALUED, dated="closed_at", rows=ended,
               undefined=only_won_valued),
    _win(id="win_rate_broad", needs=_ENDED, dated="closed_at", rows=ended_or_silent,
         undefined=has_touches),
    _win_value(id="win_rate_broad_by_value", needs=_VALUED, dated="closed_at",
               rows=ended_or_silent, undefined=_silent_by_value),
    _win(id="win_rate_cohort", needs=_BORN[:1], dated="created_at", rows=created_in),
    _win_value(id="win_rate_cohort_by_value", needs=_BORN, dated="created_at", rows=created_in,
               undefined=only_won_valued),
    Metric(
        id="cohort_open_share", unit="ratio", better="none", needs=_BORN[:1], grain="deal",
        dated="created_at", rows=created_in, numerator=one(_.outcome == "open").sum(),
        denominator=_.count(), counts=True,
    ),
    Metric(
        id="qualified_opportunities", unit="count", better="up",
        needs=("opportunities.stage",), grain="deal", dated="qualified_at", rows=qualified,
        numerator=_.count(), undefined=not_qualified,
    ),
    Metric(
        id="stage_conversion", unit="ratio", better="up", needs=("opportunities.stage",),
        grain="stage_entry", dated="entered_at", rows=entries_of_year, estimate=chance_to_get_on,
        undefined=no_stage_history,
    ),
    Metric(
        id="sales_cycle", unit="days", better="down",
        needs=("opportunities.created_at", "opportunities.closed_at"), grain="deal",
        dated="created_at", rows=_born, estimate=cycle,
    ),
    Metric(
        id="sales_cycle_won", unit="days", better="down",
        needs=("opportunities.created_at", "opportunities.closed_at"), grain="deal",
        dated="closed_at", rows=won_in, estimate=won_days,
    ),
)  # fmt: skip
