"""Weighted scores against brute force: shares tried one by one, weightings counted on a grid."""

import itertools
from fractions import Fraction

import numpy as np
import pytest

from salesops.methods.weighing import drawn, flips, shares, totals

STEPS = 400


def winner(scores, weights) -> int:
    """Add up by hand, exactly; the first of several that are level."""
    sums = [sum(Fraction(float(s)) * Fraction(w) for s, w in zip(row, weights, strict=True))
            for row in scores]  # fmt: skip
    return sums.index(max(sums))


def with_share(weights, j: int, share: Fraction) -> list[Fraction]:
    """Give one weight a share of all, the others what is left in their proportions."""
    rest = sum(w for k, w in enumerate(weights) if k != j)
    return [share if k == j else w / rest * (1 - share) for k, w in enumerate(weights)]


def tried(scores, weights, j: int) -> Fraction | None:
    """Find the share nearest to the present one at which another is first, by trying them all."""
    now = winner(scores, weights)
    own = weights[j] / sum(weights)
    grid = [Fraction(i, STEPS) for i in range(STEPS)]
    other = [x for x in grid if winner(scores, with_share(weights, j, x)) != now]
    return min(other, key=lambda x: abs(x - own), default=None)


def drawn_case(seed: int):
    lot = np.random.default_rng(seed)
    n, m = int(lot.integers(2, 5)), int(lot.integers(2, 6))
    weights = [Fraction(int(w)) for w in lot.integers(1, 30, m)]
    return lot.integers(0, 11, (n, m)).astype(float), weights


@pytest.mark.parametrize("seed", range(25))
def test_a_flip_is_where_trying_every_share_finds_another_first(seed):
    scores, weights = drawn_case(seed)
    sums = totals(scores, np.array(weights, dtype=float))
    if np.sum(sums > sums.max() - 1e-9) > 1:
        pytest.skip("two are level to begin with")
    found = flips(scores, np.array(weights, dtype=float))
    for j, flip in enumerate(found):
        by_trying = tried(scores, weights, j)
        own = weights[j] / sum(weights)
        if by_trying is None:
            # Between the last share tried and all of the weight nothing was looked at.
            assert flip.rival < 0 or flip.share > 1 - 1 / STEPS
            continue
        assert abs(flip.share - own) <= abs(by_trying - own) + 1e-9
        assert abs(flip.share - by_trying) <= 1 / STEPS + 1e-9


@pytest.mark.parametrize("seed", range(25))
def test_just_beyond_a_flip_its_rival_is_first_and_just_before_nobody_else(seed):
    scores, weights = drawn_case(seed)
    now, tiny = winner(scores, weights), Fraction(1, 10**6)
    for j, flip in enumerate(flips(scores, np.array(weights, dtype=float))):
        own = weights[j] / sum(weights)
        way = Fraction(flip.share) - own if flip.rival >= 0 else Fraction(0)
        if abs(way) < 10 * tiny:
            continue
        side = tiny if way > 0 else -tiny
        inside, beyond = Fraction(flip.share) - side, Fraction(flip.share) + side
        assert winner(scores, with_share(weights, j, inside)) == now
        if 0 < beyond < 1:
            assert winner(scores, with_share(weights, j, beyond)) == flip.rival


def test_by_hand_the_second_need_flips_where_both_have_as_much():
    # 10a against 4a + 8(1 − a): level at a = 8/14.
    first, second = flips(np.array([[10.0, 0.0], [4.0, 8.0]]), np.array([3.0, 1.0]))
    assert first.share == pytest.approx(8 / 14)
    assert second.share == pytest.approx(6 / 14)
    assert (first.rival, second.rival) == (1, 1)


def test_who_is_better_in_everything_is_never_overtaken():
    found = flips(np.array([[9.0, 8.0, 7.0], [8.0, 7.0, 6.0]]), np.array([1.0, 1.0, 1.0]))
    assert all(np.isnan(flip.share) and flip.rival == -1 for flip in found)


def test_one_need_or_one_candidate_leaves_nothing_to_flip():
    assert np.isnan(flips(np.array([[9.0], [1.0]]), np.array([5.0]))[0].share)
    assert np.isnan(flips(np.array([[9.0, 1.0]]), np.array([5.0, 1.0]))[0].share)


def test_the_unit_of_weights_is_of_no_account():
    scores, weights = np.array([[9.0, 2.0], [3.0, 7.0]]), np.array([2.0, 3.0])
    assert totals(scores, weights) == pytest.approx(totals(scores, weights * 50))
    assert shares(weights).tolist() == [0.4, 0.6]


def counted(scores, steps: int = 120) -> np.ndarray:
    """Count who is first over the middles of a fine grid of all weightings of three needs."""
    wins = np.zeros(len(scores))
    for i, j in itertools.product(range(steps), repeat=2):
        if i + j < steps:
            middle = ((i + 1 / 3) / steps, (j + 1 / 3) / steps)
            weights = (*middle, 1 - sum(middle))
            wins[int(np.argmax([sum(s * w for s, w in zip(row, weights, strict=True))
                                for row in scores]))] += 1  # fmt: skip
    return wins / wins.sum()


@pytest.mark.parametrize("seed", range(4))
def test_lots_agree_with_counting_a_grid_of_all_weightings(seed):
    scores = np.random.default_rng(seed).uniform(0, 10, (4, 3))
    n = 20_000
    found = drawn(scores, np.ones(3), n=n, seed=7)
    assert found.sum() == pytest.approx(1)
    # Four standard errors of a share, and the coarseness of the grid.
    assert np.abs(found - counted(scores)).max() < 4 * np.sqrt(0.25 / n) + 0.01


def test_lots_of_two_needs_agree_with_the_length_of_the_line():
    # The first is ahead where a > 8/14, so for 6/14 of all weightings.
    found = drawn(np.array([[10.0, 0.0], [4.0, 8.0]]), np.ones(2), n=40_000, seed=3)
    assert found[0] == pytest.approx(6 / 14, abs=4 * np.sqrt(0.25 / 40_000))


def test_weights_near_the_own_ones_choose_as_these_do():
    scores, weights = np.array([[10.0, 0.0], [4.0, 8.0]]), np.array([0.9, 0.1])
    near = drawn(scores, 1000 * weights, n=4000, seed=1)
    assert near[int(np.argmax(totals(scores, weights)))] > 0.99


def test_a_need_without_weight_is_drawn_with_none():
    scores = np.array([[1.0, 10.0], [2.0, 0.0]])
    assert drawn(scores, np.array([1.0, 0.0]), n=100, seed=1).tolist() == [0.0, 1.0]


def test_who_is_level_shares_the_lot_and_the_seed_is_the_lot():
    level = np.array([[5.0, 5.0], [5.0, 5.0]])
    assert drawn(level, np.ones(2), n=50, seed=1).tolist() == [0.5, 0.5]
    scores = np.array([[10.0, 0.0], [4.0, 8.0]])
    one, again, other = (drawn(scores, np.ones(2), n=500, seed=s).tolist() for s in (1, 1, 2))
    assert one == again != other
