"""Companies that the tests of the generator measure; each is made once."""

import pytest

from salesops.sample.generate import SampleCompany
from salesops.sample.options import PROBLEMS, SampleOptions
from tests.made import made_company


@pytest.fixture(scope="session")
def cleans() -> list[SampleCompany]:
    """Clean companies of five years with different seeds, so that sampling error is small."""
    return [made_company(SampleOptions(clean=True, months=60, seed=seed)) for seed in (1, 2, 3)]


@pytest.fixture(scope="session")
def clean() -> SampleCompany:
    """The clean company of three years."""
    return made_company(SampleOptions(clean=True))


@pytest.fixture(scope="session")
def planted() -> SampleCompany:
    """The company with all its problems, which is the committed sample."""
    return made_company(SampleOptions())


@pytest.fixture(scope="session")
def sized() -> dict[float, SampleCompany]:
    """Companies with all problems at half and at twice their size."""
    return {
        size: made_company(SampleOptions(problems=dict.fromkeys(PROBLEMS, size)))
        for size in (0.5, 2.0)
    }
