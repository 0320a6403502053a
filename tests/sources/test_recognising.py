"""Which system an export comes from: by its columns, values and names, however files are called."""

import os
import shutil
from pathlib import Path

import pytest

from salesops.book.book import open_book
from salesops.sample.options import SampleOptions
from salesops.sample.write import write_sample
from salesops.sources.importing import import_path
from salesops.sources.mapping import mapping_text, read_mapping
from salesops.sources.questions import BadAnswer, Unanswered
from salesops.sources.readers import list_files
from salesops.sources.recognising import candidates, settled
from salesops.sources.seeing import Look, look_at
from tests.sources.companies import write_ledger


def look(path: Path) -> Look:
    return look_at(list_files(path))


@pytest.fixture(scope="module")
def workbook(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    write_sample(folder, SampleOptions(preset="small"))
    (path,) = folder.glob("*.xlsx")
    return path


@pytest.mark.real_data
def test_an_export_is_recognised_with_what_speaks_for_it():
    found = candidates(look(Path(os.environ["SALESOPS_REAL_DATA"]) / "maven_crm"))
    assert (found[0].source, found[0].score) == ("maven", 1.0)
    told = "\n".join(found[0].reasons)
    assert "6 of the 6 columns" in told
    assert "100% of the values of deal_stage" in told
    assert settled(found) is found[0]


@pytest.mark.real_data
def test_files_that_people_renamed_are_recognised_by_their_columns(tmp_path):
    export = Path(os.environ["SALESOPS_REAL_DATA"]) / "maven_crm"
    names = {"sales_pipeline.csv": "march.csv", "sales_teams.csv": "people.csv",
             "accounts.csv": "customers.csv"}  # fmt: skip
    (tmp_path / "export").mkdir()
    for name, now in names.items():
        shutil.copy(export / name, tmp_path / "export" / now)
    report = import_path(tmp_path / "export", into=tmp_path / "book")
    assert report.source == "maven"
    assert report.rows["opportunities"] == 8_800
    assert report.rows["accounts"] == 85
    kept = read_mapping((tmp_path / "book" / "mapping.toml").read_text(encoding="utf-8"), "kept")
    assert kept.tables["opportunities"][0].file == "march.csv"


def test_a_workbook_is_recognised_by_the_names_below_its_title(workbook, tmp_path):
    other = tmp_path / "五月.xlsx"
    shutil.copy(workbook, other)
    first = import_path(workbook, into=tmp_path / "one")
    second = import_path(other, into=tmp_path / "two")
    assert first.source == second.source == "small"
    assert first.rows == second.rows
    assert (tmp_path / "one" / "mapping.toml").read_text(encoding="utf-8") == mapping_text("small")


# One by which it is known, and one without which it can't be read.
@pytest.mark.parametrize("told", ["负责人", "产品"])
def test_a_system_of_which_columns_are_missing_is_asked_about(workbook, tmp_path, told):
    import openpyxl

    book = openpyxl.load_workbook(workbook)
    (head,) = [cell for cell in book["商机"][2] if cell.value == told]
    head.value = "别的"
    path = tmp_path / "销售台账.xlsx"
    book.save(path)
    with pytest.raises(Unanswered) as error:
        import_path(path, into=tmp_path / "book", yes=True)
    (question,) = error.value.questions
    assert question.key == "system"
    assert question.candidates == ("small", "propose")
    assert f"missing: {told}" in str(error.value)
    assert "--answer system=small" in str(error.value)
    with pytest.raises(BadAnswer, match="propose"):
        import_path(path, into=tmp_path / "book", answers={"system": "smal"})
    own = import_path(path, into=tmp_path / "book", yes=True, answers={"system": "propose"})
    assert own.source == "own"


def test_a_dry_run_of_an_unknown_export_writes_nothing(tmp_path):
    path = write_ledger(tmp_path / "台账.xlsx")
    report = import_path(path, into=tmp_path / "book", yes=True, dry_run=True)
    assert report.rows["opportunities"] == 60
    assert [p.name for p in tmp_path.iterdir()] == ["台账.xlsx"]


def test_a_later_export_is_read_as_the_first_one_was_without_a_question(tmp_path):
    import_path(write_ledger(tmp_path / "台账2026-02.xlsx"), into=tmp_path / "book", yes=True,
                exported_at="2026-02-28")  # fmt: skip
    report = import_path(write_ledger(tmp_path / "台账2026-03.xlsx"), into=tmp_path / "book",
                         exported_at="2026-03-31")  # fmt: skip
    assert report.answered == ()
    assert open_book(tmp_path / "book").n("opportunities") == 60
