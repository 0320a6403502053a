"""Metrics of after-sales service: satisfaction, who answers, service levels."""

from ibis import _

from salesops.book.book import Book
from salesops.metrics.deals import one
from salesops.metrics.metric import Metric, Table
from salesops.model.calendar import Period


def closed_tickets(book: Book, period: Period) -> Table:
    """One row per ticket that was closed in the period."""
    tickets = book.tickets
    return tickets.filter(book.calendar.contains(period, tickets.closed_at).fill_null(False))


def answered_tickets(book: Book, period: Period) -> Table:
    """One row per ticket that was closed in the period and whose customer said how it was."""
    return closed_tickets(book, period).filter(_.csat.notnull())


METRICS = (
    Metric(
        id="csat", unit="ratio", better="up", needs=("tickets.csat",), grain="ticket",
        dated="closed_at", rows=answered_tickets,
        numerator=one(_.csat >= 4).sum(), denominator=_.count(), counts=True,
    ),
    Metric(
        id="response_rate", unit="ratio", better="up", needs=("tickets.csat",), grain="ticket",
        dated="closed_at", rows=closed_tickets,
        numerator=one(_.csat.notnull()).sum(), denominator=_.count(), counts=True,
    ),
)  # fmt: skip
