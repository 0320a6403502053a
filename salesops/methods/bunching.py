"""Do results gather just above the steps of a pay plan, and lack just below them?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
# Width of a bin, and how far beyond the outer steps the shape is learnt; the curve's degree.
BIN, AROUND, DEGREE = 0.01, 0.5, 3
# Results so near below a step may be moved to so near above it.
BELOW, ABOVE = 0.10, 0.03


@dataclass(frozen=True, kw_only=True)
class Bunching:
    """What lies about the steps.

    Attributes
    ----------
    over, under
        Results within 3 points above a step, and within 10 points below one.
    expected
        Results there would be above the steps, were none moved.
    moved
        Share of the results below the steps that went to just above; below 0 where they lack there.
    p
        Chance of so many if none were moved.
    """

    over: int
    under: int
    expected: float
    moved: float
    p: float


def bunching(attained: npt.ArrayLike, edges: Sequence[float]) -> Bunching:
    """Estimate which share of results just below steps of pay was moved to just above them.

    Parameters
    ----------
    attained
        Result divided by quota, one per seller and pay period.
    edges
        Attainments at which the pay jumps.

    Returns
    -------
    Bunching

    Notes
    -----
    The counts in bins of one point follow a smooth curve (log-polynomial, as the counterfactual of
    Chetty, Friedman, Olsen & Pistaferri 2011, Quarterly Journal of Economics 126, 749-804), of
    which a share is moved from below each step to above it (a notch: Kleven & Waseem 2013, same
    journal 128, 669-723). One-sided likelihood-ratio test of that share.

    Examples
    --------
    >>> even = np.linspace(0.3, 1.5, 241)
    >>> bunching(even, [1.0]).p > 0.2
    True
    >>> found = bunching(np.where((even > 0.9) & (even < 0.98), 1.01, even), [1.0])
    >>> found.over, found.under, found.p < 0.001
    (21, 5, True)
    """
    values = np.asarray(attained, dtype=float)
    if not edges or not len(values):
        return Bunching(over=0, under=0, expected=math.nan, moved=math.nan, p=1.0)
    x, counts = _binned(values, edges)
    above = np.any([(x > e) & (x < e + ABOVE) for e in edges], axis=0)
    below = np.any([(x > e - BELOW) & (x < e) for e in edges], axis=0) & ~above
    over, under = int(counts[above].sum()), int(counts[below].sum())
    if over + under == 0:
        return Bunching(over=0, under=0, expected=math.nan, moved=math.nan, p=1.0)
    expected, moved, p = _fitted(x, counts, _moves(x, edges))
    return Bunching(over=over, under=under, expected=float(expected[above].sum()), moved=moved, p=p)


def _binned(values: Floats, edges: Sequence[float]) -> tuple[Floats, Floats]:
    """Count by bins whose borders are whole points, a border's own results above it.

    Who won nothing at all is left out: they are many, and no part of a smooth curve.
    """
    low = max(1, round((min(edges) - AROUND) / BIN))
    high = round((max(edges) + AROUND) / BIN)
    number = np.floor(values / BIN + 1e-9).astype(int)
    kept = number[(number >= low) & (number < high)]
    counts = np.bincount(kept - low, minlength=high - low).astype(np.float64)
    middle: Floats = np.arange(low, high, dtype=np.float64) * BIN + BIN / 2
    return middle, counts


def _moves(x: Floats, edges: Sequence[float]) -> Floats:
    """Lay out where each bin's results go: columns lose, rows gain, each column sums to 0."""
    moves = np.zeros((len(x), len(x)))
    for edge in sorted(edges, reverse=True):
        into = np.flatnonzero((x > edge) & (x < edge + ABOVE))
        for out in np.flatnonzero((x > edge - BELOW) & (x < edge)):
            if moves[out, out] == 0:
                moves[out, out] = -1.0
                moves[into, out] += 1.0 / len(into)
    return moves


def _fitted(x: Floats, counts: Floats, moves: Floats) -> tuple[Floats, float, float]:
    """Fit the curve without and with moves; give the curve, the share moved, and the chance."""
    from scipy.optimize import minimize
    from scipy.special import ndtr

    powers = np.vander((x - x.mean()) / (x.max() - x.mean()), DEGREE + 1)

    def fit(params: Floats) -> tuple[float, Floats]:
        lam = np.exp(np.clip(powers @ params[:-1], -20, 20))
        flow = moves @ lam
        mu = np.maximum(lam + params[-1] * flow, 1e-9)
        slope = 1 - counts / mu
        by_curve = powers.T @ (lam * (slope + params[-1] * (moves.T @ slope)))
        return float((mu - counts * np.log(mu)).sum()), np.append(by_curve, slope @ flow)

    start = np.zeros(DEGREE + 2)
    start[-2] = math.log(max(counts.mean(), 1e-9))
    free: list[tuple[float | None, float | None]] = [(None, None)] * (DEGREE + 1)
    none = minimize(fit, start, jac=True, method="L-BFGS-B", bounds=[*free, (0.0, 0.0)])
    some = minimize(fit, none.x, jac=True, method="L-BFGS-B", bounds=[*free, (-0.9, 0.95)])
    moved = float(some.x[-1])
    z = math.copysign(math.sqrt(max(0.0, 2 * (none.fun - some.fun))), moved)
    curve: Floats = np.asarray(np.exp(powers @ some.x[:-1]), dtype=np.float64)
    return curve, moved, float(ndtr(-z))
