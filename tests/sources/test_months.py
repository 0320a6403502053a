"""A column a month becomes a row a month; truth is the sheet, cell by cell."""

import datetime as dt
from decimal import Decimal

import pytest

from salesops.sources.layout import Hints
from salesops.sources.readers import Sheet, UnreadableFile, read_sheet
from tests.sources.test_refused_sheets import KINDS, written

PEOPLE = {"张伟": [120.0, 80.0, 40.0, 10.0], "李娜": [60.0, 0.0, 30.0, 5.0]}
TRUTH = {(who, f"2026-{m:02d}-01"): Decimal(str(v))
         for who, row in PEOPLE.items() for m, v in enumerate(row, start=1)}  # fmt: skip
HEADS: dict[str, list[object]] = {
    "1月": ["1月", "2月", "3月", "4月"],
    "一月份": ["一月份", "二月份", "三月份", "四月份"],
    "2026年1月": [f"2026年{m}月" for m in range(1, 5)],
    "2026-01": [f"2026-{m:02d}" for m in range(1, 5)],
    "Jan-26": ["Jan-26", "Feb-26", "Mar-26", "Apr-26"],
    "January": ["January", "February", "March", "April"],
    "days": [dt.date(2026, m, 1) for m in range(1, 5)],
    "1月(万元)": [f"{m}月(万元)" for m in range(1, 5)],
}  # fmt: skip


def cells(sheet: Sheet, value: str = "value") -> dict[tuple[str, str], Decimal]:
    columns = (sheet.frame[name] for name in ("姓名", "month", value))
    return {(who, month): Decimal(amount) for who, month, amount in zip(*columns, strict=True)}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", HEADS)
def test_a_column_a_month_becomes_a_row_a_month(form, kind, tmp_path):
    rows = [["2026年销售额", "", "", "", "", ""], ["姓名", *HEADS[form], "合计"]]
    rows += [[who, *row, sum(row)] for who, row in PEOPLE.items()]
    sums = [sum(column) for column in zip(*PEOPLE.values(), strict=True)]
    rows.append(["合计", *sums, sum(sums)])
    sheet = read_sheet(written(tmp_path, rows, kind))
    assert cells(sheet) == TRUTH
    layout = sheet.layout
    assert [aside.kind for aside in layout.aside] == ["title", "head", "total"]
    assert (layout.n_rows, layout.n_kept) == (5, 2)
    assert layout.units == ({"value": "wan"} if "万元" in form else {})
    assert set(layout.months.values()) == {month for _who, month in TRUTH}
    assert any("合计" in decision.what for decision in layout.decisions)
    kept = read_sheet(written(tmp_path, rows, kind), hints=Hints(month_columns="keep"))
    assert list(kept.frame["姓名"]) == list(PEOPLE)
    assert kept.layout.months == {}


def test_two_measures_a_month_become_two_columns(tmp_path):
    rows = [["姓名", "1月", "", "2月", "", "3月", ""], ["", *["目标", "实际"] * 3],
            ["张伟", 10.0, 8.0, 20.0, 25.0, 30.0, ""],
            ["李娜", 1.0, 2.0, 3.0, 4.0, "", ""]]  # fmt: skip
    sheet = read_sheet(written(tmp_path, rows), hints=Hints(year=2026))
    assert [tuple(r) for r in sheet.frame[["姓名", "month", "目标", "实际"]].to_numpy()] == [
        ("张伟", "2026-01-01", "10", "8"), ("张伟", "2026-02-01", "20", "25"),
        ("张伟", "2026-03-01", "30", ""), ("李娜", "2026-01-01", "1", "2"),
        ("李娜", "2026-02-01", "3", "4"),
    ]  # fmt: skip
    assert list(sheet.frame.index) == [3, 3, 3, 4, 4]


def test_a_year_above_the_months_is_theirs(tmp_path):
    rows = [["姓名", "2025年", "", "2026年", "", ""], ["", "11月", "12月", "1月", "2月", "3月"],
            ["张伟", 1.0, 2.0, 3.0, 4.0, 5.0]]  # fmt: skip
    frame = read_sheet(written(tmp_path, rows)).frame
    assert dict(zip(frame["month"], frame["value"], strict=True)) == {
        "2025-11-01": "1", "2025-12-01": "2", "2026-01-01": "3", "2026-02-01": "4",
        "2026-03-01": "5",
    }  # fmt: skip


def test_a_row_without_any_month_is_set_aside_and_told(tmp_path):
    rows = [["姓名", "组", *HEADS["2026-01"]], ["张伟", "一组", 1.0, 2.0, 3.0, 4.0],
            ["李娜", "二组", "", "", "", ""]]  # fmt: skip
    layout = read_sheet(written(tmp_path, rows)).layout
    assert [(a.row, a.kind) for a in layout.aside] == [(1, "head"), (3, "no_value")]
    assert (layout.n_rows, layout.n_kept) == (3, 1)


def test_months_in_two_units_are_refused(tmp_path):
    rows = [["姓名", "2026年1月(万元)", "2026年2月(元)", "2026年3月(元)"], ["张伟", 1.0, 2.0, 3.0]]
    with pytest.raises(UnreadableFile, match="different units"):
        read_sheet(written(tmp_path, rows))


def test_two_dates_are_no_months(tmp_path):
    rows = [["姓名", "2026-01", "2026-02"], ["张伟", 1.0, 2.0]]
    assert list(read_sheet(written(tmp_path, rows)).frame.columns) == rows[0]
