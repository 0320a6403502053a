"""Do chances mean what they say? What was said, against the share in which it happened."""

import numpy as np
import pandas as pd

from salesops.methods.chances import logit, recalibrated
from salesops.methods.intervals import wilson
from salesops.methods.unitdraws import DRAWS, LEVELS, Bools, Floats, Scored, ranges, scored_rows

BINS = 10


def calibration_curve(frame: pd.DataFrame, *, bins: int = BINS) -> pd.DataFrame:
    """In what share did it happen, of rows to which about the same chance was said?

    Parameters
    ----------
    frame
        `score` (0-1), `happened`, `unit`, and `weight` if rows are weighted.
    bins
        Bins of equal counts. Equal scores stay together, so that there may be fewer.

    Returns
    -------
    pandas.DataFrame
        One row per bin, ascending: `said` (mean chance, 0-1), `share` (in which it happened, 0-1),
        `low`, `high` (90 %, by unit; null for one unit), `n` rows, `n_units`, `n_events`.

    Raises
    ------
    NotAChance
        A score is not within 0 and 1, or a weight not one.

    Notes
    -----
    Wilson's bounds (1927) on the effective number of rows, which is what independent rows of the
    same error would be, with the t quantile of the units: Korn & Graubard (1998), Survey
    Methodology 24(2); Franco et al. (2019), Journal of Survey Statistics and Methodology 7(3).
    Where it happened in all rows or in none, each unit counts once.

    Examples
    --------
    >>> rows = pd.DataFrame({"score": [0.1] * 10 + [0.8] * 10, "unit": range(20),
    ...                      "happened": [True] + [False] * 9 + [True] * 8 + [False] * 2})
    >>> calibration_curve(rows, bins=2)[["said", "share", "n"]].round(2).values.tolist()
    [[0.1, 0.1, 10.0], [0.8, 0.8, 10.0]]
    """
    columns = ["said", "share", "low", "high", "n", "n_units", "n_events"]
    rows = scored_rows(frame)
    if not len(rows):
        return pd.DataFrame(columns=columns)
    middle = pd.Series(rows.score).rank(method="average").to_numpy() - 0.5
    bin_ = (middle * bins / len(rows)).astype(int)
    found = [_bin(rows, bin_ == k) for k in np.unique(bin_)]
    return pd.DataFrame(found, columns=columns)


def _bin(rows: Scored, inside: "np.ndarray") -> tuple[float, ...]:
    happened, weight = rows.happened[inside].astype(float), rows.weight[inside]
    _names, unit = np.unique(rows.unit[inside], return_inverse=True)
    k, n = int(unit.max()) + 1, len(happened)
    share = float(np.average(happened, weights=weight))
    low, high = _share_range(share, happened, weight, unit, k)
    said = float(np.average(rows.score[inside], weights=weight))
    return said, share, low, high, n, k, int(happened.sum())


def _share_range(
    share: float, happened: Floats, weight: Floats, unit: "np.ndarray", k: int
) -> tuple[float, float]:
    """Give Wilson's bounds on the rows that the units are worth."""
    from scipy.stats import t

    if k < 2:
        return float("nan"), float("nan")
    rest = np.bincount(unit, weights=weight * (happened - share))
    variance = float((rest**2).sum()) * k / (k - 1) / float(weight.sum()) ** 2
    worth = share * (1 - share) / variance if variance > 0 else float(k)
    worth = min(max(worth, 1.0), float(len(happened)))
    return wilson(share * worth, worth, z=float(t.ppf(LEVELS[1], k - 1)))


def calibration_slope(
    frame: pd.DataFrame, *, draws: int = DRAWS, seed: int = 0
) -> pd.DataFrame:  # fmt: skip
    """Are chances too bold or too timid, and too high or too low?

    Parameters
    ----------
    frame
        `score` (0-1; 0 and 1 are moved inside by a ten-thousandth), `happened`, `unit`, and
        `weight` if rows are weighted.
    draws, seed
        Draws of units for the intervals.

    Returns
    -------
    pandas.DataFrame
        Two rows, `measure`: `slope` (1 is right; 0.5 says that log-odds should be half as far
        apart) and `intercept` (log-odds; 0 is right). `value`, `low`, `high` (90 %, by unit), `n`
        rows, `n_units`, `n_events`. Null for one class, for equal scores and where scores separate
        outcomes completely: no slope is steep enough then.

    Raises
    ------
    NotAChance
        A score is not within 0 and 1, or a weight not one.

    Notes
    -----
    Logistic regression on the log-odds that were said: Cox (1958), Biometrika 45, 562-565.

    Examples
    --------
    >>> rows = pd.DataFrame({"score": [0.2] * 10 + [0.8] * 10, "unit": range(20),
    ...                      "happened": [True] * 2 + [False] * 8 + [True] * 8 + [False] * 2})
    >>> calibration_slope(rows)["value"].round(3).abs().tolist()
    [1.0, 0.0]
    """
    rows = scored_rows(frame)
    odds = logit(rows.score)
    value = slope_of(odds, rows, rows.weight)
    start = (value[1], value[0]) if np.isfinite(value).all() else (0.0, 1.0)
    low, high = ranges(lambda w: slope_of(odds, rows, w, start), rows, draws=draws, seed=seed)
    return pd.DataFrame({
        "measure": ["slope", "intercept"], "value": value, "low": low, "high": high,
        "n": len(rows), "n_units": rows.n_units, "n_events": rows.n_events,
    })  # fmt: skip


# Steeper than any slope that chances need; only outcomes that are separated lead there.
_STEEPEST = 1000.0


def slope_of(
    odds: Floats, rows: Scored, weight: Floats, start: tuple[float, float] = (0.0, 1.0)
) -> tuple[float, float]:
    """Give slope and intercept under weights; null where they have no meaning."""
    if not len(rows) or separated(rows, weight):
        return float("nan"), float("nan")
    slope, level = recalibrated(odds, rows.happened, weight, start=start)
    if not (abs(slope) < _STEEPEST and abs(level) < _STEEPEST):
        return float("nan"), float("nan")
    return slope, level


def separated(rows: Scored, weight: Floats) -> bool:
    """Whether all that happened has scores on one side of all that did not, or one class is left.

    Equal scores at the border still separate: the slope would rise without end.
    """
    there = weight > 0
    hits, rest = rows.happened & there, ~rows.happened & there
    if not hits.any() or not rest.any():
        return True
    # Ascending, so that ends are first and last.
    first_hit, last_hit = _ends(rows.score, hits)
    first_rest, last_rest = _ends(rows.score, rest)
    return bool(first_hit >= last_rest or first_rest >= last_hit)


def _ends(score: Floats, of: Bools) -> tuple[float, float]:
    """Give the first and the last score of some rows, of which there is one at least."""
    return float(score[of.argmax()]), float(score[len(of) - 1 - of[::-1].argmax()])
