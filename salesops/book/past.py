"""Deals that were open at many instants at once, each as far as the scope let one see it then.

`Book.panel` asks each date for itself where a scope restricts people; over a hundred dates that
takes minutes. Here the spans of the log are laid over a grid once, and whom a deal belonged to is
looked up at each instant, so that every instant equals `as_of` there.
"""

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import ibis
import pyarrow as pa
from ibis import _

from salesops.book.moment import instant
from salesops.book.scope import in_people, with_people
from salesops.book.versions import AT
from salesops.model.calendar import Period

if TYPE_CHECKING:
    from salesops.book.book import Book

Table: TypeAlias = ibis.Table
_STATIC = ("id", "name", "type", "account_id", "product_line", "source", "currency")
MOVING = ("stage", "amount", "expected_close_on")


def grid_of(book: "Book", slots: Sequence[tuple[int, int, dt.date, Period]]) -> Table:
    """Lay out instants as a table, one row per slot.

    Parameters
    ----------
    slots
        Number of the period, days of it that are over, the day at whose end one looks, and the
        period; a day after the book's is looked at at the book's instant.

    Returns
    -------
    ibis.Table
        `period`, `days`, `at` (UTC), `first_on`, `last_on` (days of the period), `until` (UTC
        instant after the period).
    """
    calendar = book.calendar
    ends = [min(calendar.end_of(day), book.instant) for _k, _d, day, _p in slots]
    columns = {
        "period": pa.array([k for k, *_rest in slots], pa.int64()),
        "days": pa.array([d for _k, d, *_rest in slots], pa.int64()),
        "at": pa.array(ends, pa.timestamp("us")),
        "first_on": pa.array([p.start for *_rest, p in slots], pa.date32()),
        "last_on": pa.array([p.end for *_rest, p in slots], pa.date32()),
        "until": pa.array([calendar.instants(p)[1] for *_rest, p in slots], pa.timestamp("us")),
    }
    table = ibis.memtable(pa.table(columns))
    return table.mutate(at=_.at.cast(AT), until=_.until.cast(AT))


def open_in_past(book: "Book", grid: Table) -> Table:
    """Give the deals that were open and in scope at each instant of a grid.

    Returns
    -------
    ibis.Table
        One row per deal and row of the grid: the grid's columns, `id`, `name`, `type`, `source`,
        `product_line`, `account_id`, `currency`, `owner_id`, `event_team`, `event_region`, and
        `stage`, `amount`, `expected_close_on` as they were then. Renewals where the book has them.

    Notes
    -----
    Stage, amount and expected date must have a history that reaches back to the first instant;
    `has_past` says whether they do.
    """
    spans = book.store.spans["opportunities"]
    stages = list(book.settings.stage_ids("open"))
    spans = spans.filter(spans.stage.isin(stages), ~spans.removed,
                         spans.valid_from <= instant(book.instant))  # fmt: skip
    own = ["owner_id"] if "owner_id" in spans.columns else []
    spans = spans.select("id", "valid_from", "valid_to", *MOVING, *own)
    begun, lasts = spans.valid_from <= grid.at, spans.valid_to > grid.at
    laid = spans.join(grid, [begun, lasts]).drop("valid_from", "valid_to")
    deals = book.store.tables["opportunities"]
    described = deals.select(*_STATIC, *(["owner_id"] if not own else []))
    if not book.renewals:
        described = described.filter((described.type != "renewal").fill_null(True))
    described = _of_customers(book, described)
    laid = laid.join(described, "id")
    users = book.unscoped("users")
    seen = with_people(book.store, laid, "owner_id", "at", users, instant(book.instant))
    if not book.limits.limits_people:
        return seen
    return seen.filter(in_people(book.limits, seen.owner_id, seen.event_team, seen.event_region))


def has_past(book: "Book", since: dt.date) -> bool:
    """Say whether stage, amount and expected date of deals are known from a day on."""
    tracked = book.store.tracking.get("opportunities", {})
    start = book.calendar.start_of(since)
    return all(field in tracked and tracked[field].since <= start for field in MOVING)


def _of_customers(book: "Book", deals: Table) -> Table:
    """Keep the deals of the scope's segment and product line."""
    if book.limits.segment != "all":
        accounts = book.unscoped("accounts").filter(_.segment == book.limits.segment)
        deals = deals.filter(deals.account_id.isin(accounts.id))
    if book.limits.product_line != "all":
        deals = deals.filter(deals.product_line == book.limits.product_line)
    return deals
