"""Rows of one unit stand or fall together: ranges by drawing whole units anew.

Weeks of one deal, or dates of one customer, share their luck. Drawn one by one they would look like
many independent trials, and every range would be too narrow.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from salesops.model.errors import SalesopsError

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]
DRAWS = 200
# 90 %, the level of all ranges of scored rows.
Z90, LEVELS = 1.6448536269514722, (0.05, 0.95)


@dataclass(eq=False, kw_only=True)
class NotAChance(SalesopsError, ValueError):
    """A column holds what can't be a chance, or can't be a weight."""

    column: str
    value: str
    expected: str

    def __str__(self) -> str:
        return (
            f"Column {self.column!r} holds {self.value}.\n"
            f"Expected: {self.expected}.\n"
            f"Leave such rows out before they are judged: frame[frame[{self.column!r}].notna()]."
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Scored:
    """Rows to be judged, ascending by score; the order they came in and ids don't matter.

    Attributes
    ----------
    frame
        The rows with a weight above 0.
    score, happened, weight
        Of each row; the weight is 1 where the frame has none.
    unit
        Number of the unit that each row belongs to, from 0.
    n_units
        How many units there are.
    """

    frame: pd.DataFrame
    score: Floats
    happened: Bools
    weight: Floats
    unit: Places
    n_units: int

    def __len__(self) -> int:
        return len(self.score)

    @property
    def n_events(self) -> int:
        """Rows in which it happened."""
        return int(self.happened.sum())

    @property
    def is_one_class(self) -> bool:
        """Whether it happened in all rows, or in none."""
        return self.n_events in (0, len(self))


def scored_rows(frame: pd.DataFrame, *, score: str = "score", is_chance: bool = True) -> Scored:
    """Lay out a frame for judging.

    Parameters
    ----------
    frame
        `happened`, `unit`, the score, and `weight` (censoring weight; 1 if there is none). Rows of
        weight 0 stand for nothing and are left out.
    score
        Name of the column.
    is_chance
        Whether scores have to lie within 0 and 1, or only order rows.

    Raises
    ------
    NotAChance
        A score is null or, where it should be a chance, outside 0 to 1; or a weight is null,
        negative or infinite.
    """
    weight = _weights(frame)
    kept = frame[weight > 0]
    weight, values = weight[weight > 0], kept[score].to_numpy(float, na_value=np.nan)
    bad = np.isnan(values) | (((values < 0) | (values > 1)) & is_chance)
    if bad.any():
        wanted = "a chance within 0 and 1" if is_chance else "a number"
        raise NotAChance(column=score, value=_shown(values[bad]), expected=f"{wanted} in each row")
    happened = kept["happened"].to_numpy(bool)
    unit, n_units = _numbered(kept["unit"], values, happened)
    order = np.lexsort((unit, weight, happened, values))
    return Scored(frame=kept.iloc[order], score=values[order], happened=happened[order],
                  weight=weight[order], unit=unit[order], n_units=n_units)  # fmt: skip


def _weights(frame: pd.DataFrame) -> Floats:
    if "weight" not in frame:
        return np.ones(len(frame))
    weight = frame["weight"].to_numpy(float, na_value=np.nan)
    bad = ~(np.isfinite(weight) & (weight >= 0))
    if bad.any():
        raise NotAChance(column="weight", value=_shown(weight[bad]),
                         expected="a finite weight of 0 or more in each row")  # fmt: skip
    return weight


def _shown(bad: Floats) -> str:
    first = "null" if np.isnan(bad[0]) else f"{bad[0]:g}"
    return f"{first} ({len(bad)} such rows)" if len(bad) > 1 else first


def _numbered(unit: "pd.Series[str]", score: Floats, happened: Bools) -> tuple[Places, int]:
    """Number units by what they hold, so that renamed ids and another order draw the same."""
    codes, names = pd.factorize(unit, sort=True, use_na_sentinel=False)
    n = len(names)
    if not n:
        return codes.astype(np.intp), 0
    lowest, highest = np.full(n, np.inf), np.full(n, -np.inf)
    np.minimum.at(lowest, codes, score)
    np.maximum.at(highest, codes, score)
    size, hits = np.bincount(codes, minlength=n), np.bincount(codes, happened, minlength=n)
    place = np.empty(n, dtype=np.intp)
    place[np.lexsort((np.arange(n), hits, size, highest, lowest))] = np.arange(n)
    return place[codes], n


def ranges(
    measured: Callable[[Floats], Sequence[float] | Floats], rows: Scored, *, draws: int = DRAWS,
    seed: int = 0,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Between which bounds do measures lie (90 %), units being drawn anew?

    Parameters
    ----------
    measured
        Gives the measures for weights of the rows; null where they have no meaning.
    rows
        The rows; their weights are multiplied by how often their unit was drawn.
    draws
        How often.
    seed
        The same seed and rows give the same bounds, in any order of the rows.

    Returns
    -------
    tuple of arrays
        Low and high bound of each measure; null for fewer than two units, and where half of the
        draws or more have no meaning.

    Notes
    -----
    Percentile interval of a cluster bootstrap (Davison & Hinkley 1997, §3.8) with Poisson counts
    (Chamandy et al. 2012, Estimating Uncertainty for Massive Data Streams). With fewer than some
    thirty units it is too narrow.

    Examples
    --------
    >>> frame = pd.DataFrame({"score": 0.5, "happened": [True, False] * 50, "unit": range(100)})
    >>> rows = scored_rows(frame)
    >>> low, high = ranges(lambda w: [np.average(rows.happened, weights=w)], rows)
    >>> bool(0.38 < low[0] < 0.45 and 0.55 < high[0] < 0.62)
    True
    """
    size = len(measured(rows.weight))
    nothing = np.full(size, np.nan)
    if rows.n_units < 2 or draws < 1:
        return nothing, nothing.copy()
    rng = np.random.default_rng(seed)
    drawn = np.empty((draws, size))
    for k in range(draws):
        times = rng.poisson(1.0, rows.n_units).astype(float)
        drawn[k] = measured(times[rows.unit] * rows.weight)
    low, high = nothing, nothing.copy()
    for k, column in enumerate(drawn.T):
        known = column[np.isfinite(column)]
        if 2 * len(known) > draws:
            low[k], high[k] = np.quantile(known, LEVELS)
    return low, high
