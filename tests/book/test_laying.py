"""Versions laid out apart, for rows with and without a log, equal those laid out together."""

import pandas as pd
import pytest

import salesops.book.write as writing
from salesops.book.laying import lay_out, lay_out_apart
from salesops.book.store import open_store
from salesops.book.write import write_store
from tests.companies import random_company
from tests.fixtures import SAMPLE, TINY


def laid_out(place, how) -> dict[str, pd.DataFrame]:
    store = open_store(place, copied=False)
    found = {}
    for entity, fields in store.tracking.items():
        if entity in store.present:
            rows = how(entity, store.tables, fields, store.settings)
            found[entity] = rows.order_by("id", "valid_from").to_pandas()
    return found


@pytest.fixture(params=["tiny", "sample", "random", "no log"])
def place(request, tmp_path):
    committed = {"tiny": TINY, "sample": SAMPLE}
    if request.param in committed:
        return committed[request.param]
    tables = random_company(3).tables()
    if request.param == "no log":
        tables = {name: table for name, table in tables.items() if name != "changes"}
    return write_store(tmp_path / "book", tables)


def test_rows_with_and_without_a_log_laid_out_apart_equal_all_laid_out_together(place):
    together, apart = laid_out(place, lay_out), laid_out(place, lay_out_apart)
    assert together
    assert together.keys() == apart.keys()
    for entity, rows in together.items():
        assert len(rows)
        pd.testing.assert_frame_equal(apart[entity], rows)


def test_versions_that_do_not_fit_into_the_memory_meant_for_them_are_laid_out_all_the_same(
    tmp_path, monkeypatch
):
    tables = random_company(3).tables()
    usual = write_store(tmp_path / "usual", tables)
    monkeypatch.setattr(writing, "_MEMORY", "1MB")
    small = write_store(tmp_path / "small", tables)
    for file in usual.glob("*.parquet"):
        pd.testing.assert_frame_equal(
            pd.read_parquet(small / file.name), pd.read_parquet(file), obj=file.name
        )
