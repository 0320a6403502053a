"""Ranges of numbers that no formula has: the rows are drawn anew, many times."""

import numpy as np
import numpy.typing as npt

# 80 %, like every range on a page.
_LEVELS = (0.1, 0.9)
_AT_ONCE = 2_000_000


def ratio_range(
    above: npt.ArrayLike, below: npt.ArrayLike, *, draws: int = 1000, seed: int = 1
) -> tuple[float, float]:
    """Between which bounds does the ratio of two sums over the same rows lie (80 %)?

    Parameters
    ----------
    above, below
        What each row adds to the numerator and to the denominator.
    draws
        How often the rows are drawn anew, with replacement.
    seed
        The same seed and rows give the same range, in any order of the rows.

    Returns
    -------
    tuple of float
        Low and high bound; nan for fewer than two rows, or where the denominator may be nothing.

    Notes
    -----
    Efron & Tibshirani, An Introduction to the Bootstrap (1993), §13.3, the percentile interval.
    Rows have to be independent of each other.

    Examples
    --------
    >>> low, high = ratio_range([1, 0, 1, 0] * 25, [1] * 100)
    >>> 0.40 < low < 0.5 < high < 0.60
    True
    """
    pairs = np.column_stack([np.asarray(above, float), np.asarray(below, float)])
    n = len(pairs)
    if n < 2:
        return (np.nan, np.nan)
    pairs = pairs[np.lexsort(pairs.T)]
    rng = np.random.default_rng(seed)
    sums = np.empty((draws, 2))
    step = max(_AT_ONCE // n, 1)
    for start in range(0, draws, step):
        size = min(step, draws - start)
        sums[start : start + size] = pairs[rng.integers(0, n, (size, n))].sum(axis=1)
    if (sums[:, 1] <= 0).any():
        return (np.nan, np.nan)
    low, high = np.quantile(sums[:, 0] / sums[:, 1], _LEVELS)
    return float(low), float(high)
