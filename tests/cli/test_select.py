"""`salesops select`: a template, a ranking in the terminal, a report that follows the file."""

import json
import shutil

import openpyxl
import pytest
from typer.testing import CliRunner

from salesops.cli.main import app, main
from salesops.reports.run import run_reports
from tests.fixtures import TINY

pytestmark = pytest.mark.usefixtures("forked_kernels")
COMPANY = {"B3": 8, "B4": 5, "B5": 200, "B6": 250, "B7": 100}


@pytest.fixture
def needs(tmp_path):
    """A template with what the ten deals of the book don't say of their company."""
    path = tmp_path / "needs.xlsx"
    main_ends(["select", "--template", str(path), "--lang", "en"], 0)
    book = openpyxl.load_workbook(path)
    for cell, value in COMPANY.items():
        book["Company"][cell] = value
    book.save(path)
    return path


def main_ends(arguments, code):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code in (code, None if code == 0 else code)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_template_is_in_the_language_that_is_asked_for(tmp_path, lang):
    path = tmp_path / "needs.xlsx"
    found = CliRunner().invoke(app, ["select", "--template", str(path), "--lang", lang])
    assert found.exit_code == 0
    assert f"salesops select {path}" in found.output
    first = openpyxl.load_workbook(path).sheetnames[0]
    assert first == {"zh": "需求", "en": "Needs"}[lang]


def test_a_broken_file_ends_with_its_faults_and_nothing_is_made(needs, tmp_path, capsys):
    book = openpyxl.load_workbook(needs)
    book["Candidates"]["C3"] = "good"
    book.save(needs)
    main_ends(["select", str(needs), "--book", str(TINY), "--out", str(tmp_path / "out")], 2)
    told = capsys.readouterr().err
    assert "sheet Candidates, cell C3: 'good' is no number. Write a score from 0 to 10." in told
    assert "Traceback" not in told
    assert not (tmp_path / "out").exists()


def test_the_ranking_is_told_and_the_report_is_made_of_the_file(needs, tmp_path, capsys):
    book = shutil.copytree(TINY, tmp_path / "tiny")
    out = tmp_path / "out"
    main_ends(["select", str(needs), "--book", str(book), "--lang", "en", "--out", str(out)], 0)
    told = capsys.readouterr().out
    assert "of 10 points" in told
    for name in ("Example A", "Example B", "Example C"):
        assert name in told
    page = (out / "latest" / "selection.en.html").read_text(encoding="utf-8")
    assert "out of needs.xlsx" in page


def test_an_edited_file_is_another_report_and_the_same_one_is_kept(needs, tmp_path):
    book = shutil.copytree(TINY, tmp_path / "tiny")

    def run():
        found = run_reports(["selection"], book=str(book), langs=["en"], out=tmp_path / "out",
                            parameters={"needs": str(needs)})  # fmt: skip
        (done,) = found.done
        facts = json.loads((found.folder / "run.json").read_text("utf-8"))["jobs"][0]
        return done.state, facts["result"]["metrics"]["total"]

    first, again = run(), run()
    assert [first[0], again[0]] == ["made", "kept"]
    assert again[1] == first[1]
    opened = openpyxl.load_workbook(needs)
    for row in range(3, 6):
        opened["Candidates"][f"C{row}"] = 0
    opened.save(needs)
    state, total = run()
    assert state == "made"
    assert total < first[1]
