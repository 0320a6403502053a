"""Rows of a file that become several, or none: their places, corrections and counts stay right."""

import csv
import json
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from salesops.book.store import open_store
from salesops.book.write import read_tables
from salesops.sources.importing import import_path
from salesops.sources.mapping import Months
from salesops.sources.questions import Unanswered
from salesops.sources.records import with_entries, with_months
from tests.sources.companies import deals_rows, write_csv
from tests.sources.test_setaside import MAPPING

FORMS = """name = "forms"
title = "Forms"
[[tables.opportunities]]
file = "deals.json"
[tables.opportunities.columns]
id = "_id"
stage = "stage"
created_at = "made"
[[tables.instalments]]
file = "deals.json"
entries = "parts"
[tables.instalments.columns]
id = "parts._id"
contract_id = "_id"
amount = "parts.sum"
"""
TARGETS = """name = "plan"
title = "Plan"
[[tables.opportunities]]
file = "deals.csv"
[tables.opportunities.columns]
id = "Id"
stage = "Stage"
[[tables.targets]]
file = "plan.xlsx"
[tables.targets.columns]
period = { column = "month", dates = ["%Y-%m-%d"] }
level = { constant = "user" }
key = "Person"
metric = { constant = "bookings" }
amount = "value"
"""


def given(folder: Path, mapping: str) -> dict[str, object]:
    (folder / "own.toml").write_text(mapping, encoding="utf-8")
    return {"source": str(folder / "own.toml"), "into": folder / "book"}


def tables(folder: Path) -> dict[str, pd.DataFrame]:
    found = read_tables(open_store(folder / "book"))
    return {name: table.to_pandas() for name, table in found.items()}


def write_forms(folder: Path, broken: int | None = None) -> Path:
    """Write forty records with three parts each, of which one may have a sum that is none."""

    def part(i: int, k: int) -> dict[str, str]:
        return {"_id": f"f{i}-{k}", "sum": "viel" if (i, k) == (broken, 2) else f"{100 * i + k}"}

    made = [{"_id": f"f{i}", "stage": "needs", "made": "2026-01-05",
             "parts": [part(i, k) for k in range(3)]} for i in range(1, 41)]  # fmt: skip
    (folder / "export").mkdir(exist_ok=True)
    place = folder / "export" / "deals.json"
    place.write_text(json.dumps(made, ensure_ascii=False), encoding="utf-8")
    return folder / "export"


def test_the_parts_of_a_record_and_its_months_keep_its_row():
    frame = pd.DataFrame({"_id": ["a", "b", "c"], "sub": ["[]", '[{"x": 1}, {"x": 2}]', ""]},
                         index=[4, 7, 9])  # fmt: skip
    assert with_entries(frame, "sub").index.tolist() == [7, 7]
    years = pd.DataFrame({"year": ["2026", "2025"], "jan": ["1", ""], "feb": ["2", "3"]},
                         index=[4, 7])  # fmt: skip
    turned = with_months(years, Months(year="year", columns={"jan": 1, "feb": 2}))
    assert sorted(zip(turned.index, turned["@month"], turned["@value"], strict=True)) == [
        (4, "2026-01", "1"), (4, "2026-02", "2"), (7, "2025-02", "3")]  # fmt: skip


def test_a_part_that_can_not_be_read_sets_its_own_record_aside(tmp_path):
    own = given(tmp_path, FORMS)
    report = import_path(write_forms(tmp_path, broken=5), **own)
    (fault,) = report.aside
    # The fifth record, whose third part is the fifteenth of all.
    assert (fault.row, fault.value) == (5, "viel")
    counts = report.counts["deals.json"]
    assert (counts.read, counts.kept, counts.set_aside, counts.left_out) == (40, 39, 1, 0)
    found = tables(tmp_path)
    assert sorted(set(found["instalments"]["contract_id"])) == sorted(found["opportunities"]["id"])
    assert "f5" not in set(found["opportunities"]["id"])
    assert len(found["instalments"]) == 39 * 3


def write_plan(folder: Path, cells: list[list[object]]) -> Path:
    (folder / "export").mkdir(exist_ok=True)
    write_csv(folder / "export" / "deals.csv", deals_rows())
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Person", *(f"2026-{m:02d}" for m in range(1, 5))])
    for row in cells:
        sheet.append(row)
    book.save(folder / "export" / "plan.xlsx")
    return folder / "export"


def test_a_month_that_is_corrected_leaves_the_others_of_its_row_as_they_are(tmp_path):
    own = given(tmp_path, TARGETS)
    cells = [[f"u{i}", *(1000 * i + m for m in range(1, 5))] for i in range(1, 31)]
    clean = {(f"u{i}", m): 1000 * i + m for i in range(1, 31) for m in range(1, 5)}
    cells[4][3] = "viel"
    export = write_plan(tmp_path, cells)
    report = import_path(export, **own)
    (fault,) = report.aside
    assert (fault.row, fault.value) == (6, "viel")
    assert report.counts["plan.xlsx[Sheet]"].kept == 29
    file = tmp_path / "book" / "set-aside.csv"
    lines = list(csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines()))
    assert [line["salesops_row"] for line in lines] == ["6#1", "6#2", "6#3", "6#4"]
    assert [line["value"] for line in lines] == ["5001", "5002", "viel", "5004"]
    file.write_text(file.read_text(encoding="utf-8").replace("viel", "5003"), encoding="utf-8")
    corrected = tmp_path / "corrected.csv"
    file.rename(corrected)
    again = import_path(export, **own, corrected=corrected)
    assert [(m.column, m.was, m.now) for m in again.mended] == [("value", "viel", "5003")]
    targets = tables(tmp_path)["targets"]
    found = {(row.key, int(str(row.period)[5:7])): float(row.amount)
             for row in targets.itertuples()}  # fmt: skip
    assert found == clean


def test_rows_that_a_condition_leaves_out_are_counted_and_told(tmp_path):
    mapping = MAPPING.replace(
        'file = "deals*.csv"\n[tables.opportunities.columns]',
        'file = "deals*.csv"\nwhere = { column = "Owner", is_in = ["u1"] }\n'
        "[tables.opportunities.columns]",
        1,
    ).split("[[tables.accounts]]")[0]
    path = write_csv(tmp_path / "deals.csv", deals_rows(
        d7=["d7", "a0", "u2", "needs", 1, "2026-01-06", ""],
        d8=["d8", "a1", "u2", "needs", 1, "2026-01-06", ""]))  # fmt: skip
    report = import_path(path, **given(tmp_path, mapping))
    counts = report.counts["deals.csv"]
    assert (counts.read, counts.kept, counts.left_out, counts.set_aside) == (40, 38, 2, 0)
    assert "2 rows left out, as the mapping says" in "\n".join(report.lines())


def test_rows_of_a_log_on_fields_that_no_table_has_are_left_out_and_counted(tmp_path):
    mapping = (
        MAPPING
        + """
[[history]]
file = "log.csv"
form = "changes"
entity_id = "Deal"
changed_at = "At"
field = { column = "Field", values = { Stage = "stage" } }
old_value = "Old"
new_value = "New"
"""
    )
    folder = tmp_path / "export"
    write_csv(folder / "deals.csv", deals_rows())
    write_csv(folder / "log.csv", [
        ["Deal", "At", "Field", "Old", "New"],
        ["d1", "2026-01-20 10:00", "Stage", "lead", "needs"],
        ["d1", "2026-01-21 10:00", "Mood", "bad", "good"],
        ["d2", "2026-01-22 10:00", "Mood", "bad", "good"],
    ])  # fmt: skip
    report = import_path(folder, **given(tmp_path, mapping))
    counts = report.counts["log.csv"]
    assert (counts.read, counts.kept, counts.left_out) == (3, 1, 2)
    assert len(tables(tmp_path)["changes"]) == 1


def test_files_that_no_table_takes_are_named(tmp_path):
    folder = tmp_path / "export"
    write_csv(folder / "deals.csv", deals_rows())
    write_csv(folder / "weather.csv", [["Day", "Rain"], ["2026-01-05", "3"]])
    report = import_path(folder, **given(tmp_path, MAPPING))
    assert report.not_taken == ("weather.csv",)
    assert "no table takes anything from: weather.csv" in "\n".join(report.lines())


@pytest.mark.parametrize(("answer", "value"), [("percent", 0.0025), ("one", 0.25)])
def test_shares_that_may_be_per_cent_are_asked_about_and_never_read_half(tmp_path, answer, value):
    mapping = (
        MAPPING
        + """
[[tables.quotes]]
file = "deals*.csv"
[tables.quotes.columns]
id = "Id"
opportunity_id = "Id"
discount = "Off %"
"""
    )
    rows = [[*row, "Off %" if i == 0 else "0.25"] for i, row in enumerate(deals_rows())]
    path = write_csv(tmp_path / "deals.csv", rows)
    own = given(tmp_path, mapping)
    with pytest.raises(Unanswered) as error:
        import_path(path, **own, yes=True)
    assert "--answer quotes.discount.unit=percent" in str(error.value)
    assert not (tmp_path / "book").exists()
    import_path(path, **own, answers={"quotes.discount.unit": answer})
    assert set(tables(tmp_path)["quotes"]["discount"]) == {value}
    # The mapping that was kept says it, so nobody is asked again.
    later = import_path(path, source=str(tmp_path / "book" / "mapping.toml"), into=own["into"])
    assert later.answered == ()


@pytest.mark.parametrize(("answer", "n"), [("yes", 40), ("no", 4)])
def test_cells_that_may_have_been_merged_are_asked_about(tmp_path, answer, n):
    rows = deals_rows()
    for i, row in enumerate(rows[1:]):
        row[1] = f"a{i // 10}" if i % 10 == 0 else ""
    path = write_csv(tmp_path / "deals.csv", [[r[1], *r[:1], *r[2:]] for r in rows])
    own = given(tmp_path, MAPPING)
    import_path(path, **own, answers={"fill_down.Account": answer})
    assert tables(tmp_path)["opportunities"]["account_id"].notna().sum() == n
    later = import_path(path, source=str(tmp_path / "book" / "mapping.toml"), into=own["into"])
    assert later.answered == ()
