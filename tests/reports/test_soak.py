"""Rounds of `make soak`: whatever ends a run, nothing is half-written, and the next mends it."""

import os
import random

import pytest

from soak.__main__ import played

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


# A run whose kernels are no server's is killed in test_again.
@pytest.mark.parametrize(("name", "cold"), [("run killed", False), ("kernel killed", True)])
def test_a_run_that_is_disturbed_leaves_all_whole_and_the_next_one_makes_the_rest(name, cold):
    # Drawn from this seed, the moment is one at which a kernel works.
    found = played(name, random.Random(2), quick=True, cold=cold, most=8.0)
    assert found.wrong == ()
    assert found.kept == found.jobs or found.code != 0
