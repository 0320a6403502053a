"""Cash from PostgreSQL: the same money meets the same instalments."""

import gc
import shutil

import ibis
import pandas as pd
import pytest

from salesops.analyses.collection import collection
from salesops.book.book import open_book
from salesops.metrics import kept
from salesops.metrics.allocation import paid_instalments, signed_contracts, unallocated_money
from salesops.metrics.catalogue import metric
from salesops.metrics.collection import METRICS
from tests.book import test_postgres

pytestmark = pytest.mark.postgres
server = test_postgres.server


@pytest.fixture(scope="module")
def books(server, tmp_path_factory):
    """Give the company written by hand, one contract credited to two, from files and server."""
    folder = shutil.copytree("tests/metrics/cash_company", tmp_path_factory.mktemp("cash") / "c")
    shares = "contract_id,user_id,share\nc1,u1,0.6\nc1,u2,0.4\n"
    (folder / "credits.csv").write_text(shares, encoding="utf-8")
    here = open_book(folder)
    con = ibis.connect(server)
    for name, columns in here.store.present.items():
        rows = here.store.tables[name].select(*sorted(columns)).to_pyarrow()
        con.create_table(name, rows, overwrite=True)
    con.disconnect()
    there = open_book(server)
    yield here, there
    # What is held in the database goes before its connection does.
    kept._KEPT.pop(there.store, None)
    gc.collect()
    there.store.tables["opportunities"].get_backend().disconnect()


@pytest.mark.parametrize("date", ["2024-03-31", "2024-03-14"])
def test_a_warehouse_gives_the_same_cash(books, date):
    here, there = (book.as_of(date) for book in books)
    for rows in (paid_instalments, unallocated_money, signed_contracts):
        one, other = (rows(b).to_pandas().sort_values("id", ignore_index=True)
                      for b in (here, there))  # fmt: skip
        pd.testing.assert_frame_equal(one, other, check_dtype=False)


def test_a_warehouse_gives_the_same_numbers(books):
    here, there = (book.as_of("2024-03-31") for book in books)
    for one in METRICS:
        found = [metric(b, one.id, period="2024-03") for b in (here, there)]
        pd.testing.assert_frame_equal(*found, check_dtype=False)
        found = [metric(b, one.id, period="2024-03", by=["team"]) for b in (here, there)]
        pd.testing.assert_frame_equal(*found, check_dtype=False)
    assert collection(here).metrics == pytest.approx(collection(there).metrics, nan_ok=True)
