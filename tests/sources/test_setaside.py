"""Rows that can't be read: a few are set aside and told, many mean that the mapping is wrong."""

import csv

import pandas as pd
import pytest

from salesops.book.book import open_book
from salesops.model.errors import BadRows
from salesops.sources.importing import import_path
from salesops.sources.setaside import BadCorrections
from tests.sources.companies import deals_rows, write_csv

MAPPING = """name = "own"
title = "Own"
[[tables.opportunities]]
file = "deals*.csv"
[tables.opportunities.columns]
id = "Id"
account_id = "Account"
owner_id = "Owner"
stage = "Stage"
amount = "Amount"
created_at = "Created"
closed_at = "Closed"
[[tables.accounts]]
file = "deals*.csv"
distinct = true
[tables.accounts.columns]
id = "Account"
name = "Account"
"""
BAD = ["d5", "a5", "u1", "needs", "viel", "2026-01-06", ""]
FORMULA = ["d6", "=1+1", "u1", "needs", "=2*3", "2026-01-07", ""]


@pytest.fixture
def own(tmp_path):
    (tmp_path / "own.toml").write_text(MAPPING, encoding="utf-8")
    return {"source": str(tmp_path / "own.toml"), "into": tmp_path / "book"}


def deals(where) -> pd.DataFrame:
    return open_book(where).opportunities.to_pandas().set_index("id").sort_index()


def test_a_bad_row_is_set_aside_and_all_rows_are_accounted_for(own, tmp_path):
    path = write_csv(tmp_path / "deals.csv", deals_rows(d5=BAD))
    report = import_path(path, **own)
    counts = report.counts["deals.csv"]
    assert (counts.read, counts.kept, counts.set_aside) == (40, 39, 1)
    (fault,) = report.aside
    assert (fault.where, fault.row, fault.value) == ("deals.csv", 6, "viel")
    assert "d5" not in deals(tmp_path / "book").index
    told = "\n".join(report.lines())
    assert "40 rows read, 39 kept" in told
    assert "deals.csv row 6, Amount: viel is no number" in told
    assert "--corrected" in told


def test_the_rows_set_aside_stand_in_a_csv_with_their_reason_and_no_formula(own, tmp_path):
    path = write_csv(tmp_path / "deals.csv", deals_rows(d5=BAD, d6=FORMULA))
    import_path(path, **own)
    raw = (tmp_path / "book" / "set-aside.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    first, second = csv.DictReader(raw.decode("utf-8-sig").splitlines())
    assert first["salesops_problem"] == "Amount: 'viel' is no number"
    assert (first["salesops_file"], first["salesops_row"], first["Id"]) == ("deals.csv", "6", "d5")
    assert (second["Account"], second["Amount"]) == ("'=1+1", "'=2*3")


def test_rows_that_are_corrected_and_imported_again_give_the_book_of_a_clean_export(own, tmp_path):
    path = write_csv(tmp_path / "deals.csv", deals_rows(d5=BAD))
    import_path(path, **own)
    file = tmp_path / "book" / "set-aside.csv"
    corrected = tmp_path / "corrected.csv"
    corrected.write_text(file.read_text(encoding="utf-8").replace("viel", "5000"), encoding="utf-8")
    report = import_path(path, **own, corrected=corrected)
    assert report.counts["deals.csv"].set_aside == 0
    assert [(m.was, m.now) for m in report.mended if m.column == "Amount"] == [("viel", "5000")]
    assert not file.exists()
    clean = write_csv(tmp_path / "clean" / "deals.csv", deals_rows())
    import_path(clean, source=own["source"], into=tmp_path / "other")
    pd.testing.assert_frame_equal(deals(tmp_path / "book"), deals(tmp_path / "other"))


def test_strict_refuses_a_single_bad_row(own, tmp_path):
    path = write_csv(tmp_path / "deals.csv", deals_rows(d5=BAD))
    with pytest.raises(BadRows) as error:
        import_path(path, **own, strict=True)
    assert "Without --strict" in str(error.value)
    assert not (tmp_path / "book").exists()


def test_more_than_one_row_in_twenty_means_that_the_mapping_is_wrong(own, tmp_path):
    bad = {f"d{i}": [f"d{i}", "a1", "u1", "needs", "viel", "2026-01-06", ""] for i in (1, 2, 3)}
    path = write_csv(tmp_path / "deals.csv", deals_rows(**bad))
    with pytest.raises(BadRows) as error:
        import_path(path, **own)
    assert "3 of 40 rows of deals.csv" in str(error.value)
    assert "5%" in str(error.value)
    # Two of forty are one in twenty.
    write_csv(path, deals_rows(d1=bad["d1"], d2=bad["d2"]))
    assert import_path(path, **own).counts["deals.csv"].set_aside == 2


def test_an_id_that_stands_there_twice_keeps_its_first_row(own, tmp_path):
    rows = [*deals_rows(), ["d7", "a9", "u9", "needs", 1, "2026-02-01", ""]]
    report = import_path(write_csv(tmp_path / "deals.csv", rows), **own)
    (fault,) = report.aside
    assert fault.problem == "stands there twice"
    assert float(deals(tmp_path / "book").loc["d7", "amount"]) == 7_000
    # The row is in no table: its customer is not one either.
    assert "a9" not in set(open_book(tmp_path / "book").accounts.to_pandas()["id"])


def test_a_customer_stays_whose_first_row_was_set_aside(own, tmp_path):
    first = ["d1", "a1", "u1", "needs", "viel", "2026-01-02", ""]
    import_path(write_csv(tmp_path / "deals.csv", deals_rows(d1=first)), **own)
    assert "a1" in set(open_book(tmp_path / "book").accounts.to_pandas()["id"])


def test_a_deal_whose_later_row_can_not_be_read_stays_as_it_was(own, tmp_path):
    import_path(write_csv(tmp_path / "deals.csv", deals_rows()), **own, exported_at="2026-02-28")
    report = import_path(write_csv(tmp_path / "deals2.csv", deals_rows(d5=BAD)), **own,
                         exported_at="2026-03-31")  # fmt: skip
    assert report.changed == {}
    found = deals(tmp_path / "book")
    assert found.loc["d5", "outcome"] == "open"
    assert float(found.loc["d5", "amount"]) == 5_000


@pytest.mark.parametrize(
    ("text", "told"),
    [("Id,Amount\nd5,1\n", "no columns salesops_file"),
     ("salesops_file,salesops_row,Id\ndeals.csv,x,d5\n", "is no row number"),
     ("salesops_file,salesops_row,Id\ndeals.csv,6,d5\ndeals.csv,6,d5\n", "twice"),
     ("salesops_file,salesops_row,Id\nmarch.csv,6,d5\n", "row 6 of march.csv is not in this"),
     (None, "no such file")],
)  # fmt: skip
def test_corrections_that_name_no_rows_are_refused(own, tmp_path, text, told):
    path = write_csv(tmp_path / "deals.csv", deals_rows())
    if text is not None:
        (tmp_path / "corrected.csv").write_text(text, encoding="utf-8")
    with pytest.raises(BadCorrections) as error:
        import_path(path, **own, corrected=tmp_path / "corrected.csv")
    assert told in str(error.value)
    assert "set-aside.csv" in str(error.value)
