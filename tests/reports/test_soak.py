"""Rounds of `make soak`: whatever ends a run, nothing is half-written, and the next mends it."""

import os
import random

import pytest
from soak.__main__ import played

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


@pytest.mark.parametrize("name", ["run killed", "kernel killed"])
def test_a_run_that_is_disturbed_leaves_all_whole_and_the_next_one_makes_the_rest(name):
    found = played(name, random.Random(2), quick=True, most=8.0)
    assert found.wrong == ()
    assert found.kept < found.jobs or found.code == 0
