"""Target sheets as they come back from Excel and from companies: read right, or refused."""

import datetime as dt
import io
import re
import shutil
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from rich.console import Console

from salesops.book.book import open_book
from salesops.cli.running import BadOption
from salesops.cli.targets import take_targets, write_targets
from salesops.model import settings
from salesops.sources.newtargets import checked, differences, holds_from, in_force, names_of
from salesops.sources.targetfiles import write_target_file
from salesops.sources.targetgrids import BadTargets
from salesops.sources.targetnames import ManagersInCircle, Names
from salesops.sources.targetsheets import read_target_sheets
from salesops.sources.targetstore import apply_targets
from tests.fixtures import TINY

QUIET = Console(quiet=True)
KEYS = ["period", "level", "key", "metric", "cents"]
PEOPLE = pd.DataFrame({"id": ["u1", "u2", "u3"], "name": ["张伟", "李娜", "张伟"],
                       "team": ["华东/一组"] * 3, "region": ["华东"] * 3})  # fmt: skip
MONTHS = ["员工", "一月", "二月"]
HEAD = "period,level,key,metric,amount"
STORED = "period,level,key,metric,amount,set_at"


@pytest.fixture
def company(tmp_path) -> Path:
    return shutil.copytree(TINY, tmp_path / "company")


def workbook(path: Path, **sheets: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def listed(path: Path, *rows: str, head: str = HEAD) -> Path:
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


def read(path: Path, people: pd.DataFrame = PEOPLE) -> list[list[object]]:
    return read_target_sheets(path, Names(people=people))[KEYS].values.tolist()


def sheet(tmp_path: Path, *rows: list[object]) -> list[int]:
    return [row[-1] for row in read(workbook(tmp_path / "t.xlsx", 目标=list(rows)))]


def take(company: Path, file: Path) -> None:
    take_targets(str(company), str(file), QUIET, by="Ann", metric="bookings", dry_run=False)


def write(company: Path, file: Path, lang: str = "zh") -> Path:
    write_targets(str(company), QUIET, year="2026", goal=0, growth=None, locks=(), file=str(file),
                  lang=lang)  # fmt: skip
    return file


def held(company: Path) -> dict[tuple[str, str], int]:
    frame = in_force(open_book(company))
    return {(r.period, r.key): r.cents for r in frame.itertuples()}


@pytest.mark.parametrize(
    ("title", "heads", "cells", "cents"),
    [
        ("万达集团2027年度目标", MONTHS, [100, 200], [100_00, 200_00]),
        ("2027年，不低于500万元", MONTHS, [100, 200], [100_00, 200_00]),
        ("2027 单位：万元", MONTHS, [1, 2], [10_000_00, 20_000_00]),
        ("2027（万元）", MONTHS, ["120000元", 2], [120_000_00, 20_000_00]),
        ("2027", ["员工", "1月（万元）", "2月(万元)"], [1, 2], [10_000_00, 20_000_00]),
        ("2027（百万元）", MONTHS, [1, 2], [1_000_000_00, 2_000_000_00]),
        ("2027 单位：千万元", MONTHS, [1, 2], [10_000_000_00, 20_000_000_00]),
        ("Targets 2027 (k)", MONTHS, [1, 2], [1_000_00, 2_000_00]),
        ("Targets 2027, in thousands", MONTHS, [1, 2], [1_000_00, 2_000_00]),
        ("目标", ["员工", "Jan-27", "Feb 2027"], [1, 2], [1_00, 2_00]),
        ("2027", MONTHS, ["１，２３４", "1,234,567.5"], [1_234_00, 1_234_567_50]),
    ],
)  # fmt: skip
def test_units_and_months_are_read_as_they_are_meant(tmp_path, title, heads, cells, cents):
    assert sheet(tmp_path, [title], heads, ["李娜", *cells]) == cents


@pytest.mark.parametrize(
    ("heads", "row", "message"),
    [
        (MONTHS, ["李娜", "1,5", 2], "cell B3: '1,5' is no amount"),
        (MONTHS, ["李娜", "1.234,56", 2], "cell B3: '1.234,56' is no amount"),
        (MONTHS, ["李娜", "1.234", 2], "cell B3: '1.234' can have a decimal point or groups"),
        (MONTHS, ["李娜", True, 2], "cell B3: True is no amount"),
        (MONTHS, ["李娜", 1, "=B3*2"], "cell C3: =B3*2 was never calculated"),
        (["员工", "一月", "1月", "二月"], ["李娜", 1, 2, 3],
         "cell C2: the month stands there twice"),
        (["员工", "1月(万元)", "2月"], ["李娜", 1, 2], "name different units"),
        (["员工", "12月", "1月"], ["李娜", 1, 2], "do not lie in one year in order"),
        (["员工", "指标", "一月", "二月"], ["李娜", "利润", 1, 2], "'利润' is no metric"),
        (["工号", "姓名", "一月", "二月"], ["u1", "李娜", 1, 2], "u1 is 张伟, 李娜 is u2"),
    ],
)  # fmt: skip
def test_what_can_be_read_in_two_ways_is_refused(tmp_path, heads, row, message):
    with pytest.raises(BadTargets) as caught:
        sheet(tmp_path, ["2027"], heads, row)
    assert message in str(caught.value)


def test_an_id_beside_a_name_that_two_bear_tells_who_is_meant(tmp_path):
    rows = [["2027"], ["工号", "姓名", "一月", "二月"], ["u3", "张伟", 1, 2], ["Total", None, 1, 2]]
    found = read(workbook(tmp_path / "t.xlsx", 目标=rows))
    assert found == [["2027-01", "user", "u3", "bookings", 100],
                     ["2027-02", "user", "u3", "bookings", 200]]  # fmt: skip


def test_a_title_of_two_metrics_asks_for_a_column(tmp_path):
    with pytest.raises(BadTargets, match="it speaks of bookings and collection"):
        sheet(tmp_path, ["2027签约与回款"], MONTHS, ["李娜", 1, 2])


def test_a_list_that_excel_has_saved_again_is_read(tmp_path):
    found = read(listed(tmp_path / "t.csv", "Mar-26,user,u1,renewal_bookings,5"))
    assert found == [["2026-03", "user", "u1", "renewal_bookings", 500]]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("team", ["华东（一）组", "O'Neil/1", 'A, "B"; C/1', "目标/合计组"])
def test_names_of_teams_go_round_as_they_are(tmp_path, kind, team):
    told = pd.DataFrame([("2027-02", "team", team, "bookings", 5_01),
                         ("2027-02", "user", "u9", "bookings", 7_00)], columns=KEYS)  # fmt: skip
    people = pd.DataFrame({"id": ["u1", "u9"], "name": ["A", "B"], "team": [team, None],
                           "region": ["x", None]})  # fmt: skip
    path = tmp_path / f"t.{kind}"
    write_target_file(told, people, path, "en")
    assert sorted(read(path, people)) == sorted(told.values.tolist())


def test_months_that_are_empty_stay_so_after_excel_has_calculated(tmp_path):
    told = pd.DataFrame([("2027-02", "team", "华东/一组", "bookings", 5_00)], columns=KEYS)
    write_target_file(told, PEOPLE, tmp_path / "t.xlsx", "zh")
    saved = tmp_path / "saved.xlsx"
    with zipfile.ZipFile(tmp_path / "t.xlsx") as own, zipfile.ZipFile(saved, "w") as new:
        for name in own.namelist():
            # The worst that a program can keep as the value of a cell that repeats an empty one.
            raw = re.sub(rb"(<f>IF[^<]*</f>)<v ?/?>(</v>)?", rb"\1<v>0</v>", own.read(name))
            new.writestr(name, raw)
    first = openpyxl.load_workbook(saved, data_only=True).worksheets[0]
    assert first["E3"].value == 0
    assert read(saved) == told.values.tolist()


def test_a_sheet_for_each_metric_or_year_is_no_second_team(tmp_path):
    heads = ["编号", "层级", "一月", "二月"]
    file = workbook(tmp_path / "t.xlsx", 签约=[["2026年"], heads, ["u1", "员工", 1, 2]],
                    回款=[["2026年"], heads, ["u1", "员工", 3, 4]],
                    签约27=[["2027年"], heads, ["u1", "员工", 5, 6]])  # fmt: skip
    book = open_book(TINY)
    found = checked(read_target_sheets(file, names_of(book)), book)
    assert found["cents"].tolist() == [100, 200, 300, 400, 500, 600]


def test_quarters_are_those_of_the_fiscal_year_and_its_workbook_goes_round(company, tmp_path):
    text = Path(settings.__file__).with_name("salesops.toml").read_text(encoding="utf-8")
    text = text.replace("fiscal_year_starts = 1", "fiscal_year_starts = 4")
    (company / "salesops.toml").write_text(text, encoding="utf-8")
    take(company, listed(tmp_path / "t.csv", "2026Q4,company,,bookings,100.00"))
    found = held(company)
    assert [found[f"2027-0{m}", ""] for m in (1, 2, 3)] == [3334, 3333, 3333]
    take(company, listed(tmp_path / "t.csv", "2026-04,company,,bookings,1.00"))
    before = (company / "targets.csv").read_bytes()
    take(company, write(company, tmp_path / "t.xlsx"))
    assert (company / "targets.csv").read_bytes() == before


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_teams_that_hold_teams_or_are_gone_go_round_but_are_not_set_anew(company, tmp_path, kind):
    rows = ["2026-01,team,East/9,bookings,9.00,2026-01-01 00:00:00",
            "2026-04,team,North,bookings,8.00,2026-01-01 00:00:00"]  # fmt: skip
    listed(company / "targets.csv", *rows, head=STORED)
    before = (company / "targets.csv").read_bytes()
    take(company, write(company, tmp_path / f"t.{kind}"))
    assert (company / "targets.csv").read_bytes() == before
    take(company, listed(tmp_path / "n.csv", "2026-05,team,North,bookings,7.00"))
    assert held(company)["2026-05", "North"] == 700
    with pytest.raises(BadTargets, match="there is no team 'East/9'") as caught:
        take(company, listed(tmp_path / "n.csv", "2026-05,team,East/9,bookings,7.00"))
    assert "Nearest: " in str(caught.value)
    with pytest.raises(BadTargets, match="no target is kept of 'booking'"):
        take(company, listed(tmp_path / "n.csv", "2026-05,team,North,booking,7.00"))


def test_who_begins_later_has_targets_before(company, tmp_path):
    with (company / "users.csv").open("a", encoding="utf-8") as users:
        users.write("u7,Flo,North/1,North,rep,u9,2026-05-01\n")
    take(company, listed(tmp_path / "t.csv", "2026-06,user,Flo,bookings,5.00"))
    assert held(company)["2026-06", "u7"] == 500


def test_parts_of_parquet_get_one_more_and_keep_the_others(company, tmp_path):
    own = pd.read_csv(company / "targets.csv", dtype={"key": str}, parse_dates=["set_at"])
    (company / "targets.csv").unlink()
    (company / "targets").mkdir()
    own.to_parquet(company / "targets" / "part-0.parquet")
    before = held(company)
    take(company, listed(tmp_path / "t.csv", "2026-04,company,,bookings,5.00"))
    take(company, listed(tmp_path / "t.csv", "2026-04,company,,bookings,6.00"))
    assert held(company) == {**before, ("2026-04", ""): 600}
    assert not (company / "targets.csv").exists()


def test_rows_that_stand_there_are_kept_to_the_byte(company, tmp_path):
    file = company / "targets.csv"
    raw = b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n").rstrip()
    file.write_bytes(raw)
    take(company, listed(tmp_path / "t.csv", "2026-04,company,,bookings,5.00"))
    new = b"\r\n2026-04,company,,bookings,5.00,2026-03-31 15:45:00.000000\r\n"
    assert file.read_bytes() == raw + new


@pytest.mark.parametrize("lacking", ["set_at", "key"])
def test_a_table_without_a_place_for_it_is_refused_and_left_alone(company, tmp_path, lacking):
    file = company / "targets.csv"
    pd.read_csv(file, dtype=str).drop(columns=lacking).to_csv(file, index=False)
    before = {p.name: p.read_bytes() for p in company.iterdir()}
    with pytest.raises(BadTargets, match=f"it has no column {lacking}"):
        take(company, listed(tmp_path / "t.csv", "2026-04,company,,bookings,5.00"))
    assert {p.name: p.read_bytes() for p in company.iterdir()} == before


def test_a_target_without_a_date_of_its_own_holds_for_a_month_to_come(company, tmp_path):
    listed(company / "targets.csv", "2026-12,company,,bookings,120.00,", head=STORED)
    before = (company / "targets.csv").read_bytes()
    take(company, listed(tmp_path / "t.csv", "2026-12,company,,bookings,120.00"))
    assert (company / "targets.csv").read_bytes() == before


def test_what_is_handed_in_is_not_hidden_by_an_export_dated_to_the_end_of_its_day(
    company, tmp_path
):
    book = open_book(company)
    rows = f"2026-03,company,,bookings,130.00,{book.instant:%Y-%m-%d %H:%M:%S.%f}\n"
    with (company / "targets.csv").open("a", encoding="utf-8") as targets:
        targets.write(rows)
    book = open_book(company)
    new = read_target_sheets(listed(tmp_path / "t.csv", "2026-03,company,,bookings,150"),
                             names_of(book))  # fmt: skip
    changes = differences(checked(new, book), book)
    morning = book.instant - dt.timedelta(hours=9)
    assert holds_from(changes, book, morning) == book.instant
    others = changes.assign(level="region", key="North")
    assert holds_from(others, book, morning) == morning
    assert holds_from(others, book, book.instant + dt.timedelta(days=9)) == book.instant
    apply_targets(company, changes, "Ann", holds_from(changes, book, morning), morning)
    assert held(company)["2026-03", ""] == 150_00


def test_a_log_that_can_not_be_written_leaves_the_targets_as_they_were(company, tmp_path):
    (company / "targets_log.csv").mkdir()
    before = (company / "targets.csv").read_bytes()
    with pytest.raises(OSError, match="targets_log"):
        take(company, listed(tmp_path / "t.csv", "2026-04,company,,bookings,5.00"))
    assert (company / "targets.csv").read_bytes() == before
    assert not [p for p in company.iterdir() if p.name.startswith(".")]


def test_a_language_that_is_not_there_is_said(company, tmp_path):
    with pytest.raises(BadOption, match="zh or en"):
        write(company, tmp_path / "t.xlsx", lang="fr")


def said(company: Path, file: Path) -> str:
    out = Console(width=300, record=True, quiet=False, file=io.StringIO())
    take_targets(str(company), str(file), out, by="Ann", metric="bookings", dry_run=True)
    return out.export_text()


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_an_emptied_cell_keeps_its_target_and_is_counted(company, tmp_path, kind):
    file, before = write(company, tmp_path / f"t.{kind}"), held(company)
    assert "write 0" not in said(company, file)
    if kind == "csv":
        lines = file.read_text(encoding="utf-8-sig")
        assert "120.00" in lines
        file.write_text(lines.replace("120.00", "").replace("80.00", "").replace("40.00", "41"))
    else:
        book = openpyxl.load_workbook(file)
        book["全公司"].cell(3, 4 + 3).value = None
        book["North-1"].cell(3, 4 + 3).value = None
        book["South-1"].cell(3, 4 + 3).value = 41
        book.save(file)
    told = said(company, file)
    assert "1 targets change, 0 of them new; together 40.00 → 41.00." in told
    assert "2 emptied cells keep their targets (200.00; first: t." in told
    assert "write 0 to take it away." in told
    take(company, file)
    assert held(company) == {**before, ("2026-03", "South/1"): 41_00}


def test_a_nought_takes_a_target_away_and_an_empty_file_says_so(company, tmp_path):
    take(company, listed(tmp_path / "t.csv", "2026-03,company,,bookings,0"))
    assert held(company)["2026-03", ""] == 0
    file = listed(tmp_path / "t.csv", "2026-03,company,,bookings,")
    with pytest.raises(BadTargets, match="An emptied cell keeps its target: write 0"):
        take(company, file)
    # What is nought already has nothing to keep.
    file = listed(tmp_path / "t.csv", "2026-03,company,,bookings,",
                  "2026-03,team,North/1,bookings,80")  # fmt: skip
    assert "write 0" not in said(company, file)


def managed(company: Path, **managers: str) -> None:
    users = pd.read_csv(company / "users.csv", dtype=str)
    users["manager_id"] = users["id"].map(managers).where(users["id"].isin(managers))
    users.to_csv(company / "users.csv", index=False)


def test_managers_in_a_circle_are_named_and_nothing_is_written(company, tmp_path):
    managed(company, u3="u1", u1="u9", u9="u1")
    file = listed(tmp_path / "t.csv", "2026-03,company,,bookings,5")
    before = {p.name: p.read_bytes() for p in company.iterdir() if p.is_file()}
    with pytest.raises(ManagersInCircle) as caught:
        take(company, file)
    assert str(caught.value).splitlines() == [
        f"Ann (u1) → Di (u9) → Ann (u1) leads back to itself ({company}, table users, column "
        "manager_id); nothing was written.",
        "Expected: managers who lead up to somebody that nobody else manages.",
        "Give one of them another manager_id, or none.",
    ]
    with pytest.raises(ManagersInCircle):
        write(company, tmp_path / "out.xlsx")
    assert not (tmp_path / "out.xlsx").exists()
    assert {p.name: p.read_bytes() for p in company.iterdir() if p.is_file()} == before


def test_who_is_the_own_manager_stands_on_top(company, tmp_path):
    managed(company, u1="u9", u9="u9", u3="u8")
    take(company, listed(tmp_path / "t.csv", "2026-03,company,,bookings,5"))
    assert held(company)["2026-03", ""] == 5_00
