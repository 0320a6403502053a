"""Companies that tried something in their worst teams, with what it did written down.

Made to be hard in the ways that real ones are: teams have good and bad spells that last, people
come and go, waves start one after the other, and whoever is worst of late is who is helped. Nothing
here knows how effects are estimated.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
TEAMS = 15


@dataclass(frozen=True, kw_only=True, eq=False)
class Tried:
    """One company.

    Attributes
    ----------
    frame
        One row per rep and month with cases: `unit`, `team`, `period`, `value` (mean of the
        cases), `n` (cases).
    starts
        Month from which each treated team was treated.
    truth
        Mean effect over the cases of treated reps since their start.
    base
        Usual level of the outcome.
    """

    frame: pd.DataFrame
    starts: dict[str, int]
    truth: float
    base: float


def tried(
    seed: int, effect: float, *, teams: int = TEAMS, treated: int | None = None,
    worst: bool = True, by_rep: bool = False,
) -> Tried:  # fmt: skip
    """Make up a company in which something was tried.

    Parameters
    ----------
    seed
        The same seed gives the same company.
    effect
        Change of the outcome, as a part of its usual level.
    teams, treated
        How many there are and how many are treated; without the latter one to five.
    worst
        Whether those are treated that were worst of late; otherwise they are drawn by lot.
    by_rep
        Whether two reps of each of half the teams are treated, by lot, rather than whole teams.
    """
    rng = np.random.default_rng([seed, 7])
    months = int(rng.integers(24, 37))
    team = np.repeat(np.arange(teams), rng.integers(4, 9, teams))
    base = rng.uniform(0.08, 0.30)
    calm = _calm(rng, team, teams, months, base)
    cases = _cases(rng, len(team), months)
    share = bool(rng.random() < 0.5)
    noise = rng.standard_normal((len(team), months)), rng.random((len(team), months))
    seen = _seen(calm, cases, noise, share, base)
    starts, waves = np.full(len(team), months), _waves(rng, months, treated, teams)
    look_back = int(rng.integers(1, 5))
    if by_rep:
        chosen = rng.permutation(teams)[: teams // 2]
        picked = np.concatenate([rng.permutation(np.flatnonzero(team == g))[:2] for g in chosen])
        starts[picked] = waves[0][0]
    else:
        for start, how_many in waves:
            free = np.array([g for g in range(teams) if (starts[team == g] == months).all()])
            late = slice(start - look_back, start)
            level = np.array([_mean(seen[team == g, late], cases[team == g, late]) for g in free])
            order = np.argsort(level) if worst else rng.permutation(len(free))
            starts[np.isin(team, free[order[:how_many]])] = start
    own = effect * base * (1 + 0.2 * rng.standard_normal(teams))[team]
    on = np.arange(months) >= starts[:, None]
    changed = np.where(on, calm + own[:, None], calm)
    limits = (0.005, 0.995) if share else (-np.inf, np.inf)
    moved = np.clip(changed, *limits) - np.clip(calm, *limits)
    truth = _mean(moved[on], cases[on])
    value = _seen(changed, cases, noise, share, base)
    return Tried(frame=_frame(team, value, cases), starts=_named(team, starts, months, by_rep),
                 truth=truth, base=float(base))  # fmt: skip


def _calm(rng: np.random.Generator, team: Ints, teams: int, months: int, base: float) -> Floats:
    """Draw what each rep would have reached in each month without anything being tried."""
    stays, swing = rng.uniform(0.2, 0.8), rng.uniform(0.05, 0.15)
    shock = np.empty((teams, months))
    shock[:, 0] = rng.standard_normal(teams)
    for t in range(1, months):
        fresh = rng.standard_normal(teams) * np.sqrt(1 - stays**2)
        shock[:, t] = stays * shock[:, t - 1] + fresh
    teams_differ = rng.uniform(0.0, 0.2) * rng.standard_normal(teams)
    reps_differ = 0.2 * rng.standard_normal(len(team))
    common = 0.1 * np.sin(2 * np.pi * (np.arange(months) + rng.integers(12)) / 12)
    common += np.cumsum(0.02 * rng.standard_normal(months))
    own_months = 0.1 * rng.standard_normal((len(team), months))
    level = (teams_differ[team] + reps_differ)[:, None] + common + swing * shock[team] + own_months
    return np.asarray(base * (1 + level))


def _cases(rng: np.random.Generator, reps: int, months: int) -> Ints:
    """Draw how many cases each rep has in each month; none before coming and after leaving."""
    usual = rng.uniform(10, 40) * rng.gamma(8, 1 / 8, reps)
    cases = rng.poisson(np.repeat(usual[:, None], months, axis=1))
    came = np.where(rng.random(reps) < 0.25, rng.integers(0, months, reps), 0)
    left = np.where(rng.random(reps) < 0.15, rng.integers(0, months, reps), months)
    month = np.arange(months)
    there = (month >= came[:, None]) & (month < np.maximum(left, came + 1)[:, None])
    return np.where(there, cases, 0)


def _seen(
    level: Floats, cases: Ints, noise: tuple[Floats, Floats], share: bool, base: float
) -> Floats:
    """Give the mean of the cases: hits of so many tries, or of amounts that spread as wide."""
    from scipy.stats import binom

    n = np.maximum(cases, 1)
    if share:
        return np.asarray(binom.ppf(noise[1], n, np.clip(level, 0.005, 0.995)) / n)
    return level + noise[0] * 2 * base / np.sqrt(n)


def _waves(
    rng: np.random.Generator, months: int, treated: int | None, teams: int
) -> list[tuple[int, int]]:
    """Draw when each wave starts and how many teams it has."""
    total = treated or int(rng.integers(1, min(6, teams)))
    count = int(rng.integers(1, min(total, 3) + 1))
    first = int(rng.integers(round(0.4 * months), round(0.65 * months) + 1))
    starts = first + np.concatenate([[0], np.cumsum(rng.integers(2, 5, count - 1))])
    sizes = [total // count + (i < total % count) for i in range(count)]
    return [(int(start), size) for start, size in zip(starts, sizes, strict=True)]


def _mean(value: Floats, weight: Ints) -> float:
    return float((value * weight).sum() / max(weight.sum(), 1))


def _named(team: Ints, starts: Ints, months: int, by_rep: bool) -> dict[str, int]:
    names = [f"r{i:03d}" if by_rep else f"t{g:02d}" for i, g in enumerate(team)]
    return {name: int(s) for name, s in zip(names, starts, strict=True) if s < months}


def _frame(team: Ints, value: Floats, cases: Ints) -> pd.DataFrame:
    reps, months = value.shape
    frame = pd.DataFrame({
        "unit": np.repeat([f"r{i:03d}" for i in range(reps)], months),
        "team": np.repeat([f"t{g:02d}" for g in team], months),
        "period": np.tile(np.arange(months), reps),
        "value": value.ravel(), "n": cases.ravel(),
    })  # fmt: skip
    return frame[frame["n"] > 0].reset_index(drop=True)
