"""Intervals of shares against published values."""

import pytest
from scipy.stats import binomtest

from salesops.methods.intervals import difference, judge, wilson


def test_wilson_equals_a_reference_library():
    for hits, n in ((0, 10), (1, 29), (15, 148), (81, 263), (29, 29)):
        wanted = binomtest(hits, n).proportion_ci(confidence_level=0.95, method="wilson")
        assert wilson(hits, n, z=1.959964) == pytest.approx((wanted.low, wanted.high), abs=1e-6)


def test_newcombe_equals_the_published_examples():
    # Newcombe 1998, Statistics in Medicine 17:873-890, table II, method 10 (score):
    # 56/70 - 48/80, 9/10 - 3/10 and 5/56 - 0/29.
    published = {
        ((56, 70), (48, 80)): (0.0524, 0.3339),
        ((9, 10), (3, 10)): (0.1705, 0.8090),
        ((5, 56), (0, 29)): (-0.0381, 0.1926),
    }
    for ((a, n), (b, m)), wanted in published.items():
        assert difference(a, n, b, m, z=1.959964) == pytest.approx(wanted, abs=2e-4)


def test_a_change_is_firm_only_where_its_interval_leaves_zero_out():
    assert judge(0.01, 0.05, 200) == "firm"
    assert judge(-0.01, 0.05, 200) == "unsure"
    assert judge(0.01, 0.05, 12) == "too_few"
