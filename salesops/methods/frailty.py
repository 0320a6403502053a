"""When does what is awaited come, and how much sooner or later than all is a group?

A shared gamma frailty: the hazard of all by age, with late entry and censoring, and for each group
a pace that multiplies it. The pace of a group with little at risk stays near that of all.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
# Variance of log pace between groups is searched from 4 (groups have little in common) to 1/50.
_STRENGTHS = np.geomspace(0.25, 50.0, 24)
_CHANCE = 1.35  # half of the 5 % point of the likelihood ratio at the border of no difference


@dataclass(frozen=True, eq=False)
class Hazard:
    """Hazard of one event by age.

    Attributes
    ----------
    ages
        Ages at which something happened, ascending; any unit, negative before the due day.
    at_risk
        Weight of those waiting just before each age.
    steps
        Share of them to whom it happened at each age, 0–1; 0 where too few were waiting.
    """

    ages: Floats
    at_risk: Floats
    steps: Floats

    def cumulative(self, age: npt.ArrayLike) -> Floats:
        """Sum the steps up to an age (Nelson–Aalen)."""
        return self._until(self.steps, age)

    def exponent(self, age: npt.ArrayLike) -> Floats:
        """Give −log of the chance to wait on beyond an age (Kaplan–Meier)."""
        # Where all that were left went at once, one in a million is left to keep the log finite.
        return self._until(-np.log(np.maximum(1 - self.steps, 1e-6)), age)

    def continued(self, other: "Hazard") -> "Hazard":
        """Take another's steps beyond the last age that this one supports."""
        supported = np.flatnonzero(self.steps > 0)
        last = self.ages[supported[-1]] if len(supported) else -np.inf
        own, rest = self.ages <= last, other.ages > last
        return Hazard(
            *(
                np.concatenate([mine[own], theirs[rest]])
                for mine, theirs in (
                    (self.ages, other.ages),
                    (self.at_risk, other.at_risk),
                    (self.steps, other.steps),
                )
            )
        )

    def _until(self, steps: Floats, age: npt.ArrayLike) -> Floats:
        running = np.concatenate([[0.0], np.cumsum(steps)])
        return np.asarray(running[np.searchsorted(self.ages, np.asarray(age), side="right")])


def hazard(
    ages: npt.ArrayLike,
    happened: npt.ArrayLike,
    weights: npt.ArrayLike,
    entry_ages: npt.ArrayLike,
    *,
    pace: npt.ArrayLike = 1.0,
    at_least: float = 10.0,
) -> Hazard:
    """How likely is it at each age to happen to one that is still waiting?

    Parameters
    ----------
    ages
        Age at which it happened, or up to which each row was seen waiting.
    happened
        False where it had not happened by then (censored).
    weights
        How much each row stands for, such as a part of an instalment.
    entry_ages
        Age from which on each row was seen waiting; it is at risk at later ages.
    pace
        How much faster than all each row is taken to be.
    at_least
        Fewer than this waiting (or a tenth of the most that ever were, if that is less) support
        no step.

    Returns
    -------
    Hazard
        One value per distinct age at which something happened.

    Notes
    -----
    Nelson (1969), Journal of Quality Technology 1, 27–52; Aalen (1978), Annals of Statistics 6,
    701–726. Risk sets with late entry: Andersen & Gill (1982), Annals of Statistics 10, 1100–1120.

    Examples
    --------
    >>> found = hazard([1, 2, 2, 3], [True, True, False, True], [1, 1, 1, 1], [0, 0, 0, 0])
    >>> found.steps.round(3).tolist()
    [0.25, 0.333, 1.0]
    """
    age, weight = np.asarray(ages, dtype=float), np.asarray(weights, dtype=float)
    event, entry = np.asarray(happened, dtype=bool), np.asarray(entry_ages, dtype=float)
    grid = np.unique(age[event])
    waiting = _weight_below(entry, weight, grid) - _weight_below(age, weight, grid)
    paced = weight * np.asarray(pace, dtype=float)
    exposed = _weight_below(entry, paced, grid) - _weight_below(age, paced, grid)
    where = np.searchsorted(grid, age[event])
    events = np.bincount(where, weights=weight[event], minlength=len(grid))
    enough = min(at_least, math.ceil(waiting.max() / 10)) if len(grid) else at_least
    counted = waiting > max(enough - 1e-9, 0.0)
    steps = np.divide(events, exposed, out=np.zeros(len(grid)), where=counted)
    return Hazard(grid, waiting, np.minimum(steps, 1.0))


def _weight_below(values: Floats, weight: Floats, grid: Floats) -> Floats:
    order = np.argsort(values, kind="stable")
    running = np.concatenate([[0.0], np.cumsum(weight[order])])
    return np.asarray(running[np.searchsorted(values[order], grid, side="left")])


@dataclass(frozen=True, kw_only=True, eq=False)
class Paces:
    """How much faster than expected each group is: a gamma distribution per group.

    Attributes
    ----------
    shape, rate
        Of the gamma distribution; the mean is `shape / rate`.
    """

    shape: Floats
    rate: Floats

    @property
    def mean(self) -> Floats:
        """Expected pace: 1 as all, 2 twice as fast."""
        return self.shape / self.rate


def paces(events: npt.ArrayLike, expected: npt.ArrayLike) -> Paces:
    """How fast is each group compared with all, as far as its events can tell?

    Parameters
    ----------
    events
        What came, by group.
    expected
        What the hazard of all expects of what the group had at risk.

    Returns
    -------
    Paces
        One per group; near 1 where little was at risk, and for all groups where they do not differ
        beyond chance.

    Notes
    -----
    Gamma frailty with mean 1, whose strength has the largest marginal likelihood: Nielsen, Gill,
    Andersen & Sorensen (1992), Scandinavian Journal of Statistics 19, 25-43.

    Examples
    --------
    >>> paces([40, 4, 20, 20], [20.0, 20.0, 20.0, 20.0]).mean.round(2).tolist()
    [1.89, 0.29, 1.0, 1.0]
    """
    from scipy.special import gammaln

    seen, awaited = np.asarray(events, dtype=float), np.asarray(expected, dtype=float)
    a = _STRENGTHS[:, None]
    likelihood = (gammaln(a + seen) - gammaln(a) + a * np.log(a)
                  - (a + seen) * np.log(a + awaited)).sum(axis=1)  # fmt: skip
    best = int(likelihood.argmax())
    differ = likelihood[best] + awaited.sum() > _CHANCE
    strength = float(_STRENGTHS[best if differ else -1])
    return Paces(shape=seen + strength, rate=awaited + strength)


def paced_hazards(waits: pd.DataFrame, n: int, kinds: tuple[str, ...], *, rounds: int = 6
                  ) -> tuple[dict[str, Hazard], Paces]:  # fmt: skip
    """Learn the hazards by kind and the pace of each group together.

    Parameters
    ----------
    waits
        One row per wait: `age`, `entry`, `happened`, `weight` as in `hazard`, `group` (0 to n − 1)
        and `kind`.
    n
        How many groups there are.
    kinds
        Kinds with a hazard of their own; the others, and ages that a kind does not support, have
        that of all, which stands under the empty text.
    rounds
        Steps of expectation and maximisation.

    Returns
    -------
    tuple
        The hazards by kind for a group of pace 1, and the paces.
    """
    group, weight = waits["group"].to_numpy(), waits["weight"].to_numpy(float)
    columns = [waits[c].to_numpy() for c in ("age", "happened", "weight", "entry")]
    came = np.bincount(group, weights=weight * columns[1], minlength=n)
    places = {kind: np.flatnonzero((waits["kind"] == kind).to_numpy()) for kind in kinds}
    known = np.concatenate([np.zeros(0, dtype=np.int64), *places.values()])
    rest = np.setdiff1d(np.arange(len(waits)), known)
    found = Paces(shape=np.ones(n), rate=np.ones(n))
    curves: dict[str, Hazard] = {}
    for _round in range(rounds):
        pace = found.mean[group]
        curves = {"": hazard(*columns, pace=pace)}
        for kind, rows in places.items():
            own = hazard(*(c[rows] for c in columns), pace=pace[rows])
            curves[kind] = own.continued(curves[""])
        awaited = np.zeros(len(waits))
        for kind, rows in {"": rest, **places}.items():
            curve = curves[kind]
            awaited[rows] = curve.cumulative(columns[0][rows]) - curve.cumulative(columns[3][rows])
        found = paces(came, np.bincount(group, weights=weight * awaited, minlength=n))
    return curves, found
