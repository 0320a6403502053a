"""Open deals with what is known of each: value, time in stage, last two-way touch, silence.

One row per open deal but renewals, as it stands at the book's date. Time since a touch is counted
in the company's working days, from the creation of the deal where there was no touch yet.
"""

from typing import TypeAlias

import ibis
from ibis import _

from salesops.book.book import Book
from salesops.book.versions import AT
from salesops.metrics.currency import with_cents
from salesops.metrics.kept import kept_table
from salesops.metrics.workdays import with_working_days
from salesops.model.calendar import Period

Table: TypeAlias = ibis.Table
DAY = 86_400


def standing(book: Book, period: Period) -> Book:
    """Give the book at the end of a period that is over, else the book as it is."""
    return book if book.date <= period.end else book.as_of(period.end)


def by_stage(book: Book, stage: ibis.Value, what: str) -> ibis.Value:
    """Give a norm of the settings, such as `touch_days`, for each row's stage; null where none."""
    known = [(s.id, getattr(s, what)) for s in book.settings.stages if getattr(s, what)]
    if not known:
        return ibis.null("float64")
    cases = [(stage == name, ibis.literal(float(days))) for name, days in known]
    return ibis.cases(*cases, else_=ibis.null("float64"))


def has_touches(book: Book) -> str | None:
    """Say what is missing to know two-way touches of deals; nothing where all is there."""
    for column in ("activities.opportunity_id", "activities.direction"):
        if not book.has(column):
            return f"missing:{column}"
    return None


def last_touches(book: Book) -> Table:
    """Give each deal's last two-way touch known at the book's instant."""
    # Joined to deals in scope alone, so that the scope need not be worked out a second time.
    both = book.unscoped("activities").filter(_.direction == "two_way", _.opportunity_id.notnull())
    return both.group_by(touched_id="opportunity_id").agg(last_touch_at=_.occurred_at.max())


def open_deals(book: Book) -> Table:
    """Give one row per open deal but renewals, with the clock of its stage and of its silence.

    Returns
    -------
    ibis.Table
        `id`, `name`, `type`, `source`, `product_line`, `account_id`, `owner_id`, `team`, `region`
        (its owner's at the book's date), `stage`, `created_at`, `expected_close_on`, `cents`
        (company currency), `entered_at` (into its stage; null where no history shows it),
        `stage_days` (calendar days since then), `last_touch_at` (two-way), `silent_days` (working
        days since, or since its creation; null without activities), `touch_days` (norm of its
        stage), `settled_days` (working days since it entered its stage) and `overdue` (its
        expected date is over).
    """
    selling = book.without_renewals()
    return kept_table("open_deals", selling, lambda: _open_deals(selling))


def _open_deals(book: Book) -> Table:
    deals = with_cents(book, book.attributed("opportunities"))
    deals = deals.filter(deals.outcome == "open")
    entered = ibis.ifelse(deals.since_known, deals.stage_entered_at, ibis.null(AT))
    now = ibis.literal(book.instant).cast(AT)
    seconds = (now.epoch_seconds() - entered.epoch_seconds()).cast("float64")
    deals = deals.select(
        "id", "name", "type", "source", "product_line", "account_id", "stage", "created_at",
        "expected_close_on", "cents",
        owner_id="event_owner_id", team="event_team", region="event_region", entered_at=entered,
        stage_days=seconds / DAY, touch_days=by_stage(book, deals.stage, "touch_days"),
        overdue=(deals.expected_close_on < book.date),
    )  # fmt: skip
    if has_touches(book) is None:
        touches = last_touches(book)
        deals = deals.left_join(touches, deals.id == touches.touched_id).drop("touched_id")
        deals = deals.mutate(spoken_=ibis.coalesce(_.last_touch_at, _.created_at))
        deals = with_working_days(book, deals, "spoken_", book.date, "silent_days")
        deals = deals.drop("spoken_")
    else:
        deals = deals.mutate(last_touch_at=ibis.null(AT), silent_days=ibis.null("int64"))
    return with_working_days(book, deals, "entered_at", book.date, "settled_days")


def with_silence(book: Book, deals: Table) -> Table:
    """Add `gap_times` (silence in touch norms), `silent` and `stalled` to open deals.

    `silent` is beyond as many touch norms as the settings say (`silent_after`). `stalled` is
    neither an advance nor a two-way touch for more than one norm.
    """
    gap = deals.silent_days.cast("float64") / deals.touch_days
    settled = deals.settled_days.cast("float64") > deals.touch_days
    return deals.mutate(
        gap_times=gap,
        silent=gap > book.settings.norms.silent_after,
        stalled=(gap > 1) & settled,
    )
