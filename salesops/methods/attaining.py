"""What people, teams and the company will sign: rates learnt with their doubt, then drawn.

A person's wins in a month are a Poisson count; its rate is the company's, times a factor of the
market, of the team and of the person, times the season and what share of a settled person's work
the month holds (days there, ramp). Where a team has more or less such work than it used to, its
results follow by a part only: some deals wait for hands, others come by themselves and are shared.
Each win has a size drawn from the company's own.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
# What is taken for usual as long as a company's own records say little: people differ by a
# quarter, teams and markets by a tenth.
USUAL = {"person": 0.25, "team": 0.10, "market": 0.12}
# The weight of the usual against what is seen, in groups or quarters.
FIRM = {"person": 6.0, "team": 4.0, "market": 6.0}
# So much of a change in hands is usually felt in results, and the doubt about it.
FOLLOWS, FOLLOWS_ERROR = 0.5, 0.5
# Sums of so many sizes are drawn beforehand, so many of each; more wins in one month are summed
# of several.
MOST_AT_ONCE, POOL = 12, 4096
CHUNK = 512


@dataclass(frozen=True, kw_only=True, eq=False)
class Rates:
    """What is known of how often, and how much at once, people sign.

    Attributes
    ----------
    base
        Wins in a settled person's month of usual season.
    team, person
        One row per team and per person: `shape`, `rate` of the gamma distribution of its factor
        (mean about 1); teams also `hands` (settled people's work in a month of the past, each
        person times the own factor); people also `team`, `size`, `size_error` (of the natural
        logarithm of how much larger their wins are than the company's).
    market
        Standard deviation of the market's factor from year to year.
    sizes
        Amounts of wins, each without its person's own part.
    spread
        Standard deviation of the persons' factors, for people without a past.
    follows, follows_error
        Which part of a change in a team's hands is felt in its results (0: none, deals come by
        themselves; 1: all of it), and the doubt about it.
    """

    base: float
    team: pd.DataFrame
    person: pd.DataFrame
    market: float
    sizes: Floats
    spread: float
    follows: float
    follows_error: float


def learn(seen: pd.DataFrame, wins: pd.DataFrame) -> Rates:
    """Learn rates from the past.

    Parameters
    ----------
    seen
        One row per person and month: `person`, `team`, `month` (a period or number), `staffing`
        (share of a settled person's work), `season` (of the month; 1 is usual), `n` (wins).
    wins
        One row per win: `person`, `amount` (positive).

    Returns
    -------
    Rates

    Raises
    ------
    ValueError
        Nothing was won, or nobody was there.

    Notes
    -----
    Gamma-Poisson model with shrinkage of teams, and of people within them; the spreads are those
    of greatest marginal likelihood (Robbins 1956, Proceedings of the Third Berkeley Symposium 1,
    157-163), held to what is usual by as many groups as `FIRM` says.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> seen = pd.DataFrame({"person": np.repeat(["a", "b"], 24), "team": "t", "staffing": 1.0,
    ...                      "season": 1.0, "month": 2 * list(range(24)),
    ...                      "n": rng.poisson(np.repeat([1.0, 3.0], 24))})
    >>> wins = pd.DataFrame({"person": ["a"] * 3 + ["b"] * 3, "amount": [5.0, 6, 7, 5, 6, 7]})
    >>> rates = learn(seen, wins)
    >>> round(rates.base, 1), (rates.person["shape"] / rates.person["rate"]).round(1).tolist()
    (2.2, [0.6, 1.4])
    """
    seen = seen[(seen["staffing"] > 0) & (seen["season"] > 0)]
    if seen.empty or not seen["n"].sum() or wins.empty:
        raise ValueError("nothing was won in the past by anybody who was there")
    hands = _hands(seen)
    follows, error = _felt(seen, hands)
    found = _factors_of(seen.assign(eased=hands["ratio"] ** (follows - 1.0)))
    base, teams, people, team_of = found.base, found.teams, found.people, found.even
    sizes, effects = _sizes(wins)
    people = people.join(effects).fillna({"size": 0.0, "size_error": effects.attrs["spread"]})
    # A stronger team is eased as a larger one is.
    work = seen["person"].map(people["shape"] / people["rate"]) * seen["staffing"]
    teams = teams.assign(hands=work.groupby(seen["team"]).sum() / seen["month"].nunique())
    return Rates(
        base=base, team=teams[["shape", "rate", "hands"]], market=_market(seen, team_of),
        person=people[["team", "shape", "rate", "size", "size_error"]], sizes=sizes,
        spread=found.spread, follows=follows, follows_error=error,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class _Found:
    base: float
    teams: pd.DataFrame
    people: pd.DataFrame
    even: "pd.Series[float]"
    spread: float


def _factors_of(seen: pd.DataFrame) -> _Found:
    """Shrink the factors of teams, and of people within them."""
    exposure = seen["staffing"] * seen["season"] * seen["eased"]
    base = float(seen["n"].sum() / exposure.sum())
    even = base * exposure
    by_team = pd.DataFrame({"n": seen["n"], "even": even}).groupby(seen["team"]).sum()
    shape = 1 / _spread(by_team["n"], by_team["even"], "team") ** 2
    teams = by_team.assign(shape=shape + by_team["n"], rate=shape + by_team["even"])
    even = even * seen["team"].map(teams["shape"] / teams["rate"]).fillna(1.0)
    # Whoever changed teams is one person.
    people = pd.DataFrame({"n": seen["n"], "even": even}).groupby(seen["person"]).sum()
    people["team"] = seen.sort_values("month").groupby("person")["team"].last()
    spread = _spread(people["n"], people["even"], "person")
    own = 1 / spread**2
    people = people.assign(shape=own + people["n"], rate=own + people["even"])
    even = even * seen["person"].map(people["shape"] / people["rate"])
    return _Found(base=base, teams=teams, people=people, even=even, spread=spread)


def _hands(seen: pd.DataFrame) -> pd.DataFrame:
    """Give each row its team's hands in its month: `ratio` to the `usual` ones of the team.

    Everybody counts alike: factors that are learnt from the same wins would seem to explain them.
    """
    work = seen["staffing"]
    here = work.groupby([seen["team"], seen["month"]]).transform("sum")
    usual = work.groupby(seen["team"]).transform("sum") / seen["month"].nunique()
    return pd.DataFrame({"ratio": here / usual, "usual": usual})


def _felt(seen: pd.DataFrame, hands: pd.DataFrame) -> tuple[float, float]:
    """Find which part of a change in hands is felt, by teams and months, held to the usual."""
    rows = pd.DataFrame({"n": seen["n"], "season": seen["season"], "ratio": hands["ratio"]})
    rows = rows.groupby([seen["team"], seen["month"]]).agg(
        n=("n", "sum"), season=("season", "first"), ratio=("ratio", "first"))  # fmt: skip
    team = rows.index.get_level_values(0)
    grid = np.linspace(0.0, 1.0, 41)
    told = -((grid - FOLLOWS) ** 2) / (2 * FOLLOWS_ERROR**2)
    for k, follows in enumerate(grid):
        even = rows["season"] * rows["ratio"] ** follows
        even *= (rows["n"].groupby(team).sum() / even.groupby(team).sum()).reindex(team).to_numpy()
        told[k] += float((rows["n"] * np.log(even.clip(lower=1e-12)) - even).sum())
    weight = np.exp(told - told.max())
    weight /= weight.sum()
    middle = float(weight @ grid)
    return middle, float(np.sqrt(weight @ (grid - middle) ** 2))


def _spread(n: "pd.Series[float]", even: "pd.Series[float]", kind: str) -> float:
    """Find the standard deviation of the factors behind counts, held to the usual one."""
    from scipy.optimize import minimize_scalar
    from scipy.stats import nbinom

    y, e = n.to_numpy(float), np.maximum(even.to_numpy(float), 1e-9)

    def loss(log_spread: float) -> float:
        shape = np.exp(-2 * log_spread)
        told = float(nbinom.logpmf(y, shape, shape / (shape + e)).sum())
        return FIRM[kind] / 2 * (log_spread - np.log(USUAL[kind])) ** 2 - told

    found = minimize_scalar(loss, bounds=(np.log(0.01), np.log(1.5)), method="bounded")
    return float(np.exp(found.x))


def _market(seen: pd.DataFrame, even: "pd.Series[float]") -> float:
    """Find how much whole quarters differ beyond chance, held to what is usual."""
    quarter = pd.factorize(seen["month"], sort=True)[0] // 3
    whole = pd.DataFrame({"n": seen["n"], "even": even}).groupby(quarter).sum()
    whole = whole[whole["even"] >= 5]
    known = FIRM["market"]
    over = ((whole["n"] / whole["even"] - 1) ** 2 - 1 / whole["even"]).sum() if len(whole) else 0.0
    variance = (known * USUAL["market"] ** 2 + max(0.0, float(over))) / (known + len(whole))
    return float(np.sqrt(variance))


def _sizes(wins: pd.DataFrame) -> tuple[Floats, pd.DataFrame]:
    """Part the logarithms of sizes into those of people, shrunk, and the rest."""
    known = wins[wins["amount"] > 0]
    log = np.log(known["amount"].to_numpy(float))
    by = pd.Series(log - log.mean()).groupby(known["person"].to_numpy())
    n, mean = by.size(), by.mean()
    within = float(by.transform("var").fillna(np.var(log)).mean()) if len(log) > 1 else 1.0
    # Between people: what the means differ beyond chance, held to a tenth.
    over = float((n * (mean**2 - within / n)).sum() / n.sum())
    between = (FIRM["person"] * 0.1**2 + max(0.0, over) * len(n)) / (FIRM["person"] + len(n))
    share = between / (between + within / n)
    effects = pd.DataFrame({"size": share * mean, "size_error": np.sqrt(between * (1 - share))})
    effects.attrs["spread"] = float(np.sqrt(between))
    own = effects["size"].reindex(known["person"]).to_numpy()
    return np.exp(log - own), effects


def drawn(
    rates: Rates, ahead: pd.DataFrame, staffing: Floats, season: Floats, *, leaving: float = 0.0,
    draws: int = 10_000, seed: int = 1,
) -> Iterator[tuple[slice, npt.NDArray[np.float32]]]:  # fmt: skip
    """Draw what people sign, month by month.

    Parameters
    ----------
    rates
        What is known of them.
    ahead
        One row per person: `person`, `team`; people that `rates` does not know are taken for
        usual ones.
    staffing
        People by months: share of a settled person's work.
    season
        By month; 1 is usual.
    leaving
        Chance that a person leaves within a month.
    draws, seed
        How many, and from which beginning; the same seed draws the same.

    Yields
    ------
    tuple
        Draws (a slice of all) and sums signed: people by months by draws.

    Notes
    -----
    Parameters are drawn too: each draw has its own factor of the market, of each team and of each
    person, so that doubt about them widens what follows. In chunks, each with a random stream of
    its own, so that memory stays small and the cores share the work.
    """
    sums = _pool(rates.sizes, np.random.default_rng([seed, 0]))
    parts = [(k, slice(a, min(a + CHUNK, draws))) for k, a in enumerate(range(0, draws, CHUNK), 1)]

    def one(part: tuple[int, slice]) -> tuple[slice, npt.NDArray[np.float32]]:
        k, span = part
        rng = np.random.Generator(np.random.SFC64([seed, k]))
        n = span.stop - span.start
        mean = _means(rates, ahead, staffing, season, leaving, rng, n)
        return span, _signed(rates, ahead["person"], mean, sums, rng)

    with ThreadPoolExecutor() as pool:
        for at in range(0, len(parts), 2):
            yield from pool.map(one, parts[at : at + 2])


def _pool(sizes: Floats, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Draw sums of 0, 1, 2 … sizes beforehand."""
    each = rng.choice(sizes, size=(MOST_AT_ONCE, POOL)).cumsum(axis=0)
    return np.vstack([np.zeros((1, POOL)), each]).astype(np.float32)


def _means(
    rates: Rates, ahead: pd.DataFrame, staffing: Floats, season: Floats, leaving: float,
    rng: np.random.Generator, n: int,
) -> Floats:  # fmt: skip
    """Draw the parameters; give expected wins: people by months by draws."""
    usual = 1 / rates.spread**2
    own = _factors(rates.person, ahead["person"], usual, rng, n)
    teams = pd.Index(ahead["team"].unique())
    at = teams.get_indexer(ahead["team"])
    by_team = _factors(rates.team, teams, 1 / USUAL["team"] ** 2, rng, n)
    market = np.exp(rates.market * rng.standard_normal(n) - rates.market**2 / 2)
    there = staffing[:, :, None] * np.ones(n)
    if leaving > 0:
        until = rng.exponential(1 / leaving, size=(len(ahead), 1, n))
        there *= np.clip(until - np.arange(staffing.shape[1])[None, :, None], 0.0, 1.0)
    work = own[:, None, :] * there
    hands = np.zeros((len(teams), *work.shape[1:]))
    np.add.at(hands, at, work)
    before = rates.team["hands"].reindex(teams).to_numpy(float)[:, None, None]
    ratio = np.where(np.isfinite(before) & (before > 0), hands / before, 1.0)
    follows = np.clip(rates.follows + rates.follows_error * rng.standard_normal(n), 0.0, 1.0)
    eased = np.maximum(ratio, 1e-6) ** (follows - 1.0)
    level = (rates.base * by_team * market)[:, None, :] * eased * season[None, :, None]
    return np.asarray(level[at] * work)


def _factors(
    known: pd.DataFrame, names: "pd.Index | pd.Series[str]", usual: float,
    rng: np.random.Generator, n: int,
) -> Floats:  # fmt: skip
    """Draw factors of people or teams; of those that are not known, usual ones."""
    shape, rate = (known[c].reindex(names).fillna(usual).to_numpy(float)[:, None]
                   for c in ("shape", "rate"))  # fmt: skip
    return np.asarray(rng.standard_gamma(shape, size=(len(names), n)) / rate)


def _signed(
    rates: Rates, people: "pd.Series[str]", mean: Floats, sums: npt.NDArray[np.float32],
    rng: np.random.Generator,
) -> npt.NDArray[np.float32]:  # fmt: skip
    """Draw wins and their sizes."""
    n = mean.shape[2]
    errors = rates.person["size_error"].reindex(people).fillna(0.1).to_numpy(float)
    middle = rates.person["size"].reindex(people).fillna(0.0).to_numpy(float)
    size = np.exp(middle[:, None] + errors[:, None] * rng.standard_normal((len(people), n)))
    size *= np.exp(rng.standard_normal(n) * _relative_error(rates.sizes))
    found = np.empty(mean.shape, dtype=np.float32)
    for month in range(mean.shape[1]):
        found[:, month] = _summed(rng.poisson(mean[:, month]), sums, rng) * size
    return found


def _relative_error(sizes: Floats) -> float:
    """How far may the mean size be off? Of skewed sizes by what the lognormal says."""
    variance = float(np.var(np.log(sizes)))
    return float(np.sqrt((np.expm1(min(variance, 3.0))) / max(len(sizes), 1)))


def _summed(
    counts: Ints, sums: npt.NDArray[np.float32], rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Add up as many sizes as there are wins."""
    at = rng.integers(0, POOL, size=counts.shape, dtype=np.uint16)
    found = sums[np.minimum(counts, MOST_AT_ONCE), at]
    left = counts - MOST_AT_ONCE
    while (left > 0).any():
        more = np.flatnonzero(left > 0)
        flat = left.ravel()[more]
        again = rng.integers(0, POOL, size=len(more))
        found.ravel()[more] += sums[np.minimum(flat, MOST_AT_ONCE), again]
        left.ravel()[more] -= MOST_AT_ONCE
    return found
