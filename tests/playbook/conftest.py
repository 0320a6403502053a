"""Two learners with a company of their own each, made once for all tests of a process."""

import pytest

from salesops.playbook.learner import PLACE, Learner
from salesops.playbook.start import start
from salesops.wording import current_language, language


@pytest.fixture(autouse=True)
def _language_as_before():
    """Leave the language as it was: each learner has their own."""
    with language(current_language()):
        yield


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> Learner:
    return start(tmp_path_factory.mktemp("learns") / "month", name="Li Na", lang="en")


@pytest.fixture(scope="session")
def neighbour(tmp_path_factory) -> Learner:
    folder = tmp_path_factory.mktemp("neighbour") / "month"
    return start(folder, name="Wang Wei", lang="zh", capstone=False)


@pytest.fixture
def learner(made, monkeypatch) -> Learner:
    """A learner who has not done anything yet."""
    monkeypatch.setenv(PLACE, str(made.folder))
    for name in ("progress.json", "capstone.json"):
        (made.folder / name).unlink(missing_ok=True)
    return made
