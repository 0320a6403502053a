"""A book that was opened before is the same book, and no other one is taken for it."""

import os
import shutil

import pandas as pd
import pytest

from salesops.book.book import open_book
from salesops.book.opened import laid_at, laid_in, place_of
from salesops.book.runlog import OPENED
from salesops.book.store import open_store
from salesops.model.errors import SalesopsError
from salesops.model.settings import default_text
from salesops.sample.options import SampleOptions
from tests.fixtures import TINY
from tests.made import made_folder


@pytest.fixture
def laid(tmp_path, monkeypatch):
    folder = tmp_path / "laid"
    folder.mkdir()
    monkeypatch.setenv(OPENED, str(folder))
    shutil.copytree(TINY, tmp_path / "book")
    return tmp_path


def rows_of(table) -> pd.DataFrame:
    """Read a table in an order of its own: an engine may choose one."""
    frame = table.to_pandas()
    keys = ["id"] if "id" in frame and frame["id"].is_unique else list(frame.columns)
    return frame.sort_values(keys, ignore_index=True)


@pytest.mark.parametrize("size", ["tiny", "generated"])
def test_it_shows_what_opening_it_shows(laid, size):
    # Of all tables there are some rows; how many is no matter.
    book = TINY if size == "tiny" else made_folder(SampleOptions(months=6, deals_per_month=40))
    first, second = open_book(book).store, open_book(book).store
    plain = open_store(book)
    assert laid_at(first) == laid_at(second)
    assert laid_at(first).parent == laid / "laid"
    for store in (first, second):
        assert store.settings == plain.settings
        told = [(s.present, s.tracking, s.latest, s.merged, s.where) for s in (store, plain)]
        assert told[0] == told[1]
        assert list(store.tables) == list(plain.tables)
        assert list(store.spans) == list(plain.spans)
    for side in ("tables", "spans"):
        for name, table in getattr(plain, side).items():
            same(table, *(getattr(store, side)[name] for store in (first, second)))
    same(plain.moves, first.moves, second.moves)


def same(plain, *others) -> None:
    """Hold tables against one: kinds and rows."""
    wanted = rows_of(plain)
    for table in others:
        assert table.schema() == plain.schema()
        pd.testing.assert_frame_equal(rows_of(table), wanted)


def test_another_row_or_setting_is_another_book_and_a_record_of_a_run_is_not(laid):
    book = laid / "book"
    before = place_of(book)
    (book / "runs").mkdir()
    (book / "runs" / "one.json").write_text("{}", encoding="utf-8")
    assert place_of(book) == before
    (book / "salesops.toml").write_text(default_text(), encoding="utf-8")
    after = place_of(book)
    assert after != before
    deals = book / "opportunities.csv"
    head, _first, *rows = deals.read_text(encoding="utf-8").splitlines()
    deals.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    assert place_of(book) not in (before, after)
    assert open_book(book).opportunities.count().to_pandas() == len(rows)


def test_a_broken_book_is_refused_each_time_and_not_laid(laid):
    deals = laid / "book" / "opportunities.csv"
    deals.write_text(deals.read_text(encoding="utf-8").replace("needs", "nowhere", 1), "utf-8")
    for _ in range(2):
        with pytest.raises(SalesopsError, match="nowhere"):
            open_book(laid / "book")
    assert not list((laid / "laid").iterdir())


def test_where_nothing_can_be_laid_it_is_opened_as_usual(laid, monkeypatch, caplog):
    monkeypatch.setenv(OPENED, str(laid / "absent"))
    assert laid_at(open_book(laid / "book").store) is None
    assert "could not be laid" in caplog.text


def test_without_a_folder_or_with_settings_of_ones_own_nothing_is_laid(laid, monkeypatch):
    store = open_store(laid / "book")
    assert laid_at(open_book(laid / "book", settings=store.settings).store) is None
    monkeypatch.delenv(OPENED)
    assert laid_at(open_book(laid / "book").store) is None
    assert not list((laid / "laid").iterdir())


def test_a_book_is_laid_where_asked_unless_a_run_has_a_place_for_all(tmp_path, monkeypatch):
    monkeypatch.delenv(OPENED, raising=False)
    with laid_in(tmp_path / "own"):
        first = open_book(TINY)
    assert OPENED not in os.environ
    (laid,) = (tmp_path / "own").iterdir()
    assert laid_at(first.store) == laid
    monkeypatch.setenv(OPENED, str(tmp_path))
    with laid_in(tmp_path / "other"):
        assert laid_at(open_book(TINY).store).parent == tmp_path
    assert not (tmp_path / "other").exists()
