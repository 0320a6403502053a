"""How long a thing is waited for, when some wait still: the median and its range."""

import numpy as np
import numpy.typing as npt

from salesops.methods.intervals import Z80
from salesops.methods.survival import Incidence, loglog_interval


def median_wait(incidence: Incidence, cause: str, *, z: float = Z80) -> tuple[float, float, float]:
    """After how long has half of all left by this cause, and between which bounds (80 %)?

    Parameters
    ----------
    incidence
        What `aalen_johansen` gives; with one cause it is one minus Kaplan and Meier's estimate.
    cause
        The way of leaving.
    z
        Standard normal quantile of the wanted level.

    Returns
    -------
    tuple of float
        Median and its bounds, in the unit of the ages; nan for each that is not reached.

    Notes
    -----
    The bounds are the ages at which those of the incidence, on the complementary log-log scale,
    reach one half (Brookmeyer & Crowley 1982, Biometrics 38, 29-41).

    Examples
    --------
    >>> from salesops.methods.survival import aalen_johansen
    >>> waits = aalen_johansen([1, 2, 3, 9], ["answered", "answered", "answered", ""])
    >>> median_wait(waits, "answered")[0]
    2.0
    """
    if cause not in incidence.by_cause:
        return (np.nan, np.nan, np.nan)
    chance, variance = incidence.by_cause[cause], incidence.variance[cause]
    pairs = zip(chance, variance, strict=True)
    # Where hardly anybody is left the upper bound is one, through a number too large to write.
    with np.errstate(over="ignore"):
        bounds = np.array([loglog_interval(float(c), float(v), z) for c, v in pairs])
    return (
        _first_at(incidence, chance),
        _first_at(incidence, bounds[:, 1]),
        _first_at(incidence, bounds[:, 0]),
    )


def _first_at(incidence: Incidence, line: npt.NDArray[np.float64]) -> float:
    """Give the first age at which a rising line reaches one half."""
    # Sums of shares miss one half by a rounding error.
    found = np.flatnonzero(line >= 0.5 - 1e-12)
    return float(incidence.ages[found[0]]) if len(found) else float("nan")
