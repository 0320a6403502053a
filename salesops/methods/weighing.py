"""Weighted scores: totals, the weight at which another is first, and who wins by lot.

A change of one weight leaves the others in their proportions, which is the same as editing it
alone in a list whose sum does not matter. Totals are linear in that share, so that each place at
which two totals meet is the root of a line.
"""

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

Array: TypeAlias = "np.ndarray[tuple[int, ...], np.dtype[np.float64]]"
# Totals closer than this are equal: scores are entered with at most a few decimals.
SAME = 1e-9


@dataclass(frozen=True, kw_only=True)
class Flip:
    """The least change of one weight that puts another first.

    Attributes
    ----------
    share
        The weight's share of all, 0 to 1, at which both are level; beyond it the rival is first.
        Null where no share does it.
    rival
        Its place in the scores; -1 without one.
    """

    share: float
    rival: int


def shares(weights: Array) -> Array:
    """Give each weight's share of all.

    Examples
    --------
    >>> shares(np.array([30.0, 10.0])).tolist()
    [0.75, 0.25]
    """
    given = np.asarray(weights, dtype="float64")
    return given / given.sum()


def totals(scores: Array, weights: Array) -> Array:
    """Give each candidate's weighted mean score: scores has a row a candidate, a column a need.

    Examples
    --------
    >>> totals(np.array([[10.0, 0.0], [4.0, 8.0]]), np.array([1.0, 1.0])).tolist()
    [5.0, 6.0]
    """
    return np.asarray(scores, dtype="float64") @ shares(weights)


def flips(scores: Array, weights: Array) -> list[Flip]:
    """Which share of each weight puts another first, the others keeping their proportions?

    Returns
    -------
    list[Flip]
        One per need, in the order of the columns.

    Examples
    --------
    >>> found = flips(np.array([[10.0, 0.0], [4.0, 8.0]]), np.array([1.0, 3.0]))
    >>> [(round(f.share, 4), f.rival) for f in found]
    [(0.5714, 0), (0.4286, 0)]
    """
    table, share = np.asarray(scores, dtype="float64"), shares(weights)
    first = int(np.argmax(table @ share))
    return [_flip(table, share, j, first) for j in range(table.shape[1])]


def _flip(table: Array, share: Array, j: int, first: int) -> Flip:
    """Follow one share up and down to the nearest place at which a rival is level."""
    rest = 1.0 - share[j]
    if len(table) < 2 or rest < SAME:
        # Without other weights there is nothing whose share could grow.
        return Flip(share=math.nan, rival=-1)
    others = (table @ share - share[j] * table[:, j]) / rest
    # Lead over each rival at the share x: from that by the other needs to that by this one.
    by_rest, by_this = others[first] - others, table[first, j] - table[:, j]
    slope = by_this - by_rest
    with np.errstate(divide="ignore", invalid="ignore"):
        level = np.where(np.abs(slope) > SAME, -by_rest / slope, np.nan)
    level[first] = np.nan
    level[(level < 0) | (level >= 1)] = np.nan
    if np.isnan(level).all():
        return Flip(share=math.nan, rival=-1)
    way = np.abs(level - share[j])
    nearest = np.flatnonzero(way <= np.nanmin(way) + SAME)
    # Of several that are level there the one that gains fastest is first beyond it.
    rival = int(nearest[np.argmax(np.abs(slope[nearest]))])
    return Flip(share=float(level[rival]), rival=rival)


def drawn(scores: Array, around: Array, *, n: int, seed: int) -> Array:
    """How often is each first, where weights are drawn from a Dirichlet distribution?

    Parameters
    ----------
    scores
        A row a candidate, a column a need.
    around
        The distribution's parameters: all 1 for any weights alike, k times the shares for weights
        near those; a need with 0 keeps the weight 0.
    n, seed
        Draws, and where the lot begins.

    Returns
    -------
    numpy.ndarray
        One share of the draws per candidate; several that are level have equal parts of a draw.

    Notes
    -----
    The rank acceptability of Lahdelma, Hokkanen and Salminen (1998), European Journal of
    Operational Research 106, 137-143, for the first place.

    Examples
    --------
    >>> level = np.array([[10.0, 0.0], [0.0, 10.0]])
    >>> drawn(level, np.array([1.0, 1.0]), n=4000, seed=1).round(1).tolist()
    [0.5, 0.5]
    """
    table, alpha = np.asarray(scores, dtype="float64"), np.asarray(around, dtype="float64")
    used = alpha > 0
    lots = np.random.default_rng(seed).dirichlet(alpha[used], size=n)
    found = lots @ table[:, used].T
    is_first = found >= found.max(axis=1, keepdims=True) - SAME
    return (is_first / is_first.sum(axis=1, keepdims=True)).mean(axis=0)
