"""Amounts in other currencies: never summed as if they were the company's, never dropped unsaid."""

import datetime as dt
from pathlib import Path

import openpyxl
import pytest
import xlwt

from salesops.sources.importing import import_path
from salesops.sources.questions import BadAnswer, Unanswered
from salesops.sources.readers import read_sheet
from salesops.sources.setaside import BadRows
from tests.sources.companies import STAGES, write_csv
from tests.sources.test_proposing import asked, deals, imported

HEADS = ["商机编号", "阶段", "合同额", "创建日期", "币种"]
MAPPING = """name = "crm"
title = "A system"

[[tables.opportunities]]
file = "deals.csv"

[tables.opportunities.columns]
id = "Id"
stage = "Stage"
amount = "Amount"
currency = "Currency"
created_at = "Created"
"""


def ledger(path: Path, currencies: list[str], head: str = "合同额") -> Path:
    rows = [[f"N{i}", STAGES[i % 6], 90_000 + i, "2026-01-05", currencies[i % len(currencies)]]
            for i in range(24)]  # fmt: skip
    return write_csv(path, [[*HEADS[:2], head, *HEADS[3:]], *rows])


def system(folder: Path, *currencies: str) -> dict:
    """Write an export of a system that tells no currency but that of each deal."""
    rows = [[f"d{i}", "needs", 1000, "2026-01-05", currencies[i % len(currencies)]]
            for i in range(len(currencies) * 10)]  # fmt: skip
    write_csv(folder / "deals.csv", [["Id", "Stage", "Amount", "Created", "Currency"], *rows])
    (folder / "crm.toml").write_text(MAPPING, encoding="utf-8")
    return {"source": str(folder / "crm.toml"), "into": folder / "book"}


def test_currencies_are_known_by_their_names(tmp_path):
    book = imported(ledger(tmp_path / "a.csv", ["人民币", "RMB", "cny"]), tmp_path)
    assert set(deals(book)["currency"]) == {"CNY"}
    assert book.settings.company.currency == "CNY"


def test_a_currency_that_nobody_knows_is_a_fault_with_the_remedy(tmp_path):
    with pytest.raises(BadRows, match=r"贝壳.*is no currency that is known"):
        imported(ledger(tmp_path / "a.csv", ["人民币", "贝壳"]), tmp_path)


def test_deals_in_another_currency_without_a_rate_are_told(tmp_path):
    path = ledger(tmp_path / "a.csv", ["人民币", "人民币", "美元"])
    report = import_path(path, into=tmp_path / "book", yes=True)
    (odd,) = [o for o in report.oddities if o.code == "no_rate"]
    assert odd.n == 24 / 3
    assert any("8 rows of opportunities are in another currency" in line for line in report.lines())


def test_the_one_currency_of_all_deals_is_the_companys(tmp_path):
    report = import_path(tmp_path / "deals.csv", **system(tmp_path, "USD"))
    assert not [o for o in report.oddities if o.code == "no_rate"]
    text = (tmp_path / "book" / "salesops.toml").read_text(encoding="utf-8")
    assert 'currency = "USD"' in text
    assert any("count as USD" in line for line in report.lines())


def test_of_several_currencies_it_is_asked_which_is_the_companys(tmp_path):
    options = system(tmp_path, "USD", "USD", "EUR")
    with pytest.raises(Unanswered, match="--answer currency_code=USD"):
        import_path(tmp_path / "deals.csv", **options, yes=True)
    with pytest.raises(BadAnswer, match="ISO code"):
        import_path(tmp_path / "deals.csv", **options, answers={"currency_code": "dollars"})
    report = import_path(tmp_path / "deals.csv", **options, answers={"currency_code": "EUR"})
    (odd,) = [o for o in report.oddities if o.code == "no_rate"]
    assert odd.n == 20


@pytest.mark.parametrize(
    ("head", "code"),
    [("合同额(万日元)", "JPY"), ("合同额(万美元)", "USD"), ("合同额(万元)", "CNY"),
     ("合同额(港币)", "HKD")],
)  # fmt: skip
def test_a_yuan_is_no_dollar_and_no_yen(head, code, tmp_path):
    rows = [[f"N{i}", STAGES[i % 6], 90_000 + i, "2026-01-05"] for i in range(24)]
    book = imported(write_csv(tmp_path / "a.csv", [[*HEADS[:2], head, HEADS[3]], *rows]), tmp_path)
    assert book.settings.company.currency == code


def test_a_title_tells_the_currency_of_all_money(tmp_path):
    rows = [[f"N{i}", STAGES[i % 6], 35 + i, "2026-01-05"] for i in range(24)]
    path = write_csv(tmp_path / "a.csv", [["单位：万美元", "", "", ""], HEADS[:4], *rows])
    book = imported(path, tmp_path)
    assert book.settings.company.currency == "USD"
    assert float(deals(book).loc["N0", "amount"]) == 35 * 10_000


def shown(path: Path, *formats: str, head: str = "合同额") -> Path:
    """Write a workbook whose amounts are numbers in these formats, one after the other."""
    heads = [*HEADS[:2], head, HEADS[3]]
    if path.suffix == ".xls":
        old = xlwt.Workbook()
        sheet = old.add_sheet("S", cell_overwrite_ok=True)
        for column, name in enumerate(heads):
            sheet.write(0, column, name)
        for i in range(24):
            style = xlwt.easyxf(num_format_str=formats[i % len(formats)])
            for column, cell in enumerate([f"N{i}", STAGES[i % 6], None, "2026-01-05"]):
                sheet.write(i + 1, column, cell)
            sheet.write(i + 1, 2, 35.0 + i, style)
        old.save(str(path))
        return path
    book = openpyxl.Workbook()
    book.active.append(heads)
    for i in range(24):
        book.active.append([f"N{i}", STAGES[i % 6], 35.0 + i, dt.date(2026, 1, 5)])
        book.active.cell(i + 2, 3).number_format = formats[i % len(formats)]
    book.save(path)
    return path


@pytest.mark.parametrize("kind", ["xlsx", "xls"])
def test_a_unit_that_only_the_format_of_cells_shows_counts(kind, tmp_path):
    book = imported(shown(tmp_path / f"a.{kind}", '0.00"万元"'), tmp_path)
    assert float(deals(book).loc["N0", "amount"]) == 35 * 10_000


def test_a_unit_that_some_cells_show_and_others_do_not_is_a_fault(tmp_path):
    path = shown(tmp_path / "a.xlsx", '0.00"万元"', "0.00")
    told = {"amount.unit": "one"}
    with pytest.raises(Unanswered, match=r"amount\.unit"):
        imported(path, tmp_path)
    assert float(deals(imported(path, tmp_path, answers=told)).loc["N0", "amount"]) == 35
    with pytest.raises(BadRows, match="shown with a unit behind it"):
        imported(shown(tmp_path / "b.xlsx", '0.00"万"', head="合同额(元)"), tmp_path / "b")


@pytest.mark.parametrize("kind", ["xlsx", "xls"])
def test_a_currency_that_only_the_format_of_cells_shows_counts(kind, tmp_path):
    told = {"amount.unit": "one"}
    book = imported(shown(tmp_path / f"a.{kind}", '"US$"#,##0'), tmp_path, answers=told)
    assert book.settings.company.currency == "USD"
    with pytest.raises(BadRows, match="shown in another currency"):
        imported(shown(tmp_path / f"b.{kind}", '"¥"#,##0', '"¥"#,##0', '"US$"#,##0'),
                 tmp_path / "b", answers=told)  # fmt: skip


def test_small_numbers_beside_others_with_their_unit_are_asked_about(tmp_path):
    rows = [[f"N{i}", STAGES[i % 6], "120万" if i % 2 else "35", "2026-01-05"] for i in range(24)]
    path = write_csv(tmp_path / "a.csv", [HEADS[:4], *rows])
    question = asked(path, tmp_path)["amount.unit"]
    assert "12 others are empty or have their unit behind them" in " ".join(question.evidence)
    found = deals(imported(path, tmp_path, answers={"amount.unit": "wan"}))["amount"]
    assert [float(found[n]) for n in ("N0", "N1")] == [350_000, 1_200_000]


def test_a_total_of_numbers_some_of_which_have_their_unit_is_their_sum(tmp_path):
    rows = [[f"N{i}", STAGES[i % 6], "120万" if i % 2 else "35", "2026-01-05"] for i in range(24)]
    total = ["合计", "", 12 * 120 + 12 * 35, ""]
    path = write_csv(tmp_path / "a.csv", [["单位：万元", "", "", ""], HEADS[:4], *rows, total])
    (aside,) = [a for a in read_sheet(path).layout.aside if a.kind == "total"]
    assert aside.why == "1860 is the sum of rows 3 to 26"


def test_an_amount_with_the_sign_of_another_currency_is_a_fault(tmp_path):
    rows = [[f"N{i}", STAGES[i % 6], f"{'' if i else '$'}{90_000 + i}", "2026-01-05"]
            for i in range(24)]  # fmt: skip
    path = write_csv(tmp_path / "a.csv", [HEADS[:4], *rows])
    report = import_path(path, into=tmp_path / "book", yes=True, answers={"currency_code": "CNY"})
    (fault,) = report.aside
    assert (fault.row, fault.problem) == (2, "is in USD, where the company counts in CNY")
    dollars = imported(path, tmp_path / "b", answers={"currency_code": "USD"})
    assert dollars.n("opportunities") == 24
