"""A cut is found where there is one, and one that was sought is not taken for more than it is."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu, norm

from salesops.methods.splits import best_split, chosen_p


def test_a_cut_lies_where_the_days_change():
    rng = np.random.default_rng(7)
    amount = rng.permutation(np.arange(1_000))
    days = np.where(amount < 300, 11, 5) + rng.normal(0, 2, 1_000)
    split = best_split(amount, days)
    assert split.cut == pytest.approx(300, abs=5)
    assert split.n_below + split.n_above == 1_000


def test_its_rank_sum_is_that_of_mann_and_whitney():
    rng = np.random.default_rng(3)
    amount, days = np.arange(200), rng.random(200)
    days[:60] += 0.4
    split = best_split(amount, days)
    below, above = days[amount < split.cut], days[amount >= split.cut]
    found = mannwhitneyu(below, above, alternative="greater", method="asymptotic",
                         use_continuity=False)  # fmt: skip
    assert norm.sf(split.z) == pytest.approx(found.pvalue, rel=1e-6)


def test_no_cut_leaves_less_than_a_tenth():
    days = [100] * 5 + [1] * 95
    assert best_split(range(100), days).n_below == 10
    assert best_split([1] * 100, days) is None
    assert best_split([1], [1]) is None


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=40),
       st.permutations(range(40)))  # fmt: skip
def test_the_order_of_rows_makes_no_difference(rows, order):
    shuffled = [rows[i] for i in order if i < len(rows)]
    one, two = (best_split(*zip(*each, strict=True)) for each in (rows, shuffled))
    assert (one is None) == (two is None)
    if one is not None:
        assert (one.cut, one.n_below) == (two.cut, two.n_below)
        assert math.isclose(one.z, two.z, abs_tol=1e-9)


def test_a_chosen_cut_stands_out_by_chance_no_more_often_than_said():
    rng = np.random.default_rng(11)
    largest = np.array([best_split(np.arange(300), rng.random(300)).z for _ in range(2_000)])
    for z in (2.5, 3.0):
        share, error = (largest > z).mean(), 3 * math.sqrt(chosen_p(z) / 2_000)
        assert share < chosen_p(z) + error
        assert share > chosen_p(z) / 3
