"""Fixtures for all tests, and what is said about tests that can't run here."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from salesops.book.runlog import OPENED, SHARED

pytest_plugins = ["tests.fixtures"]


@pytest.fixture(autouse=True, scope="session")
def _asked_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Open each book and ask each analysis of it once for all tests, as the kernels of a run do."""
    base = tmp_path_factory.getbasetemp()
    # The processes of pytest-xdist have folders in a folder of their own.
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "asked"
    missing = [name for name in (OPENED, SHARED) if not os.environ.get(name)]
    folder.mkdir(exist_ok=True)
    os.environ.update(dict.fromkeys(missing, str(folder)))
    yield
    for name in missing:
        del os.environ[name]


@pytest.fixture(autouse=True, scope="session")
def _own_models(_asked_once: None) -> Iterator[None]:
    """Keep fitted models apart from those of whoever runs the tests; all processes share them."""
    before = os.environ.get("SALESOPS_MODELS")
    os.environ["SALESOPS_MODELS"] = str(Path(os.environ[SHARED]) / "models")
    yield
    if before is None:
        del os.environ["SALESOPS_MODELS"]
    else:
        os.environ["SALESOPS_MODELS"] = before


@pytest.fixture(autouse=True)
def _no_open_pictures() -> Iterator[None]:
    """Close the pictures that a test has drawn."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, with the remedy, what needs programs or data that are not here; in CI all run."""
    lacking = {
        "browser": None
        if shutil.which("chromium") or shutil.which("google-chrome")
        else "Chromium is not installed: apt-get install chromium",
        "postgres": None
        if list(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or shutil.which("initdb")
        else "PostgreSQL is not installed: apt-get install postgresql",
        "real_data": None
        if os.environ.get("SALESOPS_REAL_DATA")
        else "SALESOPS_REAL_DATA does not name the folder with real data",
    }
    for item in items:
        for marker, reason in lacking.items():
            if item.get_closest_marker(marker) and reason:
                if os.environ.get("CI"):
                    raise pytest.UsageError(f"In CI every test runs. {reason}")
                item.add_marker(pytest.mark.skip(reason=reason))
