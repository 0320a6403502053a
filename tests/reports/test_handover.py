"""The files beside a page: typed, in both languages, with the numbers of the page."""

import datetime as dt
import html
import json
import re

import nbformat
import openpyxl
import papermill
import pytest
from PIL import Image

import salesops
from salesops.reports.handover import (
    NoResult,
    UnknownFormat,
    checked_formats,
    export_cell,
    hand_over,
    taken_files,
)
from salesops.reports.jobs import known_reports, read_notebook
from salesops.reports.page import parts_of
from salesops.wording import label, language
from salesops.wording.catalogue import FORMATS
from tests.fixtures import TINY

ALL = ("xlsx", "json", "png")


@pytest.fixture(scope="module")
def collection(sample_book):
    return salesops.collection(sample_book)


@pytest.fixture(scope="module")
def handed(collection, tmp_path_factory):
    """Give the folder of files and the files by format, in each language."""
    found = {}
    for lang in ("zh", "en"):
        folder = tmp_path_factory.mktemp(lang)
        with language(lang):
            found[lang] = folder, hand_over(collection, folder, f"collection.{lang}", ALL).files
    return found


def book_of(handed, lang: str) -> openpyxl.Workbook:
    folder, files = handed[lang]
    return openpyxl.load_workbook(folder / files["xlsx"])


def column(sheet, head: str) -> list:
    (place,) = [n for n, cell in enumerate(sheet[1]) if cell.value == head]
    return [row[place] for row in sheet.iter_rows(min_row=2)]


def test_the_first_sheet_says_what_to_do_with_money_owner_and_day(handed, collection):
    sheet = book_of(handed, "en").worksheets[0]
    assert sheet.title == "What to do"
    money = [cell.value for cell in column(sheet, "At stake")]
    assert money == pytest.approx([finding.at_stake for finding in collection.findings])
    days = [cell.value.date() for cell in column(sheet, "Due")]
    assert days == [collection.due(finding) for finding in collection.findings]
    owners = [cell.value for cell in column(sheet, "Owner")]
    assert owners == [label(f"role.{f.owner_role}") for f in collection.findings]


def test_every_frame_of_the_result_has_a_sheet_with_all_its_rows(handed, collection):
    book = book_of(handed, "en")
    named = {"overdue": "Overdue instalments", "buckets": "Ageing", "coming": "Expected cash"}
    for frame, title in named.items():
        assert book[title].max_row - 1 == len(getattr(collection, frame)), frame
        assert book[title].max_column == len(getattr(collection, frame).columns), frame


def test_sheets_have_frozen_bold_heads_filters_and_widths(handed):
    for sheet in book_of(handed, "zh"):
        assert sheet.freeze_panes == "A2"
        assert all(cell.font.bold for cell in sheet[1])
        assert (
            sheet.auto_filter.ref == f"A1:{sheet.cell(sheet.max_row, sheet.max_column).coordinate}"
        )
        assert all(5 < side.width <= 62 for side in sheet.column_dimensions.values())


def test_numbers_dates_and_shares_are_typed_and_written_by_their_unit(handed, collection):
    sheet = book_of(handed, "en")["Overdue instalments"]
    unpaid, due = column(sheet, "Unpaid"), column(sheet, "Due first")
    assert [cell.value for cell in unpaid] == pytest.approx(list(collection.overdue["unpaid"]))
    assert {cell.number_format for cell in unpaid} == {'"¥"#,##0.00'}
    assert all(isinstance(cell.value, dt.datetime) for cell in due)
    assert {cell.number_format for cell in due} == {"yyyy-mm-dd"}
    chinese = book_of(handed, "zh")["逾期款项"]
    assert {cell.number_format for cell in column(chinese, "未收")} == {'#,##0.00"元"'}
    shares = [cell for sheet in book_of(handed, "en") for row in sheet for cell in row
              if cell.number_format == "0.0%"]  # fmt: skip
    assert shares
    assert all(isinstance(cell.value, int | float) for cell in shares)


def test_sheets_and_columns_are_named_in_the_language_of_the_page(handed):
    english, chinese = book_of(handed, "en"), book_of(handed, "zh")
    assert "逾期款项" in chinese.sheetnames
    assert len(english.sheetnames) == len(chinese.sheetnames)
    han = re.compile(r"[\u4e00-\u9fff]")
    assert all(han.search(name) for name in chinese.sheetnames)
    assert not any(han.search(name) for name in english.sheetnames)
    heads = [cell.value for sheet in chinese for cell in sheet[1]]
    assert {head for head in heads if not han.search(head)} <= {"n"}


def test_the_last_sheet_explains_every_column(handed, collection):
    book = book_of(handed, "en")
    codes = {cell.value for cell in column(book.worksheets[-1], "Name in code")}
    frames = {f"overdue.{c}" for c in collection.overdue} | {
        f"buckets.{c}" for c in collection.buckets
    }
    assert frames <= codes


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_numbers_are_those_of_the_page(handed, collection, lang):
    """What a reader of the page sees is what the workbook and the data give, written as there."""
    folder, files = handed[lang]
    data = json.loads((folder / files["json"]).read_text(encoding="utf-8"))
    with language(lang):
        page = re.sub(
            r"<[^>]+>", "", html.unescape(collection.cards._repr_mimebundle_()["text/html"])
        )
        for finding in data["findings"]:
            assert FORMATS["money"](finding["at_stake"]) in page
            assert finding["text"] in page
            assert finding["due"] in page
        shown = collection.exhibits["cash_overdue"].html()
        first = book_of(handed, lang).worksheets[2:]
        sheet = next(s for s in first if s.title in ("Overdue instalments", "逾期款项"))
        money = column(sheet, label("column.unpaid"))
        for cell in money[:5]:
            assert FORMATS["money"](cell.value) in shown


def test_the_data_name_units_and_definitions(handed, collection):
    folder, files = handed["en"]
    data = json.loads((folder / files["json"]).read_text(encoding="utf-8"))
    metrics = {one["id"]: one for one in data["metrics"]}
    assert set(metrics) == set(collection.metrics)
    for name, one in metrics.items():
        assert one["unit"] in FORMATS
        value = collection.metrics[name]
        assert one["value"] == (None if value is None or value != value else value)
    assert metrics["overdue_rate"]["unit"] == "ratio"
    assert metrics["overdue_rate"]["definition"] == "metric.overdue_rate.definition"
    assert (metrics["due"]["unit"], metrics["due_n"]["unit"]) == ("money", "count")
    assert data["currency"] == "CNY"
    assert data["as_of"] == collection.setting.book.date.isoformat()


def test_a_picture_is_the_exhibits_own_at_twice_its_pixels(handed, collection):
    folder, files = handed["en"]
    drawn = {key: shown for key, shown in collection.exhibits.items() if shown.draw}
    assert files["png"] == [f"collection.en.{key}.png" for key in drawn]
    assert files["without_picture"] == [key for key in collection.exhibits if key not in drawn]
    with language("en"):
        for key, shown in drawn.items():
            with Image.open(folder / f"collection.en.{key}.png") as picture:
                wanted = shown.figure().get_size_inches() * 192
                assert picture.size == pytest.approx(tuple(wanted), abs=1)
                assert picture.text["Title"] == shown.title.text()


def test_nothing_half_written_stays_and_names_can_not_lead_out_of_the_folder(collection, tmp_path):
    with pytest.raises(ValueError, match="name of a file"):
        hand_over(collection, tmp_path, "../out", ["json"])
    with pytest.raises(UnknownFormat):
        hand_over(collection, tmp_path, "a", ["docx"])
    with pytest.raises(NoResult):
        hand_over(None, tmp_path, "a", ["json"])
    (tmp_path / "full.xlsx").mkdir()
    with pytest.raises(OSError, match="full"):
        hand_over(collection, tmp_path, "full", ["xlsx"])
    assert [path.name for path in tmp_path.iterdir()] == ["full.xlsx"]


def test_formats_are_checked_before_anything_runs(monkeypatch, tmp_path):
    assert checked_formats(["xlsx", "html", "xlsx"]) == ("xlsx", "html")
    with pytest.raises(UnknownFormat, match="docx"):
        checked_formats(["html", "docx"])
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LookupError, match=r"Install it: .+"):
        checked_formats(["pdf"])


def test_a_notebook_hands_over_in_its_kernel_and_keeps_no_trace_of_it(tmp_path, forked_kernels):
    notebook = read_notebook("funnel")
    notebook.cells.append(export_cell("funnel.en", tmp_path, ["html", "xlsx", "json", "png"]))
    given = {"book": str(TINY.absolute()), "lang": "en"}
    done = papermill.execute_notebook(
        notebook, None, parameters=given, kernel_name="python3", progress_bar=False
    )
    files = taken_files(done)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [files["xlsx"], files["json"], *files["png"]]
    )
    assert "hand_over" not in nbformat.writes(done)
    assert str(tmp_path) not in nbformat.writes(done)
    assert parts_of(done).appendix
    heads = {c.value for c in openpyxl.load_workbook(tmp_path / files["xlsx"])["Open deals"][1]}
    assert "Expected" in heads


@pytest.mark.parametrize("name", known_reports())
def test_every_report_can_be_handed_over(sample_book, name, tmp_path):
    result = getattr(salesops, name)(sample_book)
    for lang in ("zh", "en"):
        with language(lang):
            files = hand_over(result, tmp_path, f"{name}.{lang}", ["xlsx", "json"]).files
        book = openpyxl.load_workbook(tmp_path / files["xlsx"])
        assert len(book.sheetnames) >= 4
        unnamed = [s.title for s in book if re.fullmatch(r"[a-z_]+", s.title)]
        assert unnamed == []
