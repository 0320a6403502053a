"""The catalogue of metrics: one name, one definition. It is the dictionary of code and reports."""

from collections.abc import Sequence

import ibis
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.metrics.currency import in_company_currency
from salesops.metrics.metric import Metric, Table, UnknownMetric, reduced
from salesops.metrics.stages import has_stage_history, stage_times
from salesops.model.calendar import Period

_DEALS = ("id", "name", "type", "source", "product_line", "account_id", "outcome", "created_at",
          "closed_at")  # fmt: skip


def _one(condition: ibis.Value) -> ibis.Value:
    return ibis.ifelse(condition, 1, 0)


def _deals(book: Book) -> Table:
    """One row per deal but renewals, with its value and whom it belongs to at the event."""
    selling = book.without_renewals()
    cents = in_company_currency(selling).select(cents_id="id", cents="cents")
    deals = selling.attributed("opportunities")
    deals = deals.join(cents, deals.id == cents.cents_id)
    return deals.select(
        *_DEALS, "cents", owner_id="event_owner_id", team="event_team", region="event_region"
    )


def ended(book: Book, period: Period) -> Table:
    """One row per deal that was won or lost in the period."""
    deals = _deals(book)
    inside = book.calendar.contains(period, deals.closed_at).fill_null(False)
    return deals.filter(deals.outcome.isin(["won", "lost"]), inside)


def _only_won_valued(book: Book) -> str | None:
    """By value a win rate has no meaning where only won deals have amounts."""
    deals = book.without_renewals().opportunities
    row = deals.agg(
        lost=(_.outcome == "lost").ifelse(1, 0).sum().fill_null(0),
        valued=((_.outcome == "lost") & _.amount.notnull()).ifelse(1, 0).sum().fill_null(0),
    ).to_pandas().iloc[0]  # fmt: skip
    return "amounts are known only for won deals" if row["lost"] and not row["valued"] else None


def qualified(book: Book, period: Period) -> Table:
    """One row per deal that first reached the qualified stage, or one beyond it, in the period."""
    stages = book.settings.stage_ids("open")
    position = stages.index(book.settings.qualified_stage)
    times = stage_times(book.without_renewals())
    entered, beyond = times[f"entered_{position}"], times[f"beyond_{position}"]
    far = ibis.timestamp("2199-01-01").cast(entered.type())
    first = ibis.least(ibis.coalesce(entered, far), ibis.coalesce(beyond, far))
    times = times.select(times_id="id", qualified_at=first)
    deals = _deals(book)
    rows = deals.join(times, deals.id == times.times_id).drop("times_id")
    return rows.filter(book.calendar.contains(period, rows.qualified_at).fill_null(False))


def _no_history(book: Book) -> str | None:
    return None if has_stage_history(book) else "there is no history of stages"


def closed_tickets(book: Book, period: Period) -> Table:
    """One row per ticket that was closed in the period."""
    tickets = book.tickets
    return tickets.filter(book.calendar.contains(period, tickets.closed_at).fill_null(False))


def answered_tickets(book: Book, period: Period) -> Table:
    """One row per ticket that was closed in the period and whose customer said how it was."""
    return closed_tickets(book, period).filter(_.csat.notnull())


CATALOGUE: dict[str, Metric] = {
    metric.id: metric
    for metric in (
        Metric(
            id="win_rate", unit="ratio", better="up", needs=("opportunities.closed_at",),
            rows=ended, numerator=_one(_.outcome == "won").sum(), denominator=_.count(),
            counts=True,
        ),
        Metric(
            id="win_rate_by_value", unit="ratio", better="up",
            needs=("opportunities.closed_at", "opportunities.amount"), rows=ended,
            numerator=_.cents.sum(where=_.outcome == "won").fill_null(0),
            denominator=_.cents.sum(), undefined=_only_won_valued,
        ),
        Metric(
            id="qualified_opportunities", unit="count", better="up",
            needs=("opportunities.stage",), rows=qualified, numerator=_.count(),
            undefined=_no_history,
        ),
        Metric(
            id="csat", unit="ratio", better="up", needs=("tickets.csat",), rows=answered_tickets,
            numerator=_one(_.csat >= 4).sum(), denominator=_.count(), counts=True,
        ),
        Metric(
            id="response_rate", unit="ratio", better="up", needs=("tickets.csat",),
            rows=closed_tickets, numerator=_one(_.csat.notnull()).sum(), denominator=_.count(),
            counts=True,
        ),
    )
}  # fmt: skip


def find_metric(name: str) -> Metric:
    """Look a metric up.

    Raises
    ------
    UnknownMetric
        With the nearest names.
    """
    if name not in CATALOGUE:
        raise UnknownMetric(value=name, known=tuple(CATALOGUE))
    return CATALOGUE[name]


def metric(book: Book, id: str, *, period: str = "latest", by: Sequence[str] = ()) -> pd.DataFrame:  # noqa: A002 - the agreed public name
    """What is this number, as known at the book's date and in its scope?

    Parameters
    ----------
    book
        The company.
    id
        Name of a metric of the catalogue, such as `win_rate`.
    period
        `2026-03`, `2026Q1`, `2026` or `latest`.
    by
        Columns of the metric's rows to group by, such as `team` or `source`.

    Returns
    -------
    pandas.DataFrame
        One row per group: the columns `by`, the value under the metric's name (null where it has
        no meaning), `n` (rows that make it), `low`, `high` (80 %, for shares of counted rows) and
        `reason` (why it is null).

    Raises
    ------
    UnknownMetric
        The catalogue has no such metric.
    UnknownGroup
        Its rows have no such column.
    BadPeriod
        The period can't be read.

    Examples
    --------
    >>> from salesops.book.book import open_book
    >>> metric(open_book("tests/tiny_company"), "win_rate", period="2026Q1")["win_rate"].tolist()
    [0.5]
    """
    return reduced(find_metric(id), book, book.period(period), by)
