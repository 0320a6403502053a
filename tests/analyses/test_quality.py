"""The data-quality report against plain pandas, the planted truth, and companies with little."""

import pandas as pd
import pytest

import salesops
from salesops.analyses.quality import quality
from salesops.metrics.catalogue import metric
from salesops.metrics.duplicates import duplicate_accounts
from salesops.wording import language
from tests.fixtures import SAMPLE


@pytest.fixture(scope="module")
def result(sample_book):
    return quality(sample_book)


def test_page_one_says_what_the_catalogue_says(result, sample_book):
    m = result.metrics
    assert m["entry_rate"] == metric(sample_book, "entry_rate")["entry_rate"].iloc[0]
    logged = metric(sample_book, "logged_within_24h")["logged_within_24h"].iloc[0]
    assert m["logged_share"] == pytest.approx(logged)
    teams = result.logged
    assert (teams["rate"] * teams["n"]).sum() / teams["n"].sum() == pytest.approx(logged)
    assert list(result.exhibits) == ["entered", "twice", "over", "logged", "mend"]


def test_duplicates_are_those_of_the_diagnosis_and_their_money_counts_once(result, sample_book):
    pairs = duplicate_accounts(sample_book)
    assert result.metrics["n_twice"] == pairs["other"].nunique()
    (finding,) = [f for f in result.findings if f.code == "diagnosis.duplicates"]
    assert finding.evidence["n"] == result.metrics["n_twice"]
    assert finding.evidence["amount"] == pytest.approx(result.metrics["twice_amount"])


def test_open_deals_past_their_date_by_plain_pandas(result):
    deals = pd.read_parquet(SAMPLE / "opportunities.parquet")
    mine = deals[deals["closed_at"].isna() & (deals["type"] != "renewal")]
    over = mine[pd.to_datetime(mine["expected_close_on"]) < "2026-06-20"]
    assert result.metrics["n_over"] == len(over)
    assert result.metrics["over_amount"] == pytest.approx(over["amount"].astype(float).sum())
    assert result.overdue["n"].sum() == mine["expected_close_on"].notna().sum()


def test_a_team_sees_its_own_records_alone(sample_book):
    team = quality(sample_book.scope(team="华东/一组"))
    owners = set(sample_book.scope(team="华东/一组").people()["id"])
    assert set(team.mend["owner_id"]) <= owners
    assert set(team.entered["team"]) == {"华东/一组"}
    assert team.metrics["n_accounts"] < quality(sample_book).metrics["n_accounts"]


def test_the_words_are_those_of_the_language_in_which_they_are_shown(result):
    with language("zh"):
        assert "下一步已过期" in result.mend_table.html()
    with language("en"):
        assert "next step is overdue" in result.mend_table.html()


def test_little_data_gives_what_it_can_and_says_what_is_missing(tiny_book):
    found = quality(tiny_book)
    assert found.metrics["entry_rate"] is not None
    gaps = {gap.what for gap in found.gaps}
    assert {"entered", "twice", "over", "logged", "mend"} - set(found.exhibits) <= {
        what.removeprefix("what.") for what in gaps
    }
    assert salesops.quality is quality
