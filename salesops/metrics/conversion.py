"""Stage conversion: the chance of getting past each stage, with its range and its change."""

import datetime as dt
import math

import pandas as pd
from scipy.special import ndtr

from salesops.book.book import Book
from salesops.methods.intervals import Z80, Z95, judge
from salesops.methods.survival import Incidence
from salesops.metrics.stages import (
    ON,
    flow,
    has_stage_history,
    incidence_by_stage,
    stage_times,
    stays,
)
from salesops.model.calendar import Period
from salesops.model.finding import Gap

YEAR = dt.timedelta(days=365)


def stage_conversion(book: Book, period: Period) -> tuple[pd.DataFrame, tuple[Gap, ...]]:
    """How likely does a deal get past each stage, now and the year before?

    Parameters
    ----------
    book
        The company, at its date and in its scope.
    period
        For the flow beside the cohort.

    Returns
    -------
    pandas.DataFrame
        One row per open stage: `stage`, `entered` (first entries of the last 12 months), `rate`
        (chance of reaching the next stage or beyond, 0-1), `low`, `high` (80 %), `prior_entered`,
        `prior_rate` (12 months before, as known then), `trust` (of the change), `change_p`
        (two-sided p of no change), `won_rate` (chance of winning in the end), `flow_in`,
        `flow_out` (deals in the period). Null where there is no history.
    tuple of Gap
        What could not be computed, and why.
    """
    gaps: list[Gap] = []
    names = list(book.settings.stage_ids("open"))
    empty = pd.DataFrame({"stage": names})
    columns = ["entered", "rate", "low", "high", "prior_entered", "prior_rate", "trust",
               "change_p", "won_rate", "flow_in", "flow_out"]  # fmt: skip
    if not has_stage_history(book):
        gaps.append(Gap(what="what.conversion", reason="no_history", needs="changes"))
        return empty.reindex(columns=["stage", *columns]), tuple(gaps)
    times = stage_times(book).cache()
    here = stays(times, book, book.instant - YEAR, book.instant)
    now = incidence_by_stage(here, len(names))
    won = stays(times, book, book.instant - YEAR, book.instant, until="won")
    to_win = incidence_by_stage(won, len(names))
    then = _year_before(book, gaps)
    moved = flow(times, book, period)
    rows = []
    for i, name in enumerate(names):
        entered = int(here.loc[here["stage"] == i, "n"].sum())
        rate, low, high = _chance(now[i], entered)
        n_then, past = then[i] if then else (0, None)
        prior = _chance(past, n_then)[0] if past is not None else math.nan
        p = _change_p(now[i], past)
        few = min(entered, n_then) if past is not None else 0
        diff = change_interval(now[i], past)
        trust = judge(*diff, few, too_few=book.settings.norms.too_few) if few else None
        wins = _chance(to_win[i], entered)[0]
        rows.append((name, entered, rate, low, high, n_then if then else math.nan, prior, trust, p,
                     wins, moved["flow_in"][i], moved["flow_out"][i]))  # fmt: skip
    return pd.DataFrame(rows, columns=["stage", *columns]), tuple(gaps)


def _year_before(book: Book, gaps: list[Gap]) -> list[tuple[int, Incidence]] | None:
    """The same estimate one year earlier, with what was known then; None without history."""
    past = book.as_of(book.instant - YEAR)
    since = book.tracked["opportunities"]["stage"].since
    if since > past.instant - YEAR:
        gaps.append(Gap(what="what.prior_conversion", reason="short_history",
                        evidence={"date": book.calendar.local_date(since)}))  # fmt: skip
        return None
    counts = stays(stage_times(past), past, past.instant - YEAR, past.instant)
    n_stages = len(book.settings.stage_ids("open"))
    found = incidence_by_stage(counts, n_stages)
    return [(int(counts.loc[counts["stage"] == i, "n"].sum()), found[i]) for i in range(n_stages)]


def _chance(incidence: Incidence | None, entered: int) -> tuple[float, float, float]:
    """The chance of getting on; null where nobody entered or nobody has left yet."""
    if incidence is None or not entered or not len(incidence.ages):
        return (math.nan, math.nan, math.nan)
    if ON not in incidence.by_cause:
        return (0.0, 0.0, 0.0)
    return incidence.plateau(ON, z=Z80)


def _change(now: Incidence, past: Incidence | None) -> tuple[float, float]:
    """Difference of the two chances and its standard error."""
    if past is None or ON not in now.by_cause or ON not in past.by_cause:
        return (math.nan, math.nan)
    found = []
    for one in (now, past):
        index = one.supported()
        found.append((one.by_cause[ON][index], one.variance[ON][index]))
    (rate, variance), (before, variance_before) = found
    return float(rate - before), math.sqrt(variance + variance_before)


def change_interval(now: Incidence, past: Incidence | None) -> tuple[float, float]:
    """The range of the change at 95 %: the word firm must not be said of every fifth accident."""
    diff, error = _change(now, past)
    return (diff - Z95 * error, diff + Z95 * error)


def _change_p(now: Incidence, past: Incidence | None) -> float:
    """Two-sided p of no change, by the normal approximation."""
    diff, error = _change(now, past)
    return float(2 * ndtr(-abs(diff) / error)) if error > 0 else math.nan
