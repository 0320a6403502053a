"""Books for tests: ten deals written by hand, the committed sample, and generated companies."""

from pathlib import Path

import pytest

from salesops.book.book import Book, open_book

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
def clean_book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    """The sample company without planted problems."""
    return open_book(_generated(tmp_path_factory, "clean", clean=True))


@pytest.fixture(scope="session")
def small_book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    """A company of five people with 120 deals, no history and no activities."""
    from salesops.sources.importing import import_path

    export = _generated(tmp_path_factory, "small", preset="small")
    import_path(export, into=export.parent / "book", source="small")
    return open_book(export.parent / "book")


def _generated(factory: pytest.TempPathFactory, name: str, **options: object) -> Path:
    from salesops.sample.options import SampleOptions
    from salesops.sample.write import write_sample

    folder = factory.mktemp(name) / name
    write_sample(folder, SampleOptions(**options))
    return folder
