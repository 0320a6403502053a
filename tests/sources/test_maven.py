"""A real export: four CSV files without history, against plain pandas."""

import os
from pathlib import Path

import pandas as pd
import pytest

from salesops.analyses.funnel import funnel
from salesops.book.book import Book, open_book
from salesops.sources.importing import import_path
from salesops.sources.report import ImportReport

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def export() -> Path:
    return Path(os.environ["SALESOPS_REAL_DATA"]) / "maven_crm"


@pytest.fixture(scope="module")
def imported(export, tmp_path_factory) -> tuple[ImportReport, Book]:
    into = tmp_path_factory.mktemp("maven") / "book"
    report = import_path(export, source="maven", into=into)
    return report, open_book(into)


@pytest.fixture(scope="module")
def plain(export) -> pd.DataFrame:
    return pd.read_csv(export / "sales_pipeline.csv")


def test_deals_by_outcome_are_those_of_the_files(imported, plain):
    _report, book = imported
    counts = book.opportunities.outcome.value_counts(name="n").to_pandas()
    counts = counts.set_index("outcome")["n"].to_dict()
    assert counts == {"won": 4_238, "lost": 2_473, "open": 2_089}
    stages = plain["deal_stage"].value_counts()
    assert counts["won"] == stages["Won"]
    assert counts["lost"] == stages["Lost"]
    assert counts["open"] == stages["Engaging"] + stages["Prospecting"]


def test_the_value_won_is_that_of_the_files(imported, plain):
    _report, book = imported
    deals = book.opportunities
    won = deals.filter(deals.outcome == "won").amount.sum().to_pyarrow().as_py()
    assert won == 10_005_534
    assert float(won) == plain.loc[plain["deal_stage"] == "Won", "close_value"].sum()


def test_deals_without_a_date_are_counted_and_shown(imported, plain):
    report, book = imported
    assert plain["engage_date"].isna().sum() == 500
    (undated,) = [o for o in report.oddities if o.code == "undated"]
    assert undated.n == 500
    result = funnel(book)
    assert result.method.n["undated"] == 500
    assert "what.undated" in [gap.what for gap in result.gaps]


def test_a_misspelt_product_is_mended_and_told(imported, plain):
    report, book = imported
    (mended,) = [m for m in report.mended if m.was == "GTXPro"]
    assert mended.n == (plain["product"] == "GTXPro").sum() == 1_480
    products = set(book.opportunities.product_line.to_pandas())
    assert "GTXPro" not in products
    assert any("GTXPro" in line and "1,480 rows" in line for line in report.lines())
    assert any("Philipines" in line and line.endswith("in 1 row") for line in report.lines())


def test_what_the_files_cannot_answer_is_null_with_its_reason(imported, plain):
    _report, book = imported
    result = funnel(book)
    reasons = {gap.what: gap.reason for gap in result.gaps}
    assert reasons["what.conversion"] == "no_history"
    assert reasons["what.waterfall"] == "no_history"
    assert reasons["what.leak_money"] == "amounts_only_for_won"
    assert result.stages["rate"].isna().all()
    assert result.stages["amount"].isna().all()
    assert result.leaks["leak"].isna().all()
    # Nobody knows at which stage a deal was lost, so none is said to have lost nothing.
    lost = plain[(plain["deal_stage"] == "Lost") & (plain["close_date"] >= "2017-12-01")]
    assert result.leaks[["stage", "n"]].values.tolist() == [["unknown", len(lost)]]
    assert len(result.waterfall) == 0
    for name in ("open_amount", "leak", "whole_funnel", "won_in_period", "pushed_out"):
        assert result.metrics[name] is None, name
    assert result.findings == ()


def test_the_past_shows_no_deal_that_was_not_there_yet(imported, plain):
    _report, book = imported
    past = book.as_of("2017-06-30").opportunities.to_pandas()
    known = plain[plain["engage_date"] <= "2017-06-30"]
    assert len(past) == len(known)
    closed = known[known["close_date"] <= "2017-06-30"]
    assert (past["outcome"] == "won").sum() == (closed["deal_stage"] == "Won").sum()
    assert (past["outcome"] == "open").sum() == len(known) - len(closed)


def test_the_source_is_recognised_without_being_named(export, tmp_path):
    assert import_path(export, into=tmp_path / "book", dry_run=True).source == "maven"
    assert not (tmp_path / "book").exists()
