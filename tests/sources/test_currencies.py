"""Amounts in other currencies: never summed as if they were the company's, never dropped unsaid."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
import xlwt

import salesops
from salesops.model.tables import facts
from salesops.sources.importing import import_path
from salesops.sources.layout import Layout
from salesops.sources.mapping import Source
from salesops.sources.parsing import Parser
from salesops.sources.questions import BadAnswer, Unanswered
from salesops.sources.readers import read_sheet
from salesops.sources.setaside import BadRows
from salesops.sources.settling import OtherCurrency
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


@pytest.mark.parametrize(
    ("amount", "company", "problem"),
    [("$90,000", "CNY", "is in USD, where the company counts in CNY"), ("$90,000", "USD", ""),
     ("$90,000", "HKD", ""), ("USD 90,000", "HKD", "is in USD, where the company counts in HKD"),
     ("¥90,000", "JPY", ""), ("RMB 90,000", "JPY", "is in CNY, where the company counts in JPY"),
     ("9万元", "EUR", "is in CNY, where the company counts in EUR")],
)  # fmt: skip
def test_a_sign_stands_for_the_currencies_that_share_it(amount, company, problem):
    told = Parser("a.csv", "UTC", currency=company)
    texts = pd.Series(["100", amount], index=[2, 3], name="Amount")
    values = told.column(texts, Source(), facts("opportunities")["amount"], "Amount")
    assert [(f.row, f.problem) for f in told.faults] == ([(3, problem)] if problem else [])
    assert values.tolist() == [100, 90_000]


def test_a_few_amounts_with_a_sign_do_not_say_in_what_all_others_are(tmp_path):
    rows = [[f"N{i}", STAGES[i % 6], f"{'' if i else '$'}{90_000 + i}", "2026-01-05"]
            for i in range(24)]  # fmt: skip
    question = asked(write_csv(tmp_path / "a.csv", [HEADS[:4], *rows]), tmp_path)["currency_code"]
    assert question.default == "USD"
    assert "a.csv: 合同额" in question.evidence[0]


def two_sheets(path: Path, *titles: str) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for n, title in enumerate(titles):
        sheet = book.create_sheet(f"项目{n}")
        sheet.append([title])
        sheet.append(HEADS[:4])
        for i in range(24):
            sheet.append([f"N{n}-{i}", STAGES[i % 6], 35 + i, dt.date(2026, 1, 5)])
    book.save(path)
    return path


def test_sheets_in_two_currencies_are_not_summed(tmp_path):
    path = two_sheets(tmp_path / "a.xlsx", "国内 单位：万元", "海外 单位：万美元")
    question = asked(path, tmp_path)["currency_code"]
    assert [line.split(":")[0] for line in question.evidence] == ["a.xlsx[项目0]", "a.xlsx[项目1]"]
    with pytest.raises(BadRows, match=r"is in USD by .*title.*the company counts in CNY"):
        imported(path, tmp_path, answers={"currency_code": "CNY"})
    same = two_sheets(tmp_path / "b.xlsx", "单位：万美元", "单位：万美元")
    assert imported(same, tmp_path / "b").settings.company.currency == "USD"


def signed(path: Path, *pairs: tuple[str, str]) -> Path:
    rows = [[f"N{i}", STAGES[i % 6], f"{sign}{90_000 + i}", "2026-01-05", code]
            for i, (sign, code) in enumerate(pairs * (24 // len(pairs)))]  # fmt: skip
    return write_csv(path, [HEADS, *rows])


def test_amounts_with_the_signs_of_their_own_currencies_are_read(tmp_path):
    path = signed(tmp_path / "a.csv", ("¥", "CNY"), ("€", "EUR"), ("$", "港币"))
    found = deals(imported(path, tmp_path, answers={"currency_code": "CNY"}))
    assert found.loc["N1", ["amount", "currency"]].tolist() == [90_001, "EUR"]
    assert found.loc["N2", "currency"] == "HKD"


def test_an_amount_whose_sign_is_not_that_of_its_deal_is_a_fault(tmp_path):
    pairs = [("¥", "CNY")] * 23 + [("€", "CNY")]
    path = signed(tmp_path / "a.csv", *pairs)
    report = import_path(path, into=tmp_path / "book", yes=True)
    assert [(f.row, f.problem) for f in report.aside] == [
        (25, "is in EUR, where its deal is in CNY")
    ]


def test_amounts_turned_into_the_companys_are_not_those_of_the_deals_currency(tmp_path):
    path = ledger(tmp_path / "a.csv", ["人民币", "美元"], head="合同额(折人民币)")
    with pytest.raises(BadRows, match=r"is in CNY by its head.*its deal is in USD"):
        imported(path, tmp_path, answers={"amount": "合同额(折人民币)"})


def test_formats_of_a_few_cells_say_nothing_of_the_others(tmp_path):
    dollars, none = '"US$"#,##0', "General"
    path = shown(tmp_path / "a.xlsx", *[none] * 23, dollars)
    report = import_path(path, into=tmp_path / "book", yes=True, answers={"amount.unit": "one"})
    assert [f.row for f in report.aside] == [25]
    assert "shown in another currency" in report.aside[0].problem
    told = {"amount.unit": "one", "currency_code": "USD"}
    assert imported(path, tmp_path / "b", answers=told).n("opportunities") == 24


def test_formats_of_most_cells_in_another_currency_than_the_companys_are_refused(tmp_path):
    path = shown(tmp_path / "a.xlsx", '"US$"#,##0', '"US$"#,##0', '"¥"#,##0')
    told = {"amount.unit": "one", "currency_code": "CNY"}
    with pytest.raises(BadRows, match=r"is in USD by .*the format of its cells"):
        imported(path, tmp_path, answers=told)


def test_a_share_is_no_amount(tmp_path):
    rows = [[f"N{i}", STAGES[i % 6], 90_000 + i if i else "30%", "2026-01-05"] for i in range(24)]
    path = write_csv(tmp_path / "a.csv", [HEADS[:4], *rows])
    report = import_path(path, into=tmp_path / "book", yes=True)
    assert [(f.row, f.problem) for f in report.aside] == [(2, "is a share, and no amount")]


@pytest.mark.parametrize("sign", ["", "€"])
def test_points_that_may_group_thousands_are_not_taken_for_decimal_ones(sign):
    money = facts("opportunities")["amount"]

    def read(*amounts: str, **source: str) -> tuple[list, int]:
        told = Parser("a.csv", "UTC", layout=Layout(separator="\t"))
        texts = pd.Series([sign + amount for amount in amounts], name="Betrag")
        values = told.column(texts, Source(**source), money, "Betrag")
        return [v for v in values if v is not None and v == v], len(told.faults)

    assert read("1.234", "12.500", "980") == ([980], 2)
    assert read("1.234", "12.500", "980", decimal=",") == ([1_234, 12_500, 980], 0)
    # Where another amount has cents of two digits all points are decimal ones.
    cents = [Decimal("1.23"), Decimal("12.50"), Decimal("980")]
    assert read("1.234", "12.5", "980") == (cents, 0)


# What a log does not reach back to is not known, so that its first row is an earlier one.
LOGGED = [["商机编号", "字段", "旧值", "新值", "修改时间"],
          ["N0", "合同额", 29, 30, "2026-01-06 10:00"],
          *([f"N{i}", "合同额", 30 + i, 35 + i, "2026-01-20"] for i in range(24))]  # fmt: skip


def test_a_log_is_in_the_unit_that_the_head_of_its_table_says(tmp_path):
    rows = [[f"N{i}", STAGES[i % 6], 35 + i, "2026-01-05"] for i in range(24)]
    write_csv(tmp_path / "x" / "商机.csv", [[*HEADS[:2], "合同额(万元)", HEADS[3]], *rows])
    write_csv(tmp_path / "x" / "修改记录.csv", LOGGED)
    book = imported(tmp_path / "x", tmp_path)
    assert float(deals(book).loc["N1", "amount"]) == 36 * 10_000
    assert float(deals(book.as_of("2026-01-10")).loc["N1", "amount"]) == 31 * 10_000


def test_amounts_in_another_currency_than_the_settings_count_in_are_refused(tmp_path):
    rows = [[f"N{i}", STAGES[i % 6], 90_000 + i, "2026-01-05"] for i in range(24)]
    path = write_csv(tmp_path / "a.csv", [HEADS[:4], *rows])
    imported(path, tmp_path, exported_at="2026-02-01")
    own = tmp_path / "book" / "salesops.toml"
    text = own.read_text(encoding="utf-8")
    own.write_text(text.replace('currency = "CNY"', 'currency = "EUR"'), encoding="utf-8")
    with pytest.raises(OtherCurrency) as error:
        imported(path, tmp_path, exported_at="2026-03-01")
    said = str(error.value)
    assert said.startswith(f"The company counts in EUR ({own}), but by the mapping amounts are in")
    assert "Expected: amounts in EUR, or a currency of each deal" in said
    assert 'currency = { constant = "CNY" } into the columns of the deals' in said
    mapping = tmp_path / "book" / "mapping.toml"
    told = mapping.read_text(encoding="utf-8")
    head = "[tables.opportunities.columns]\n"
    assert head in told
    named = tmp_path / "named.toml"
    named.write_text(told.replace(head, head + 'currency = { constant = "CNY" }\n'),
                     encoding="utf-8")  # fmt: skip
    options = {"source": str(named), "exported_at": "2026-03-01"}
    report = import_path(path, into=tmp_path / "book", yes=True, **options)
    (odd,) = [o for o in report.oddities if o.code == "no_rate"]
    assert odd.n == 24


def test_signs_are_compared_with_the_settings_where_the_mapping_says_no_currency(tmp_path):
    rows = [[f"d{i}", "needs", "$1,000" if i == 3 else 1000, "2026-01-05"] for i in range(30)]
    write_csv(tmp_path / "x" / "deals.csv", [["Id", "Stage", "Amount", "Created"], *rows])
    text = (Path(salesops.__file__).parent / "model" / "salesops.toml").read_text(encoding="utf-8")
    (tmp_path / "x" / "salesops.toml").write_text(text, encoding="utf-8")
    (tmp_path / "crm.toml").write_text(MAPPING.replace('currency = "Currency"\n', ""),
                                       encoding="utf-8")  # fmt: skip
    report = import_path(tmp_path / "x", source=str(tmp_path / "crm.toml"), into=tmp_path / "book")
    assert [(f.row, f.problem) for f in report.aside] == [
        (5, "is in USD, where the company counts in CNY")
    ]
