"""Ranges by drawing rows anew agree with the formulas where there is one."""

import numpy as np
import pytest

from salesops.methods.bootstrap import ratio_range
from salesops.methods.intervals import Z80


def test_the_range_of_a_ratio_is_that_of_the_delta_method_on_many_rows():
    # Cochran, Sampling Techniques (3rd ed. 1977), eq. 6.13: var(R) ≈ Σ(y − R x)² / (n² x̄²).
    rng = np.random.default_rng(5)
    below = rng.lognormal(10, 0.8, 4000)
    above = below * (rng.random(4000) < 0.7)
    ratio = above.sum() / below.sum()
    error = np.sqrt(((above - ratio * below) ** 2).sum()) / (len(below) * below.mean())
    low, high = ratio_range(above, below)
    assert low == pytest.approx(ratio - Z80 * error, abs=0.15 * error)
    assert high == pytest.approx(ratio + Z80 * error, abs=0.15 * error)


def test_the_order_of_rows_changes_nothing():
    above, below = [1.0, 0.0, 3.0, 2.0, 0.0], [1.0, 2.0, 3.0, 4.0, 5.0]
    assert ratio_range(above, below) == ratio_range(above[::-1], below[::-1])


def test_one_row_or_a_denominator_that_may_be_nothing_has_no_range():
    assert np.isnan(ratio_range([1], [2])).all()
    assert np.isnan(ratio_range([1, 0], [0, 0])).all()


def test_money_times_a_hundred_leaves_the_range():
    above, below = np.array([1.0, 0.0, 3.0, 2.0]), np.array([1.0, 2.0, 3.0, 4.0])
    assert ratio_range(above * 100, below * 100) == pytest.approx(ratio_range(above, below))
