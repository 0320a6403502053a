"""Leads that nobody ever called, and those of days off that wait for their answer."""

import datetime as dt
import math

import numpy as np
import pandas as pd

from salesops.book.book import Book
from salesops.checks.check import Check, Norm, Seen, Tested
from salesops.checks.followup import beyond, rows_of
from salesops.metrics.kept import kept
from salesops.metrics.opendeals import standing
from salesops.metrics.response import lead_answers, no_touches, settled
from salesops.metrics.workdays import local_day
from salesops.model.calendar import Period
from salesops.model.finding import Finding, Gap

LESSON = "07_conversion"
# The share is judged over so many days; how far beyond the settings' share is still normal.
RECENT, UNTOUCHED_TOLERANCE = 365, 0.01
# Beyond the late share of working days, so much of the leads of days off may be late.
OFF_TOLERANCE = 0.10
# Where the settings promise no first response.
ANSWER_HOURS = 24.0


def settled_leads(book: Book) -> pd.DataFrame:
    """Give the leads old enough to be called never touched.

    Returns
    -------
    pandas.DataFrame
        One row per lead: `id`, `is_cold` (nobody ever answered), `hours` (creation until the
        answer, nights and weekends counted; infinite without one), `is_off` (created on a day
        off) and `is_recent` (of the last year).
    """
    return kept("settled leads", book, lambda: _settled_leads(book))


def _settled_leads(book: Book) -> pd.DataFrame:
    leads = settled(book, lead_answers(book))
    frame = leads.select(
        "id", "created_at", "answered_at", day=local_day(book, leads.created_at)
    ).order_by("id").to_pandas()  # fmt: skip
    hours = (frame["answered_at"] - frame["created_at"]).dt.total_seconds() / 3600
    days = pd.to_datetime(frame["day"])
    off = {day: not book.calendar.is_working_day(day.date()) for day in days.unique()}
    recent = days > pd.Timestamp(book.date - dt.timedelta(days=RECENT))
    return pd.DataFrame({
        "id": frame["id"], "is_cold": frame["answered_at"].isna(), "hours": hours.fillna(np.inf),
        "is_off": days.map(off).astype(bool), "is_recent": recent,
    })  # fmt: skip


def _untouched(book: Book, period: Period) -> Seen:
    """The share of a year's leads that nobody ever answered against what is normal."""
    book = standing(book, period)
    norms = book.settings.norms
    norm = Norm(value=norms.untouched_share, tolerance=UNTOUCHED_TOLERANCE, source="settings")
    if no_touches(book) is not None:
        return Seen(value=math.nan, n=0, norm=norm, gaps=(_gap("untouched_leads"),))
    leads = settled_leads(book)
    recent = leads[leads["is_recent"]]
    cold = int(recent["is_cold"].sum())
    value = cold / len(recent) if len(recent) else math.nan
    if len(recent) < norms.too_few or not cold:
        return Seen(value=value, n=len(recent), norm=norm)
    everything = leads.loc[leads["is_cold"], "id"]
    finding = Finding(
        code="diagnosis.untouched_leads", severity="act",
        evidence={"n": cold, "n_leads": len(recent), "share": value, "norm": norm.value,
                  "days": norms.untouched_days, "n_ever": len(everything)},
        owner_role="sdr", action="diagnosis.untouched_leads.action", lesson=LESSON, trust="firm",
    )  # fmt: skip
    test = Tested(p=beyond(cold, len(recent), norm.limit), finding=finding,
                  rows=rows_of("leads", everything))  # fmt: skip
    return Seen(value=value, n=len(recent), norm=norm, tests=(test,))


def promised_hours(book: Book) -> float:
    """Give the hours within which a lead is to be answered, by the settings' service levels."""
    levels = [s.hours for s in book.settings.service_levels if s.what == "first_response"]
    return levels[0] if levels else ANSWER_HOURS


def _weekend(book: Book, period: Period) -> Seen:
    """How many answered leads of days off came late, against those of working days."""
    book = standing(book, period)
    if no_touches(book) is not None:
        return Seen(value=math.nan, n=0, gaps=(_gap("weekend_leads"),))
    leads, limit = settled_leads(book), promised_hours(book)
    answered = leads[leads["is_recent"] & ~leads["is_cold"]]
    late = answered["hours"] > limit
    off, work = answered["is_off"], ~answered["is_off"]
    n, n_work = int(off.sum()), int(work.sum())
    few = book.settings.norms.too_few
    if n < few or n_work < few:
        return Seen(value=float(late[off].mean()) if n else math.nan, n=n)
    norm = Norm(value=float(late[work].mean()), tolerance=OFF_TOLERANCE, source="learnt")
    slow = int((late & off).sum())
    finding = Finding(
        code="diagnosis.weekend_leads", severity="act",
        evidence={
            "n": slow, "n_leads": n, "share": slow / n, "norm": norm.value, "limit": limit,
            "hours": float(answered.loc[off, "hours"].median()),
            "norm_hours": float(answered.loc[work, "hours"].median()),
        },
        owner_role="sdr", action="diagnosis.weekend_leads.action", lesson=LESSON, trust="firm",
    )  # fmt: skip
    p = beyond(slow, n, min(norm.limit, 1.0))
    return Seen(value=slow / n, n=n, norm=norm, tests=(Tested(p=p, finding=finding),))


def _gap(check: str) -> Gap:
    return Gap(what=f"check.{check}", reason="no_touches", needs="leads.first_touched_at")


CHECKS: tuple[Check, ...] = (
    Check(id="untouched_leads", pain="data", unit="ratio", needs=("leads.created_at",),
          look=_untouched, apart=True),
    Check(id="weekend_leads", pain="data", unit="ratio", needs=("leads.created_at",),
          look=_weekend, apart=True),
)  # fmt: skip
