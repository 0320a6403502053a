"""When a lead was first answered by a person, and how long that took by two clocks.

An answer is an outbound or two-way call, meeting, mail, chat, visit or demo by a named person, the
date of first touch that the CRM keeps itself, or at the latest the making of a deal. What came in
from the customer, and what a machine sent (kind `other`, or nobody's), is no answer.
"""

import math
from typing import TypeAlias

import ibis
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.book.versions import AT
from salesops.methods.medians import median_wait
from salesops.methods.survival import aalen_johansen
from salesops.metrics.clock import with_working_hours
from salesops.metrics.kept import kept, kept_table
from salesops.metrics.metric import Estimate, Estimator, Metric
from salesops.model.calendar import Period

Table: TypeAlias = ibis.Table
HUMAN = ("call", "meeting", "email", "chat", "visit", "demo")
ANSWERED = "answered"
_KEPT = ("id", "company", "source", "owner_id", "created_at", "assigned_at", "first_touched_at",
         "converted_at")  # fmt: skip
_HOUR = 3_600


def lead_answers(book: Book) -> Table:
    """Give one row per dated lead with the times of its first answer, as known at the book's date.

    Returns
    -------
    ibis.Table
        `id`, `company`, `source`, `owner_id`, `team`, `region` (of the owner), `created_at`,
        `assigned_at` (first given to a person; its creation where that is not known, or where the
        answer came before), `answered_at` (null while nobody did), `elapsed_hours` (assignment
        until the answer, else until the book's instant, nights and weekends counted),
        `working_hours` and `created_hours` (from assignment and from creation until then, by the
        working clock) and `age_hours` (creation to the book's instant, by the working clock).
    """
    return kept_table("lead answers", book, lambda: _lead_answers(book))


def _lead_answers(book: Book) -> Table:
    now = ibis.literal(book.instant).cast(AT)
    leads = book.attributed("leads").filter(_.created_at.notnull())
    leads = leads.select(*_KEPT, team="event_team", region="event_region")
    leads = _answered(book, leads)
    leads = _assigned(book, leads)
    leads = leads.mutate(until_at=ibis.coalesce(leads.answered_at, now), now_at=now)
    leads = with_working_hours(
        book, leads,
        {"working_hours": ("assigned_at", "until_at"), "created_hours": ("created_at", "until_at"),
         "age_hours": ("created_at", "now_at")},
    )  # fmt: skip
    return leads.select(
        "id", "company", "source", "owner_id", "created_at", "assigned_at", "answered_at",
        "working_hours", "created_hours", "age_hours",
        "team", "region",
        elapsed_hours=_hours(leads.assigned_at, leads.until_at),
    )  # fmt: skip


def _hours(first: ibis.Value, last: ibis.Value) -> ibis.Value:
    seconds = last.epoch_seconds().cast("int64") - first.epoch_seconds().cast("int64")
    return ibis.greatest(seconds, 0).cast("float64") / _HOUR


def human_touches(activities: Table) -> Table:
    """Keep what a named person did towards a lead; what came in or was sent by itself goes."""
    outward = (activities.direction != "inbound").fill_null(True)
    human = activities.kind.isin(HUMAN) & activities.user_id.notnull()
    return activities.filter(activities.lead_id.notnull(), human, outward)


def _answered(book: Book, leads: Table) -> Table:
    """Add the first answer; a deal made of the lead is one at the latest."""
    touches = human_touches(book.activities)
    first = touches.group_by(touched_id="lead_id").agg(touch_at=_.occurred_at.min())
    leads = leads.left_join(first, leads.id == first.touched_id)
    known = [leads.first_touched_at, leads.touch_at, leads.converted_at]
    far = ibis.timestamp("2200-01-01").cast(AT)
    least = ibis.least(*(ibis.coalesce(at.cast(AT), far) for at in known))
    found = ibis.ifelse(least < far, least, ibis.null(AT))
    # A touch entered for a time before the enquiry answers it at once.
    found = ibis.ifelse(found.notnull(), ibis.greatest(found, leads.created_at), found)
    return leads.mutate(answered_at=found).drop("touched_id", "touch_at")


def _assigned(book: Book, leads: Table) -> Table:
    """Let the clock begin with the first assignment, however often the lead was passed on."""
    given = leads.assigned_at
    if book.is_tracked("leads", "owner_id"):
        pool = book.unscoped("users").filter(_.role == "pool").id
        spans = book.history("leads")
        owned = spans.filter(spans.owner_id.notnull(), ~spans.owner_id.isin(pool))
        first = owned.group_by(owned_id="id").agg(
            owned_at=_.valid_from.min(), owners=_.owner_id.nunique()
        )
        leads = leads.left_join(first, leads.id == first.owned_id)
        passed_on = (leads.owners > 1).fill_null(False)
        given = ibis.ifelse(passed_on, leads.owned_at, leads.assigned_at)
        leads = leads.mutate(given_at=given).drop("owned_id", "owned_at", "owners")
    else:
        leads = leads.mutate(given_at=given)
    late = leads.given_at.isnull() | (leads.given_at > leads.answered_at).fill_null(False)
    start = ibis.ifelse(late, leads.created_at, ibis.greatest(leads.given_at, leads.created_at))
    return leads.mutate(assigned_at=start).drop("given_at")


def no_touches(book: Book) -> str | None:
    """Say why nothing can be known of answers: where none was ever recorded for any lead."""
    return kept("touches of leads", book, lambda: _no_touches(book))


def _no_touches(book: Book) -> str | None:
    leads, touches = book.unscoped("leads"), book.unscoped("activities")
    own = leads.agg(n=leads.first_touched_at.count())
    logged = human_touches(touches).agg(n=_.count())
    found = ibis.union(own, logged).to_pandas()["n"]
    return None if found.sum() else "no_touches"


def created_in(book: Book, leads: Table, period: Period) -> Table:
    """Keep the leads that were created in a period."""
    return leads.filter(book.calendar.contains(period, leads.created_at))


def old_enough(book: Book, leads: Table, hours: float) -> Table:
    """Keep the leads given to somebody at least so many hours ago, nights and weekends counted."""
    now = ibis.literal(book.instant).cast(AT)
    return leads.filter(_hours(leads.assigned_at, now) >= hours)


def hours_until_settled(book: Book) -> float:
    """Give the working hours after which a lead without an answer counts as never touched."""
    company, norms = book.settings.company, book.settings.norms
    return norms.untouched_days * (company.works_to - company.works_from)


def settled_condition(book: Book, leads: Table) -> ibis.Value:
    """Say of leads whether they are old enough to be called never touched."""
    return leads.age_hours >= hours_until_settled(book)


def settled(book: Book, leads: Table) -> Table:
    """Keep the leads old enough to be called never touched."""
    return leads.filter(settled_condition(book, leads))


def _of_period(book: Book, period: Period) -> Table:
    return created_in(book, lead_answers(book), period)


def _median(column: str) -> Estimator:
    def estimate(rows: pd.DataFrame, _book: Book, _period: Period) -> Estimate:
        """Median by Kaplan and Meier: who was not answered yet waits on."""
        return wait_estimate(rows[column], rows["answered_at"].notna())

    return estimate


def wait_estimate(hours: pd.Series, answered: pd.Series) -> Estimate:
    """Give the median wait with its range, those still waiting counted as such."""
    causes = answered.map({True: ANSWERED, False: ""})
    median, low, high = median_wait(aalen_johansen(hours, causes), ANSWERED)
    if math.isnan(median):
        return Estimate(reason="not_reached")
    return Estimate(value=median, low=low, high=high)


def _within(name: str, hours: float) -> Metric:
    return Metric(
        id=name, unit="ratio", better="up", needs=("leads.created_at",), grain="lead",
        dated="created_at",
        rows=lambda book, period: old_enough(book, _of_period(book, period), hours),
        numerator=ibis.ifelse(_.answered_at.notnull() & (_.elapsed_hours <= hours), 1, 0).sum(),
        denominator=_.count(), counts=True, undefined=no_touches,
    )  # fmt: skip


def _first(name: str, column: str) -> Metric:
    return Metric(
        id=name, unit="hours", better="down", needs=("leads.created_at",), grain="lead",
        dated="created_at", rows=_of_period, estimate=_median(column), undefined=no_touches,
    )  # fmt: skip


METRICS = (
    _first("first_response", "working_hours"),
    _first("first_response_from_creation", "created_hours"),
    _within("response_within_5min", 5 / 60),
    _within("response_within_30min", 30 / 60),
    _within("response_within_1h", 1),
    _within("response_within_24h", 24),
    Metric(
        id="never_touched_share", unit="ratio", better="down", needs=("leads.created_at",),
        grain="lead", dated="created_at",
        rows=lambda book, period: settled(book, _of_period(book, period)),
        numerator=ibis.ifelse(_.answered_at.isnull(), 1, 0).sum(), denominator=_.count(),
        counts=True, undefined=no_touches,
    ),
)  # fmt: skip
