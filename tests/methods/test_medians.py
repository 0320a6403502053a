"""The median wait and its range, against lifelines."""

import math

import lifelines
import numpy as np
import pytest
from lifelines.utils import median_survival_times

from salesops.methods.medians import median_wait
from salesops.methods.survival import aalen_johansen


@pytest.mark.parametrize("seed", range(5))
def test_median_and_range_are_those_of_lifelines(seed):
    rng = np.random.default_rng(seed)
    hours = rng.exponential(10, 200).round(1) + 0.1
    limit = rng.exponential(25, 200).round(1) + 0.1
    seen, answered = np.minimum(hours, limit), hours <= limit
    causes = np.where(answered, "answered", "")
    median, low, high = median_wait(aalen_johansen(seen, causes), "answered")
    fitted = lifelines.KaplanMeierFitter(alpha=0.2).fit(seen, answered)
    bounds = median_survival_times(fitted.confidence_interval_)
    assert median == fitted.median_survival_time_
    assert sorted([low, high]) == sorted(bounds.to_numpy()[0].tolist())
    assert low <= median <= high


def test_a_median_that_is_not_reached_is_null():
    waits = aalen_johansen([1, 2, 3, 4], ["answered", "", "", ""])
    assert math.isnan(median_wait(waits, "answered")[0])
    assert math.isnan(median_wait(aalen_johansen([1, 2], ["", ""]), "answered")[0])
