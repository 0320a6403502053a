"""Where to cut rows in two by one number so that another differs most between the parts."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# No part may be smaller than this share of the rows.
LEAST_SHARE = 0.1


@dataclass(frozen=True, kw_only=True)
class Split:
    """A cut, and by how many standard errors the values below it exceed those above.

    Attributes
    ----------
    cut
        The smallest number of the upper part.
    n_below, n_above
        Rows of the parts.
    z
        Standardised rank sum of the lower part; positive where its values are larger.
    n_cuts
        Cuts that were tried.
    """

    cut: float
    n_below: int
    n_above: int
    z: float
    n_cuts: int


def best_split(by: npt.ArrayLike, values: npt.ArrayLike) -> Split | None:
    """At which number do the values below exceed those above most clearly?

    Parameters
    ----------
    by
        The number that is cut, such as amounts.
    values
        What is compared, such as days.

    Returns
    -------
    Split or None
        None where no cut leaves a tenth of the rows on either side.

    Notes
    -----
    Maximally selected rank statistics: Lausen & Schumacher (1992), Biometrics 48, 73–85.

    Examples
    --------
    >>> best_split([1, 2, 3, 4, 5, 6], [9, 8, 9, 2, 1, 2]).cut
    4.0
    """
    from scipy.stats import rankdata

    x, y = np.asarray(by, dtype=float), np.asarray(values, dtype=float)
    n = len(x)
    if n < 2:
        return None
    order = np.argsort(x, kind="stable")
    x, ranks = x[order], rankdata(y[order])
    below = np.arange(1, n)
    least = max(math.ceil(LEAST_SHARE * n), 1)
    # A cut lies between two different numbers.
    fits = (x[1:] > x[:-1]) & (below >= least) & (n - below >= least)
    if not fits.any():
        return None
    sums = np.cumsum(ranks)[:-1]
    spread = below * (n - below) * float(ranks.var()) / (n - 1)
    z = (sums - below * (n + 1) / 2) / np.sqrt(np.maximum(spread, 1e-12))
    i = int(np.flatnonzero(fits)[np.argmax(z[fits])])
    return Split(cut=float(x[i + 1]), n_below=int(below[i]), n_above=int(n - below[i]),
                 z=float(z[i]), n_cuts=int(fits.sum()))  # fmt: skip


def chosen_p(z: float, least_share: float = LEAST_SHARE) -> float:
    """How likely is so large a rank sum somewhere, chosen as the largest over all cuts?

    Notes
    -----
    One-sided form of Miller & Siegmund (1982), Biometrics 38, 1011–1016: half of their two-sided
    approximation, which holds for large values.

    Examples
    --------
    >>> round(chosen_p(4.0), 5)
    0.00117
    """
    if z <= 1:
        return 1.0
    density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    span = math.log((1 - least_share) ** 2 / least_share**2)
    return min(density * (z - 1 / z) * span / 2 + 2 * density / z, 1.0)
