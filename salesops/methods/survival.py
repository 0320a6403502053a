"""How likely each way of leaving a state is, when some have not left yet.

The Aalen–Johansen estimator for competing risks: at each age the chance still to be there times the
share of those at risk that leave by each cause. Counts are aggregated by age first, so the cost
does not grow with the number of deals.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Incidence:
    """Cumulative incidence of each cause by age.

    Attributes
    ----------
    ages
        Ages at which someone left, ascending, in the unit that was given.
    at_risk
        Number at risk just before each age.
    staying
        Chance of not having left by each age, 0–1.
    by_cause
        Chance of having left by this cause by each age, 0–1.
    variance
        Variance of `by_cause`.
    """

    ages: Floats
    at_risk: Floats
    staying: Floats
    by_cause: dict[str, Floats]
    variance: dict[str, Floats]

    def at(self, age: float, cause: str) -> float:
        """Give the chance of having left by this cause by this age."""
        index = int(np.searchsorted(self.ages, age, side="right")) - 1
        return 0.0 if index < 0 else float(self.by_cause[cause][index])

    def supported(self, at_least: int = 10) -> int:
        """Give the index of the last age that enough at risk support, −1 where nobody left.

        Enough is `at_least`, or a tenth of those at risk at first where they are few.
        """
        if not len(self.ages):
            return -1
        enough = min(float(at_least), float(np.ceil(self.at_risk.max() / 10)))
        return int(np.flatnonzero(self.at_risk >= enough)[-1])

    def plateau(self, cause: str, *, at_least: int = 10, z: float = 1.2816) -> tuple[
        float, float, float
    ]:  # fmt: skip
        """Give the chance by the last age with support, and its interval (80 % by default).

        Notes
        -----
        The interval is on the complementary log-log scale, so it stays within 0–1 (Kalbfleisch &
        Prentice, The Statistical Analysis of Failure Time Data, 2nd ed. 2002, §1.4 applied to an
        incidence). Ages that too few at risk support (`supported`) are left out.
        """
        index = self.supported(at_least)
        if index < 0 or cause not in self.by_cause:
            return (np.nan, np.nan, np.nan)
        chance = float(self.by_cause[cause][index])
        low, high = loglog_interval(chance, float(self.variance[cause][index]), z)
        return chance, low, high

    def median_age(self, cause: str) -> float:
        """Give the age at which the incidence reaches half its plateau; null where it is zero."""
        incidence = self.by_cause[cause]
        if not len(incidence) or incidence[-1] <= 0:
            return float("nan")
        return float(self.ages[np.searchsorted(incidence, incidence[-1] / 2)])


def loglog_interval(chance: float, variance: float, z: float) -> tuple[float, float]:
    """Give the interval of a chance on the complementary log-log scale."""
    if not 0 < chance < 1:
        return (chance, chance)
    scale = np.log1p(-chance)
    error = np.sqrt(variance) / ((1 - chance) * abs(scale))
    low = 1 - np.exp(scale * np.exp(-z * error))
    high = 1 - np.exp(scale * np.exp(z * error))
    return float(low), float(high)


def aalen_johansen(
    ages: npt.ArrayLike,
    causes: npt.ArrayLike,
    counts: npt.ArrayLike | None = None,
    *,
    entry_ages: npt.ArrayLike | None = None,
) -> Incidence:
    """How likely is each way of leaving, by age?

    Parameters
    ----------
    ages
        Age at which each row left or was last seen; any unit, 0 or more.
    causes
        Way of leaving of each row; the empty text where it had not left (censored).
    counts
        How many each row stands for; one by default.
    entry_ages
        Age from which on each row was seen (left truncation); from before 0 by default. A row is
        at risk at ages above its entry age.

    Returns
    -------
    Incidence
        One value per distinct age at which something left.

    Notes
    -----
    Aalen & Johansen (1978), Scandinavian Journal of Statistics 5, 141–150. At a tied age events
    come before censorings. The variance is that of Aalen (1978) in its plug-in form for competing
    risks (see Marubini & Valsecchi, Analysing Survival Data from Clinical Trials, 1995, §10.2).

    Examples
    --------
    >>> incidence = aalen_johansen([1, 2, 2, 3], ["on", "lost", "on", ""])
    >>> incidence.at(2, "on"), incidence.at(2, "lost")
    (0.5, 0.25)
    """
    age = np.asarray(ages, dtype=float)
    cause = np.asarray(causes, dtype=object)
    weight = np.ones(len(age)) if counts is None else np.asarray(counts, dtype=float)
    entry = np.full(len(age), -np.inf) if entry_ages is None else np.asarray(entry_ages, float)
    names = sorted({str(c) for c in cause if c})
    left = cause.astype(bool) if len(cause) else np.zeros(0, dtype=bool)
    grid = np.unique(age[left])
    at_risk = _at_risk(grid, age, entry, weight)
    events = {name: _summed(grid, age, weight, cause == name) for name in names}
    everyone = np.sum(list(events.values()), axis=0) if names else np.zeros(len(grid))
    staying = np.cumprod(1 - everyone / at_risk) if len(grid) else np.zeros(0)
    before = np.concatenate([[1.0], staying[:-1]]) if len(grid) else np.zeros(0)
    by_cause = {name: np.cumsum(before * events[name] / at_risk) for name in names}
    variance = {
        name: _variance(by_cause[name], events[name], everyone, at_risk, before) for name in names
    }
    return Incidence(
        ages=grid, at_risk=at_risk, staying=staying, by_cause=by_cause, variance=variance
    )


def _at_risk(grid: Floats, age: Floats, entry: Floats, weight: Floats) -> Floats:
    """Count those seen and not yet gone just before each age."""
    leaving = np.sort(age)
    leaving_weight = np.concatenate([[0.0], np.cumsum(weight[np.argsort(age)])])
    coming = np.sort(entry)
    coming_weight = np.concatenate([[0.0], np.cumsum(weight[np.argsort(entry)])])
    came = coming_weight[np.searchsorted(coming, grid, side="left")]
    gone = leaving_weight[np.searchsorted(leaving, grid, side="left")]
    return np.asarray(came - gone)


def _summed(grid: Floats, age: Floats, weight: Floats, chosen: npt.NDArray[np.bool_]) -> Floats:
    where = np.searchsorted(grid, age[chosen])
    return np.bincount(where, weights=weight[chosen], minlength=len(grid)).astype(float)


def _variance(
    incidence: Floats, own: Floats, everyone: Floats, at_risk: Floats, before: Floats
) -> Floats:
    """Plug-in variance of a cumulative incidence, by running sums instead of a double loop."""
    spare = at_risk * (at_risk - everyone)
    by_all = np.divide(everyone, spare, out=np.zeros_like(spare), where=spare > 0)
    one = before**2 * own * (at_risk - own) / at_risk**3
    two = before * own / at_risk**2
    # Σ_j (I(t) − I(t_j))² a_j + Σ_j one_j − 2 Σ_j (I(t) − I(t_j)) two_j
    sum_a, sum_ia, sum_iia = (np.cumsum(by_all * incidence**k) for k in range(3))
    sum_two, sum_itwo = np.cumsum(two), np.cumsum(two * incidence)
    first = incidence**2 * sum_a - 2 * incidence * sum_ia + sum_iia
    cross = incidence * sum_two - sum_itwo
    return np.maximum(first + np.cumsum(one) - 2 * cross, 0.0)
