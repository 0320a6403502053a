"""The lists that people get: a sheet each, typed, with reasons, and clear words for bad options."""

import openpyxl
import pandas as pd
import pytest

from salesops.cli.main import main
from salesops.metrics.stalls import week_list
from salesops.reports.sheets import write_workbook
from tests.fixtures import SAMPLE


def run(*arguments: str) -> object:
    with pytest.raises(SystemExit) as end:
        main(["worklist", str(SAMPLE), *arguments])
    return end.value.code


def test_each_person_has_a_sheet_of_at_most_ten(tmp_path, sample_book):
    file = tmp_path / "week.xlsx"
    assert not run("--out", str(file))
    book = openpyxl.load_workbook(file)
    listed = week_list(sample_book)
    assert len(book.sheetnames) == listed["owner_id"].nunique()
    for sheet in book:
        assert 1 <= sheet.max_row - 1 <= 10
        assert sheet.freeze_panes == "A2"
    money = [cell.value for cell in next(iter(book))["E"][1:]]
    assert all(isinstance(value, int | float) for value in money)


def test_a_team_gets_its_own_as_csv(tmp_path, sample_book):
    file = tmp_path / "renewals.csv"
    scope = "team:华东/一组"
    assert not run("--kind", "churn", "--scope", scope, "--out", str(file), "--lang", "en")
    told = pd.read_csv(file)
    mine = sample_book.scope(team="华东/一组").contracts.select("id").to_pandas()["id"]
    assert len(told)
    assert set(told.iloc[:, 1]) <= set(mine)


@pytest.mark.parametrize(
    "bad",
    [
        ("--kind", "sales"),
        ("--out", "week.pdf"),
        ("--holdout-share", "1.5"),
        ("--kind", "churn", "--holdout-share", "0.2"),
    ],
)
def test_bad_options_are_refused_with_what_is_expected(bad, capsys):
    assert run(*bad) == 2
    assert "Expected" in capsys.readouterr().err


def test_no_cell_of_a_workbook_begins_a_formula(tmp_path):
    frame = pd.DataFrame({"=name": ["=HYPERLINK(1)", None], "n": [1, 2]})
    write_workbook([("=1+1", frame), ("a/b", frame), ("a-b", frame)], tmp_path / "t.xlsx")
    book = openpyxl.load_workbook(tmp_path / "t.xlsx")
    cells = [cell.value for sheet in book for row in sheet for cell in row]
    assert not any(isinstance(v, str) and v.startswith("=") for v in cells)
    assert len(set(book.sheetnames)) == 3
