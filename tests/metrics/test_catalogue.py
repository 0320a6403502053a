"""Every metric equals a computation by plain pandas on the sample, and one by hand on ten deals."""

import pandas as pd
import pytest

import salesops
from salesops.metrics.catalogue import CATALOGUE, metric
from salesops.metrics.metric import UnknownGroup, UnknownMetric
from salesops.wording import language
from salesops.wording.catalogue import entries
from tests.companies import book_of, random_company
from tests.fixtures import SAMPLE

OPEN = ("acquisition", "needs", "proposal", "negotiation", "legal_review")


@pytest.fixture(scope="module")
def deals() -> pd.DataFrame:
    rows = pd.read_parquet(SAMPLE / "opportunities.parquet").astype({"amount": float})
    rows["closed"] = rows["closed_at"] + pd.Timedelta(hours=8)
    rows = rows[rows["type"] != "renewal"]
    return rows[(rows["closed"] >= "2026-01-01") & (rows["closed"] < "2026-04-01")]


@pytest.fixture(scope="module")
def tickets() -> pd.DataFrame:
    rows = pd.read_parquet(SAMPLE / "tickets.parquet")
    closed = rows["closed_at"] + pd.Timedelta(hours=8)
    return rows[(closed >= "2026-01-01") & (closed < "2026-04-01")]


def value(book, name: str, **options) -> float:
    return float(metric(book, name, period="2026Q1", **options)[name].iloc[0])


def test_win_rate_by_plain_pandas(sample_book, deals):
    won, lost = (deals["stage"] == "contract").sum(), (deals["stage"] == "lost").sum()
    assert value(sample_book, "win_rate") == pytest.approx(won / (won + lost))


def test_win_rate_by_team_by_plain_pandas(sample_book, deals):
    team = pd.read_csv(SAMPLE / "users.csv").set_index("id")["team"]
    decided = deals[deals["stage"].isin(["contract", "lost"])]
    wanted = (decided["stage"] == "contract").groupby(decided["owner_id"].map(team)).mean()
    found = metric(sample_book, "win_rate", period="2026Q1", by=["team"]).set_index("team")
    pd.testing.assert_series_equal(found["win_rate"], wanted.sort_index(), check_names=False)


def test_win_rate_by_value_by_plain_pandas(sample_book, deals):
    won = deals.loc[deals["stage"] == "contract", "amount"].sum()
    lost = deals.loc[deals["stage"] == "lost", "amount"].sum()
    assert value(sample_book, "win_rate_by_value") == pytest.approx(won / (won + lost))


def test_qualified_opportunities_by_plain_pandas(sample_book):
    log = pd.read_parquet(SAMPLE / "changes.parquet")
    kinds = pd.read_parquet(SAMPLE / "opportunities.parquet").set_index("id")["type"]
    moves = log[(log["entity"] == "opportunities") & (log["field"] == "stage")]
    moves = moves[moves["entity_id"].map(kinds) != "renewal"]
    reached = moves[moves["new_value"].isin([*OPEN[1:], "contract"])]
    first = reached.groupby("entity_id")["changed_at"].min() + pd.Timedelta(hours=8)
    wanted = ((first >= "2026-01-01") & (first < "2026-04-01")).sum()
    assert value(sample_book, "qualified_opportunities") == wanted


def test_satisfaction_and_response_by_plain_pandas(sample_book, tickets):
    answered = tickets["csat"].dropna()
    assert value(sample_book, "csat") == pytest.approx((answered >= 4).mean())
    assert value(sample_book, "response_rate") == pytest.approx(len(answered) / len(tickets))


def test_by_hand_on_ten_deals(tiny_book):
    # Ended in the first quarter: d01 100 and d03 40 won, d02 60 and d05 50 lost.
    assert value(tiny_book, "win_rate") == 2 / 4
    assert value(tiny_book, "win_rate_by_value") == (100 + 40) / (100 + 40 + 60 + 50)
    # All but d08, still in acquisition, and d09, made void there.
    assert value(tiny_book, "qualified_opportunities") == 10 - 2


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_metric_without_rows_is_null_or_a_count_of_none_and_says_why(name, tiny_book):
    row = metric(tiny_book, name, period="2025").iloc[0]
    if CATALOGUE[name].unit == "count":
        assert row[name] == 0
    else:
        assert pd.isna(row[name])
        assert row["reason"]


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_rows_shown_are_the_rows_that_make_the_number(name, sample_book):
    found = salesops.explain(sample_book, name, period="2026Q1")
    assert len(found.rows) == found.n == metric(sample_book, name, period="2026Q1")["n"].iloc[0]
    assert found.rows["id"].is_unique


@pytest.mark.parametrize("name", CATALOGUE)
def test_what_is_behind_a_number_is_shown_in_both_languages(name, sample_book):
    found = salesops.explain(sample_book, name, period="2026Q1")
    for lang in ("zh", "en"):
        with language(lang):
            assert found.lines()[0].startswith(entries()[f"metric.{name}"].text(lang))
            assert found.html()
            for column in found.table().columns:
                assert f"column.{column}" in entries(), (name, column)


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_metric_is_named_and_defined_in_both_languages(name):
    for code in (f"metric.{name}", f"metric.{name}.definition"):
        assert entries()[code].zh


def test_a_team_with_no_ended_deal_has_no_win_rate_rather_than_zero(tiny_book):
    rates = metric(tiny_book, "win_rate", period="2026-01", by=["team"])
    assert len(rates) == 0 or rates["win_rate"].isna().all()
    assert salesops.explain(tiny_book, "win_rate", period="2026Q1", team="Nowhere").reason


def test_the_win_rate_by_value_has_no_meaning_where_only_won_deals_have_amounts():
    tables = random_company(4, n=60).tables()
    rows = tables["opportunities"].to_pandas()
    rows.loc[rows["stage"] != "contract", "amount"] = None
    from salesops.book.write import typed

    log = tables["changes"].to_pandas()
    log = log[log["field"] != "amount"]
    book = book_of({**tables, "opportunities": typed("opportunities", rows),
                    "changes": typed("changes", log)})  # fmt: skip
    row = metric(book, "win_rate_by_value", period="2026").iloc[0]
    assert pd.isna(row["win_rate_by_value"])
    assert row["reason"] == "amounts_only_for_won"


def test_an_unknown_metric_or_column_is_refused_with_those_there_are(tiny_book):
    with pytest.raises(UnknownMetric, match="win_rate"):
        metric(tiny_book, "win_rat")
    with pytest.raises(UnknownGroup, match="team"):
        metric(tiny_book, "win_rate", by=["tema"])
