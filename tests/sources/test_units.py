"""In which unit money is: what heads and titles say, and that nothing they say is passed over."""

import pytest

from salesops.sources.layout import Hints
from salesops.sources.questions import Unanswered
from salesops.sources.readers import read_sheet
from salesops.sources.setaside import BadRows
from salesops.sources.units import unit_behind, unit_of_head, unit_of_title
from tests.sources.companies import STAGES, write_csv
from tests.sources.test_proposing import asked, deals, imported

THOUSANDS = ["Amount ($000)", "Amount ('000)", "Amount (000s)", "Amount (USD thousands)",
             "金額(千円)", "Amount in thousands", "Amount (GBP k)", "Amount (£k)", "Betrag TEUR",
             "Betrag (Tsd. EUR)", "Betrag (T€)", "Amount kUSD", "Amount (in k USD)"]  # fmt: skip
WAN = ["合同额(含税,万元)", "合同额（万元/年）", "合同额(万英镑)", "合同额(万新元)", "金額(萬元)",
       "合同额：万元", "合同额(RMB万)", "合同额万美元", "合同额（不含税）（万元）"]  # fmt: skip
MILLIONS = ["金额百万元", "金额/百万元", "Amount $M", "Amount (MM)", "Amount (EUR millions)"]


@pytest.mark.parametrize(
    ("head", "unit"),
    [*((head, "k") for head in THOUSANDS), *((head, "wan") for head in WAN),
     *((head, "million") for head in MILLIONS)],
)  # fmt: skip
def test_a_unit_of_a_head_in_the_ways_of_several_countries(head, unit):
    assert unit_of_head(head) == unit


@pytest.mark.parametrize(
    "head", ["阶段(M1)", "百分比", "Size M", "Model 000", "Amount (USD)", "合同额(人民币)",
             "万达项目", "Kickoff", "Deal in Manchester", "VAT (ALL)", "行业(千人计划)"],
)  # fmt: skip
def test_what_is_no_unit_is_none(head):
    assert unit_of_head(head) is None


@pytest.mark.parametrize(
    ("title", "unit"),
    [("单位：人民币（万元）", "wan"), ("单位：万元人民币", "wan"), ("Unit: RMB'000", "k"),
     ("Currency: CNY  Unit: k", "k"), ("Unit: USD thousand", "k"), ("单位：台、万元", "wan"),
     ("All amounts in $000", "k"), ("单位：百万元", "million"), ("单位：万英镑", "wan"),
     ("单位：元", "one"), ("编制单位：万达集团", None), ("Leads in March", None)],
)  # fmt: skip
def test_a_unit_of_a_title_in_the_ways_of_several_countries(title, unit):
    assert unit_of_title(title) == unit


def test_a_share_behind_a_cell_is_no_unit_of_money():
    assert (unit_behind("%"), unit_behind("百万元"), unit_behind("天")) == (None, "million", None)


def ledger(head: str, *title: str, amount: int = 90_000) -> list[list]:
    rows = [[f"N{i}", STAGES[i % 6], amount + i, "2026-01-05"] for i in range(24)]
    above = [[*title, "", "", ""]] if title else []
    return [*above, ["商机编号", "阶段", head, "创建日期"], *rows]


@pytest.mark.parametrize(
    "head", ["合同额(千万元)", "合同额(十万元)", "合同额(m)", "合同额(w)", "万元合同额"]
)
def test_a_unit_that_is_not_known_is_asked_about_however_large_amounts_are(head, tmp_path):
    path = write_csv(tmp_path / "a.csv", ledger(head))
    answers = {"amount": head}
    question = asked(path, tmp_path, answers=answers)["amount.unit"]
    assert "says one that is not known" in question.evidence[0]
    found = imported(path, tmp_path, answers=answers | {"amount.unit": "million"})
    assert float(deals(found).loc["N1", "amount"]) == 90_001 * 10**6


def test_a_title_with_a_unit_that_is_not_known_is_asked_about(tmp_path):
    path = write_csv(tmp_path / "a.csv", ledger("合同额", "单位：千万元"))
    assert "amount.unit" in asked(path, tmp_path)
    assert read_sheet(path).layout.unit == ""


def test_a_mapping_that_says_no_unit_is_refused_where_the_head_may(tmp_path):
    path = write_csv(tmp_path / "a.csv", ledger("合同额(千万元)"))
    out = tmp_path / "own.toml"
    imported(path, tmp_path / "a", mapping_out=out,
             answers={"amount": "合同额(千万元)", "amount.unit": "one"})  # fmt: skip
    text = out.read_text(encoding="utf-8")
    assert 'unit = "one"' in text
    out.write_text(text.replace('unit = "one"', 'decimal = "."'), encoding="utf-8")
    with pytest.raises(BadRows, match="says a unit that is not known"):
        imported(path, tmp_path / "b", source=str(out))


def test_a_currency_of_a_head_leaves_the_unit_to_the_title(tmp_path):
    path = write_csv(tmp_path / "a.csv", ledger("合同额(人民币)", "单位：万元", amount=35))
    book = imported(path, tmp_path)
    assert float(deals(book).loc["N0", "amount"]) == 35 * 10_000


def test_months_in_a_unit_that_is_not_known_give_values_of_an_unknown_unit(tmp_path):
    rows = [["客户", "1月(千万元)", "2月(千万元)", "3月(千万元)"], ["甲", 1, 2, 3], ["乙", 4, 5, 6]]
    path = write_csv(tmp_path / "a.csv", rows)
    assert read_sheet(path, hints=Hints(year=2026)).layout.unclear_money == ("value",)


@pytest.mark.parametrize(("plain", "default"), [("Amount", "k"), ("合同额", "wan")])
def test_small_numbers_beside_larger_ones_with_their_unit_are_asked_about(plain, default, tmp_path):
    heads = {"Amount": ["Deal ID", "Stage", "Amount", "Created"]}.get(plain)
    rows = [[f"N{i}", STAGES[i % 6], "120k" if i % 2 else 35 + i, "2026-01-05"] for i in range(24)]
    path = write_csv(tmp_path / "a.csv", [heads or ledger(plain)[0], *rows])
    told = {"currency_code": "USD"}
    with pytest.raises(Unanswered) as error:
        imported(path, tmp_path, answers=told)
    (question,) = [q for q in error.value.questions if q.key == "amount.unit"]
    assert question.default == default
    found = deals(imported(path, tmp_path, answers=told | {"amount.unit": "k"}))["amount"]
    assert [float(found[n]) for n in ("N0", "N1")] == [35_000, 120_000]
