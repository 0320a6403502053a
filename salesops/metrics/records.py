"""Metrics of how the CRM is kept: what is filled, how soon it is logged, who takes over."""

import ibis
import pyarrow as pa
from ibis import _

from salesops.book.book import Book
from salesops.book.moment import instant
from salesops.book.scope import with_people
from salesops.metrics.deals import one
from salesops.metrics.handovers import (
    TOUCHED,
    half_touched,
    handovers,
    no_owner_log,
    old_handovers,
)
from salesops.metrics.metric import Metric, Table
from salesops.model.calendar import Period
from salesops.model.tables import facts

# What a deal has to say: always, while it is open, and once it is lost.
ALWAYS_REQUIRED = ("account_id", "amount", "source", "product_line")
OPEN_REQUIRED = ("expected_close_on", "next_step", "next_step_due_on")
LOST_REQUIRED = ("lost_reason",)
LOGGED = "activity"
_WHOSE = ("owner_id", "team", "region")


def logged(book: Book, period: Period) -> Table:
    """One row per activity that was logged in the period, with how long after it happened.

    Notes
    -----
    By the time of logging, since of those that happened lately the late ones are not known yet.
    What was logged ahead counts as logged at once; what has no time of logging is left out.
    """
    acts = book.activities
    acts = acts.filter(
        acts.occurred_at.notnull(), acts.logged_at.notnull(),
        book.calendar.contains(period, acts.logged_at),
    )  # fmt: skip
    acts = with_people(
        book.store, acts, "user_id", "occurred_at", book.table("users"), instant(book.instant)
    )
    seconds = acts.logged_at.epoch_seconds() - acts.occurred_at.epoch_seconds()
    hours = ibis.greatest(seconds.cast("float64") / 3600, ibis.literal(0.0))
    rows = acts.select(
        "id", "kind", "opportunity_id", "lead_id", "occurred_at", "logged_at",
        owner_id="user_id", team="event_team", region="event_region", lag_hours=hours,
    )  # fmt: skip
    norm = book.settings.norms.logging_hours
    return rows.mutate(is_in_time=rows.lag_hours <= norm)


def required_of(book: Book) -> tuple[str, ...]:
    """Name the columns of a deal that have to be filled, as far as the book could hold them.

    A column that the CRM doesn't have, or whose value of the book's date nobody recorded, is no
    one's omission.
    """
    now = book.instant >= book.store.latest
    moving = {c.name for c in facts("opportunities").values() if c.kind == "moving"}
    wanted = (*ALWAYS_REQUIRED, *OPEN_REQUIRED, *LOST_REQUIRED)
    return tuple(
        c for c in wanted
        if book.has(f"opportunities.{c}")
        and (now or c not in moving or book.is_tracked("opportunities", c))
    )  # fmt: skip


def entries_due(book: Book, period: Period) -> Table:
    """One row per entry that was due: a required field of a deal, or an activity to be logged.

    Notes
    -----
    Fields of the deals that were open at the end of the period, or at the book's date where that
    is earlier, and of those that ended in the period, as known then. Activities as in `logged`.
    """
    fields = _fields_due(book, period)
    if not book.has("activities.logged_at"):
        return fields
    acts = logged(book, period)
    acts = acts.select("id", *_WHOSE, what=ibis.literal(LOGGED), is_entered=acts.is_in_time)
    return ibis.union(fields, acts.select(fields.columns))


def _fields_due(book: Book, period: Period) -> Table:
    end = book.calendar.end_of(period.end)
    then = book if end >= book.instant else book.as_of(end)
    deals = then.attributed("opportunities")
    ended = (deals.outcome != "open") & then.calendar.contains(period, deals.closed_at)
    deals = deals.filter((deals.outcome == "open") | ended.fill_null(False))
    required = required_of(then)
    names = ibis.memtable(pa.table({"what": pa.array(required, pa.string())}))
    rows = deals.cross_join(names)
    filled = [(rows.what == c, _filled(rows[c])) for c in required]
    due = (
        rows.what.isin(ALWAYS_REQUIRED)
        | (rows.what.isin(OPEN_REQUIRED) & (rows.outcome == "open"))
        | (rows.what.isin(LOST_REQUIRED) & (rows.outcome == "lost"))
    )
    return rows.filter(due).select(
        "what", id=rows.id.concat("-", rows.what),
        owner_id="event_owner_id", team="event_team", region="event_region",
        is_entered=ibis.cases(*filled, else_=False) if filled else ibis.literal(False),
    )  # fmt: skip


def _filled(column: ibis.Value) -> ibis.Value:
    if column.type().is_string():
        return (column.strip() != "").fill_null(False)
    return column.notnull()


METRICS = (
    Metric(
        id="handover_gap", unit="days", better="down",
        needs=("changes.changed_at", "activities.user_id"), grain="handover", dated="handed_at",
        rows=handovers, estimate=half_touched, undefined=no_owner_log,
    ),
    Metric(
        id="handover_within_1d", unit="ratio", better="up",
        needs=("changes.changed_at", "activities.user_id"), grain="handover", dated="handed_at",
        rows=old_handovers, numerator=one((_.ending == TOUCHED) & (_.gap_days <= 1)).sum(),
        denominator=_.count(), counts=True, undefined=no_owner_log,
    ),
    Metric(
        id="logging_lag", unit="hours", better="down", needs=("activities.logged_at",),
        grain="activity", dated="logged_at", rows=logged, numerator=_.lag_hours.median(),
    ),
    Metric(
        id="logged_within_24h", unit="ratio", better="up", needs=("activities.logged_at",),
        grain="activity", dated="logged_at", rows=logged,
        numerator=one(_.is_in_time).sum(), denominator=_.count(), counts=True,
    ),
    Metric(
        id="entry_rate", unit="ratio", better="up", needs=("opportunities.stage",),
        grain="entry", dated="", rows=entries_due,
        numerator=one(_.is_entered).sum(), denominator=_.count(),
    ),
)  # fmt: skip
