"""Effects where there can be none: before the start, and in groups that nobody treated."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from salesops.methods.arrangements import Arranged, arranged, arrangements, how_many
from salesops.methods.contrasts import LEAST, NEVER, Cell, Ints, Panel, Window, cells, slopes

# Of fewer placebo groups none can be told from the rest.
LEAST_GROUPS = 10
_LEFT_OUT = -1


@dataclass(frozen=True, kw_only=True)
class Placebo:
    """An estimate that should be nothing, and the chance of one so large if it is.

    Attributes
    ----------
    estimate, p
        nan where there is too little to try it on.
    """

    estimate: float = math.nan
    p: float = math.nan


def drift(panel: Panel, windows: Sequence[Window], ways: Ints, effect: float) -> Placebo:
    """By how much more per period did those to be treated grow, before they could be chosen?

    Parameters
    ----------
    panel, windows
        What is compared.
    ways
        Arrangements by blocks, the real one first.
    effect
        Taken from those that were treated earlier, so that they can stand in for others.
    """
    return _tried(arranged(slopes(panel, windows), ways, panel.stratum), effect)


def earlier(panel: Panel, windows: Sequence[Window], ways: Ints, effect: float) -> Placebo:
    """Which effect does a start show that is laid into the middle of the time before?

    Parameters
    ----------
    panel, windows, ways, effect
        As for `drift`.
    """
    long = [w for w in windows if len(w.before) >= 2 * LEAST]
    shifted = []
    for w in long:
        middle = w.before[-1] + 1 - min(len(w.before) // 2, len(w.after))
        shifted.append(Window(start=w.start, before=range(w.before[0], middle),
                              after=range(middle, w.before[-1] + 1)))  # fmt: skip
    return _tried(arranged(cells(panel, shifted), ways, panel.stratum), effect)


def elsewhere(panel: Panel, real: Sequence[Cell], *, seed: int = 1) -> Placebo:
    """How many groups that nobody treated show as large an effect?

    Parameters
    ----------
    panel
        What is compared.
    real
        Cells of the real estimate.
    seed
        Of the groups that are drawn where there are many.

    Returns
    -------
    Placebo
        `estimate` is what nine in ten such groups stay below, on either side.

    Notes
    -----
    Conley & Taber (2011), Review of Economics and Statistics 93, 113-125.
    """
    never = np.flatnonzero((panel.starts == NEVER) & (np.max([c.weight for c in real], axis=0) > 0))
    given = np.full(len(panel.starts), NEVER)
    begun = {c.start for c in real}
    for s in np.unique(panel.stratum):
        free = never[panel.stratum[never] == s]
        starts = [x for x in panel.starts[panel.stratum == s] if x in begun]
        if len(free) < len(starts) + 2:
            return Placebo()
        given[free[: len(starts)]] = starts
    if how_many(given[never], panel.stratum[never]) < LEAST_GROUPS:
        return Placebo()
    drawn = arrangements(given[never], panel.stratum[never], seed=seed)
    ways = np.full((len(drawn) + 1, len(panel.starts)), _LEFT_OUT)
    ways[0] = panel.starts
    ways[1:, never] = drawn
    found = arranged(real, ways, panel.stratum)
    usual = float(np.quantile(np.abs(found.change[1:]), 0.9))
    return Placebo(estimate=usual, p=found.p())


def _tried(found: Arranged, effect: float) -> Placebo:
    return Placebo(estimate=found.estimate, p=found.p(effect))
