"""Hand-overs of deals from one person to another, and when the new owner took them up."""

import datetime as dt

import ibis
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.book.moment import instant
from salesops.book.scope import OUTSIDE, with_people
from salesops.book.versions import AT, NEVER
from salesops.methods.medians import median_wait
from salesops.methods.survival import aalen_johansen
from salesops.metrics.metric import Estimate, Table
from salesops.metrics.workdays import with_working_days
from salesops.model.calendar import Period

TOUCHED, GONE, WAITING = "touched", "gone", "waiting"
_COLUMNS = ("id", "opportunity_id", "name", "from_owner_id", "owner_id", "team", "region",
            "source", "product_line", "handed_at", "touched_at", "ending", "gap_days")  # fmt: skip


def handovers(book: Book, period: Period) -> Table:
    """One row per change of owner, in the period, of a deal that was open.

    Returns
    -------
    ibis.Table
        The new owner stands in `owner_id`, `team` and `region` (at the event). `touched_at` is
        the new owner's first touch of the deal, or of its customer where the touch names no deal;
        one that only came in does not count. `ending`: `touched`, `gone` (the deal ended or was
        handed on first) or `waiting`. `gap_days`: working days from the hand-over to what ended
        it, or so far.

    Notes
    -----
    From the public pool to a person is a hand-over, from a person to the pool is none. Changes
    known only to lie between two imports are left out: their hour is not known.
    """
    return _handovers(book, period).select(*_COLUMNS)


def old_handovers(book: Book, period: Period) -> Table:
    """One row per hand-over of the period after which a whole working day has passed.

    What ended or was handed on within that day, untouched, needed no touch and is left out.
    """
    # The day that ends with the book's instant is over.
    today = book.calendar.local_date(book.instant + dt.timedelta(microseconds=1))
    over = today - dt.timedelta(days=1)
    rows = with_working_days(book, _handovers(book, period), "handed_at", over, "passed_days")
    needless = (rows.ending == GONE) & (rows.gap_days <= 1)
    return rows.filter(rows.passed_days >= 1, ~needless).select(*_COLUMNS)


def half_touched(rows: pd.DataFrame, _book: Book, _period: Period) -> Estimate:
    """Give the working days until half of the hand-overs were touched; others may still wait."""
    causes = rows["ending"].replace({WAITING: ""})
    incidence = aalen_johansen(rows["gap_days"], causes)
    value, low, high = median_wait(incidence, TOUCHED)
    if value != value:
        return Estimate(reason="half_not_touched")
    return Estimate(value=value, low=low, high=high)


def no_owner_log(book: Book) -> str | None:
    """Say why hand-overs can't be seen, where they can't."""
    tracking = book.tracked.get("opportunities", {}).get("owner_id")
    if tracking is None or tracking.since >= book.instant:
        return "no_owner_history"
    return "only_between_imports" if tracking.how == "snapshot" else None


def _handovers(book: Book, period: Period) -> Table:
    """Give the hand-overs with what ended them, and `until`, how long a touch counts."""
    moves = _moves(book, period)
    first = _first_touches(book, moves)
    rows = moves.left_join(first, moves.id == first.touch_id).drop("touch_id")
    rows = rows.mutate(
        ending=ibis.cases(
            (rows.touched_at.notnull(), TOUCHED),
            (rows.until < instant(book.instant), GONE),
            else_=WAITING,
        ),
        stopped_at=ibis.coalesce(rows.touched_at, rows.until),
    )
    rows = with_working_days(book, rows, "handed_at", "stopped_at", "gap_days")
    return rows.mutate(gap_days=rows.gap_days.cast("float64"))


def _moves(book: Book, period: Period) -> Table:
    """One row per change of owner of the period, until when the new one could touch the deal."""
    log = book.changes.filter(_.entity == "opportunities", _.field == "owner_id")
    order = ibis.window(group_by="entity_id", order_by=["changed_at", "seq", "new_value"])
    log = log.mutate(rank=ibis.row_number().over(order), next_at=_.changed_at.lead().over(order))
    users = book.table("users")
    pool = users.filter(users.role == "pool").id
    log = log.filter(
        book.calendar.contains(period, log.changed_at), log.changed_after.isnull(),
        log.old_value.notnull(), log.new_value.notnull(), log.old_value != log.new_value,
        log.new_value != OUTSIDE, ~log.new_value.isin(pool),
    )  # fmt: skip
    deals = book.opportunities.select(
        "name", "source", "product_line", "account_id", "outcome", "closed_at", opportunity_id="id"
    )
    moves = log.join(deals, log.entity_id == deals.opportunity_id)
    moves = moves.filter((_.outcome == "open") | (_.closed_at > _.changed_at))
    moves = moves.select(
        "opportunity_id", "name", "source", "product_line", "account_id",
        id=_.opportunity_id.concat("-", (_.rank + 1).cast("string")),
        from_owner_id="old_value", owner_id="new_value", handed_at="changed_at",
        until=ibis.least(
            ibis.coalesce(_.next_at, NEVER), ibis.coalesce(_.closed_at, NEVER),
            instant(book.instant),
        ).cast(AT),
    )  # fmt: skip
    moves = with_people(book.store, moves, "owner_id", "handed_at", users, instant(book.instant))
    return moves.rename(team="event_team", region="event_region")


def _first_touches(book: Book, moves: Table) -> Table:
    """Give the new owner's first touch of each hand-over: `touch_id`, `touched_at`."""
    acts = book.activities
    acts = acts.filter((acts.direction != "inbound").fill_null(True))
    acts = acts.select("user_id", "account_id", "lead_id", "opportunity_id", at="occurred_at")
    of_customer = acts.filter(_.opportunity_id.isnull(), _.lead_id.isnull())
    found = []
    for key, seen in (("opportunity_id", acts), ("account_id", of_customer)):
        touches = seen.select("user_id", "at", touched_key=key)
        by_new_owner = [
            moves[key] == touches.touched_key, moves.owner_id == touches.user_id,
            moves.handed_at <= touches.at, moves.until >= touches.at,
        ]  # fmt: skip
        found.append(moves.join(touches, by_new_owner).select(touch_id="id", at="at"))
    return ibis.union(*found).group_by("touch_id").agg(touched_at=_.at.min())
