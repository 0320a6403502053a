"""Bunching at steps of pay: even results raise nothing, moved ones do, and by how much is told."""

import numpy as np
import pytest

from salesops.methods.bunching import bunching

STEPS = [0.8, 1.0]


def results(seed: int, n: int = 320, moved: float = 0.0) -> np.ndarray:
    """Draw smooth results, and move a share of those just below a step to just above it."""
    rng = np.random.default_rng(seed)
    even = rng.lognormal(np.log(0.75), 0.6, n)
    for step in STEPS:
        near = (even >= step - 0.1) & (even < step) & (rng.random(n) < moved)
        even = np.where(near, step * rng.uniform(1.002, 1.029, n), even)
    return even


def test_what_is_counted_lies_within_the_bands():
    found = bunching([0.81, 0.829, 1.01, 0.75, 0.95, 0.6, 1.4, 0.83, 0.699], STEPS)
    assert (found.over, found.under) == (3, 2)


def test_where_nothing_is_there_nothing_is_said():
    for none in (bunching([], STEPS), bunching([0.5], []), bunching([3.0], STEPS)):
        assert (none.over, none.under, none.p) == (0, 0, 1.0)


def test_a_result_on_the_step_counts_as_above():
    found = bunching([0.8, 1.0, 0.7999999], STEPS)
    assert (found.over, found.under) == (2, 1)


def test_even_results_are_called_moved_as_often_as_the_test_says():
    p = np.array([bunching(results(seed), STEPS).p for seed in range(400)])
    assert (p < 0.05).mean() == pytest.approx(0.05, abs=0.03)
    assert (p < 0.3).mean() == pytest.approx(0.3, abs=0.08)


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_the_share_that_was_moved_is_told(share):
    found = [bunching(results(seed, 2_000, share), STEPS) for seed in range(30)]
    assert np.mean([one.moved for one in found]) == pytest.approx(share, abs=0.05)
    assert max(one.p for one in found) < 0.01


def test_results_that_shun_the_place_above_a_step_are_no_bunching():
    spread = np.linspace(0.3, 1.5, 600)
    found = bunching(spread[(spread < 0.8) | (spread > 0.83)], [0.8])
    assert found.moved < 0
    assert found.p > 0.9


def test_many_who_won_nothing_do_not_bend_the_curve():
    some = results(3)
    low = [0.3, 0.6]
    assert bunching(np.append(some, np.zeros(100)), low) == bunching(some, low)
