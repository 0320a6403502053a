"""The targets report: what it says, what it leaves unsaid of people, and what it can't."""

import json

import pandas as pd
import pytest

from salesops.analyses.targets import targets
from salesops.charts.sliders import answer, sliders
from salesops.wording.language import language
from tests.fixtures import SAMPLE

PERSON, TEAM = "U0007", "华东/一组"


@pytest.fixture(scope="module")
def result(sample_book):
    return targets(sample_book)


def test_page_one_has_its_five_exhibits(result):
    assert list(result.exhibits) == ["short", "tree", "fair", "takes", "payout"]
    assert result.gaps == ()
    root = result.nodes.iloc[0]
    assert result.metrics["short"] == root["plan"] - root["middle"]
    assert result.metrics["plan"] == 103_194_000


def test_the_tree_has_teams_under_their_regions(result):
    nodes = result.nodes
    assert nodes["level"].iloc[0] == "company"
    assert set(nodes["level"]) == {"company", "region", "team"}
    places = nodes.reset_index().set_index("name")["index"]
    assert places["华东"] < places["华东/一组"] < places["华北"]
    carried = nodes.loc[nodes["level"] == "region", "potential_plan"]
    assert carried.sum() == pytest.approx(nodes["plan"].iloc[0])


def test_open_deals_count_as_often_as_deals_are_won(result, sample_book):
    deals = pd.read_parquet(SAMPLE / "opportunities.parquet")
    open_ = deals[deals["is_won"].isna() & deals["closed_at"].isna() & (deals["type"] != "renewal")]
    team = pd.read_csv(SAMPLE / "users.csv").set_index("id")["team"]
    sums = open_["amount"].astype(float).groupby(open_["owner_id"].map(team)).sum()
    found = result.nodes[result.nodes["level"] == "team"].set_index("key")["from_open"]
    assert found.to_numpy() == pytest.approx(
        (sums[found.index] * result.metrics["win_rate"]).to_numpy()
    )


def test_what_the_diagnosis_finds_of_targets_stands_here_too(result):
    codes = {finding.code for finding in result.findings}
    assert {"targets.short", "diagnosis.no_target", "diagnosis.unfair_quota"} <= codes
    short = next(f for f in result.findings if f.code == "targets.short")
    assert short.at_stake == result.metrics["short"]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_nobodys_pay_or_chance_is_in_a_teams_report(sample_book, lang):
    found = targets(sample_book.scope(team=TEAM))
    with language(lang):
        # Names stand beside quotas and potential alone.
        shown = [part.html() for key, part in found.exhibits.items() if key != "fair"]
        shown += [found.tree_tables.page, found.pay_tables.page, found.what_if_picture.page]
    assert set(found.nodes["level"]) == {"company"}
    assert found.sheet.empty
    assert all(found.metrics[name] is None for name in ("earned", "attained", "next_pay", "quota"))
    assert not {"chance", "pay", "paid", "middle", "high"} & set(found.people.columns)
    shown.append(json.dumps(found.facts(), ensure_ascii=False))
    names = sample_book.scope(team=TEAM).people()
    for page in shown:
        for person, name in names[["id", "name"]].itertuples(index=False):
            assert f"user:{person}" not in page
            assert name not in page


def test_few_peoples_pay_is_not_summed(sample_book):
    found = targets(sample_book.scope(team="华东/二组"))
    assert found.metrics["cost"] is None
    assert found.facts()["sensitivity"] == "team"


def test_a_person_sees_the_own_pay_sheet(sample_book):
    found = targets(sample_book.scope(user=PERSON))
    assert found.sheet["pay"].sum() == pytest.approx(found.metrics["earned"])
    # Whoever else gets it has to be among those who see pay.
    assert found.facts()["sensitivity"] == "hr"
    assert found.metrics["cost"] is None
    assert set(found.nodes["level"]) == {"company"}
    assert found.nodes["chance_now"].iloc[0] == 1.0


def test_a_book_without_a_past_says_what_is_missing(tiny_book, small_book):
    for book in (tiny_book, small_book):
        found = targets(book)
        told = {gap.what: gap.reason for gap in found.gaps}
        assert told["what.short"] == "short_past"
        assert "payout" in found.exhibits
        assert found.what_if is None
        assert found.headline().html()


def test_another_year_and_fiscal_years_are_read(sample_book):
    ahead = targets(sample_book, period="2026Q4")
    assert ahead.setting.period.text == "2026Q4"
    assert ahead.nodes["signed"].iloc[0] == 0


def test_sliders_answer_in_a_sentence(result):
    asked = result.what_if.chance
    with language("en"):
        text = answer(asked, result.what_if.before, -0.4, 0, 0.0)
        assert "is reached with a chance of" in text
        box = sliders(asked, result.what_if.before)
        growth, hires, wins, told = box.children
        before = told.value
        growth.value, hires.value, wins.value = 0.3, 5, 0.1
        assert told.value != before
        assert sliders(None, 0.0).value.startswith("Too little")


def test_the_pay_plan_is_told_at_the_same_points(result):
    paid = result.payouts.set_index("attained")["paid"]
    assert paid[[0.8, 1.0, 1.2]].round(4).tolist() == [0.64, 1.0, 1.3]
    assert isinstance(result.plan_table.frame, pd.DataFrame)
