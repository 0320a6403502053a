"""Books for tests: ten deals written by hand, the committed sample, and generated companies.

Beside them what takes long to make: the reports on the sample, and a server of kernels.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from salesops.book.book import Book, open_book
from salesops.book.runlog import OPENED
from salesops.sample.options import SampleOptions
from tests.made import made_book, made_folder
from tests.once import once

if TYPE_CHECKING:
    from salesops.reports.run import RunOutcome
    from salesops.reports.warm import WarmServer

HERE = Path(__file__).parent
TINY = HERE / "tiny_company"
SAMPLE = HERE.parent / "data" / "sample"


@pytest.fixture(scope="session")
def tiny_book() -> Book:
    """Ten deals and their log, on one screen: tests/tiny_company."""
    return open_book(TINY)


@pytest.fixture(scope="session")
def sample_book() -> Book:
    """The committed sample company with all its planted problems."""
    return open_book(SAMPLE)


@pytest.fixture(scope="session")
def clean_book() -> Book:
    """The sample company without planted problems."""
    return open_book(made_folder(SampleOptions(clean=True)))


@pytest.fixture(scope="session")
def small_book() -> Book:
    """A company of five people with 120 deals, no history and no activities."""
    return open_book(made_book(SampleOptions(preset="small")))


@pytest.fixture(scope="module")
def laid_nowhere() -> Iterator[None]:
    """Open books as who opens one alone: of a book that is looked at once, a copy is no use."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(OPENED, raising=False)
        yield


@pytest.fixture(scope="session")
def sample_run() -> "RunOutcome":
    """Every report on the committed sample, in both languages, made by one run."""
    return once("sample-run", _run_on_sample)


@pytest.fixture(scope="session")
def kernel_server() -> Iterator["WarmServer | None"]:
    """A server that has imported all and forks kernels; null where none can be forked."""
    from salesops.reports.warm import WarmServer, can_fork

    if not can_fork():
        yield None
        return
    server = WarmServer()
    server.start()
    yield server
    server.close()


@pytest.fixture(scope="module")
def forked_kernels(kernel_server: "WarmServer | None") -> Iterator[None]:
    """Fork all kernels of a module from one server, where how they begin is not the point.

    By itself a run of one report imports all in its kernel, and one of several starts a server.
    """
    if kernel_server is None:
        yield
        return
    from jupyter_client.provisioning.factory import KernelProvisionerFactory

    with pytest.MonkeyPatch.context() as patch:
        for name, value in kernel_server.environment().items():
            patch.setenv(name, value)
        patch.setenv("SALESOPS_COLD", "1")
        # It reads the environment once in the life of a process.
        KernelProvisionerFactory.clear_instance()
        yield
    KernelProvisionerFactory.clear_instance()


def _run_on_sample(place: Path) -> "RunOutcome":
    from salesops.reports import run

    def kept(record: dict[str, Any], _book: str, root: Path) -> Path:
        return keep_record(record, str(root), root)

    keep_record = run.keep_record
    with pytest.MonkeyPatch.context() as patch:
        # The sample is committed, and other tests read it meanwhile: no record lies beside it.
        patch.setattr(run, "keep_record", kept)
        return run.run_reports([], book=str(SAMPLE), out=place / "reports")
