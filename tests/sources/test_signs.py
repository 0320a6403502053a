"""The currency of a new book is the one that amounts say, where nobody has said another."""

from pathlib import Path

import pytest

from salesops.sources.importing import import_path
from salesops.sources.questions import BadAnswer, Unanswered
from tests.sources.companies import write_csv
from tests.sources.test_currencies import MAPPING
from tests.sources.test_proposing import asked, imported

REPORT = ["Opportunity ID", "Opportunity Name", "Account Name", "Stage", "Amount", "Close Date",
          "Created Date", "Opportunity Owner"]  # fmt: skip


def salesforce_report(path: Path, *amounts: str) -> Path:
    stages = ["Prospecting", "Qualification", "Closed Won", "Closed Lost"]
    rows = [[f"006A{i:011d}", f"Deal {i}", f"Account {i % 5}", stages[i % 4], amount,
             f"{1 + i % 12}/2{i % 8}/2026", f"{1 + i % 12}/1{i % 9}/2025", f"Rep {i % 3}"]
            for i, amount in enumerate(amounts)]  # fmt: skip
    return write_csv(path, [REPORT, *rows])


@pytest.mark.parametrize(
    ("sign", "code"), [("$", "USD"), ("€", "EUR"), ("USD ", "USD"), ("", "CNY")]
)
def test_a_report_of_a_known_system_is_in_the_currency_of_its_signs(tmp_path, sign, code):
    path = salesforce_report(tmp_path / "report.csv", *(f"{sign}{9_000 + i}.00" for i in range(24)))
    book = imported(path, tmp_path / "book")
    assert book.settings.company.currency == code
    assert book.n("opportunities") == 24


def test_signs_beside_a_few_amounts_of_a_known_system_are_asked_about(tmp_path):
    amounts = [f"{'' if i else '$'}{9_000 + i}.00" for i in range(24)]
    path = salesforce_report(tmp_path / "report.csv", *amounts)
    assert "USD: 1 amounts" in asked(path, tmp_path / "open")["currency_code"].evidence
    told = imported(path, tmp_path / "told", answers={"currency_code": "USD"})
    assert told.settings.company.currency == "USD"
    # $ is the sign of other dollars, too.
    hong_kong = imported(path, tmp_path / "hk", answers={"currency_code": "HKD"})
    assert hong_kong.settings.company.currency == "HKD"
    with pytest.raises(BadAnswer, match="1 amounts have the sign of USD"):
        imported(path, tmp_path / "other", answers={"currency_code": "CNY"})
    assert not (tmp_path / "other" / "book").exists()


TWO_TABLES = (
    MAPPING.replace('currency = "Currency"\n', "")
    + """
[[tables.receipts]]
file = "paid.csv"
[tables.receipts.columns]
id = "Id"
amount = "Amount"
received_on = "Day"
"""
)


@pytest.mark.parametrize("answers", [{}, {"currency_code": "USD"}, {"currency_code": "CNY"}])
def test_tables_that_say_two_currencies_are_not_counted_in_one(tmp_path, answers):
    deals = [[f"d{i}", "needs", f"$1,0{i:02d}", "2026-01-05"] for i in range(24)]
    paid = [[f"r{i}", f"¥5{i:02d}", "2026-02-05"] for i in range(24)]
    write_csv(tmp_path / "x" / "deals.csv", [["Id", "Stage", "Amount", "Created"], *deals])
    write_csv(tmp_path / "x" / "paid.csv", [["Id", "Amount", "Day"], *paid])
    (tmp_path / "crm.toml").write_text(TWO_TABLES, encoding="utf-8")
    with pytest.raises((BadAnswer, Unanswered), match="currency_code"):
        import_path(tmp_path / "x", source=str(tmp_path / "crm.toml"), into=tmp_path / "book",
                    answers=answers, yes=True)  # fmt: skip
    assert not (tmp_path / "book").exists()
