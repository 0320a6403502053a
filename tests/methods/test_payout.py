"""Pay by attainment, by hand; its steps; and results that gather at them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from salesops.methods.payout import cliffs, gathered, payout

STEPS = [(0.5, 0.5), (0.8, 0.8), (1.0, 1.0)]


@pytest.mark.parametrize(
    ("attained", "paid"),
    [(0.49, 0.0), (0.5, 0.25), (0.79, 0.395), (0.8, 0.64), (0.99, 0.792), (1.0, 1.0),
     (1.2, 1.3), (2.0, 2.5), (3.0, 2.5)],
)  # fmt: skip
def test_pay_by_hand(attained, paid):
    found = payout(attained, threshold=0.5, cap=2.0, steps=STEPS, accelerators=[(1.0, 1.5)])
    assert float(found) == pytest.approx(paid)


def test_two_accelerators_pay_each_its_part():
    found = payout(1.5, threshold=0, cap=9, accelerators=[(1.0, 2.0), (1.2, 3.0)])
    assert float(found) == pytest.approx(1.0 + 0.2 * 2 + 0.3 * 3)


@given(st.lists(st.floats(0, 4), min_size=2, max_size=20))
def test_more_never_pays_less(attained):
    paid = payout(sorted(attained), threshold=0.5, cap=2.0, steps=STEPS,
                  accelerators=[(1.0, 1.5)])  # fmt: skip
    assert (np.diff(paid) >= 0).all()


def test_a_step_that_changes_little_is_none():
    assert cliffs(threshold=0.0, steps=[(0.5, 0.9), (0.9, 1.0)]) == [0.9]
    assert cliffs(threshold=0.5, steps=STEPS) == [0.5, 0.8, 1.0]


def test_the_chance_is_the_binomial_tail():
    over, under, p = gathered([0.81, 0.82, 1.01, 0.75, 0.95, 0.6, 1.4], [0.8, 1.0])
    assert (over, under) == (3, 2)
    assert p == pytest.approx(stats.binomtest(3, 5, 3 / 13, alternative="greater").pvalue)
    assert gathered([], [0.8]) == (0, 0, 1.0)


def test_even_results_raise_nothing_and_moved_ones_do():
    rng = np.random.default_rng(5)
    even = rng.uniform(0.3, 1.4, 400)
    assert gathered(even, [0.8, 1.0])[2] > 0.01
    near = ((even >= 0.7) & (even < 0.8)) | ((even >= 0.9) & (even < 1.0))
    moved = np.where(near & (rng.random(400) < 0.5), np.ceil(even * 5) / 5 + 0.01, even)
    assert gathered(moved, [0.8, 1.0])[2] < 1e-4
