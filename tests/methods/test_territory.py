"""Quotas against potential, and results against potential, against scipy and by hand."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from salesops.methods.territory import explained_by_potential, quota_gaps


def two(ratio: float = 0.6, seed: int = 1) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    potentials = pd.DataFrame({
        "territory": ["n"] * 300 + ["s"] * 200,
        "potential": np.r_[rng.lognormal(10, 0.8, 300), ratio * rng.lognormal(10, 0.8, 200)],
    })  # fmt: skip
    quotas = pd.DataFrame({"territory": ["n", "s"], "quota": [600.0, 400.0], "sellers": [6.0, 4.0]})
    return potentials, quotas


def test_two_territories_differ_as_welch_says():
    potentials, quotas = two()
    gaps = quota_gaps(potentials, quotas).set_index("territory")
    log = np.log(potentials["potential"])
    north, south = log[:300], log[300:]
    # Fifty accounts and a quota of 100 a seller on either side, so that the means alone differ.
    assert gaps.loc["s", "gap"] == pytest.approx(north.mean() - south.mean())
    welch = stats.ttest_ind(north, south, equal_var=False)
    assert gaps.loc["s", "gap"] / gaps.loc["s", "error"] == pytest.approx(welch.statistic)
    assert gaps.loc["n", "gap"] == pytest.approx(-gaps.loc["s", "gap"])


def test_a_quota_or_accounts_that_go_with_the_potential_leave_no_gap():
    potentials, quotas = two(ratio=0.5)
    before = quota_gaps(potentials, quotas).set_index("territory").loc["s", "gap"]
    halved = quotas.assign(quota=[600.0, 200.0])
    after = quota_gaps(potentials, halved).set_index("territory").loc["s", "gap"]
    assert after == pytest.approx(before - math.log(2))
    # Half the sellers: twice the accounts each, and twice the quota.
    fewer = quotas.assign(sellers=[6.0, 2.0])
    assert quota_gaps(potentials, fewer).set_index("territory").loc["s", "gap"] == pytest.approx(
        before
    )


@settings(max_examples=25, deadline=None)
@given(scale=st.floats(0.01, 1e6), money=st.floats(0.01, 1e6))
def test_the_unit_of_money_changes_nothing(scale, money):
    potentials, quotas = two()
    other = quota_gaps(potentials.assign(potential=potentials["potential"] * scale),
                       quotas.assign(quota=quotas["quota"] * money))  # fmt: skip
    found = quota_gaps(potentials, quotas)
    columns = ["gap", "error", "quota_times", "potential_times"]
    pd.testing.assert_frame_equal(found[columns], other[columns])


def test_one_territory_alone_has_nothing_to_be_compared_with():
    potentials, quotas = two()
    assert quota_gaps(potentials[potentials["territory"] == "n"], quotas).empty
    assert quota_gaps(potentials.assign(potential=0.0), quotas).empty


def test_what_potential_explains_is_the_squared_correlation():
    rng = np.random.default_rng(3)
    potential = pd.Series(rng.lognormal(0, 1, 30))
    results = 1 + 0.2 * np.log(potential) + rng.normal(0, 0.2, 30)
    found = explained_by_potential(results, potential)
    r, p = stats.pearsonr(np.log(potential), results)
    assert found.share == pytest.approx(r**2)
    assert found.p == pytest.approx(p)
    assert found.low < found.slope < found.high
    assert explained_by_potential(results[:3], potential[:3]) is None
    assert explained_by_potential(results, potential * 0 + 1) is None
