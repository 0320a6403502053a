"""What can't be decided safely is refused: one message with the place and the remedy.

What decides it is then written into the mapping, and the same file is read.
"""

import datetime as dt
import io
import zipfile
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xlsxwriter
import xlwt

from salesops.model.settings import Settings, default_text
from salesops.model.tables import facts
from salesops.sources.layout import Hints
from salesops.sources.mapping import Source
from salesops.sources.parsing import Fault, Parser
from salesops.sources.readers import UnreadableFile, read_sheet, sheets_of
from salesops.sources.validate import Places, find_faults

HEADS = ["Id", "Customer", "Amount", "Created"]
DAY = dt.date(2026, 3, 5)
ROWS = [[f"D-{i}", f"C{i}", 100.0 * i, DAY] for i in range(1, 5)]
KINDS = ("xlsx", "xls", "csv")


def written(folder: Path, rows: list[list], kind: str = "csv", encoding: str = "utf-8") -> Path:
    """Write rows as they are; a text that begins with `=` is a formula without a result."""
    path = folder / f"deals.{kind}"
    if kind == "csv":
        cells = [[f'"{c}"' if "," in str(c) else f"{c:g}" if isinstance(c, float) else str(c)
                  for c in row] for row in rows]  # fmt: skip
        path.write_bytes("\n".join(",".join(row) for row in cells).encode(encoding))
    elif kind == "xlsx":
        book = xlsxwriter.Workbook(path)
        sheet, day = book.add_worksheet("S"), book.add_format({"num_format": "yyyy-mm-dd"})
        for r, row in enumerate(rows):
            for c, cell in enumerate(row):
                if isinstance(cell, dt.date):
                    sheet.write_datetime(r, c, dt.datetime.combine(cell, dt.time()), day)
                elif isinstance(cell, str) and cell[:1] == "=":
                    sheet.write_formula(r, c, cell, None, "#N/A" if "NA()" in cell else "")
                elif cell != "":
                    sheet.write(r, c, cell)
        book.close()
    else:
        old = xlwt.Workbook()
        sheet, day = old.add_sheet("S"), xlwt.easyxf(num_format_str="yyyy-mm-dd")
        for r, row in enumerate(rows):
            for c, cell in enumerate(row):
                if isinstance(cell, dt.date):
                    sheet.write(r, c, cell, day)
                elif isinstance(cell, str) and "NA()" in cell:
                    sheet.row(r).set_cell_error(c, 0x2A)
                elif cell != "":
                    sheet.write(r, c, cell)
        old.save(str(path))
    return path


def table(**cells: object) -> list[list]:
    """Give the plain table with cells changed, such as `A3="x"`."""
    rows = [list(HEADS), *[list(row) for row in ROWS]]
    for name, value in cells.items():
        rows[int(name[1:]) - 1]["ABCD".index(name[0])] = value
    return rows


def read(path: Path, head: str, canonical: str, hints: Hints | None = None, **source: object
         ) -> tuple[pd.Series, list[Fault]]:  # fmt: skip
    sheet = read_sheet(path, hints=hints)
    parser = Parser(sheet.where, "UTC", layout=sheet.layout)
    name = next(c for c in sheet.frame.columns if c.startswith(head))
    given = Source.model_validate({"column": name} | source)
    return parser.column(sheet.frame[name], given, facts("opportunities")[canonical], name), (
        parser.faults
    )


CANONICAL = {
    "Id": "id",
    "Customer": "account_id",
    "Amount": "amount",
    "Created": "expected_close_on",
}
# What stands in a cell, in which files, and what is told of it.
CELLS: dict[str, tuple[tuple[str, ...], dict[str, object], str, str]] = {
    "an id of 18 digits as a number": (("xlsx", "xls"), {"A3": 1.2345678901234568e17}, "Id",
                                       "more than 15 digits"),
    "an id in scientific notation": (("csv",), {"A3": "1.23457E+17"}, "Id", "lost its digits"),
    "an id that lost its zeros": (
        ("csv", "xls", "xlsx"), {"A2": "00017", "A3": "23", "A4": "00041", "A5": "00050"}, "Id",
        "zeros in front"),
    "ids of which 15 digits are left": (
        ("csv",), {"A2": "900100200300400000", "A3": "900100200300500000",
                   "A4": "900100200300600000", "A5": "900100200300700000"}, "Id",
        "lost the digits behind its 15th"),
    "an id that became a date": (("xlsx", "xls"), {"A3": dt.date(2026, 5, 20)}, "Id",
                                 "Excel may have made it"),
    "an id that became a date in a text": (("csv",), {"A3": "May-20"}, "Id",
                                           "date that a spreadsheet made"),
    "an id that became a Chinese date": (("csv", "xlsx"), {"A3": "5月20日"}, "Id",
                                         "date that a spreadsheet made"),
    "an error in an amount": (("xlsx", "xls"), {"C3": "=NA()"}, "Amount", "error"),
    "an error in a name": (("xlsx", "xls"), {"B3": "=NA()"}, "Customer", "error"),
    "an error in a text": (("csv",), {"B3": "#REF!"}, "Customer", "error of a spreadsheet"),
    "an amount that was never computed": (("xlsx",), {"C3": "=1+1"}, "Amount", "never computed"),
    "a decimal comma among points": (("csv", "xlsx"), {"C3": "12,5"}, "Amount", "decimal comma"),
    "an amount that lost digits": (("csv",), {"C3": "1.23E+07"}, "Amount", "lost its digits"),
    "another currency": (("csv", "xlsx"), {"C2": "¥5", "C3": "$7", "C4": "¥6"}, "Amount", "USD"),
    "thousands or millions": (("csv", "xlsx"), {"C3": "1.2m"}, "Amount", "k or M"),
    "about an amount": (("csv", "xlsx"), {"C3": "约12万"}, "Amount", "no number"),
    "from and to": (("csv", "xlsx"), {"C3": "10-20万"}, "Amount", "no number"),
    "a month and a day": (("csv", "xlsx"), {"D3": "3月5日"}, "Created", "no year"),
    "a month and a day with a point": (("csv", "xlsx", "xls"), {"D3": "3.5"}, "Created", "no year"),
    "a year of two digits": (("csv", "xlsx"), {"D3": "26年3月5日"}, "Created", "two digits"),
    "day or month first": (("csv", "xlsx"), {"D3": "03/04/2026"}, "Created", "day or month first"),
    "a short year with strokes": (("csv", "xlsx"), {"D3": "26-03-05"}, "Created", "day or month"),
    "a day's number in a text": (("csv",), {"D3": "46086"}, "Created", "as Excel counts"),
    "a number far from any day": (("xlsx",), {"D3": 3.5}, "Created", "no year"),
    "a day that there is not": (("csv", "xlsx"), {"D3": "2026年2月30日"}, "Created", "no date"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("case", "kind"), [(case, kind) for case, told in CELLS.items() for kind in told[0]]
)
def test_a_cell_that_a_spreadsheet_changed_is_a_fault_with_its_place(case, kind, tmp_path):
    _kinds, cells, head, told = CELLS[case]
    _values, faults = read(written(tmp_path, table(**cells), kind), head, CANONICAL[head])
    assert faults
    first = next(f for f in faults if f.row == 3)
    assert first.where == ("deals.csv" if kind == "csv" else f"deals.{kind}[S]")
    assert first.column.startswith(head)
    assert any(told in f.problem for f in faults if f.row == 3), faults


def refused(path: Path, *told: str, **given: object) -> None:
    with pytest.raises(UnreadableFile) as error:
        read_sheet(path, **given)
    plain = " ".join(str(error.value).split())
    assert plain.startswith(path.name)
    assert "To mend:" in plain
    for part in told:
        assert part in plain, plain


LAYOUTS: dict[str, tuple[list[list], tuple[str, ...], Hints | None, int]] = {
    # Rows, what is told, what decides it, and how many records there are then.
    "headings between the rows": (
        [HEADS, ["North", "", "", ""], *ROWS[:2], ["South", "", "", ""], *ROWS[2:]],
        ("'North' stands alone", "2 such rows", 'alone = "drop"'), Hints(alone="drop"), 4),
    "a total with words beside": (
        [HEADS, *ROWS, ["Total", "checked", 999.0, ""]],
        ("can be a total or a record", "drop = [6]"), Hints(drop=(6,)), 4),
    "no names": ([*ROWS], ("row 1 is as wide as the table and holds numbers",), None, 0),
    "names below records": (
        [["x"], [1.0, 2.0, 3.0, 4.0], HEADS, *ROWS], ("row 2", "title_rows"),
        Hints(title_rows=2), 4),
    "a name twice": ([["Id", "Id", "Amount", "Created"], *ROWS], ("'Id' stands there twice",),
                     None, 0),
    "months of no year": (
        [["Who", "1月", "2月", "3月"], *[["A", 1.0, 2.0, 3.0]] * 2],
        ("no known year", "year = 2026"),
        Hints(year=2026), 6),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", LAYOUTS)
def test_rows_that_may_be_records_or_not_are_asked_about_and_told(case, kind, tmp_path):
    rows, told, hints, n = LAYOUTS[case]
    path = written(tmp_path, rows, kind)
    refused(path, *told)
    if hints is not None:
        sheet = read_sheet(path, hints=hints)
        assert len(sheet.frame) == n
        assert sheet.layout.n_rows == sheet.layout.n_kept + sheet.layout.n_set_aside


@pytest.mark.parametrize("kind", ["xlsx", "xls"])
def test_a_second_table_below_is_refused(kind, tmp_path):
    rows = [HEADS, *ROWS, [], ["Team", "Head", "Area", "Phone"], ["A", "B", "C", "D"]]
    refused(written(tmp_path, rows, kind), "deals." + kind + "[S] row 7", "another table")


def test_a_shown_unit_that_is_not_the_stored_one_is_a_fault_until_it_is_told(tmp_path):
    path = tmp_path / "deals.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet, shown = book.add_worksheet("S"), book.add_format({"num_format": '0!.0,"万"'})
    for c, head in enumerate(["Id", "Amount(万元)"]):
        sheet.write(0, c, head)
    for r in (1, 2):
        sheet.write(r, 0, f"D-{r}")
        sheet.write(r, 1, 125_000.0 * r, shown)
    book.close()
    _values, faults = read(path, "Amount", "amount")
    assert [f.row for f in faults] == [2, 3]
    assert "larger unit than it is stored in" in faults[0].problem
    values, faults = read(path, "Amount", "amount", unit="one")
    assert (list(values), faults) == ([Decimal(125_000), Decimal(250_000)], [])


@pytest.mark.parametrize(("text", "told", "source", "value"), [
    ("3.5", "names no year", {"dates": ["%m.%d"], "year": 2026}, DAY),
    ("3月5日", "names no year", {"dates": ["%m月%d日"], "year": 2026}, DAY),
    ("03/05/2026", "day or month first", {"dates": ["%m/%d/%Y"]}, DAY),
    ("46086", "as Excel counts", {"dates": ["excel"]}, DAY),
    ("44624", "as Excel counts", {"dates": ["excel-1904"]}, DAY),
])  # fmt: skip
def test_a_date_is_read_once_the_mapping_names_its_form(text, told, source, value, tmp_path):
    path = written(tmp_path, table(**{f"D{i}": text for i in range(2, 6)}))
    _values, faults = read(path, "Created", "expected_close_on")
    assert len(faults) == 4
    assert told in faults[0].problem
    values, faults = read(path, "Created", "expected_close_on", **source)
    assert faults == []
    assert {pd.Timestamp(v).date() for v in values} == {value}


def test_a_day_whose_zero_may_be_lost_is_refused_even_with_a_form_and_a_year(tmp_path):
    form = {"dates": ["%m.%d"], "year": 2026}
    path = written(tmp_path, table(D2="3.1", D3="3.5", D4="3.9", D5="4.11"))
    _values, faults = read(path, "Created", "expected_close_on", **form)
    assert [(f.row, f.value) for f in faults] == [(2, "3.1")]
    path = written(tmp_path, table(D2="3.1", D3="3.10", D4="3.9", D5="4.11"))
    values, faults = read(path, "Created", "expected_close_on", **form)
    assert faults == []
    assert [pd.Timestamp(v).day for v in values] == [1, 10, 9, 11]


def test_groups_or_decimals_are_asked_about_where_semicolons_separate(tmp_path):
    path = tmp_path / "deals.csv"
    path.write_text("Id;Amount\na;1.234\nb;2.345\n", encoding="utf-8")
    _values, faults = read(path, "Amount", "amount")
    assert len(faults) == 2
    assert "decimal point or groups" in faults[0].problem
    values, _ = read(path, "Amount", "amount", decimal=",")
    assert list(values) == [Decimal(1234), Decimal(2345)]
    values, _ = read(path, "Amount", "amount", decimal=".")
    assert list(values) == [Decimal("1.23"), Decimal("2.35")]


def test_shares_under_a_head_of_per_cent_are_asked_about(tmp_path):
    path = written(tmp_path, [["Id", "Margin(%)"], ["a", 0.25], ["b", 0.5]])
    assert "per cent or shares" in read_sheet(path).layout.questions[0].what


def test_ids_that_meet_others_only_without_their_zeros_are_faults():
    deals = pd.DataFrame({"id": ["d1", "d2"], "account_id": ["123", "00007"]})
    accounts = pd.DataFrame({"id": ["00123", "00007"]})
    places = {"opportunities": Places(np.array(["deals.csv"] * 2), np.array([2, 3])),
              "accounts": Places(np.array(["accounts.csv"] * 2), np.array([2, 3]))}  # fmt: skip
    tables = {"opportunities": deals, "accounts": accounts}
    found = find_faults(tables, Settings.parse(default_text(), where="default"), places)
    assert [(f.where, f.row, f.value) for f in found] == [("deals.csv", 2, "123")]
    assert "zeros in front" in found[0].problem


TEXTS: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "a quote that stays open": (
        b'Id,Name,Amount\na,"x,1\nb,y,2\nc,z,3\n', ("row 2", "quote")),
    "a quote that swallows rows": (
        b'Id,Name,Amount\na,"x,1\nb,y,2\nc,z,3\nd,q",4\n', ("row 2", "quote")),
    "too many values": (b"Id,Name\na,x\nb,y,z\n", ("row 3", "another number of values")),
    "too few values": (b"Id,Name,Day\na,x,1\nb,y\n", ("row 3", "another number of values")),
    "one wrong byte": ("编号,客户\n1,甲公司\n2,乙".encode() + b"\xe5\xff\n", ("line 3", "UTF-8")),
    "Big5": ("編號,客戶\n1,甲公司與乙公司聯絡\n2,臺灣證券\n".encode("big5"), ("encoding",)),
    "binary": (b"\x00\x01\x02\xff\xfe" * 40, ("binary",)),
    "a word for UTF-16": (b"\xff\xfeabc", ("utf-16",)),
    "a million columns": (b"a," * 1_000_000 + b"b\n", ("1000001 columns", "16384")),
    "a million columns below": (b"a,b\n" + b"1," * 1_000_000 + b"\n", ("columns",)),
}  # fmt: skip


@pytest.mark.parametrize("case", TEXTS)
def test_a_broken_text_is_refused_with_its_row(case, tmp_path):
    data, told = TEXTS[case]
    path = tmp_path / "deals.csv"
    path.write_bytes(data)
    refused(path, *told)


def test_a_text_is_read_in_the_encoding_that_the_mapping_names(tmp_path):
    path = tmp_path / "deals.csv"
    path.write_bytes(TEXTS["Big5"][0])
    assert list(read_sheet(path, encoding="big5").frame["客戶"])[1] == "臺灣證券"


def locked(folder: Path) -> Path:
    from msoffcrypto.format.ooxml import OOXMLFile

    plain = written(folder, table(), "xlsx").read_bytes()
    path = folder / "locked.xlsx"
    with path.open("wb") as out:
        OOXMLFile(io.BytesIO(plain)).encrypt("secret", out)
    return path


PAGES = {
    "a page of a CRM": ("<html><table><tr><td>阶段</td>", "web page"),
    "a table with a mark": ("\ufeff<table border=1><tr>", "web page"),
    "a page of a report": ("\n<head>\n<META http-equiv=", "web page"),
    "a page of Excel": ("MIME-Version: 1.0\nX-Document-Type: Workbook\n", "MHTML"),
    "a PDF": ("%PDF-1.4\n", "a PDF"),
    "a workbook of 2003": ("<?xml version='1.0'?><Workbook>", "XML"),
    "a text document": (r"{\rtf1\ansi Id,Name}", "RTF"),
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("case", PAGES)
def test_a_page_that_is_called_a_workbook_is_told(case, encoding, tmp_path):
    begin, kind = PAGES[case]
    (tmp_path / "report.xls").write_text(begin, encoding=encoding)
    refused(tmp_path / "report.xls", kind, "whatever its name says", "save it as .xlsx")


@pytest.mark.parametrize("head", ["<tables>", "%pdf share", "<metadata>", "{rtf}", "Mime-Version"])
def test_a_name_of_a_column_that_looks_like_a_page_is_read(head, tmp_path):
    (tmp_path / "deals.csv").write_text(f"{head},Name\n1,x\n2,y\n", encoding="utf-8")
    assert read_sheet(tmp_path / "deals.csv").frame[head].tolist() == ["1", "2"]


def test_a_password_is_told_and_how_to_take_it_away(tmp_path):
    refused(locked(tmp_path), "locked with a password", "take its password away")


def test_a_workbook_of_hidden_sheets_alone_is_named_and_not_read_silently(tmp_path):
    path = tmp_path / "deals.xlsx"
    book = xlsxwriter.Workbook(path)
    book.add_worksheet("Front")
    sheet = book.add_worksheet("旧台账")
    sheet.write_row(0, 0, ["Id", "Name"])
    sheet.write_row(1, 0, ["a", "b"])
    sheet.hide()
    book.close()
    refused(path, "it is empty", "旧台账")
    assert [(s.name, s.hidden) for s in sheets_of(path)] == [("Front", False), ("旧台账", True)]
    assert len(read_sheet(path, "旧台账").frame) == 1


def repacked(path: Path, part: str, data: bytes) -> None:
    """Put another text into a workbook."""
    with zipfile.ZipFile(path) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    parts[part] = data
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    path = written(tmp_path, table(), "xlsx")
    repacked(path, "xl/media/bomb.bin", b"\0" * 80_000_000)
    refused(path, "unpacked it takes", "times its size")


def test_cells_that_lie_far_apart_are_refused_before_they_are_laid_out(tmp_path):
    path = written(tmp_path, [*table(), *[[]] * 3, []], "xlsx")
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("S")
    sheet.write(0, 0, "Id")
    sheet.write(1_048_575, 16_383, 1)
    book.close()
    refused(path, "deals.xlsx[S]", "row 1,048,576 and column 16,384")


def test_a_damaged_workbook_is_told(tmp_path):
    for kind in ("xlsx", "xls"):
        path = written(tmp_path, table(), kind)
        path.write_bytes(path.read_bytes()[:1500])
        refused(path, "no whole")


def test_entities_in_a_workbook_are_not_opened(tmp_path):
    path = written(tmp_path, table(), "xlsx")
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><workbook>&a;</workbook>'
    repacked(path, "xl/workbook.xml", bomb)
    refused(path, "deals.xlsx")
