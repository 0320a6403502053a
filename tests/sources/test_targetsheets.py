"""Targets as people keep them, long and month-wide, read to the cent; faults have one message."""

from dataclasses import replace
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salesops.sources.targetfiles import write_target_file
from salesops.sources.targetgrids import REPEATED, BadTargets
from salesops.sources.targetnames import Names
from salesops.sources.targetsheets import read_target_sheets

PEOPLE = pd.DataFrame({
    "id": ["u1", "u2", "u3", "u4"], "name": ["张伟", "李娜", "王芳", "王芳"],
    "team": ["华东/一组", "华东/一组", "西南/一组", "西南/一组"],
    "region": ["华东", "华东", "西南", "西南"],
})  # fmt: skip
NAMES = Names(people=PEOPLE, company="云拓智联")
_NUMBERS = "一 二 三 四 五 六 七 八 九 十 十一 十二"
MONTHS = [f"{number}月" for number in _NUMBERS.split()]
KEYS = ["period", "level", "key", "metric"]


def workbook(path: Path, *rows: list[object], title: str = "目标") -> Path:
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def read(path: Path) -> dict[tuple[str, str, str], int]:
    frame = read_target_sheets(path, NAMES)
    return {(p, lvl, k): c for p, lvl, k, c in
            frame[["period", "level", "key", "cents"]].itertuples(index=False)}  # fmt: skip


def test_a_month_wide_sheet_of_company_department_and_employee(tmp_path):
    heads = ["公司", "部门", "员工", *MONTHS, "合计"]
    file = workbook(
        tmp_path / "目标.xlsx", ["2027年度销售目标（万元）"], heads,
        ["云拓智联", None, None, *[100] * 12, 1200],
        ["云拓智联", "华东/一组", None, *[60.5] * 12, "726"],
        ["云拓智联", "华东/一组", "张伟", "１２", *[None] * 10, "1,000.25", None],
        [None] * 16, ["合计", None, None, *[160] * 12, 1920],
    )  # fmt: skip
    found = read(file)
    assert found["2027-01", "company", ""] == 100_000_000
    assert found["2027-12", "team", "华东/一组"] == 60_500_000
    assert found["2027-01", "user", "u1"] == 12_000_000
    assert found["2027-12", "user", "u1"] == 1_000_250_000
    assert len(found) == 26


@pytest.mark.parametrize(
    ("head", "period"),
    [(["员工", "1月", "2月"], "2027-02"), (["员工", "Jan", "February"], "2027-02"),
     (["员工", "2026-01", "2026年2月"], "2026-02"), (["person", "一月份", "二月份"], "2027-02")],
)  # fmt: skip
def test_months_are_known_by_many_names(tmp_path, head, period):
    file = workbook(tmp_path / "t.xlsx", ["目标 2027"], head, ["李娜", 1, 2.05])
    assert read(file)[period, "user", "u2"] == 205


def test_a_long_list_takes_quarters_apart_to_the_cent(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text("period,level,key,amount\n2026Q1,user,u1,100.00\n2026-04,company,,5\n", "utf-8")
    found = read(file)
    assert [found[f"2026-0{m}", "user", "u1"] for m in (1, 2, 3)] == [3334, 3333, 3333]
    assert found["2026-04", "company", ""] == 500


def test_gb18030_and_semicolons_are_read(tmp_path):
    file = tmp_path / "t.csv"
    file.write_bytes("期间;层级;编号;指标;金额\n2026-05;员工;u2;回款;12万\n".encode("gb18030"))
    frame = read_target_sheets(file, NAMES)
    assert frame[[*KEYS, "cents"]].iloc[0].tolist() == ["2026-05", "user", "u2", "collection",
                                                        12_000_000]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([["2027"], ["员工", "一月", "二月", "合计"], ["张伟", 1, 2, 4]],
         "cell D3: the total is 4.00, its months make 3.00"),
        ([["2027"], ["员工", "一月", "二月"], ["王芳", 1, 2]], "row 3: 王芳 may be u3 or u4"),
        ([["2027"], ["员工", "一月", "二月"], ["张伟", 1, "many"]], "cell C3: 'many' is no amount"),
        ([["目标"], ["员工", "一月", "二月"], ["张伟", 1, 2]], "no year is named"),
        ([["period", "level", "key", "amount"], ["soon", "user", "u1", 3]], "'soon' is no period"),
        ([["period", "level", "key", "amount"], ["2026-01", "boss", "u1", 3]],
         "'boss' is no level"),
        ([["2027"], ["部门", "上级", "一月", "二月"], ["a", "b", 1, 2], ["b", "a", 1, 2]],
         "row 3: a → b → a leads back to itself"),
        ([["nothing", "here"], ["a", "b"]], "no target is in it"),
        ([["2027"], ["员工", "一月", "二月"], [None, 1, 2]], "the row names nobody"),
    ],
)  # fmt: skip
def test_each_fault_has_its_place_and_one_message(tmp_path, rows, message):
    file = workbook(tmp_path / "t.xlsx", *rows)
    with pytest.raises(BadTargets) as caught:
        read(file)
    assert message in str(caught.value)


def test_what_is_no_file_or_no_text_is_said(tmp_path):
    with pytest.raises(BadTargets, match="there is no such file"):
        read(tmp_path / "none.csv")
    broken = tmp_path / "t.csv"
    broken.write_bytes(b"\xff\xff\xff")
    with pytest.raises(BadTargets, match="neither UTF-8 nor GB18030"):
        read(broken)
    broken.write_bytes(b"PK\x03\x04 no zip")
    with pytest.raises(BadTargets, match="it is no workbook"):
        read(broken)


@settings(max_examples=25, deadline=None)
@given(amounts=st.lists(st.integers(0, 10**11), min_size=8, max_size=8), kind=st.sampled_from(
    [".csv", ".xlsx"]), lang=st.sampled_from(["zh", "en"]))  # fmt: skip
def test_what_is_written_is_read_back_to_the_cent(tmp_path_factory, amounts, kind, lang):
    nodes = [("company", ""), ("region", "华东"), ("team", "华东/一组"), ("user", "u1")]
    rows = [(f"2027-{m:02d}", level, key, metric, cents)
            for (level, key), metric, m, cents in zip(
                nodes * 2, ["bookings"] * 4 + ["collection"] * 4, [1, 2, 7, 12] * 2, amounts,
                strict=True)]  # fmt: skip
    told = pd.DataFrame(rows, columns=[*KEYS, "cents"])
    path = tmp_path_factory.mktemp("t") / f"targets{kind}"
    write_target_file(told, PEOPLE, path, lang)
    back = read_target_sheets(path, NAMES)[[*KEYS, "cents"]]
    pd.testing.assert_frame_equal(back.sort_values(KEYS, ignore_index=True),
                                  told.sort_values(KEYS, ignore_index=True))  # fmt: skip


def test_a_workbook_has_a_sheet_per_team_and_typed_cells(tmp_path):
    told = pd.DataFrame([("2027-01", "team", "华东/一组", "bookings", 12_345),
                         ("2027-01", "user", "u3", "bookings", 5_00),
                         ("2027-01", "company", "", "bookings", 99_00)],
                        columns=[*KEYS, "cents"])  # fmt: skip
    write_target_file(told, PEOPLE, tmp_path / "t.xlsx", "zh")
    book = openpyxl.load_workbook(tmp_path / "t.xlsx")
    assert book.sheetnames == ["全公司", "华东-一组", "西南-一组"]
    own = book["华东-一组"]
    assert own.freeze_panes == "E3"
    assert own["E3"].value == 123.45
    assert own["Q3"].value == "=SUM(E3:P3)"
    assert book["全公司"]["E4"].value == REPEATED.format(cell="'华东-一组'!E3")
    with pytest.raises(BadTargets, match=r"written as \.csv or \.xlsx"):
        write_target_file(told, PEOPLE, tmp_path / "t.pdf", "zh")
    assert [p.name for p in tmp_path.iterdir()] == ["t.xlsx"]


@pytest.mark.parametrize(
    ("title", "heads", "amount", "wrong"),
    [("2027年目标", ["员工", *MONTHS], "$12万", "'$12万' is in USD"),
     ("2027年目标（万美元）", ["员工", *MONTHS], 12, "is in USD"),
     ("2027 单位：港元", ["员工", *MONTHS], 12, "is in HKD"),
     ("2027", ["员工", *[f"{m}（万欧元）" for m in MONTHS]], 12, "is in EUR")],
)  # fmt: skip
def test_targets_in_another_currency_than_the_companys_are_refused(
    tmp_path, title, heads, amount, wrong
):
    file = workbook(tmp_path / "t.xlsx", [title], heads, ["张伟", amount, *[amount] * 11])
    with pytest.raises(BadTargets, match="company counts in CNY") as error:
        read_target_sheets(file, replace(NAMES, currency="CNY"))
    assert wrong in str(error.value).replace("\\n", " ")


@pytest.mark.parametrize("amount", ["¥12万", "12万元", 120_000])
def test_targets_in_the_companys_currency_are_read(tmp_path, amount):
    file = workbook(tmp_path / "t.xlsx", ["2027年美的集团组目标"], ["员工", *MONTHS],
                    ["张伟", *[amount] * 12])  # fmt: skip
    found = read_target_sheets(file, replace(NAMES, currency="CNY"))
    assert set(found["cents"]) == {12_000_000}
