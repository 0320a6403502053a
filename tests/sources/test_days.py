"""Days that name no year, and days whose parts a program swapped."""

import datetime as dt
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from salesops.book.book import Book
from salesops.sources.questions import BadAnswer, Unanswered
from salesops.sources.setaside import BadRows
from tests.sources.companies import STAGES
from tests.sources.test_proposing import asked, imported

HEADS = ["商机编号", "阶段", "金额", "登记日期", "预计签约日期"]


def ledger(path: Path, days: list[object]) -> Path:
    """Write deals that were entered on these days, one after the other."""
    book = openpyxl.Workbook()
    book.active.append(HEADS)
    for i, day in enumerate(days):
        book.active.append([f"N{i}", STAGES[i % 6], 90_000 + i, day, dt.date(2026, 6, 1)])
    book.save(path)
    return path


def created(book: Book) -> list[str]:
    zone = book.settings.company.zone
    found = book.opportunities.to_pandas().set_index("id")["created_at"]
    local = pd.to_datetime(found).dt.tz_localize("UTC").dt.tz_convert(zone)
    return [str(local[f"N{i}"].date()) for i in range(len(local))]


@pytest.mark.parametrize(
    "days",
    [["3.5", "3.10", "12.28"], ["3月5日", "3月10日", "12月28日"], ["3/5", "3/10", "12/28"],
     ["3月5日", "2026年3月10日", dt.date(2026, 12, 28)]],
)  # fmt: skip
def test_days_without_a_year_get_the_one_that_is_told(days, tmp_path):
    path = ledger(tmp_path / "a.xlsx", days * 8)
    question = asked(path, tmp_path)["year"]
    assert f"登记日期: such as {days[0]}" in question.evidence[0]
    assert question.default in ("", "2026")
    book = imported(path, tmp_path, answers={"year": "2026"})
    assert created(book) == ["2026-03-05", "2026-03-10", "2026-12-28"] * 8
    assert imported(path, tmp_path).n("opportunities") == 24


def test_the_year_of_a_mapping_holds_for_exports_of_that_year_alone(tmp_path):
    path = ledger(tmp_path / "a.xlsx", ["3月5日", "3月10日"] * 8)
    imported(path, tmp_path, answers={"year": "2026"}, exported_at="2026-03-31")
    later = ledger(tmp_path / "a.xlsx", ["3月5日", "3月10日"] * 8 + ["4月2日"])
    assert imported(later, tmp_path, exported_at="2026-04-30").n("opportunities") == 17
    next_year = ledger(tmp_path / "b.xlsx", ["1月5日", "1月6日"])
    with pytest.raises(Unanswered, match="--answer year=2027"):
        imported(next_year, tmp_path, exported_at="2027-01-31")
    again = imported(later, tmp_path, exported_at="2026-04-30", answers={"year": "2025"})
    assert created(again)[0] == "2025-03-05"


def test_days_that_a_workbook_counts_are_read_where_their_head_says_that_they_are_days(tmp_path):
    serial = (dt.date(2026, 3, 5) - dt.date(1899, 12, 30)).days
    assert created(imported(ledger(tmp_path / "a.xlsx", [serial] * 8), tmp_path))[0] == "2026-03-05"


def test_a_year_that_is_none_is_refused(tmp_path):
    path = ledger(tmp_path / "a.xlsx", ["3月5日"] * 8)
    for answer in ("soon", "26"):
        with pytest.raises(BadAnswer, match="it is no number from 1900 to 2199"):
            imported(path, tmp_path, answers={"year": answer})
    with pytest.raises(BadAnswer, match="it is no number from 1 to 60"):
        imported(path, tmp_path, answers={"head_rows": "0"})


def test_days_that_a_program_may_have_swapped_are_refused(tmp_path):
    days = [dt.date(2026, 3, 2), dt.date(2026, 7, 11), "23/02/2026", "17/06/2026"]
    with pytest.raises(BadRows, match="day and month a program may have swapped") as error:
        imported(ledger(tmp_path / "a.xlsx", days * 6), tmp_path)
    assert "登记日期" in str(error.value)
    assert error.value.n == 12
    right = [dt.date(2026, 3, 22), *days[1:]]
    book = imported(ledger(tmp_path / "b.xlsx", right * 6), tmp_path)
    assert created(book)[:4] == ["2026-03-22", "2026-07-11", "2026-02-23", "2026-06-17"]
