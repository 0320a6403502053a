"""What an estimate would be, had others been treated: tests and intervals from that alone."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np

from salesops.methods.contrasts import Cell, Flags, Floats, Ints

# So many are drawn where there are more.
MOST = 2000
LEVEL = 0.90
_TINY = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class Arranged:
    """Estimates under every arrangement; the first is the real one.

    Attributes
    ----------
    change, dose
        Estimate of the outcome's change, and of the share of treated cases.
    error
        Its standard error but for a common factor.
    """

    change: Floats
    dose: Floats
    error: Floats

    @property
    def estimate(self) -> float:
        """The effect, nan where there was nothing to compare."""
        return float(self.change[0]) if len(self.change) else math.nan

    def p(self, effect: float = 0.0) -> float:
        """Share of arrangements with as large a difference, were this the effect.

        Examples
        --------
        >>> one = np.ones(4)
        >>> Arranged(change=np.array([3.0, -3, 1, -1]), dose=one, error=one).p()
        0.5
        """
        if math.isnan(self.estimate):
            return math.nan
        off = np.abs(self.change - effect * self.dose) / self.error
        # Sums of the same numbers in another order are ties.
        return float((off >= off[0] - _TINY * off.max()).mean())

    def interval(self, level: float = LEVEL) -> tuple[float, float]:
        """Give the effects that the test does not reject.

        Notes
        -----
        An arrangement differs as much as the real one where the effect lies within bounds about
        the estimate that follow from two straight lines; the end is a quantile of those bounds.
        """
        if math.isnan(self.estimate):
            return (math.nan, math.nan)
        a, b = self.change / self.error, self.dose / self.error
        # Arrangements as dosed as the real one tell nothing of how large the effect may be.
        free = np.abs(b) < b[0] - _TINY
        ends = np.full((2, len(a)), [[-math.inf], [math.inf]])
        roots = np.array([(a[0] - a) / np.where(free, b[0] - b, 1.0),
                          (a[0] + a) / np.where(free, b[0] + b, 1.0)])  # fmt: skip
        ends[0, free] = roots.min(axis=0)[free]
        ends[1, free] = roots.max(axis=0)[free]
        most = math.floor((1 - level) * len(a) + _TINY)
        return float(np.sort(ends[0])[most]), float(np.sort(ends[1])[-most - 1])

    def standard_error(self, free: int) -> float:
        """Give the standard error of the estimate; inf without degrees of freedom."""
        if free < 1 or math.isnan(self.estimate):
            return math.inf
        left = (self.change - self.estimate * self.dose) / self.error
        return float(self.error[0] * np.sqrt((left**2).mean() * (free + 1) / free))


def how_many(starts: Ints, stratum: Ints) -> int:
    """Count the ways in which the same starts could have gone to others.

    Examples
    --------
    >>> how_many(np.array([4, 4, 9, 9, 9]), np.zeros(5, dtype=int))
    10
    """
    ways = 1
    for s in np.unique(stratum):
        counts = np.unique(starts[stratum == s], return_counts=True)[1]
        ways *= math.factorial(int(counts.sum())) // math.prod(
            math.factorial(int(c)) for c in counts
        )
    return ways


def arrangements(starts: Ints, stratum: Ints, *, most: int = MOST, seed: int = 1) -> Ints:
    """Lay out the ways in which the same starts could have gone to others of the stratum.

    Parameters
    ----------
    starts, stratum
        Of each block.
    most
        Where there are more ways, so many are drawn.
    seed
        Of what is drawn.

    Returns
    -------
    numpy.ndarray
        One row per way, the real one first; one column per block.

    Examples
    --------
    >>> arrangements(np.array([4, 9, 9]), np.zeros(3, dtype=int)).tolist()
    [[4, 9, 9], [9, 4, 9], [9, 9, 4]]
    """
    strata = [np.flatnonzero(stratum == s) for s in np.unique(stratum)]
    if how_many(starts, stratum) <= most:
        options = [_orders(starts[at]) for at in strata]
        found = np.empty((math.prod(map(len, options)), len(starts)), dtype=starts.dtype)
        for row, chosen in enumerate(product(*options)):
            for at, order in zip(strata, chosen, strict=True):
                found[row, at] = order
        real = int(np.flatnonzero((found == starts).all(axis=1))[0])
        found[[0, real]] = found[[real, 0]]
        return found
    rng = np.random.default_rng(seed)
    found = np.tile(starts, (most, 1))
    for at in strata:
        found[1:, at] = rng.permuted(found[1:, at], axis=1)
    return found


def _orders(values: Ints) -> list[Ints]:
    """List the distinct orders of some values."""
    kinds, counts = np.unique(values, return_counts=True)
    found = [np.full(len(values), kinds[-1])]
    for kind, count in zip(kinds[:-1], counts[:-1], strict=True):
        longer = []
        for order in found:
            free = np.flatnonzero(order == kinds[-1])
            for chosen in combinations(free, int(count)):
                longer.append(order.copy())
                longer[-1][list(chosen)] = kind
        found = longer
    return found


def arranged(cells: Sequence[Cell], ways: Ints, stratum: Ints) -> Arranged:
    """Estimate under each arrangement, only with blocks that had not started yet as comparison.

    Parameters
    ----------
    cells
        Changes as the blocks of each start would see them.
    ways
        Arrangements by blocks.
    stratum
        Of each block, whom it is compared with.

    Notes
    -----
    Effects of a start in a period, each against blocks never or not yet treated then, weighed by
    what is treated: Callaway & Sant'Anna (2021), Journal of Econometrics 225, 200-230. Dividing by
    an error that knows the blocks' sizes keeps small treated blocks from seeming effects: Ferman
    & Pinto (2019), Review of Economics and Statistics 101, 452-467.
    """
    member = (stratum[:, None] == np.unique(stratum)).astype(float)
    pull = np.zeros(ways.shape)
    change, dose, total = (np.zeros(len(ways)) for _ in range(3))
    for cell in cells:
        mine, others = ways == cell.start, (ways > cell.at) & (ways != cell.start)
        treated, calm = mine * cell.weight, others * cell.weight
        sums, rest = treated @ member, calm @ member
        both = (sums > 0) & (rest > 0)
        size = np.where(both, (mine * cell.cases) @ member, 0.0)
        up, down = (
            np.divide(size, x, out=np.zeros_like(size), where=both) @ member.T for x in (sums, rest)
        )
        part = treated * up - calm * down
        pull += part
        change += part @ cell.change
        dose += part @ cell.dose
        total += size.sum(axis=1)
    seen = total > 0
    if not len(seen) or not seen[0]:
        return Arranged(change=np.empty(0), dose=np.empty(0), error=np.empty(0))
    weight = np.max([cell.weight for cell in cells], axis=0)
    spread = np.divide(1.0, weight, out=np.zeros_like(weight), where=weight > 0)
    error = np.sqrt(pull[seen] ** 2 @ spread)
    return Arranged(change=change[seen] / total[seen], dose=dose[seen] / total[seen],
                    error=error / total[seen])  # fmt: skip


def used(cells: Sequence[Cell], starts: Ints, stratum: Ints) -> tuple[Flags, Flags]:
    """Tell which blocks the real estimate treats, and which it compares them with."""
    treated, calm = np.zeros(len(starts), bool), np.zeros(len(starts), bool)
    for cell in cells:
        mine = (starts == cell.start) & (cell.weight > 0)
        others = (starts > cell.at) & (starts != cell.start) & (cell.weight > 0)
        treated |= mine & np.isin(stratum, stratum[others])
        calm |= others & np.isin(stratum, stratum[mine])
    return treated, calm
