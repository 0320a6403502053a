"""Hazards with late entry against a reference library, paces against planted ones."""

import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter, NelsonAalenFitter

from salesops.methods.frailty import hazard, paced_hazards, paces


@pytest.fixture(scope="module")
def waits() -> pd.DataFrame:
    """Two thousand waits of 200 groups: odd ones at half pace, the others at one and a half."""
    rng = np.random.default_rng(3)
    group = np.repeat(np.arange(200), 10)
    pace = np.where(group % 2, 0.5, 1.5)
    came = rng.exponential(30, len(group)) / pace
    entry = np.floor(rng.uniform(0, 10, len(group)))
    seen = rng.uniform(10, 120, len(group))
    age = np.ceil(np.minimum(came, seen))
    frame = pd.DataFrame({"age": age, "entry": entry, "happened": came <= seen, "weight": 1.0,
                          "group": group, "kind": "a"})  # fmt: skip
    return frame[frame["age"] > frame["entry"]]


def test_the_sum_of_steps_is_that_of_a_reference(waits):
    found = hazard(waits["age"], waits["happened"], waits["weight"], waits["entry"], at_least=0)
    fitted = NelsonAalenFitter(nelson_aalen_smoothing=False).fit(
        waits["age"], waits["happened"], entry=waits["entry"]
    )
    for age in (5, 20, 60):
        wanted = float(fitted.cumulative_hazard_at_times(age).iloc[0])
        assert found.cumulative(age) == pytest.approx(wanted, rel=1e-9)


def test_the_chance_to_wait_on_is_that_of_a_reference(waits):
    found = hazard(waits["age"], waits["happened"], waits["weight"], waits["entry"], at_least=0)
    fitted = KaplanMeierFitter().fit(waits["age"], waits["happened"], entry=waits["entry"])
    for age in (5, 20, 60):
        assert np.exp(-found.exponent(age)) == pytest.approx(fitted.predict(age), rel=1e-9)


def test_half_a_payment_counts_half():
    whole = hazard([1, 2, 2], [True, True, False], [2, 1, 1], [0, 0, 0], at_least=0)
    halves = hazard([1, 1, 2, 2], [True, True, True, False], [1, 1, 1, 1], [0] * 4, at_least=0)
    assert whole.steps.tolist() == halves.steps.tolist() == [2 / 4, 1 / 2]


def test_too_few_that_wait_support_no_step():
    found = hazard([1] * 50 + [9], [True] * 51, [1.0] * 51, [0.0] * 51)
    assert found.steps.tolist() == [50 / 51, 0]


def test_ages_beyond_the_own_support_take_the_steps_of_all():
    own = hazard([1] * 50 + [9], [True] * 51, [1.0] * 51, [0.0] * 51)
    every = hazard([5] * 20 + [9] * 20, [True] * 40, [1.0] * 40, [0.0] * 40)
    assert own.continued(every).ages.tolist() == [1, 5, 9]
    assert own.continued(every).steps.tolist() == [50 / 51, 20 / 40, 1]


def test_groups_that_differ_are_told_apart(waits):
    curves, found = paced_hazards(waits, 200, ("a",))
    slow, fast = found.mean[1::2].mean(), found.mean[::2].mean()
    # Ten waits each tell most, not all, of what sets a group apart.
    assert 0.5 < slow < 0.75
    assert 1.25 < fast < 1.5
    # A hazard of one thirtieth a day, once the groups' paces are taken out.
    assert curves["a"].cumulative(30) == pytest.approx(1, abs=0.1)


def test_groups_that_are_alike_keep_the_pace_of_all():
    rng = np.random.default_rng(4)
    seen = rng.poisson(5, 200)
    assert paces(seen, np.full(200, 5.0)).mean == pytest.approx(np.ones(200), abs=0.25)


def test_a_group_with_nothing_at_risk_has_the_pace_of_all(waits):
    assert paces([30, 2, 0], [10.0, 10.0, 0.0]).mean[2] == 1
