"""Targets handed in: compared, refused or added with a name; nothing set before is changed."""

import os
import shutil
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from rich.console import Console

from salesops.book.book import open_book
from salesops.cli.targets import take_targets, write_targets
from salesops.metrics.goals import goal
from salesops.sources.importing import import_path
from salesops.sources.newtargets import KEYS, checked, differences, in_force, names_of, sums_off
from salesops.sources.quotahistory import quota_history
from salesops.sources.targetgrids import BadTargets
from salesops.sources.targetsheets import read_target_sheets
from tests.fixtures import SAMPLE

QUIET = Console(quiet=True)


# What targets, and proposals of them, are made of; quotes reach to the last day of the sample. The
# rest takes longer to read.
NEEDED = ("users.csv", "targets.csv", "opportunities.parquet", "contracts.parquet", "credits.csv",
          "quotes.parquet", "salesops.toml")  # fmt: skip


@pytest.fixture
def company(tmp_path) -> Path:
    folder = tmp_path / "company"
    folder.mkdir()
    for name in NEEDED:
        shutil.copy(SAMPLE / name, folder)
    return folder


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


def exported(folder: Path, targets: str | None, on: str) -> None:
    """Import an export of one deal and one person, with or without targets."""
    export = folder / f"export-{on}"
    export.mkdir(exist_ok=True)
    day = f"{on[:10]} 02:00:00"
    (export / "opportunities.csv").write_text(f"id,stage,created_at\nd1,needs,{day}\n")
    (export / "users.csv").write_text("id,name,role,team\nu1,One,rep,North\n")
    if targets is not None:
        head = "period,level,key,metric,amount,set_at\n"
        (export / "targets.csv").write_text(head + targets, encoding="utf-8")
    import_path(export, source="canonical", into=folder / "book", exported_at=on)


def of_december(book: Path, on: str = "") -> float:
    found = open_book(book)
    found = found.as_of(on) if on else found
    return goal(found.scope(user="u1"), found.period("2026-12"))


def test_a_later_export_takes_nothing_away_that_was_handed_in(tmp_path):
    book, mine = tmp_path / "book", "2026-12,user,u1,bookings,{},\n".format
    exported(tmp_path, mine("100.00"), "2026-01-31")
    take(book, long_list(tmp_path / "own.csv", "2026-12,user,u1,bookings,150"))
    assert of_december(book) == 150
    exported(tmp_path, mine("100.00"), "2026-02-28")
    assert of_december(book) == 150
    exported(tmp_path, None, "2026-03-31")
    assert of_december(book) == 150
    exported(tmp_path, mine("120.00"), "2026-04-30")
    assert of_december(book) == 120
    before = open_book(book).targets.to_pandas()
    exported(tmp_path, mine("120.00"), "2026-04-30")
    pd.testing.assert_frame_equal(open_book(book).targets.to_pandas(), before)
    exported(tmp_path, mine("100.00") + "2027-01,user,u1,bookings,7.00,\n", "2026-05-31")
    assert of_december(book) == 100
    assert len(open_book(book).store.tables["targets"].to_pandas()) == 5
    # What has no date of its own is not known in the past.
    assert np.isnan(of_december(book, "2026-01-15"))
    told = {on: of_december(book, on) for on in ("2026-02-10", "2026-05-10")}
    assert told == {"2026-02-10": 150, "2026-05-10": 120}
    log = pd.read_csv(book / "targets_log.csv", dtype=str)
    assert log["by"].tolist() == ["李娜"]


def test_versions_that_an_export_dates_itself_keep_their_dates(tmp_path):
    book = tmp_path / "book"
    first = "2026-12,user,u1,bookings,100.00,2026-01-05 00:00:00\n"
    exported(tmp_path, first, "2026-01-31")
    second = first + "2026-12,user,u1,bookings,130.00,2026-02-10 00:00:00\n"
    exported(tmp_path, second, "2026-02-28")
    exported(tmp_path, second, "2026-03-31")
    assert len(open_book(book).store.tables["targets"].to_pandas()) == 2
    told = {on: of_december(book, on) for on in ("2026-02-08", "2026-02-12", "2026-03-31")}
    assert told == {"2026-02-08": 100, "2026-02-12": 130, "2026-03-31": 130}
    # An amount put right without another date of its own is known from the export on.
    exported(tmp_path, second.replace("130.00", "140.00"), "2026-04-30")
    assert (of_december(book, "2026-04-10"), of_december(book)) == (130, 140)


def test_what_is_handed_in_on_the_day_of_an_export_outlasts_its_next_one(tmp_path):
    book, mine = tmp_path / "book", "2026-12,user,u1,bookings,{},\n".format
    exported(tmp_path, mine("100.00"), "2026-01-31")
    exported(tmp_path, mine("120.00"), "2026-02-28")
    take(book, long_list(tmp_path / "own.csv", "2026-12,user,u1,bookings,150"))
    exported(tmp_path, mine("120.00"), "2026-03-31")
    assert of_december(book) == 150
    # The same amount as was handed in, and then as before, is what the export says now.
    exported(tmp_path, mine("150.00"), "2026-04-30")
    exported(tmp_path, mine("130.00"), "2026-05-31")
    told = {on: of_december(book, on) for on in ("2026-03-05", "2026-04-30", "2026-05-31")}
    assert told == {"2026-03-05": 150, "2026-04-30": 150, "2026-05-31": 130}


def test_a_changed_export_of_the_same_day_holds_behind_what_was_handed_in(tmp_path):
    book, mine = tmp_path / "book", "2026-12,user,u1,bookings,{},\n".format
    exported(tmp_path, mine("100.00"), "2026-01-31")
    exported(tmp_path, mine("100.00"), "2026-02-28T10:00:00")
    take(book, long_list(tmp_path / "own.csv", "2026-12,user,u1,bookings,150"))
    exported(tmp_path, mine("100.00"), "2026-02-28T11:00:00")
    assert of_december(book) == 150
    exported(tmp_path, mine("120.00"), "2026-02-28T12:00:00")
    assert of_december(book) == 120


def test_who_sells_without_a_target_has_an_empty_row_to_fill(company, tmp_path):
    targets = pd.read_csv(company / "targets.csv", dtype=str)
    targets[targets["key"] != "U0007"].to_csv(company / "targets.csv", index=False)
    file = tmp_path / "t.xlsx"
    write_targets(str(company), QUIET, year="2026", goal=0, growth=None, locks=(), file=str(file),
                  lang="zh")  # fmt: skip
    before = state(company)
    take(company, file)
    assert state(company) == before
    book = openpyxl.load_workbook(file)
    sheet = book["华东-一组"]
    row = next(r for r in range(3, 30) if sheet.cell(r, 2).value == "U0007")
    assert [sheet.cell(row, c).value for c in range(5, 17)] == [None] * 12
    sheet.cell(row, 5 + 11).value = 500_000
    book.save(file)
    take(company, file)
    mine = open_book(company).scope(user="U0007")
    assert goal(mine, mine.period("2026-12")) == 500_000


def test_who_sells_in_no_team_has_an_empty_row_among_others(tmp_path):
    book = tmp_path / "book"
    exported(tmp_path, "2026-12,company,,bookings,9.00,\n", "2026-01-31")
    users = pd.DataFrame({"id": ["u1", "u2"], "name": ["One", "Two"], "role": ["rep", "manager"]})
    (book / "users.parquet").unlink()
    users.to_csv(book / "users.csv", index=False)
    file = tmp_path / "t.xlsx"
    write_targets(str(book), QUIET, year="2026", goal=0, growth=None, locks=(), file=str(file),
                  lang="en")  # fmt: skip
    before = state(book)
    take(book, file)
    assert state(book) == before
    told = openpyxl.load_workbook(file)
    assert told.sheetnames == ["company", "others"]
    assert [cell.value for cell in told["others"][3]][:4] == ["user", "u1", "One", "bookings"]
    assert told["others"].max_row == 3
    told["others"].cell(3, 4 + 12).value = 7
    told.save(file)
    take(book, file)
    assert of_december(book) == 7


def test_regions_that_share_a_team_are_compared_together(tmp_path):
    people = {"u1": ("A", "West"), "u2": ("A", "South"), "u3": ("B", "South"), "u4": ("C", "East"),
              "u5": ("D", "West")}  # fmt: skip
    users = [f"{i},{i},rep,{team},{region}" for i, (team, region) in people.items()]
    (tmp_path / "users.csv").write_text("\n".join(["id,name,role,team,region", *users]) + "\n")
    deal = "id,stage,created_at\nd1,needs,2026-01-05 02:00:00\n"
    (tmp_path / "opportunities.csv").write_text(deal)
    book = open_book(tmp_path)

    def off(**cents: int) -> list[list[object]]:
        rows = [("2026-05", "region" if len(node) > 1 else "team", node, "bookings", amount)
                for node, amount in cents.items()]  # fmt: skip
        found = sums_off(pd.DataFrame(rows, columns=[*KEYS, "cents"]), book)
        return found[["level", "key", "gap"]].to_numpy().tolist()

    even = {"West": 60, "South": 50, "East": 30, "A": 70, "B": 25, "C": 30, "D": 15}
    assert off(**even) == []
    assert off(**even | {"A": 75}) == [["region", "South + West", 75 + 25 + 15 - (60 + 50)]]
    assert off(**even | {"C": 20}) == [["region", "East", 20 - 30]]
    # Where one of them has no target, their teams' sum stands for nothing.
    del even["South"]
    assert off(**even) == []
