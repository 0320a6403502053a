"""How good are chances that were said, held against what happened?

Rows are weeks of the same deals or customers and so no independent trials: every interval here is
by unit, drawing whole units anew. One class alone, or no rows, give nulls and never an error.
"""

from typing import Literal

import numpy as np
import pandas as pd

from salesops.methods.calibrated import slope_of
from salesops.methods.chances import logit
from salesops.methods.unitdraws import DRAWS, Bools, Floats, Scored, ranges, scored_rows

# A group with fewer rows of the rarer outcome, or fewer units that have it, says nothing.
FEW, FEW_UNITS = 20, 10
MEASURES = ("auc", "pr_auc", "brier", "brier_skill", "slope", "intercept")


def auc(score: Floats, happened: Bools, weight: Floats | None = None) -> float:
    """How likely has a row in which it happened the higher score? Null for one class.

    Ties count one half, rows by their weight (Hanley & McNeil 1982, Radiology 143, 29-36).

    Examples
    --------
    >>> auc(np.array([0.1, 0.4, 0.4, 0.8]), np.array([False, False, True, True]))
    0.875
    """
    w = np.ones(len(score)) if weight is None else weight
    if not (w * happened).sum() > 0 or not (w * ~happened).sum() > 0:
        return float("nan")
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(happened, score, sample_weight=w))


def judged(frame: pd.DataFrame, *, draws: int = DRAWS, seed: int = 0) -> pd.DataFrame:
    """How well do chances order rows, how near are they, and do they mean what they say?

    Parameters
    ----------
    frame
        `score` (0-1), `happened`, `unit`; `base` (the base rate said at the same time; the share
        of the rows themselves if there is none) and `weight` (censoring weight; 1 if there is
        none, and rows of weight 0 are left out).
    draws, seed
        Draws of units for the intervals.

    Returns
    -------
    pandas.DataFrame
        One row per measure: `measure`, `value`, `low`, `high` (90 %, by unit), `n` rows,
        `n_units`, `n_events`. Measures are `auc` (0.5 knows nothing, 1 all), `pr_auc` (average
        precision, 0-1), `brier` (mean squared error; less is better), `brier_skill` (part of the
        base rate's error that is gone; below 0 is worse than the base rate), `slope` and
        `intercept` (see `calibrated.calibration_slope`). Null where a measure has no meaning: for
        one class, for no rows, and bounds for a single unit.

    Raises
    ------
    NotAChance
        A score is not within 0 and 1, or a weight not one.

    Notes
    -----
    Brier (1950), Monthly Weather Review 78(1); Davis & Goadrich (2006), ICML, for average
    precision. Intervals: see `unitdraws.ranges`. Don't believe them with fewer than thirty units.

    Examples
    --------
    >>> rows = pd.DataFrame({"score": [0.2, 0.7, 0.6, 0.9], "happened": [False, True, False, True],
    ...                      "unit": list("abcd"), "base": 0.5})
    >>> judged(rows, draws=20).set_index("measure").loc["auc", "value"].item()
    1.0
    """
    rows = scored_rows(frame)
    y, odds, order = rows.happened, logit(rows.score), _Order(rows.score, rows.happened)
    loss = (rows.score - y) ** 2
    base = rows.frame["base"].to_numpy(float) if "base" in frame else None
    first = slope_of(odds, rows, rows.weight)
    start = (first[1], first[0]) if np.isfinite(first).all() else (0.0, 1.0)

    def measured(w: Floats) -> list[float]:
        slope, level = slope_of(odds, rows, w, start)
        return [*order.measures(w), *_errors(y, loss, base, w), slope, level]

    value = np.array([*_by_library(rows), *_errors(y, loss, base, rows.weight), *first])
    low, high = ranges(measured, rows, draws=draws, seed=seed)
    return pd.DataFrame({
        "measure": MEASURES, "value": value, "low": low, "high": high, "n": len(rows),
        "n_units": rows.n_units, "n_events": rows.n_events,
    })  # fmt: skip


def _by_library(rows: Scored) -> tuple[float, float]:
    """Give AUC and average precision."""
    if rows.is_one_class:
        return float("nan"), float("nan")
    from sklearn.metrics import average_precision_score

    y, score, w = rows.happened, rows.score, rows.weight
    return auc(score, y, w), float(average_precision_score(y, score, sample_weight=w))


def _errors(y: Bools, loss: Floats, base: Floats | None, w: Floats) -> tuple[float, float]:
    """Give the Brier score and its skill."""
    whole = float(w.sum())
    if not whole > 0:
        return float("nan"), float("nan")
    share = float((w * y).sum()) / whole
    usual = share * (1 - share) if base is None else float((w * (base - y) ** 2).sum()) / whole
    brier = float((w * loss).sum()) / whole
    return brier, 1 - brier / usual if usual > 0 else float("nan")


class _Order:
    """Rows sorted by a score once, so that each draw takes sums alone."""

    def __init__(self, score: Floats, y: Bools) -> None:
        self.by = np.argsort(score, kind="stable")
        ascending, self.y = score[self.by], y[self.by]
        self.starts = np.flatnonzero(np.r_[True, ascending[1:] != ascending[:-1]])
        self.is_tied = len(self.starts) < len(score)
        self.is_sorted = bool((self.by[1:] > self.by[:-1]).all())
        self.n = len(score)

    def _both(self, w: Floats) -> tuple[Floats, Floats]:
        """Give the weight of rows in which it happened, and of the rest, by score."""
        ascending = w if self.is_sorted else w[self.by]
        hits = ascending * self.y
        rest = ascending - hits
        if not self.is_tied:
            return hits, rest
        return np.add.reduceat(hits, self.starts), np.add.reduceat(rest, self.starts)

    def auc(self, w: Floats) -> float:
        return self._auc(*self._both(w)) if self.n else float("nan")

    def measures(self, w: Floats) -> tuple[float, float]:
        """Give AUC and average precision: recall gained times the precision there, from the top."""
        if not self.n:
            return float("nan"), float("nan")
        hits, rest = self._both(w)
        found = self._auc(hits, rest)
        if np.isnan(found):
            return found, found
        got = np.cumsum(hits[::-1])
        reached = got + np.cumsum(rest[::-1])
        precision = np.divide(got, reached, out=np.zeros(len(got)), where=reached > 0)
        return found, float(hits[::-1] @ precision / got[-1])

    @staticmethod
    def _auc(hits: Floats, rest: Floats) -> float:
        below = np.cumsum(rest)
        both = hits.sum() * below[-1]
        return float(hits @ (below - rest / 2) / both) if both > 0 else float("nan")


def paired_gain(
    frame: pd.DataFrame, score: str, other: str, *, draws: int = DRAWS, seed: int = 0
) -> tuple[float, float, float]:
    """How much better does one score order the same rows than another?

    Parameters
    ----------
    frame
        `happened`, `unit`, both scores (any numbers; rows in which either is null are left out)
        and `weight` if rows are weighted.
    score, other
        Names of their columns.
    draws, seed
        Draws of units for the interval; both scores are judged on the same draws.

    Returns
    -------
    tuple of float
        AUC of `score` less that of `other` (0.02 means that of a hundred pairs two more are in the
        right order), and its bounds (90 %, by unit). Null for one class.

    Raises
    ------
    NotAChance
        A weight is null, negative or infinite.

    Examples
    --------
    >>> rows = pd.DataFrame({"a": [0.1, 0.2, 0.8, 0.9], "b": 0.5, "unit": list("wxyz"),
    ...                      "happened": [False, False, True, True]})
    >>> paired_gain(rows, "a", "b", draws=30)[0]
    0.5
    """
    rows = scored_rows(frame[frame[[score, other]].notna().all(axis=1)], score=score,
                       is_chance=False)  # fmt: skip
    values = [rows.frame[name].to_numpy(float) for name in (score, other)]
    y = rows.happened
    mine, theirs = (_Order(v, y) for v in values)
    low, high = ranges(lambda w: [mine.auc(w) - theirs.auc(w)], rows, draws=draws, seed=seed)
    first, second = (auc(v, y, rows.weight) for v in values)
    return first - second, float(low[0]), float(high[0])


def by_group(
    frame: pd.DataFrame, group: str = "group", *, draws: int = DRAWS, seed: int = 0
) -> pd.DataFrame:  # fmt: skip
    """Are chances as good in every group, such as team or origin, and too high in any?

    Parameters
    ----------
    frame
        `score` (0-1), `happened`, `unit`, the group, and `weight` if rows are weighted.
    group
        Name of its column. Rows without a group are left out.
    draws, seed
        Draws of units for the intervals.

    Returns
    -------
    pandas.DataFrame
        One row per group: the group, `n` rows, `n_units`, `n_events`, `said` (mean chance), `share`
        (in which it happened), `gap` (share less said: calibration in the large; 0.05 means that it
        happened in five rows of a hundred more than was said) with `gap_low`, `gap_high`; `auc`
        with `low`, `high` (90 %, by unit). `why` names what keeps `auc` and all bounds null:
        `one_class`, or `too_few` (less than twenty rows of the rarer outcome, or less than ten
        units that have it); null where nothing does.

    Raises
    ------
    NotAChance
        A score is not within 0 and 1, or a weight not one.

    Examples
    --------
    >>> rows = pd.DataFrame({"score": 0.3, "happened": [True, False], "unit": ["a", "b"],
    ...                      "group": ["north", "south"]})
    >>> by_group(rows)[["group", "n", "why"]].values.tolist()
    [['north', 1, 'one_class'], ['south', 1, 'one_class']]
    """
    found = []
    for name, part in frame.groupby(group, sort=True, observed=True):
        rows = scored_rows(part)
        if len(rows):
            found.append({group: name, **_group(rows, draws, seed)})
    columns = [group, "n", "n_units", "n_events", "said", "share", "gap", "gap_low", "gap_high",
               "auc", "low", "high", "why"]  # fmt: skip
    return pd.DataFrame(found, columns=columns)


def _group(rows: Scored, draws: int, seed: int) -> dict[str, object]:
    y, order, why = rows.happened, _Order(rows.score, rows.happened), _why_not(rows)

    def gap(w: Floats) -> float:
        return float((w * (y - rows.score)).sum() / w.sum()) if w.any() else float("nan")

    def measured(w: Floats) -> list[float]:
        return [order.auc(w), gap(w)]

    low, high = ranges(measured, rows, draws=0 if why else draws, seed=seed)
    said = float(np.average(rows.score, weights=rows.weight))
    return {
        "n": len(rows), "n_units": rows.n_units, "n_events": rows.n_events, "said": said,
        "share": said + gap(rows.weight), "gap": gap(rows.weight), "gap_low": low[1],
        "gap_high": high[1], "auc": np.nan if why else auc(rows.score, y, rows.weight),
        "low": low[0], "high": high[0], "why": why,
    }  # fmt: skip


def _why_not(rows: Scored) -> str | None:
    if rows.is_one_class:
        return "one_class"
    rarer = rows.happened if 2 * rows.n_events <= len(rows) else ~rows.happened
    few = rarer.sum() < FEW or len(np.unique(rows.unit[rarer])) < FEW_UNITS
    return "too_few" if few else None


_PERIODS = {"month": "M", "quarter": "Q", "year": "Y"}


def over_time(
    frame: pd.DataFrame, every: Literal["month", "quarter", "year"] = "quarter", *,
    draws: int = DRAWS, seed: int = 0,
) -> pd.DataFrame:  # fmt: skip
    """Do chances become worse over time?

    Parameters
    ----------
    frame
        As for `by_group`, with `at`, the date at which the chance was said, instead of a group.
    every
        Length of a period of the calendar.
    draws, seed
        Draws of units for the intervals.

    Returns
    -------
    pandas.DataFrame
        One row per period in which chances were said, ascending: `period` (its first day), and the
        columns of `by_group`.

    Raises
    ------
    NotAChance
        A score is not within 0 and 1, or a weight not one.

    Examples
    --------
    >>> rows = pd.DataFrame({"score": 0.3, "happened": [True, False], "unit": ["a", "b"],
    ...                      "at": pd.to_datetime(["2026-01-31", "2026-04-01"])})
    >>> over_time(rows)["period"].dt.strftime("%Y-%m-%d").tolist()
    ['2026-01-01', '2026-04-01']
    """
    at = pd.to_datetime(frame["at"])
    at = at.dt.tz_localize(None) if at.dt.tz is not None else at
    starts = at.dt.to_period(_PERIODS[every]).dt.start_time
    return by_group(frame.assign(period=starts), "period", draws=draws, seed=seed)
