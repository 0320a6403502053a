"""needs.xlsx: what is read is what was written, and each fault has its sheet, cell and remedy."""

import datetime as dt
import math

import openpyxl
import pytest

from salesops.book.selectionfile import read_needs
from salesops.model.selection import BadNeeds
from salesops.model.selectionexample import example
from salesops.sources.selectiontemplate import write_template
from salesops.wording import language


@pytest.fixture(scope="module")
def templates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("templates")
    for lang in ("zh", "en"):
        with language(lang):
            write_template(folder / f"{lang}.xlsx")
    return folder


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_template_is_read_as_the_example_that_it_was_written_from(templates, lang):
    told, made_up = read_needs(templates / f"{lang}.xlsx"), example()
    assert [n.counted for n in told.needs] == [n.counted for n in made_up.needs]
    assert [n.weight for n in told.needs] == [n.weight for n in made_up.needs]
    assert [c.offer for c in told.candidates] == [c.offer for c in made_up.candidates]
    assert [c.said for c in told.candidates] == [None, None, None, 9.8, 9.2, 8.7, 8.5, 8.3]
    for one, other in zip(told.compared, made_up.compared, strict=True):
        assert list(one.scores.values()) == list(other.scores.values())
    assert math.isnan(told.given.users)
    assert not told.is_example


def test_a_template_types_its_cells_and_says_what_is_made_up(templates):
    book = openpyxl.load_workbook(templates / "en.xlsx")
    assert book.sheetnames == ["Needs", "Candidates", "Costs", "Company"]
    rules = {v.type for sheet in book for v in sheet.data_validations.dataValidation}
    assert rules == {"list", "decimal"}
    heads = [cell.value for cell in book["Candidates"][2]]
    said = heads.index("Article's score (the article's opinion; it never counts; edit it)")
    for row in book["Candidates"].iter_rows(min_row=3, values_only=True):
        is_made_up = row[1] == "yes"
        assert ("Made up" in row[-1]) == is_made_up
        # Of systems that there are nothing stands there but what the article says.
        assert (row[said] is None) == is_made_up
        if not is_made_up:
            assert set(row[2:said]) == {None}
    assert {row[-1] for row in book["Costs"].iter_rows(min_row=3, values_only=True)} == {
        "Made up: write over it."
    }


def changed(templates, tmp_path, *edits):
    """Copy the template with cells (sheet, cell, value) written anew."""
    book = openpyxl.load_workbook(templates / "en.xlsx")
    for sheet, cell, value in edits:
        book[sheet][cell] = value
    book.save(tmp_path / "needs.xlsx")
    return tmp_path / "needs.xlsx"


CELLS = {
    "a text for a weight": ("Needs", "C3", "a lot", "'a lot' is no number", "a weight of 0"),
    "no weight": ("Needs", "C3", None, "the cell is empty", "a weight of 0"),
    "a weight below nought": ("Needs", "C4", -5, "-5 is below 0", "a weight of 0"),
    "an endless weight": ("Needs", "C3", "1e99", "'1e99' is no number", "a weight"),
    "a weight beyond sense": ("Needs", "C3", 1e15, "beyond all", "a weight"),
    "a decimal comma": ("Needs", "C3", "8,5", "'8,5' is no number", "a weight"),
    "true for a weight": ("Needs", "C3", True, "True is no number", "a weight"),
    "a minimum above ten": ("Needs", "D3", 11, "11 is above 10", "from 0 to 10"),
    "no way to count": ("Needs", "B3", "guessed", "'guessed' is no way", "scored (打分)"),
    "cost stands there twice": ("Needs", "B10", "three-year cost", "twice", "Keep one"),
    "a need without a name": ("Needs", "A3", None, "the need has no name", "Write one"),
    "the same need twice": ("Needs", "A4", "Easy to change", "twice", "Rename"),
    "a need as a column": ("Needs", "A3", "Compare", "heads another column", "otherwise"),
    "a score above ten": ("Candidates", "C3", 12, "12 is above 10", "a score from 0 to 10"),
    "a score that is a date": (
        "Candidates", "C3", dt.datetime(2026, 8, 10), "is a date", "a score from 0 to 10",
    ),
    "no score": ("Candidates", "D4", None, "the cell is empty", "a score from 0 to 10"),
    "a formula nobody calculated": ("Candidates", "C3", "=1+1", "a formula", "a score"),
    "the error of a formula": ("Candidates", "C3", "#DIV/0!", "the error of a formula", "a score"),
    "neither yes nor no": ("Candidates", "B3", "maybe", "'maybe' is neither", "yes or no"),
    "compare left empty": ("Candidates", "B3", None, "the empty cell is neither", "yes or no"),
    "a candidate twice": ("Candidates", "A4", "example a", "'example a' stands there twice", "Ren"),
    "an opinion above ten": ("Candidates", "I6", 98, "98 is above 10", "the article's score"),
    "a price in words": ("Costs", "B3", "on request", "'on request' is no number", "such as 1200"),
    "no price": ("Costs", "D4", None, "the cell is empty", "such as 150000"),
    "a price below nought": ("Costs", "C3", -1, "-1 is below 0", "such as 20000"),
    "no required field": ("Costs", "G3", 0, "0 is below 1", "such as 12"),
    "room for nobody": ("Costs", "I4", 0, "0 is below 1", "no limit"),
    "exits in words": ("Costs", "J3", "partly", "'partly' is neither", "yes or no"),
    "a candidate unknown": ("Costs", "A3", "Exampel A", "nearest: Example A", "same name"),
    "too many days": ("Company", "B6", 400, "400 is above 366", "from 1 to 366"),
    "an item unknown": ("Company", "A3", "Heads", "'heads' is no such item", "Users"),
}  # fmt: skip


@pytest.mark.parametrize("name", CELLS)
def test_a_broken_cell_is_told_with_its_sheet_its_place_and_what_to_write(
    templates, tmp_path, name
):
    sheet, cell, value, *parts = CELLS[name]
    with pytest.raises(BadNeeds) as told:
        read_needs(changed(templates, tmp_path, (sheet, cell, value)))
    (line,) = [fault for fault in told.value.faults if f"sheet {sheet}, cell {cell}" in fault]
    for part in parts:
        assert part in line
    assert "needs.xlsx" in str(told.value)
    assert "salesops select --template" in str(told.value)


def test_all_faults_are_told_at_once(templates, tmp_path):
    path = changed(templates, tmp_path, ("Needs", "C3", "x"), ("Candidates", "C3", 99),
                   ("Costs", "B3", None), ("Company", "B3", "many"))  # fmt: skip
    with pytest.raises(BadNeeds) as told:
        read_needs(path)
    assert len(told.value.faults) == 4


def without(templates, tmp_path, sheet, lang="en"):
    book = openpyxl.load_workbook(templates / f"{lang}.xlsx")
    del book[sheet]
    book.save(tmp_path / "needs.xlsx")
    return tmp_path / "needs.xlsx"


@pytest.mark.parametrize("sheet", ["Needs", "Candidates", "Costs"])
def test_a_sheet_that_is_missing_is_named_once(templates, tmp_path, sheet):
    with pytest.raises(BadNeeds) as told:
        read_needs(without(templates, tmp_path, sheet))
    (fault,) = told.value.faults
    assert f"sheet {sheet} (" in fault
    assert "is not there" in fault


def test_the_sheet_about_the_company_may_be_missing(templates, tmp_path):
    assert math.isnan(read_needs(without(templates, tmp_path, "Company")).given.hour_pay)


HEADS = {
    "a column is missing": (("Needs", "C2", None), "row 2", "'Weight' (权重) is missing"),
    "a column twice": (("Costs", "B2", "Licence per year, fixed"), "cell C2", "twice"),
    "a need has no column": (("Candidates", "C2", None), "row 2", "has no column"),
    "a column is no need": (("Candidates", "C2", "Proces"), "cell C2", "is no need that is scored"),
}  # fmt: skip


@pytest.mark.parametrize("name", HEADS)
def test_a_broken_head_is_told_with_its_place(templates, tmp_path, name):
    edit, *parts = HEADS[name]
    with pytest.raises(BadNeeds) as told:
        read_needs(changed(templates, tmp_path, edit))
    assert any(all(part in fault for part in (f"sheet {edit[0]}", *parts))
               for fault in told.value.faults)  # fmt: skip


def test_heads_that_are_gone_are_asked_for_by_name(templates, tmp_path):
    edits = [("Needs", f"{column}2", None) for column in "ABCDE"]
    with pytest.raises(BadNeeds, match="its heads are not there") as told:
        read_needs(changed(templates, tmp_path, *edits))
    assert "Need, Counted as, Weight" in str(told.value)


def test_one_candidate_is_no_choice(templates, tmp_path):
    path = changed(templates, tmp_path, ("Candidates", "B3", "no"), ("Candidates", "B4", "no"))
    with pytest.raises(BadNeeds, match=r"cell B3: 1 of 8 candidates are compared"):
        read_needs(path)


def test_without_any_weight_nothing_can_be_chosen(templates, tmp_path):
    path = changed(templates, tmp_path, *[("Needs", f"C{row}", 0) for row in range(3, 11)])
    with pytest.raises(BadNeeds, match="no need has a weight above 0"):
        read_needs(path)


def test_one_that_is_compared_needs_its_costs(templates, tmp_path):
    path = changed(templates, tmp_path, ("Candidates", "B6", "yes"))
    with pytest.raises(BadNeeds) as told:
        read_needs(path)
    assert any("is compared and has no row" in fault for fault in told.value.faults)
    assert any("sheet Candidates, cell C6: the cell is empty" in f for f in told.value.faults)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is no .xlsx workbook"),
        (b"Need,Weight\nphone,5\n", "it is no .xlsx workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "or one with a password"),
        (b"PK\x03\x04 cut off", "it is no workbook that can be read"),
    ],
)
def test_what_is_no_workbook_is_refused(tmp_path, content, reason):
    path = tmp_path / "needs.xlsx"
    path.write_bytes(content)
    with pytest.raises(BadNeeds, match=reason) as told:
        read_needs(path)
    assert "Save it as .xlsx" in str(told.value)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(BadNeeds, match="there is no such file"):
        read_needs(tmp_path / "none.xlsx")


def test_a_template_overwrites_nothing(tmp_path):
    (tmp_path / "needs.xlsx").write_text("mine")
    with pytest.raises(BadNeeds, match="stays as it is"):
        write_template(tmp_path / "needs.xlsx")
    assert (tmp_path / "needs.xlsx").read_text() == "mine"
    with pytest.raises(BadNeeds, match=r"Name it for example needs\.xlsx"):
        write_template(tmp_path / "needs.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["needs.xlsx"]


def test_numbers_written_as_texts_and_empty_rows_are_read(templates, tmp_path):
    path = changed(templates, tmp_path, ("Costs", "D3", "400,000"), ("Needs", "C3", " ２０ "),
                   ("Needs", "E30", "a note alone"), ("Costs", "I4", "不限"))  # fmt: skip
    told = read_needs(path)
    assert told.needs[0].weight == 20
    assert told.compared[0].offer.once == 400_000
    assert math.isinf(told.compared[1].offer.users)


def test_needs_that_differ_only_in_brackets_are_two(templates, tmp_path):
    names = ("Entry (phone)", "Entry (desk)")
    edits = [("Needs", f"A{3 + i}", name) for i, name in enumerate(names)]
    edits += [("Candidates", f"{'CD'[i]}2", name) for i, name in enumerate(names)]
    told = read_needs(changed(templates, tmp_path, *edits))
    assert [told.compared[0].scores[name] for name in names] == [6, 4]


def test_a_file_in_a_folder_above_is_found_as_a_notebook_needs_it(templates, monkeypatch):
    (templates / "notebooks").mkdir(exist_ok=True)
    monkeypatch.chdir(templates / "notebooks")
    assert read_needs("zh.xlsx").file == "zh.xlsx"
