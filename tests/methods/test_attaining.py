"""What people will sign: rates are found again, draws have the moments that they should."""

import numpy as np
import pandas as pd
import pytest

from salesops.methods import attaining
from salesops.methods.attaining import Rates, drawn, learn

N_PEOPLE, N_MONTHS = 12, 24


def world(seed: int, spread: float = 0.4, follows: float = 1.0) -> tuple[pd.DataFrame, np.ndarray]:
    """Draw people in three teams with factors of their own, and their wins by month."""
    rng = np.random.default_rng(seed)
    own = rng.gamma(1 / spread**2, spread**2, N_PEOPLE)
    there = np.ones((N_PEOPLE, N_MONTHS))
    there[::4, :12] = 0.0
    season = np.tile([0.5, 0.8, 1.2, 1.5], N_MONTHS // 4)
    team = np.arange(N_PEOPLE) % 3
    mean = 1.5 * own[:, None] * there * season
    for t in range(3):
        hands = (own[:, None] * there)[team == t].sum(axis=0)
        mean[team == t] *= (hands / hands.mean()) ** (follows - 1)
    seen = pd.DataFrame({
        "person": np.repeat([f"p{i}" for i in range(N_PEOPLE)], N_MONTHS),
        "team": np.repeat([f"t{t}" for t in team], N_MONTHS),
        "month": np.tile(np.arange(N_MONTHS), N_PEOPLE), "staffing": there.ravel(),
        "season": np.tile(season, N_PEOPLE), "n": rng.poisson(mean).ravel().astype(float),
    })  # fmt: skip
    return seen, own


def wins(seen: pd.DataFrame, seed: int = 1, sigma: float = 0.8) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    people = np.repeat(seen["person"].to_numpy(), seen["n"].astype(int))
    return pd.DataFrame({"person": people, "amount": rng.lognormal(11, sigma, len(people))})


def plain(**parts: object) -> Rates:
    """Give rates without doubt: two people of one team, three wins a month of 100 each."""
    sure = pd.DataFrame({"shape": 1e9, "rate": 1e9}, index=["t"]).assign(hands=2.0)
    people = pd.DataFrame({"team": "t", "shape": 1e9, "rate": 1e9, "size": 0.0,
                           "size_error": 0.0}, index=["a", "b"])  # fmt: skip
    whole = {"base": 3.0, "team": sure, "person": people, "market": 0.0, "sizes": np.full(9, 100.0),
             "spread": 1e-4, "follows": 1.0, "follows_error": 0.0}  # fmt: skip
    return Rates(**(whole | parts))


def sums(rates: Rates, staffing: np.ndarray, season: np.ndarray, **more: object) -> np.ndarray:
    ahead = pd.DataFrame({"person": ["a", "b"][: len(staffing)], "team": "t"})
    parts = [part for _span, part in drawn(rates, ahead, staffing, season, **more)]
    return np.concatenate(parts, axis=2)


def test_factors_of_people_are_found_again():
    error, shrunk = [], []
    for seed in range(12):
        seen, own = world(seed)
        rates = learn(seen, wins(seen))
        found = (rates.person["shape"] / rates.person["rate"]).reindex(
            [f"p{i}" for i in range(N_PEOPLE)]).to_numpy()  # fmt: skip
        found *= rates.team.loc[rates.person["team"].reindex([f"p{i}" for i in range(N_PEOPLE)]),
                                "shape"].to_numpy()  # fmt: skip
        raw = seen.groupby("person")["n"].sum() / (seen["staffing"] * seen["season"]).groupby(
            seen["person"]).sum()  # fmt: skip
        order = [f"p{i}" for i in range(N_PEOPLE)]
        error.append(np.corrcoef(found, own)[0, 1])
        shrunk.append(found.std() / found.mean() < (raw[order] / raw.mean()).std() * 1.05)
    assert np.mean(error) > 0.8
    assert np.mean(shrunk) > 0.8


def test_where_deals_come_by_themselves_hands_are_felt_less():
    felt = [[learn(seen, wins(seen)).follows for seen, _own in
             (world(seed, follows=part) for seed in range(8))] for part in (0.0, 1.0)]  # fmt: skip
    assert np.mean(felt[0]) < np.mean(felt[1]) - 0.2


def test_the_past_of_nobody_teaches_nothing():
    seen, _own = world(1)
    with pytest.raises(ValueError, match="nothing was won"):
        learn(seen.assign(n=0.0), wins(seen))
    with pytest.raises(ValueError, match="nothing was won"):
        learn(seen.assign(staffing=0.0), wins(seen))


def test_without_doubt_draws_are_compound_poisson():
    staffing, season = np.array([[1.0, 0.5], [1.0, 1.0]]), np.array([1.0, 2.0])
    found = sums(plain(), staffing, season, draws=20_000)
    # The team's hands fall to three quarters in the second month, and with them the results.
    expected = 3.0 * staffing * season * 100
    assert found.mean(axis=2) == pytest.approx(expected, rel=0.02)
    assert found.var(axis=2) == pytest.approx(expected * 100, rel=0.05)
    assert set(np.unique(found % 100)) == {0.0}


def test_many_wins_at_once_are_all_counted():
    found = sums(plain(base=40.0), np.ones((2, 1)), np.ones(1), draws=8_000)
    assert found.mean() == pytest.approx(4_000, rel=0.01)
    assert found.max() > 100 * attaining.MOST_AT_ONCE * 4


def test_the_same_seed_draws_the_same_and_another_does_not():
    first, again, other = (sums(plain(), np.ones((2, 2)), np.ones(2), draws=1_300, seed=s)
                           for s in (4, 4, 5))  # fmt: skip
    assert first.shape == (2, 2, 1_300)
    assert (first == again).all()
    assert (first != other).any()


def test_fewer_hands_are_felt_by_the_part_that_follows():
    half = np.array([[1.0], [0.0]])
    for follows, left in ((1.0, 0.5), (0.0, 1.0), (0.5, 0.5**0.5)):
        found = sums(plain(follows=follows), half, np.ones(1), draws=20_000)
        assert found.sum(axis=0).mean() == pytest.approx(600 * left, rel=0.02)


def test_who_leaves_signs_no_more():
    found = sums(plain(), np.ones((2, 3)), np.ones(3), draws=20_000, leaving=0.2)
    months = found.sum(axis=0).mean(axis=1)
    # The share of a month that is worked, by an exponential time to leaving.
    worked = (1 - np.exp(-0.2)) / 0.2 * np.exp(-0.2 * np.arange(3))
    assert months == pytest.approx(600 * worked, rel=0.02)


def test_doubt_about_the_market_moves_everybody_together():
    found = sums(plain(market=0.3, base=200.0), np.ones((2, 1)), np.ones(1), draws=20_000)[:, 0]
    assert np.corrcoef(found)[0, 1] > 0.9
    assert found.mean() == pytest.approx(20_000, rel=0.02)


def test_ranges_hold_what_comes():
    inside = []
    for seed in range(30):
        seen, own = world(100 + seed)
        rates = learn(seen, wins(seen))
        ahead = pd.DataFrame({"person": [f"p{i}" for i in range(N_PEOPLE)],
                              "team": [f"t{i % 3}" for i in range(N_PEOPLE)]})  # fmt: skip
        season = np.array([0.5, 0.8, 1.2])
        parts = [p for _s, p in drawn(rates, ahead, np.ones((N_PEOPLE, 3)), season, draws=1_024)]
        totals = np.concatenate(parts, axis=2).sum(axis=1)
        rng = np.random.default_rng(seed)
        counts = rng.poisson(1.5 * own * season.sum())
        real = np.array([rng.lognormal(11, 0.8, n).sum() for n in counts])
        low, high = np.quantile(totals, [0.1, 0.9], axis=1)
        inside += list((real >= low) & (real <= high))
    assert 0.74 <= np.mean(inside) <= 0.86
