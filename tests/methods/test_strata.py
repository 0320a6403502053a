"""Shares compared within groups, by hand and by simulation."""

import math

import numpy as np
import pytest

from salesops.methods.strata import stratified_difference


def test_one_group_gives_the_plain_difference():
    assert stratified_difference([30], [100], [20], [80])[0] == pytest.approx(30 / 100 - 20 / 80)


def test_groups_weigh_by_how_many_could_be_compared():
    # Weights 100*100/200 = 50 and 10*90/100 = 9; differences 0.1 and 5/10 - 40/90.
    weights, differences = (50, 9), (0.30 - 0.20, 5 / 10 - 40 / 90)
    wanted = sum(w * d for w, d in zip(weights, differences, strict=True)) / sum(weights)
    assert stratified_difference([30, 5], [100, 10], [20, 40], [100, 90])[0] == pytest.approx(
        wanted
    )


def test_a_mix_of_groups_is_not_taken_for_a_difference():
    # In both groups one in ten and one in two; yet the first has mostly the better group.
    found = stratified_difference([1, 45], [10, 90], [9, 5], [90, 10])
    assert found[0] == pytest.approx(0)
    assert found[1] < 0 < found[2]


def test_a_group_with_one_side_alone_says_nothing():
    both = stratified_difference([30, 7], [100, 9], [20, 0], [80, 0])
    assert both == stratified_difference([30], [100], [20], [80])
    assert all(math.isnan(v) for v in stratified_difference([1], [5], [0], [0]))


def test_the_range_holds_the_true_difference_as_often_as_it_says():
    rng = np.random.default_rng(5)
    n1, n0 = np.array([40, 15, 60]), np.array([30, 80, 20])
    base, true = np.array([0.1, 0.3, 0.5]), 0.08
    held = 0
    for _ in range(1_000):
        a, b = rng.binomial(n1, base + true), rng.binomial(n0, base)
        _middle, low, high = stratified_difference(a, n1, b, n0)
        held += low <= true <= high
    # 80 % of 1000, five standard errors of 12.6 either way.
    assert 800 - 63 <= held <= 800 + 63
