"""Metrics of after-sales service: satisfaction, who answers, service levels, what waits."""

import ibis
from ibis import _

from salesops.book.book import Book
from salesops.book.moment import instant
from salesops.book.versions import AT
from salesops.metrics.clock import DAY, with_working_hours
from salesops.metrics.deals import one
from salesops.metrics.metric import Metric, Table
from salesops.model.calendar import Period

# What the settings call the two promises to customers, and the instant that keeps each.
ANSWER, SOLUTION = "ticket_response", "ticket_resolution"
_KEPT_AT = {ANSWER: "first_response_at", SOLUTION: "closed_at"}


def tickets(book: Book) -> Table:
    """Give the tickets with the region and segment of their customer."""
    accounts = book.accounts.select("region", "segment", customer="id")
    rows = book.tickets
    return rows.left_join(accounts, rows.account_id == accounts.customer).drop("customer")


def closed_tickets(book: Book, period: Period) -> Table:
    """One row per ticket that was closed in the period."""
    rows = tickets(book)
    return rows.filter(book.calendar.contains(period, rows.closed_at).fill_null(False))


def answered_tickets(book: Book, period: Period) -> Table:
    """One row per ticket that was closed in the period and whose customer said how it was."""
    return closed_tickets(book, period).filter(_.csat.notnull())


def open_tickets(book: Book, period: Period) -> Table:
    """One row per ticket that was open at the end of the period, or at the book's date if earlier.

    `age_days` is for how long it had been open then.
    """
    at = min(book.calendar.end_of(period.end), book.instant)
    then, rows = instant(at), tickets(book)
    waits = rows.closed_at.isnull() | (rows.closed_at > then)
    rows = rows.filter((rows.opened_at <= then).fill_null(False), waits)
    seconds = then.epoch_seconds() - rows.opened_at.epoch_seconds()
    return rows.drop("csat", "is_repeat", "closed_at").mutate(
        age_days=seconds.cast("float64") / DAY
    )


def opened_tickets(book: Book, period: Period) -> Table:
    """One row per ticket that was opened in the period and of which is known whether it repeats."""
    rows = tickets(book)
    rows = rows.filter(book.calendar.contains(period, rows.opened_at).fill_null(False))
    return rows.filter(_.is_repeat.notnull()).drop("csat")


def service_hours(book: Book, what: str) -> float | None:
    """Give the working hours within which customers were promised an answer or a solution."""
    levels = [level.hours for level in book.settings.service_levels if level.what == what]
    return levels[0] if levels else None


def promised(book: Book, period: Period, what: str) -> Table:
    """One row per ticket that was opened in the period and whose service level has run out.

    `taken_hours` are the working hours it took, or so far; `is_in_time` whether the level was met.
    A ticket that has not been open for so long is left out, whether it was answered or not.
    """
    hours = service_hours(book, what)
    assert hours is not None  # the metric is undefined without a level
    rows = tickets(book)
    rows = rows.filter(book.calendar.contains(period, rows.opened_at).fill_null(False))
    kept = rows[_KEPT_AT[what]]
    now = instant(book.instant)
    rows = rows.mutate(now_=now, ended_=ibis.coalesce(kept, now).cast(AT))
    spans = {"passed_hours": ("opened_at", "now_"), "taken_hours": ("opened_at", "ended_")}
    rows = with_working_hours(book, rows, spans)
    rows = rows.filter(_.passed_hours >= hours).drop("now_", "ended_", "passed_hours")
    in_time = rows[_KEPT_AT[what]].notnull() & (rows.taken_hours <= hours)
    return rows.drop("csat", "is_repeat").mutate(is_in_time=in_time)


def promised_answers(book: Book, period: Period) -> Table:
    """One row per ticket of the period that should have been answered by now."""
    return promised(book, period, ANSWER)


def promised_solutions(book: Book, period: Period) -> Table:
    """One row per ticket of the period that should have been solved by now."""
    return promised(book, period, SOLUTION)


def _without_level(what: str, book: Book) -> str | None:
    return "no_service_level" if service_hours(book, what) is None else None


def _no_answer_level(book: Book) -> str | None:
    return _without_level(ANSWER, book)


def _no_solution_level(book: Book) -> str | None:
    return _without_level(SOLUTION, book)


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
    Metric(
        id="sla_first_response", unit="ratio", better="up",
        needs=("tickets.opened_at", "tickets.first_response_at"), grain="ticket",
        dated="opened_at", rows=promised_answers, numerator=one(_.is_in_time).sum(),
        denominator=_.count(), counts=True, undefined=_no_answer_level,
    ),
    Metric(
        id="sla_resolution", unit="ratio", better="up",
        needs=("tickets.opened_at", "tickets.closed_at"), grain="ticket", dated="opened_at",
        rows=promised_solutions, numerator=one(_.is_in_time).sum(), denominator=_.count(),
        counts=True, undefined=_no_solution_level,
    ),
    Metric(
        id="repeat_rate", unit="ratio", better="down",
        needs=("tickets.opened_at", "tickets.is_repeat"), grain="ticket", dated="opened_at",
        rows=opened_tickets, numerator=one(_.is_repeat).sum(), denominator=_.count(), counts=True,
    ),
    Metric(
        id="open_backlog", unit="count", better="down",
        needs=("tickets.opened_at", "tickets.closed_at"), grain="ticket", dated="",
        rows=open_tickets, numerator=_.count(),
    ),
)  # fmt: skip
