"""The choice of a CRM: worked out again from the workbook alone, and what it refuses to say."""

import json
import math

import openpyxl
import pandas as pd
import pytest

from salesops.analyses.selection import selection
from salesops.model.selection import TOP
from salesops.sources.selectiontemplate import write_template
from salesops.wording import language, say_finding
from tests.fixtures import SAMPLE

COMPANY = {"B3": 58, "B4": 27, "B5": 2000, "B6": 250, "B7": 100}


def written(path, *edits, company=COMPANY, lang="en"):
    """Write a template with the company's figures and with cells (sheet, cell, value) changed."""
    with language(lang):
        write_template(path)
    book = openpyxl.load_workbook(path)
    for cell, value in company.items():
        book.worksheets[3][cell] = value
    for sheet, cell, value in edits:
        book[sheet][cell] = value
    book.save(path)
    return str(path)


@pytest.fixture(scope="module")
def needs(tmp_path_factory):
    return written(tmp_path_factory.mktemp("needs") / "needs.xlsx")


@pytest.fixture(scope="module")
def result(sample_book, needs):
    return selection(sample_book, needs=needs)


def test_page_one_has_its_five_exhibits(result):
    assert list(result.exhibits) == ["rank", "cost", "fit", "flip", "article"]
    assert result.gaps == ()
    assert result.lead.value == result.ranked["total"].iloc[0]


def sheets(path):
    told = pd.read_excel(path, sheet_name=None, header=1)
    return told["Needs"].set_index("Need"), told["Candidates"], told["Costs"].set_index("Candidate")


def test_three_years_of_cost_by_plain_arithmetic(result, needs):
    _needs, _candidates, costs = sheets(needs)
    found = result.costs.set_index("crm")
    for name, row in costs.iterrows():
        licence = 3 * (58 * row["Licence per user and year"] + row["Licence per year, fixed"])
        minutes = 2000 * row["Minutes of entry per deal"]
        minutes += 250 * 27 * row["Minutes of entry per person and day"]
        entry = 3 * minutes / 60 * 100
        once = row["Implementation, once"]
        assert found.loc[name, "licence"] == pytest.approx(licence)
        assert found.loc[name, "entry"] == pytest.approx(entry)
        assert found.loc[name, "three_years"] == pytest.approx(licence + once + entry)
        assert found.loc[name, "entry_minutes"] == pytest.approx(minutes / (250 * 27))


def test_fit_holds_offers_against_the_own_process(result, sample_book):
    fits = result.fits.set_index("crm")
    # Six stages up to the contract, all with exit conditions; Example B holds five and none.
    assert fits.loc["Example B", "stages_met"] == 5 / 6
    assert fits.loc["Example B", "exits_met"] == 0
    assert fits.loc["Example B", "users_met"] == 50 / 58
    assert fits.loc["Example A", ["stages_met", "exits_met", "users_met"]].tolist() == [1, 1, 1]
    filled = _filled_per_deal(sample_book.date)
    assert result.metrics["filled_fields"] == pytest.approx(filled)
    assert fits.loc["Example A", "fields_met"] == pytest.approx(filled / 24)
    parts = fits[["stages_met", "exits_met", "users_met", "fields_met"]]
    assert fits["fit"].tolist() == pytest.approx(parts.mean(axis=1).tolist())


def _filled_per_deal(date) -> float:
    """Count by plain pandas what is filled of what the deals of this month have to say."""
    deals = pd.read_parquet(SAMPLE / "opportunities.parquet")
    zone = pd.to_datetime(deals["closed_at"]) + pd.Timedelta(hours=8)
    is_open = deals["closed_at"].isna()
    deals = deals[is_open | (zone >= pd.Timestamp(date).replace(day=1))]
    is_open = deals["closed_at"].isna()
    always = ["account_id", "amount", "source", "product_line"]
    filled = deals[always].notna().sum(axis=1)
    ahead = deals[["expected_close_on", "next_step", "next_step_due_on"]].notna().sum(axis=1)
    is_lost = (~is_open) & (deals["stage"] == "lost")
    filled += ahead.where(is_open, 0) + deals["lost_reason"].notna().where(is_lost, False)
    return filled.mean()


def totals_again(path, result) -> pd.Series:
    """Add points up from the workbook, cost and fit from what stands beside them."""
    asked, candidates, _costs = sheets(path)
    table = candidates[candidates["Compare"] == "yes"].set_index("Candidate")
    cost = result.costs.set_index("crm")["three_years"]
    fit = result.fits.set_index("crm")["fit"]
    points = 0.0
    for name, need in asked.iterrows():
        kind = need["Counted as"]
        score = {"scored": table.get(name), "three-year cost": TOP * cost.min() / cost,
                 "process fit": TOP * fit}[kind]  # fmt: skip
        points = points + score * need["Weight"]
    return points / asked["Weight"].sum()


def test_totals_are_those_of_the_workbook(result, needs):
    again = totals_again(needs, result)
    found = result.ranked.set_index("crm")["total"]
    assert found.to_dict() == pytest.approx(again.to_dict())
    assert result.ranked["crm"].tolist() == again.sort_values(ascending=False).index.tolist()


def test_a_weight_written_just_beyond_its_flip_puts_the_rival_first(result, sample_book, tmp_path):
    rows = {row.wanted: row for row in result.flips.itertuples()}
    asked = pd.read_excel(written(tmp_path / "n.xlsx"), sheet_name="Needs", header=1)["Need"]
    first, tried = result.ranked["crm"].iloc[0], 0
    for i, name in enumerate(asked):
        row = rows[name]
        if math.isnan(row.flips_at):
            continue
        tried += 1
        for part, leader in ((0.99, first), (1.01, row.rival)):
            weight = row.weight + part * (row.flips_at_weight - row.weight)
            path = written(tmp_path / f"{i}-{part}.xlsx", ("Needs", f"C{i + 3}", weight))
            assert selection(sample_book, needs=path).ranked["crm"].iloc[0] == leader
    assert tried >= 3
    shifts = result.flips["shift"].abs().dropna()
    assert shifts.is_monotonic_increasing


def test_what_the_file_does_not_say_of_the_company_comes_from_the_book(sample_book, tmp_path):
    users = pd.read_csv(SAMPLE / "users.csv")
    there = users[users["left_on"].isna() | (users["left_on"] > str(sample_book.date))]
    deals = pd.read_parquet(SAMPLE / "opportunities.parquet")
    day = (pd.to_datetime(deals["created_at"]) + pd.Timedelta(hours=8)).dt.normalize()
    m = selection(sample_book, needs=written(tmp_path / "n.xlsx", company={})).metrics
    assert m["users"] == (there["role"] != "pool").sum()
    assert m["sellers"] == (there["role"] == "rep").sum()
    assert (
        m["deals_a_year"] == (day > pd.Timestamp(sample_book.date) - pd.Timedelta(days=365)).sum()
    )
    # 30,000 a quarter are 40 % of the pay, over working days of nine hours.
    assert m["hour_pay"] == pytest.approx(4 * 30_000 / 0.4 / (m["working_days"] * 9))


def test_who_misses_a_minimum_is_out_and_is_weighed_no_more(sample_book, tmp_path):
    path = written(tmp_path / "n.xlsx", ("Needs", "D4", 5))
    found = selection(sample_book, needs=path)
    out = found.ranked.iloc[-1]
    # The phone entry of Example A has 4.
    assert (out["crm"], out["short_of"], out["is_out"]) == (
        "Example A", "Quick phone entry", True)  # fmt: skip
    assert math.isnan(out["place"])
    assert math.isnan(out["near_weights"])
    assert found.ranked["near_weights"].sum() == pytest.approx(1)
    assert "Example A" not in set(found.flips["rival"])


def test_where_all_are_out_nobody_is_first(sample_book, tmp_path):
    path = written(tmp_path / "n.xlsx", ("Needs", "D3", 10))
    found = selection(sample_book, needs=path)
    assert [clause.code for clause in found.verdict] == ["selection.verdict_out"]
    assert found.metrics["total"] is None
    assert found.findings == ()
    assert found.exhibits["rank"].title.code == "selection.title_rank_none"


def test_pay_that_nobody_knows_leaves_no_ranking_but_says_where_to_write_it(small_book, tmp_path):
    known = {cell: value for cell, value in COMPANY.items() if cell != "B7"}
    found = selection(small_book, needs=written(tmp_path / "n.xlsx", company=known))
    assert "rank" not in found.exhibits
    assert "cost" not in found.exhibits
    with language("en"):
        page = found.cards.page
    assert "the pay of an hour" in page
    assert "sheet Company" in page
    weightless = written(tmp_path / "m.xlsx", ("Needs", "C9", 0), company=known)
    assert "rank" in selection(small_book, needs=weightless).exhibits


def test_the_article_never_counts(sample_book, result, tmp_path):
    loud = written(tmp_path / "n.xlsx", ("Candidates", "I5", 10))
    found = selection(sample_book, needs=loud)
    assert found.ranked["total"].tolist() == result.ranked["total"].tolist()
    assert found.article.set_index("crm").loc["Example C", "said_score"] == 10
    with language("en"):
        assert "opinion" in found.exhibits["article"].title.text()


def test_a_close_call_and_dear_entry_are_findings_of_own_figures_alone(sample_book, result):
    assert selection(sample_book).findings == ()
    codes = [finding.code for finding in result.findings]
    assert codes == ["selection.close", "selection.entry_dear"]
    for lang in ("zh", "en"):
        with language(lang):
            assert all(say_finding(finding).action for finding in result.findings)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_example_says_first_that_it_is_made_up(sample_book, lang):
    found = selection(sample_book)
    assert found.lead is None
    assert found.verdict[0].code == "selection.verdict_example"
    with language(lang):
        shown = " ".join(clause.text() for clause in found.verdict)
        shown += found.exhibits["rank"].html() + found.scores_table.html()
    assert "selection.example" not in shown
    assert {"zh": "虚构", "en": "made-up"}[lang] in shown


def test_names_of_candidates_are_shown_as_they_were_written(sample_book, tmp_path):
    odd = "<b>total</b> & Co."
    path = written(tmp_path / "n.xlsx", ("Candidates", "A4", odd), ("Costs", "A4", odd))
    found = selection(sample_book, needs=path)
    with language("en"):
        page = found.weights_tables.page + found.exhibits["rank"].html()
    assert "<b>total" not in page
    assert "&lt;b&gt;total&lt;/b&gt; &amp; Co." in page
    assert json.dumps(found.facts(), ensure_ascii=False)
