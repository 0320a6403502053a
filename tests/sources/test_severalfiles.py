"""Exports in several files and sheets: parts stand under each other, two states never do."""

import csv
import datetime as dt
import shutil
from pathlib import Path

import openpyxl
import pytest

from salesops.book.book import open_book
from salesops.sources.importing import import_path
from salesops.sources.severalexports import SeveralExports
from tests.sources.companies import PEOPLE, STAGES, write_csv, write_ledger
from tests.sources.test_proposing import Person, deals, imported

SYSTEMS = Path(__file__).parent / "systems"
HEADS = ["商机编号", "负责人", "客户名称", "阶段", "金额", "创建日期"]


def rows_of(month: int, n: int = 10) -> list[list[object]]:
    return [[f"{month}-{i}", PEOPLE[i % 3], f"客户{i % 4}", STAGES[i % 6], 90_000 + i,
             dt.date(2026, month, 1 + i)] for i in range(n)]  # fmt: skip


def workbook(path: Path, months: list[int]) -> Path:
    """Write a ledger with a sheet per month."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for month in months:
        sheet = book.create_sheet(f"{month}月")
        for row in [HEADS, *rows_of(month)]:
            sheet.append(row)
    book.save(path)
    return path


def cut(path: Path, at: int) -> None:
    """Cut a CSV into two files, as systems do with a long export."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        head, *rows = csv.reader(file)
    for number, part in enumerate((rows[:at], rows[at:]), 1):
        write_csv(path.with_stem(f"{path.stem}_00{number}"), [head, *part], "utf-8-sig")
    path.unlink()


def test_people_and_customers_of_several_sheets_are_there_once(tmp_path):
    book = imported(workbook(tmp_path / "台账.xlsx", [1, 2]), tmp_path)
    assert book.n("opportunities") == 20
    assert sorted(book.users.to_pandas()["id"]) == sorted(PEOPLE)
    assert book.n("accounts") == 4


def test_the_sheet_of_a_new_month_is_read_as_those_before(tmp_path):
    imported(workbook(tmp_path / "台账2026-02.xlsx", [1, 2]), tmp_path, exported_at="2026-02-28")
    later, person = workbook(tmp_path / "台账2026-03.xlsx", [1, 2, 3]), Person()
    import_path(later, into=tmp_path / "book", talk=person, exported_at="2026-03-31")
    assert person.asked == []
    assert any("台账2026-03.xlsx[3月] is new" in line for line in person.shown)
    assert open_book(tmp_path / "book").n("opportunities") == 30
    assert "3月" in (tmp_path / "book" / "mapping.toml").read_text(encoding="utf-8")


def test_an_export_that_a_system_cut_into_files_is_read_as_a_whole(tmp_path):
    shutil.copytree(SYSTEMS / "zoho", tmp_path / "whole")
    shutil.copytree(SYSTEMS / "zoho", tmp_path / "parts")
    (name,) = (path.name for path in (tmp_path / "parts").glob("Deals*.csv"))
    cut(tmp_path / "parts" / name, 5)
    found = []
    for folder in ("whole", "parts"):
        report = import_path(tmp_path / folder, into=tmp_path / f"{folder}-book",
                             exported_at="2026-06-30")  # fmt: skip
        assert report.not_taken == ()
        book = open_book(tmp_path / f"{folder}-book")
        log = book.changes.to_pandas()[["entity_id", "field", "new_value"]].astype(str)
        found.append((deals(book)["amount"].to_dict(), sorted(book.users.to_pandas()["id"]),
                      sorted(log.values.tolist())))  # fmt: skip
    assert found[0] == found[1]


def test_two_exports_of_the_same_deals_in_one_folder_are_refused_with_the_order(tmp_path):
    for month in (3, 4):
        write_ledger(tmp_path / "exports" / f"台账2026-0{month}.xlsx")
    with pytest.raises(SeveralExports) as error:
        import_path(tmp_path / "exports", into=tmp_path / "book", yes=True)
    told = str(error.value)
    assert "of 60 rows of 台账2026-04.xlsx[项目跟进] 60 have an id that 台账2026-03" in told
    assert "the older one first" in told
    assert not (tmp_path / "book").exists()


@pytest.mark.parametrize("name", ["商机[1].csv", "My deals (2).csv", "商机#1.csv"])
def test_a_file_is_read_whatever_signs_are_in_its_name(name, tmp_path):
    rows = [[str(c) for c in row] for row in rows_of(1)]
    book = imported(write_csv(tmp_path / name, [HEADS, *rows]), tmp_path)
    assert book.n("opportunities") == 10
    again = import_path(tmp_path / name, into=tmp_path / "book", yes=True)
    assert again.unchanged


def test_a_deal_with_a_column_per_month_beside_it_is_one_deal(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["2026年台账"])
    book.active.append([*HEADS, "1月", "2月", "3月", "4月"])
    for i, row in enumerate(rows_of(1)):
        book.active.append([*row, *[100 * (i + k) if i % 2 else None for k in range(4)]])
    book.save(tmp_path / "台账.xlsx")
    found = imported(tmp_path / "台账.xlsx", tmp_path)
    assert deals(found)["amount"].astype(float).to_dict() == {
        f"1-{i}": 90_000.0 + i for i in range(10)
    }


def test_rows_that_a_form_numbered_beforehand_are_no_deals(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["序号", *HEADS])
    for i, row in enumerate(rows_of(1), 1):
        book.active.append([i, *row])
    for i in range(11, 31):
        book.active.append([i])
    book.save(tmp_path / "台账.xlsx")
    report = import_path(tmp_path / "台账.xlsx", into=tmp_path / "book", yes=True)
    (counts,) = report.counts.values()
    assert (counts.read, counts.kept, counts.no_records) == (30, 10, 20)
