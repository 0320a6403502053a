"""Pay by attainment, by hand; its steps; and results that gather at them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesops.methods.payout import cliffs, payout

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
