"""Random draws that give the same bytes on every machine.

Draws are whole numbers from PCG64 and are turned into values by lookup tables of whole numbers, so
that no result hangs on the last bit of a float. Each subject has a stream of its own: leaving one
problem out leaves everything else as it was.
"""

import math
from collections.abc import Sequence
from functools import cache
from statistics import NormalDist
from typing import TypeAlias
from zlib import crc32

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

# Stands for "has not happened" in whole-number columns; written as null.
NONE = -(2**62)
_MILLION = 1_000_000
_STEPS = 4096


class Draws:
    """One stream of random numbers, named by what it is used for."""

    def __init__(self, seed: int, block: int, subject: str) -> None:
        entropy = np.random.SeedSequence([seed, block, crc32(subject.encode())])
        self._rng = np.random.Generator(np.random.PCG64(entropy))

    def whole(self, low: ArrayLike, high: ArrayLike, n: int) -> Ints:
        """Draw whole numbers from low up to and with high, which may differ by row."""
        if np.ndim(low) == 0 and np.ndim(high) == 0:
            return self._rng.integers(int(low), int(high) + 1, n, dtype=np.int64)  # type: ignore[arg-type]
        low, high = np.asarray(low, np.int64), np.asarray(high, np.int64)
        raw = self._rng.integers(0, 2**40, n, dtype=np.int64)
        return low + raw % np.maximum(high - low + 1, 1)

    def chance(self, share: ArrayLike, n: int) -> Flags:
        """Draw yes with the given chance, which may differ by row."""
        parts = np.rint(np.asarray(share, float) * _MILLION).astype(np.int64)
        return self._rng.integers(0, _MILLION, n, dtype=np.int64) < parts

    def pick(self, weights: ArrayLike, n: int) -> Ints:
        """Draw positions with chances in proportion to whole-number weights."""
        ends = np.cumsum(np.asarray(weights, np.int64))
        return np.searchsorted(ends, self._rng.integers(0, ends[-1], n), side="right")

    def quantile(self, table: Ints, n: int) -> Ints:
        """Draw values from a table of equally likely values."""
        return table[self._rng.integers(0, len(table), n)]

    def level(self, n: int) -> Ints:
        """Draw the position in a table of quantiles, to use it more than once."""
        return self._rng.integers(0, _STEPS, n, dtype=np.int64)

    def order(self, n: int) -> Ints:
        """Draw a random order."""
        return np.argsort(self._rng.integers(0, 2**62, n, dtype=np.int64), kind="stable")


@cache
def lognormal(median: float, sigma: float, most: float = math.inf, steps: int = _STEPS) -> Ints:
    """Tabulate a lognormal distribution in whole numbers, quantile by quantile."""
    normal = NormalDist()
    levels = ((i + 0.5) / steps for i in range(steps))
    values = (min(median * math.exp(sigma * normal.inv_cdf(u)), most) for u in levels)
    return np.array([max(round(v), 0) for v in values], dtype=np.int64)


@cache
def normal_scores(steps: int = _STEPS) -> NDArray[np.float64]:
    """Tabulate the standard normal distribution to three decimals."""
    normal = NormalDist()
    return np.array([round(normal.inv_cdf((i + 0.5) / steps), 3) for i in range(steps)])


@cache
def spread(points: tuple[tuple[float, float], ...], steps: int = _STEPS) -> Ints:
    """Tabulate a distribution given by (cumulative share, value) points, linear in between."""
    shares, values = zip(*points, strict=True)
    levels = (np.arange(steps) + 0.5) / steps
    return np.rint(np.interp(levels, shares, values)).astype(np.int64)


def counted(weights: Sequence[float]) -> Ints:
    """Turn shares into whole-number weights."""
    return np.rint(np.asarray(weights, float) * _MILLION).astype(np.int64)
