"""Effects of factors: exact, fair, and whole cents that sum to the total."""

from fractions import Fraction
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesops.methods.shapley import in_whole_cents, product_change

FACTORS = st.lists(st.integers(0, 10_000), min_size=4, max_size=4)


@given(FACTORS, FACTORS)
def test_the_effects_sum_exactly_to_the_change(before, after):
    assert sum(product_change(before, after)) == prod(after) - prod(before)


@given(FACTORS, st.integers(0, 3), st.integers(0, 10_000))
def test_a_factor_that_did_not_move_has_no_effect(before, place, value):
    after = [*before[:place], value, *before[place + 1 :]]
    effects = product_change(before, after)
    assert [e for i, e in enumerate(effects) if i != place] == [0, 0, 0]


@given(FACTORS, FACTORS)
def test_the_order_in_which_factors_are_written_does_not_matter(before, after):
    forth = product_change(before, after)
    back = product_change(before[::-1], after[::-1])
    assert forth == back[::-1]


def test_two_factors_share_what_they_did_together():
    # 2 x 3 = 6 became 4 x 5 = 20: 2 x 3 alone by the first, 2 x 2 alone by the second, 4 together.
    assert product_change([2, 3], [4, 5]) == [2 * 3 + 4 / 2, 2 * 2 + 4 / 2]


def test_three_factors_by_hand_over_all_six_orders():
    # From 1, 2, 3 to 2, 3, 5. First factor: 2x3 if first of all (2 of 6 orders), 3x3 after the
    # second only (1), 2x5 after the third only (1), 3x5 after both (2).
    first = Fraction(2 * 6 + 9 + 10 + 2 * 15, 6)
    assert product_change([1, 2, 3], [2, 3, 5])[0] == first


def test_as_many_factors_are_needed_now_as_then():
    with pytest.raises(ValueError, match="2 factors before, 3 after"):
        product_change([1, 2], [1, 2, 3])


@given(st.lists(st.fractions(-10_000, 10_000, max_denominator=97), min_size=1, max_size=8))
def test_whole_cents_sum_to_the_total_and_stay_within_one_cent(parts):
    total = sum(parts)
    rest = round(total) - total
    effects = [*parts, rest]
    cents = in_whole_cents(effects, round(total))
    assert sum(cents) == round(total)
    assert all(abs(c - e) < 1 for c, e in zip(cents, effects, strict=True))


def test_effects_that_do_not_sum_to_the_total_are_refused():
    with pytest.raises(ValueError, match="do not sum to 90"):
        in_whole_cents([33.4, 33.3, 33.3], 90)
