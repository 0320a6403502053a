"""Where work on a deal broke off: skipped stages, long silence, late hand-overs, nobody in charge.

Also how often the expected date was moved to later.
"""

import datetime as dt
from typing import TypeAlias

import ibis
from ibis import _

from salesops.book.book import Book
from salesops.book.moment import instant
from salesops.book.versions import AT
from salesops.metrics.alldeals import all_deals
from salesops.metrics.handovers import handovers
from salesops.metrics.opendeals import by_stage
from salesops.metrics.workdays import with_working_days
from salesops.model.calendar import Period

Table: TypeAlias = ibis.Table


def later_moves(book: Book) -> Table:
    """Give the changes by which the expected date of a deal was moved to later."""
    return book.unscoped("changes").filter(
        _.entity == "opportunities", _.field == "expected_close_on", _.old_value.notnull(),
        # Both are ISO days, which sort as text.
        _.new_value > _.old_value,
    )  # fmt: skip


def pushes(book: Book) -> Table:
    """Count per deal how often its expected date was moved to later: `moved_id`, `pushes`."""
    return later_moves(book).group_by(moved_id="entity_id").agg(pushes=_.count())


def skips(book: Book) -> Table:
    """Name the deals that ever passed over an open stage: `skipped_id`."""
    stages = (*book.settings.stage_ids("open"), "won")
    order = {stage: i for i, stage in enumerate(stages)}
    won = list(book.settings.stage_ids("won"))

    def position(value: ibis.Value) -> ibis.Value:
        cases = [(value == stage, i) for stage, i in order.items() if stage != "won"]
        return ibis.cases(*cases, (value.isin(won), order["won"]), else_=ibis.null("int64"))

    moves = book.unscoped("changes").filter(_.entity == "opportunities", _.field == "stage")
    far = position(moves.new_value) - position(moves.old_value) > 1
    return moves.filter(far.fill_null(False)).select(skipped_id="entity_id").distinct()


def longest_silence(book: Book, deals: Table) -> Table:
    """Name the deals that were ever silent beyond the settings' touch norms: `silent_id`.

    Between two-way touches, from creation to the first, and from the last to the end of the deal
    or the book's date. The norm is that of the stage in which the deal stood when the silence
    began; where the history does not show it, the one where it is or last was.
    """
    ends = deals.select(
        opportunity_id="id", from_=deals.created_at,
        until_=ibis.coalesce(deals.closed_at, ibis.literal(book.instant).cast(AT)),
        stage_=ibis.coalesce(deals.last_stage, deals.stage),
    )  # fmt: skip
    both = book.unscoped("activities").filter(_.direction == "two_way", _.opportunity_id.notnull())
    both = both.select("opportunity_id", at="occurred_at")
    marks = ibis.union(both, ends.select("opportunity_id", at="from_"))
    marks = marks.join(ends, "opportunity_id").filter(_.at >= _.from_, _.at <= _.until_)
    order = ibis.window(group_by="opportunity_id", order_by="at")
    marks = marks.mutate(next_=ibis.coalesce(_.at.lead().over(order), _.until_))
    # Shorter than three times the shortest norm in calendar days is no silence: most are out.
    norms = [s.touch_days for s in book.settings.stages if s.touch_days]
    least = min(norms, default=0.0) * book.settings.norms.silent_after * 86_400
    gap = marks.next_.epoch_seconds() - marks.at.epoch_seconds()
    marks = marks.filter(gap > least)
    marks = with_working_days(book, marks, "at", "next_", "gap_days")
    marks = _with_stage(book, marks)
    limit = by_stage(book, marks.then_stage, "touch_days") * book.settings.norms.silent_after
    long = (marks.gap_days.cast("float64") > limit).fill_null(False)
    return marks.filter(long).select(silent_id="opportunity_id").distinct()


def _with_stage(book: Book, marks: Table) -> Table:
    """Add the stage in which each deal stood at the beginning of its silence."""
    spans = book.store.spans.get("opportunities")
    if spans is None or "stage" not in spans.columns:
        return marks.mutate(then_stage=marks.stage_)
    spans = spans.filter(spans.valid_from <= instant(book.instant))
    spans = spans.select(span_id="id", span_stage="stage", begins="valid_from", ends="valid_to")
    joined = marks.left_join(
        spans,
        [marks.opportunity_id == spans.span_id, marks.at >= spans.begins, marks.at < spans.ends],
    )
    return joined.mutate(then_stage=ibis.coalesce(joined.span_stage, joined.stage_))


def broken(book: Book, period: Period) -> Table:
    """One row per deal that is open, or ended in the period, with what broke it.

    Returns
    -------
    ibis.Table
        `id`, `name`, `type`, `source`, `product_line`, `account_id`, `outcome`, `created_at`,
        `closed_at`, `cents`, `owner_id`, `team`, `region` and `skipped`, `silent`,
        `handed_late`, `no_owner`, `broken` (any of them).
    """
    deals = all_deals(book)
    ended = deals.outcome.isin(["won", "lost"])
    inside = book.calendar.contains(period, deals.closed_at).fill_null(False)
    deals = deals.filter((deals.outcome == "open") | (ended & inside))
    silent, skipped, late = longest_silence(book, deals), skips(book), _late_handovers(book)
    rows = deals.select(
        "id", "name", "type", "source", "product_line", "account_id", "outcome", "created_at",
        "closed_at", "cents", "owner_id", "team", "region",
        skipped=deals.id.isin(skipped.skipped_id), silent=deals.id.isin(silent.silent_id),
        handed_late=deals.id.isin(late.late_id), no_owner=deals.owner_id.isnull(),
    )  # fmt: skip
    return rows.mutate(broken=_.skipped | _.silent | _.handed_late | _.no_owner)


def _late_handovers(book: Book) -> Table:
    """Name the deals whose new owner let more working days pass than the settings allow."""
    always = Period(dt.date(2000, 1, 1), book.date, "")
    moves = handovers(book, always)
    late = moves.gap_days.cast("float64") > book.settings.norms.handover_days
    return moves.filter(late).select(late_id="opportunity_id").distinct()
