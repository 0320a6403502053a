"""Rounds of `make soak`: whatever ends a run, nothing is half-written, and the next mends it."""

import os
import random

import pytest

from soak.__main__ import played

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


def test_a_run_that_is_killed_leaves_all_whole_and_the_next_one_makes_the_rest():
    # One whose kernels are no server's, and one of which a kernel is killed, are in test_again.
    # Drawn from this seed, the moment is one at which a kernel works.
    found = played("run killed", random.Random(2), quick=True, most=8.0)
    assert found.wrong == ()
    assert found.kept == found.jobs or found.code != 0
