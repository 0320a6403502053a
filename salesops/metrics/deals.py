"""Metrics of deals that ended or moved: win rates and qualified opportunities."""

import ibis
from ibis import _

from salesops.book.book import Book
from salesops.metrics.currency import in_company_currency
from salesops.metrics.metric import Metric, Table
from salesops.metrics.stages import has_stage_history, stage_times
from salesops.model.calendar import Period

_DEALS = ("id", "name", "type", "source", "product_line", "account_id", "outcome", "created_at",
          "closed_at")  # fmt: skip


def one(condition: ibis.Value) -> ibis.Value:
    """Write a condition as 1 or 0, to be summed."""
    return ibis.ifelse(condition, 1, 0)


def deals_at_event(book: Book) -> Table:
    """Give one row per deal but renewals, with its value and whom it belongs to at the event."""
    selling = book.without_renewals()
    cents = in_company_currency(selling).select(cents_id="id", cents="cents")
    deals = selling.attributed("opportunities")
    deals = deals.join(cents, deals.id == cents.cents_id)
    return deals.select(
        *_DEALS, "cents", owner_id="event_owner_id", team="event_team", region="event_region"
    )


def ended(book: Book, period: Period) -> Table:
    """One row per deal that was won or lost in the period."""
    deals = deals_at_event(book)
    inside = book.calendar.contains(period, deals.closed_at).fill_null(False)
    return deals.filter(deals.outcome.isin(["won", "lost"]), inside)


def _only_won_valued(book: Book) -> str | None:
    """By value a win rate has no meaning where only won deals have amounts."""
    deals = book.without_renewals().opportunities
    row = deals.agg(
        lost=(_.outcome == "lost").ifelse(1, 0).sum().fill_null(0),
        valued=((_.outcome == "lost") & _.amount.notnull()).ifelse(1, 0).sum().fill_null(0),
    ).to_pandas().iloc[0]  # fmt: skip
    return "amounts_only_for_won" if row["lost"] and not row["valued"] else None


def qualified(book: Book, period: Period) -> Table:
    """One row per deal that first reached the qualified stage, or one beyond it, in the period."""
    stages = book.settings.stage_ids("open")
    position = stages.index(book.settings.qualified_stage)
    times = stage_times(book.without_renewals())
    entered, beyond = times[f"entered_{position}"], times[f"beyond_{position}"]
    far = ibis.timestamp("2199-01-01").cast(entered.type())
    first = ibis.least(ibis.coalesce(entered, far), ibis.coalesce(beyond, far))
    times = times.select(times_id="id", qualified_at=first)
    deals = deals_at_event(book)
    rows = deals.join(times, deals.id == times.times_id).drop("times_id")
    return rows.filter(book.calendar.contains(period, rows.qualified_at).fill_null(False))


def _no_history(book: Book) -> str | None:
    return None if has_stage_history(book) else "no_history"


METRICS = (
    Metric(
        id="win_rate", unit="ratio", better="up", needs=("opportunities.closed_at",),
        grain="deal", dated="closed_at", rows=ended,
        numerator=one(_.outcome == "won").sum(), denominator=_.count(), counts=True,
    ),
    Metric(
        id="win_rate_by_value", unit="ratio", better="up",
        needs=("opportunities.closed_at", "opportunities.amount"), grain="deal",
        dated="closed_at", rows=ended,
        numerator=_.cents.sum(where=_.outcome == "won").fill_null(0),
        denominator=_.cents.sum(), undefined=_only_won_valued,
    ),
    Metric(
        id="qualified_opportunities", unit="count", better="up",
        needs=("opportunities.stage",), grain="deal", dated="qualified_at", rows=qualified,
        numerator=_.count(), undefined=_no_history,
    ),
)  # fmt: skip
