"""Dates that are moved again and again, and records that are filled in when the month ends."""

import datetime as dt
import math

import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.book.moment import instant
from salesops.checks.check import Check, Norm, Seen, Tested
from salesops.checks.followup import NOT_SIZED, beyond, rows_of
from salesops.checks.looks import Gain, alive, gain_of_looks, looks
from salesops.metrics.actions import state_of
from salesops.metrics.breaks import pushes
from salesops.metrics.opendeals import open_deals, standing
from salesops.metrics.workdays import local_day
from salesops.model.calendar import Period
from salesops.model.finding import Fact, Finding

LAST_DAYS, YEAR = 3, 365


def _pushed(book: Book, period: Period) -> Seen:
    """Open deals whose expected date was moved to later so often that it says nothing any more."""
    book = standing(book, period).without_renewals()
    norms = book.settings.norms
    counts = pushes(book)
    deals = open_deals(book)
    deals = deals.left_join(counts, deals.id == counts.moved_id)
    frame = (
        deals.select("id", "stage", "cents", n=deals.pushes.fill_null(0)).order_by("id").to_pandas()
    )
    often = frame[frame["n"] >= norms.push_count]
    value = len(often) / len(frame) if len(frame) else math.nan
    norm = Norm(value=norms.pushed_share, tolerance=0.0, source="settings")
    if len(frame) < norms.too_few or often.empty:
        return Seen(value=value, n=len(frame), norm=norm)
    gain = _gain_of_settling(book, often)
    sized = gain.is_known
    finding = Finding(
        code="diagnosis.pushed_deals", severity="act", owner_role="lead",
        evidence={
            "n": len(often), "n_open": len(frame), "share": value, "norm": norm.value,
            "times": norms.push_count, "amount": float(often["cents"].sum()) / 100,
            "chance": gain.chance, "norm_chance": gain.norm, "n_past": gain.n,
        },
        action="diagnosis.pushed_deals.action", lesson="10_forecast", trust="firm",
        assumption="diagnosis.pushed_deals.assumption" if sized else NOT_SIZED,
    )  # fmt: skip
    test = Tested(p=beyond(len(often), len(frame), norm.limit), finding=finding,
                  rows=rows_of("opportunities", often["id"]), gains=gain.on(often))  # fmt: skip
    return Seen(value=value, n=len(frame), norm=norm, tests=(test,))


def _gain_of_settling(book: Book, often: pd.DataFrame) -> Gain:
    """How much more often were deals of the same stage won whose date had not been moved?

    Those that were moved once or twice are left out: many are on their way to more.
    """
    seen, norms = looks(book), book.settings.norms
    if seen is None:
        return Gain.unknown()
    seen = alive(seen, norms.dead_days)
    seen = seen[(seen["pushes"] == 0) | (seen["pushes"] >= norms.push_count)]
    return gain_of_looks(seen, seen["pushes"] >= norms.push_count, often)


def _month_end(book: Book, period: Period) -> Seen:
    """Records that are changed when the month ends, and not when something happened."""
    book = standing(book, period)
    norms = book.settings.norms
    norm = Norm(value=norms.month_end_share, tolerance=0.05, source="settings")
    edits = _edits(book)
    n, late = len(edits), int(edits["late"].sum())
    value = late / n if n else math.nan
    if n < norms.too_few:
        return Seen(value=value, n=n, norm=norm)
    tests = [_bulk("", late, n, norm, beyond(late, n, norm.limit))]
    groups = edits.groupby("team")["late"].agg(["sum", "size"])
    for team, (hits, size) in groups.iterrows():
        others = (late - hits) / (n - size) if n > size else norm.value
        limit = max(norm.limit, others + norm.tolerance)
        if size >= norms.too_few and len(groups) > 1 and limit < 1:
            tests.append(_bulk(str(team), int(hits), int(size), norm,
                               beyond(int(hits), int(size), limit)))  # fmt: skip
    return Seen(value=value, n=n, norm=norm, tests=tuple(tests))


def _edits(book: Book) -> pd.DataFrame:
    """Give one row per deal and day of the last year on which it was changed: `team`, `late`.

    A deal that somebody goes through changes in several fields at once, which counts once.
    """
    since = instant(book.instant - dt.timedelta(days=YEAR))
    log = book.changes.filter(
        _.entity == "opportunities", _.field != "_row", _.old_value.notnull(),
        _.changed_at > since, _.changed_after.isnull(),
    )  # fmt: skip
    days = log.select("entity_id", day=local_day(book, log.changed_at)).distinct()
    deals = book.attributed("opportunities").select(deal_id="id", team="event_team")
    rows = days.join(deals, days.entity_id == deals.deal_id)
    frame = rows.select("day", "team").to_pandas()
    day = pd.to_datetime(frame["day"])
    left = day.dt.days_in_month - day.dt.day
    return pd.DataFrame({"team": frame["team"], "late": left < LAST_DAYS})


def _bulk(team: str, late: int, n: int, norm: Norm, p: float) -> Tested:
    code = "diagnosis.month_end_edits" + ("_team" if team else "")
    evidence: dict[str, Fact] = {
        "team": team, "n": n, "late": late, "share": late / n, "norm": norm.limit,
        "days": LAST_DAYS,
    }  # fmt: skip
    return Tested(p=p, finding=Finding(
        code=code, severity="watch", subject=team, owner_role="lead" if team else "ops",
        evidence=evidence, action=f"{code}.action", lesson="04_customer_base", trust="firm",
    ))  # fmt: skip


def _undone(book: Book, _period: Period) -> Seen:
    """Actions that are overdue and not done."""
    rows = book.table("actions").filter(_.kind == "action")
    frame = rows.select("id", "due_on", "status", "done_on").to_pandas()
    late = frame[state_of(frame, book.date) == "late"]
    value = float(len(late)) if len(frame) else math.nan
    if late.empty:
        return Seen(value=value, n=len(frame))
    finding = Finding(
        code="diagnosis.undone_actions", severity="note", owner_role="ops",
        evidence={"n": len(late), "n_all": len(frame)}, action="diagnosis.undone_actions.action",
        lesson="14_review",
    )  # fmt: skip
    test = Tested(p=0.0, finding=finding, rows=rows_of("actions", late["id"]))
    return Seen(value=value, n=len(frame), tests=(test,))


CHECKS: tuple[Check, ...] = (
    Check(id="pushed_deals", pain="review", unit="ratio",
          needs=("opportunities.expected_close_on",), look=_pushed,
          needs_log=("opportunities.expected_close_on",)),
    Check(id="month_end_edits", pain="review", unit="ratio", needs=("opportunities",),
          look=_month_end, needs_log=("opportunities.stage",)),
    Check(id="undone_actions", pain="review", unit="count", needs=("actions",), look=_undone),
)  # fmt: skip
