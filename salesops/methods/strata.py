"""Two shares compared within groups, so that a difference of the groups is not taken for theirs."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from salesops.methods.intervals import Z80


def stratified_difference(
    hits: npt.ArrayLike,
    n: npt.ArrayLike,
    other_hits: npt.ArrayLike,
    other_n: npt.ArrayLike,
    *,
    z: float = Z80,
) -> tuple[float, float, float]:
    """By how much do two shares differ among rows of the same group, with range (80 %)?

    Parameters
    ----------
    hits, n
        Successes and trials of the first by group.
    other_hits, other_n
        Those of the second.
    z
        Standard normal quantile of the wanted level.

    Returns
    -------
    tuple of float
        Difference (first minus second) and its bounds; nan where no group has both.

    Notes
    -----
    Weights of Mantel & Haenszel as given by Greenland & Robins (1985), Biometrics 41, 55-68;
    variance of Sato (1989), Biometrics 45, 1323-1324, which holds for many small groups too.

    Examples
    --------
    >>> found = stratified_difference([30, 5], [100, 10], [20, 40], [100, 90])
    >>> round(found[0], 4)
    0.0932
    """
    a, n1, b, n0 = (np.asarray(x, dtype=float) for x in (hits, n, other_hits, other_n))
    both = (n1 > 0) & (n0 > 0)
    a, n1, b, n0 = a[both], n1[both], b[both], n0[both]
    if not len(a):
        return (math.nan, math.nan, math.nan)
    whole = n1 + n0
    weight = float((n1 * n0 / whole).sum())
    difference = float(((a * n0 - b * n1) / whole).sum()) / weight
    p = (n1**2 * b - n0**2 * a + n1 * n0 * (n0 - n1) / 2) / whole**2
    q = (a * (n0 - b) + b * (n1 - a)) / (2 * whole)
    variance = (difference * float(p.sum()) + float(q.sum())) / weight**2
    error = z * math.sqrt(max(variance, 0.0))
    return (difference, difference - error, difference + error)


def spread_between(parts: Sequence[tuple[float, float]]) -> float:
    """How much do estimates of the same thing differ beyond chance, as a variance?

    Parameters
    ----------
    parts
        Estimate and its variance, one pair each.

    Returns
    -------
    float
        Variance between them, 0 where chance explains it or there are fewer than two.

    Notes
    -----
    DerSimonian & Laird (1986), Controlled Clinical Trials 7, 177-188.

    Examples
    --------
    >>> round(spread_between([(0.1, 0.01), (0.5, 0.01), (0.3, 0.01)]), 4)
    0.03
    """
    if len(parts) < 2:
        return 0.0
    values, variances = np.array(parts, dtype=float).T
    weights = 1 / variances
    mean = (weights * values).sum() / weights.sum()
    q = (weights * (values - mean) ** 2).sum()
    scale = weights.sum() - (weights**2).sum() / weights.sum()
    return max(float((q - (len(parts) - 1)) / scale), 0.0)
