"""Targets handed in: compared, refused or added with a name; nothing set before is changed."""

import os
import shutil
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from rich.console import Console

from salesops.book.book import open_book
from salesops.cli.targets import take_targets, write_targets
from salesops.metrics.goals import goal
from salesops.sources.newtargets import checked, differences, in_force, names_of, sums_off
from salesops.sources.quotahistory import quota_history
from salesops.sources.targetgrids import BadTargets
from salesops.sources.targetsheets import read_target_sheets
from tests.fixtures import SAMPLE

QUIET = Console(quiet=True)


@pytest.fixture
def company(tmp_path) -> Path:
    shutil.copytree(SAMPLE, tmp_path / "company", ignore=shutil.ignore_patterns("runs"))
    return tmp_path / "company"


def take(company: Path, file: Path, by: str = "李娜") -> None:
    take_targets(str(company), str(file), QUIET, by=by, metric="bookings", dry_run=False)


def long_list(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(["period,level,key,metric,amount", *rows]) + "\n", encoding="utf-8")
    return path


def state(company: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(company.iterdir()) if p.is_file()}


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_what_is_in_force_goes_round_without_a_difference(company, tmp_path, kind):
    file = tmp_path / f"now.{kind}"
    write_targets(str(company), QUIET, year="", goal=0, growth=None, locks=(), file=str(file),
                  lang="zh")  # fmt: skip
    before = state(company)
    take(company, file)
    assert state(company) == before


def test_an_edited_cell_is_one_difference_and_holds_from_then_on(company, tmp_path):
    file = tmp_path / "t.xlsx"
    write_targets(str(company), QUIET, year="2026", goal=0, growth=None, locks=(), file=str(file),
                  lang="zh")  # fmt: skip
    book = openpyxl.load_workbook(file)
    sheet = book["全公司"]
    row = next(r for r in range(3, 20) if sheet.cell(r, 1).value == "company"
               and sheet.cell(r, 4).value == "bookings")  # fmt: skip
    sheet.cell(row, 5 + 11).value = 30_000_000
    book.save(file)
    early = open_book(company).as_of("2026-06-19")
    year = early.period("2026-12")
    old = goal(early, year)
    new = checked(read_target_sheets(file, names_of(open_book(company))), open_book(company))
    changes = differences(new, open_book(company))
    assert changes[["period", "level", "after"]].values.tolist() == [
        ["2026-12", "company", 3_000_000_000]
    ]
    take(company, file)
    again = open_book(company)
    assert goal(again, year) == 30_000_000
    assert goal(again.as_of("2026-06-19"), year) == old
    assert str(again.date) == "2026-06-20"
    log = pd.read_csv(company / "targets_log.csv", dtype=str)
    assert log[["by", "period", "after"]].values.tolist() == [["李娜", "2026-12", "30000000.00"]]


def test_a_proposal_is_written_taken_over_and_adds_up(company, tmp_path):
    file = tmp_path / "t.xlsx"
    write_targets(str(company), QUIET, year="2027", goal=120_000_000, growth=None,
                  locks=("team:华东/二组=1500万",), file=str(file), lang="zh")  # fmt: skip
    take(company, file)
    book = open_book(company)
    assert goal(book, book.period("2027")) == 120_000_000
    assert goal(book.scope(team="华东/二组"), book.period("2027")) == 15_000_000
    assert sums_off(in_force(book).query("period.str.startswith('2027')"), book).empty


def test_sums_that_are_off_are_told(company):
    book = open_book(company)
    new = pd.DataFrame([("2027-01", "company", "", "bookings", 100_00),
                        ("2027-01", "region", "华东", "bookings", 60_00),
                        ("2027-01", "region", "华北", "bookings", 30_00)],
                       columns=["period", "level", "key", "metric", "cents"])  # fmt: skip
    found = sums_off(new, book)
    assert found[["level", "key", "gap"]].values.tolist() == [["company", "", -1000.0]]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["2026-09,user,U9999,bookings,5"], "there is no user 'U9999'"),
        (["2026-09,team,火星/一组,bookings,5"], "there is no team '火星/一组'"),
        (["2026-09,user,U0011,bookings,5"], "U0011 left on 2026-02-14, before 2026-09"),
        (["2026-09,company,,bookings,-5"], "the amount is below 0"),
        (["2026Q3,company,,bookings,300", "2026-09,company,,bookings,90"],
         "2026-09 of company  (bookings) is set twice"),
        (["2026-09,company,,bookings,5", "2026-09,company,,bookings,6"], "is set twice"),
    ],
)  # fmt: skip
def test_what_can_not_be_is_refused_and_nothing_is_written(company, tmp_path, rows, message):
    file = long_list(tmp_path / "t.csv", *rows)
    before = state(company)
    with pytest.raises(BadTargets) as caught:
        take(company, file)
    assert message in str(caught.value)
    assert state(company) == before


def test_a_person_in_two_teams_is_refused(company, tmp_path):
    book = openpyxl.Workbook()
    for k, team in enumerate(("华东-一组", "华东-二组")):
        sheet = book.active if k == 0 else book.create_sheet()
        sheet.title = team
        for row in (["2027年目标"], ["编号", "层级", "一月", "二月"], ["U0007", "员工", 5, 6]):
            sheet.append(row)
    book.save(tmp_path / "t.xlsx")
    with pytest.raises(BadTargets, match="U0007 stands in the sheets 华东-一组 and 华东-二组"):
        take(company, tmp_path / "t.xlsx")


def test_who_hands_in_is_to_be_named_and_databases_are_left_alone(company, tmp_path):
    file = long_list(tmp_path / "t.csv", "2026-09,company,,bookings,5")
    before = state(company)
    with pytest.raises(BadTargets, match="nobody is named"):
        take(company, file, by=" ")
    with pytest.raises(BadTargets, match="a database is never written to"):
        take_targets("postgresql://x/y", str(file), QUIET, by="a", metric="bookings", dry_run=False)
    assert state(company) == before


def test_a_book_in_parquet_is_added_to_as_well(company, tmp_path):
    own = pd.read_csv(company / "targets.csv", dtype={"key": str}, parse_dates=["set_at"])
    (company / "targets.csv").unlink()
    own.assign(amount=own["amount"].astype(float)).to_parquet(company / "targets.parquet")
    take(company, long_list(tmp_path / "t.csv", "2027-01,company,,bookings,123.45"))
    book = open_book(company)
    assert goal(book, book.period("2027-01")) == 123.45
    assert (
        goal(book, book.period("2026-12"))
        == own.query("level == 'company' and metric == 'bookings' and period == '2026-12'")[
            "amount"
        ].iloc[0]
    )


@pytest.mark.real_data
def test_the_quotas_of_adventureworks_become_months():
    file = Path(os.environ["SALESOPS_REAL_DATA"]) / "adventureworks" / "SalesPersonQuotaHistory.csv"
    found = quota_history(file)
    raw = pd.read_csv(file, sep="\t", header=None)
    assert found["cents"].sum() == round(raw[3].sum() * 100)
    assert len(found) == 3 * len(raw) == 489
    assert found.groupby(["key", "period"]).size().max() == 1
    mine = found[(found["key"] == "274") & (found["period"] == "2011-06")]
    assert mine["cents"].tolist() == [933_334]


@pytest.mark.real_data
def test_the_quotas_of_adventureworks_are_taken_over(tmp_path):
    source = Path(os.environ["SALESOPS_REAL_DATA"]) / "adventureworks"
    people = pd.read_csv(source / "SalesPerson.csv", sep="\t", header=None, dtype=str)[0]
    book = tmp_path / "adventure"
    book.mkdir()
    users = pd.DataFrame({"id": people, "name": people, "role": "rep"})
    users.to_csv(book / "users.csv", index=False)
    deal = "id,stage,created_at,amount\nd1,needs,2014-05-01 02:00:00,5.00\n"
    (book / "opportunities.csv").write_text(deal, encoding="utf-8")
    take(book, source / "SalesPersonQuotaHistory.csv")
    raw = pd.read_csv(source / "SalesPersonQuotaHistory.csv", sep="\t", header=None)
    taken = in_force(open_book(book))
    assert taken["cents"].sum() == raw[3].sum() * 100
    first = raw[(raw[1] == 274) & raw[2].str.startswith("2011-05-31")][3].iloc[0]
    summer = ["2011-06", "2011-07", "2011-08"]
    mine = taken[(taken["key"] == "274") & taken["period"].isin(summer)]
    assert mine["cents"].sum() == first * 100
    before = state(book)
    take(book, source / "SalesPersonQuotaHistory.csv")
    assert state(book) == before
