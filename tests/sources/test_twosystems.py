"""Exports of two systems are never mixed unasked, and one is found among other files."""

import shutil
from pathlib import Path

import pytest

from salesops.book.book import open_book
from salesops.sources.importing import import_path
from salesops.sources.mapping import mapping_text, read_mapping
from salesops.sources.questions import Unanswered
from salesops.sources.readers import UnreadableFile, list_files
from salesops.sources.recognising import bind
from salesops.sources.seeing import look_at
from tests.sources.companies import deals_rows, write_csv
from tests.sources.test_setaside import MAPPING

SYSTEMS = Path(__file__).parent / "systems"


def test_an_export_of_another_system_is_not_put_into_a_book_unasked(tmp_path):
    (tmp_path / "one.toml").write_text(MAPPING, encoding="utf-8")
    (tmp_path / "two.toml").write_text(MAPPING.replace('"own"', '"two"'), encoding="utf-8")
    first = write_csv(tmp_path / "a" / "deals.csv", deals_rows(6))
    later = write_csv(tmp_path / "b" / "deals.csv", deals_rows(6)[:1] + [
        ["x" + row[0], *row[1:]] for row in deals_rows(6)[1:]])  # fmt: skip
    import_path(first, source=str(tmp_path / "one.toml"), into=tmp_path / "book")
    told = {"source": str(tmp_path / "two.toml"), "into": tmp_path / "book",
            "exported_at": "2026-03-31"}  # fmt: skip
    with pytest.raises(Unanswered, match="--answer other_system=same"):
        import_path(later, **told, yes=True)
    assert open_book(tmp_path / "book").n("opportunities") == 6
    # Not one id is in both, and that is asked too, however few they are.
    with pytest.raises(Unanswered, match="--answer gone=void"):
        import_path(later, **told, answers={"other_system": "same"})


def test_files_of_two_systems_in_one_folder_are_asked_about(tmp_path):
    for name in ("hubspot", "zoho"):
        for file in sorted((SYSTEMS / name).iterdir()):
            if file.is_file():
                shutil.copy(file, tmp_path / file.name)
    with pytest.raises(Unanswered) as error:
        import_path(tmp_path, into=tmp_path / "book", yes=True)
    (question,) = error.value.questions
    assert question.key == "system"
    assert {"hubspot", "zoho"} <= set(question.candidates)
    assert not (tmp_path / "book").exists()


def test_a_report_is_found_among_other_csv_files_by_its_heads(tmp_path):
    (report,) = sorted((SYSTEMS / "salesforce_report").glob("*.csv"))
    shutil.copy(report, tmp_path / "z.csv")
    write_csv(tmp_path / "a.csv", [["Day", "Rain"], ["2026-01-05", "3"]])
    mapping = read_mapping(mapping_text("salesforce_report"), "salesforce_report")
    bound, told = bind(mapping, look_at(list_files(tmp_path), whole=False))
    assert bound.tables["opportunities"][0].file == "z.csv"
    assert bound.stages is not None
    assert bound.stages.tables[0].file == "z.csv"
    assert told == [("*.csv", "z.csv")]


@pytest.mark.parametrize(
    ("members", "told"),
    [({"mimetype": "x", "content.xml": "<a/>"}, "OpenDocument"),
     ({"xl/workbook.bin": "x"}, ".xlsb"), ({"Opportunity.csv": "Id"}, "archive of files")],
)  # fmt: skip
def test_workbooks_of_other_forms_are_told_with_the_remedy(tmp_path, members, told):
    import zipfile

    name = "deals.ods" if "mimetype" in members else "deals.xlsb"
    with zipfile.ZipFile(tmp_path / name, "w") as packed:
        for member, text in members.items():
            packed.writestr(member, text)
    with pytest.raises(UnreadableFile, match=r"save it as \.xlsx|unpack it") as error:
        import_path(tmp_path, into=tmp_path / "book")
    assert told in str(error.value)
