"""How long deals stay in a stage: first stays and how they ended, and what is normal.

One row per first entry of a deal into a stage. A skip counts as got on, a backward move keeps the
clock of the first entry, a re-entry is no second entry, loss and void compete.
"""

import datetime as dt
import math
from typing import TypeAlias

import ibis
import numpy as np
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.book.versions import AT
from salesops.methods.intervals import wilson
from salesops.methods.survival import Incidence, aalen_johansen
from salesops.metrics.kept import kept_table
from salesops.metrics.stages import GONE, ON, stage_times

Table: TypeAlias = ibis.Table
DAY = 86_400
WON = "won"
TWO_YEARS, YEAR = dt.timedelta(days=730), dt.timedelta(days=365)
# Three of four entries have left the stage by then.
QUARTER_LEFT = 0.25
WEEK = 7 / 5


def stage_entries(book: Book, since: dt.timedelta = TWO_YEARS) -> Table:
    """Give the first entries into each open stage up to the book's instant.

    Parameters
    ----------
    book
        With a history of stages; renewals are left out.
    since
        How far back entries count.

    Returns
    -------
    ibis.Table
        One row per deal and stage: `id` (`<deal>:<stage>`), `opportunity_id`, `stage`,
        `entered_at`, `stay_days` (whole days in the stage or so far), `left_by` (`on`, `gone`,
        empty while it lasts), `life_days` (whole days until the deal was won or gone, or so far)
        and `ended_by` (`won`, `gone` or empty).
    """
    times = reached(book)
    first = ibis.literal(book.instant - since).cast(AT)
    now = ibis.literal(book.instant).cast(AT)
    parts = []
    for i, stage in enumerate(book.settings.stage_ids("open")):
        entered, beyond = times[f"entered_{i}"], times[f"beyond_{i}"]
        part = times.filter(
            entered > first, entered <= now, beyond.isnull() | (beyond >= entered)
        ).select(
            opportunity_id="id", stage=ibis.literal(stage), entered_at=entered,
            beyond_at=beyond, won_at="won_at", gone_at="gone_at",
        )  # fmt: skip
        parts.append(part)
    rows = ibis.union(*parts) if len(parts) > 1 else parts[0]
    gone = ibis.ifelse(rows.gone_at >= rows.entered_at, rows.gone_at, ibis.null(AT))
    rows = rows.mutate(gone_at=gone)
    stay, life = ibis.coalesce(_.beyond_at, _.gone_at, now), ibis.coalesce(_.won_at, _.gone_at, now)
    return rows.mutate(
        id=rows.opportunity_id.concat(":", rows.stage),
        stay_days=_whole_days(rows.entered_at, stay.resolve(rows)),
        left_by=ibis.cases((rows.beyond_at.notnull(), ON), (gone.notnull(), GONE), else_=""),
        life_days=_whole_days(rows.entered_at, life.resolve(rows)),
        ended_by=ibis.cases((rows.won_at.notnull(), WON), (gone.notnull(), GONE), else_=""),
    ).select("id", "opportunity_id", "stage", "entered_at", "stay_days", "left_by", "life_days",
             "ended_by")  # fmt: skip


def reached(book: Book) -> Table:
    """Give when each deal but renewals reached the stages; see `stages.stage_times`."""
    selling = book.without_renewals()
    return kept_table("stage_times", selling, lambda: stage_times(selling))


def _whole_days(start: ibis.Value, end: ibis.Value) -> ibis.Value:
    seconds = end.epoch_seconds() - start.epoch_seconds()
    return seconds.cast("int64") // DAY


def left_by_quarter(stays: pd.DataFrame) -> float:
    """Give the days after which three of four entries have left, on or gone; null where not yet."""
    if stays.empty:
        return math.nan
    # A stay that ended the same day lasted part of a day.
    found = aalen_johansen(stays["stay_days"], stays["left_by"])
    last = found.supported()
    here = np.flatnonzero(found.staying[: last + 1] <= QUARTER_LEFT + 1e-12)
    return max(float(found.ages[here[0]]), 1.0) if len(here) else math.nan


def stay_norms(book: Book, entries: pd.DataFrame) -> pd.DataFrame:
    """What time in each stage is normal?

    Returns
    -------
    pandas.DataFrame
        One row per open stage: `stage`, `norm_days` (days after which three of four entries of
        the last 12 months have left the stage, whether on or out; with fewer than the settings'
        `too_few` entries, or more still there, the settings' `stay_days` in calendar days),
        `norm_n` (entries) and `norm_from` (`history`, `settings`, or null where neither is).
    """
    rows = []
    since = pd.Timestamp(book.instant - YEAR)
    for stage in book.settings.stages:
        if stage.kind != "open":
            continue
        mine = entries[(entries["stage"] == stage.id) & (entries["entered_at"] > since)]
        days, source = math.nan, None
        if len(mine) >= book.settings.norms.too_few:
            days, source = left_by_quarter(mine), "history"
        if math.isnan(days):
            # The settings count working days.
            days = stage.stay_days * WEEK if stage.stay_days else math.nan
            source = "settings" if stage.stay_days else None
        rows.append((stage.id, days, len(mine), source))
    return pd.DataFrame(rows, columns=["stage", "norm_days", "norm_n", "norm_from"])


def chance_by_stay(entries: pd.DataFrame, norm_days: float, times: tuple[int, ...]) -> pd.DataFrame:
    """How likely is a deal won once it has stayed so many norms in a stage?

    Parameters
    ----------
    entries
        First entries into one stage.
    times
        Multiples of the norm; 0 is on entry.

    Returns
    -------
    pandas.DataFrame
        One row per multiple: `times`, `n` (deals that stayed so long), `chance` (of winning in
        the end, from then on), `low`, `high` (80 %) and `variance`.
    """
    rows = []
    for multiple in times:
        since = multiple * norm_days
        # Whoever was cut at the book's date before that age says nothing of it.
        there = entries[entries["stay_days"] >= since] if multiple else entries
        found = aalen_johansen(there["life_days"] - since, there["ended_by"])
        rows.append((multiple, len(there), *_plateau(found, len(there))))
    return pd.DataFrame(rows, columns=["times", "n", "chance", "low", "high", "variance"])


def _plateau(found: Incidence, n: int) -> tuple[float, float, float, float]:
    if not len(found.ages):
        return (math.nan, math.nan, math.nan, math.nan)
    if WON not in found.by_cause:
        # None of n: what may lie behind it is said by the count alone.
        low, high = wilson(0, n)
        return 0.0, low, high, 0.0
    chance, low, high = found.plateau(WON)
    return chance, low, high, float(found.variance[WON][found.supported()])
