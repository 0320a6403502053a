"""Competing risks: a table worked by hand, a reference library, and properties."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import AalenJohansenFitter

from salesops.methods.survival import aalen_johansen


def test_a_table_worked_by_hand():
    # Ten deals: ages and ways of leaving; "" has not left.
    ages = [1, 2, 2, 3, 4, 4, 5, 6, 7, 8]
    causes = ["on", "gone", "", "on", "on", "", "gone", "on", "", "on"]
    found = aalen_johansen(ages, causes)
    # By hand: the chance still to be there before each age, and what leaves of it.
    s1 = 1.0
    on_1 = s1 * 1 / 10
    s2 = s1 * 9 / 10
    gone_2 = s2 * 1 / 9
    s3 = s2 * 8 / 9
    on_3 = on_1 + s3 * 1 / 7
    s4 = s3 * 6 / 7
    on_4 = on_3 + s4 * 1 / 6
    s5 = s4 * 5 / 6
    gone_5 = gone_2 + s5 * 1 / 4
    s6 = s5 * 3 / 4
    on_6 = on_4 + s6 * 1 / 3
    s8 = s6 * 2 / 3
    on_8 = on_6 + s8 * 1 / 1
    assert found.ages.tolist() == [1, 2, 3, 4, 5, 6, 8]
    assert found.at_risk.tolist() == [10, 9, 7, 6, 4, 3, 1]
    assert [found.at(a, "on") for a in (1, 2, 3, 4, 5, 6, 8)] == pytest.approx(
        [on_1, on_1, on_3, on_4, on_4, on_6, on_8]
    )
    assert [found.at(a, "gone") for a in (1, 2, 5, 8)] == pytest.approx([0, gone_2, gone_5, gone_5])


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(5, 120))
def test_it_equals_lifelines_on_untied_data(seed, n):
    rng = np.random.default_rng(seed)
    ages = rng.permutation(np.arange(1, 3 * n))[:n].astype(float)
    code = rng.integers(0, 3, n)
    # With somebody left at the end the reference's variance is defined throughout.
    code[ages.argmax()], code[ages.argmin()] = 0, 1
    causes = np.array(["", "on", "gone"])[code]
    ours = aalen_johansen(ages, causes)
    oracle = AalenJohansenFitter(seed=0)
    oracle.fit(ages, code, event_of_interest=1)
    theirs = oracle.cumulative_density_.iloc[:, 0]
    for age in ours.ages:
        assert ours.at(float(age), "on") == pytest.approx(float(theirs.loc[:age].iloc[-1]))
    last = ours.ages[-1]
    wanted = float(oracle.variance_.loc[:last].iloc[-1])
    assert float(ours.variance["on"][-1]) == pytest.approx(wanted, abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_staying_and_all_ways_of_leaving_sum_to_one(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 80))
    ages, causes = rng.integers(0, 20, n), rng.choice(["", "on", "gone"], n)
    found = aalen_johansen(ages, causes)
    if len(found.ages):
        total = found.staying + sum(found.by_cause.values())
        assert total == pytest.approx(np.ones(len(total)))


def test_counts_are_rows_said_at_once():
    one = aalen_johansen([1, 1, 2, 2, 2], ["on", "on", "gone", "", "on"])
    other = aalen_johansen([1, 2, 2, 2], ["on", "gone", "", "on"], [2, 1, 1, 1])
    assert one.by_cause["on"].tolist() == other.by_cause["on"].tolist()
    assert one.variance["on"].tolist() == other.variance["on"].tolist()


def test_rows_seen_late_are_at_risk_only_from_then_on():
    # Two rows from the beginning, a third seen from age 5: at age 3 two are at risk, not three.
    found = aalen_johansen([3, 8, 9], ["on", "on", "on"], entry_ages=[0, 0, 5])
    assert found.at_risk.tolist() == [2, 2, 1]
    assert found.at(3, "on") == pytest.approx(1 / 2)


def test_without_any_exit_nothing_is_claimed():
    found = aalen_johansen([4, 5], ["", ""])
    assert found.ages.tolist() == []
    assert all(np.isnan(found.plateau("on")))
