"""Every metric equals a computation by plain pandas on the sample, and one by hand on ten deals."""

from functools import cache

import ibis
import pandas as pd
import pytest

import salesops
from salesops.book.write import typed
from salesops.metrics.catalogue import CATALOGUE, FAMILIES, metric
from salesops.metrics.metric import Estimate, Metric, UnknownGroup, UnknownMetric, reduced
from salesops.model.tables import TABLES, facts
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
def behind(sample_book):
    """Explain each metric on the sample once."""
    return cache(lambda name: salesops.explain(sample_book, name, period="2026Q1"))


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


def test_by_hand_on_ten_deals(tiny_book):
    # Ended in the first quarter: d01 100 and d03 40 won, d02 60 and d05 50 lost.
    assert value(tiny_book, "win_rate") == 2 / 4
    assert value(tiny_book, "win_rate_by_value") == (100 + 40) / (100 + 40 + 60 + 50)
    # All but d08, still in acquisition, and d09, made void there.
    assert value(tiny_book, "qualified_opportunities") == 10 - 2


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_metric_without_rows_is_null_or_a_count_of_none_and_says_why(name, tiny_book):
    row = metric(tiny_book, name, period="2025").iloc[0]
    if CATALOGUE[name].unit == "count" and not pd.isna(row[name]):
        assert row[name] == 0
    else:
        assert pd.isna(row[name])
        assert row["reason"]


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_rows_shown_are_the_rows_that_make_the_number(name, sample_book, behind):
    found = behind(name)
    assert len(found.rows) == found.n == metric(sample_book, name, period="2026Q1")["n"].iloc[0]
    # One person's pay has no rows for a company.
    assert found.rows.empty or found.rows["id"].is_unique


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_metric_belongs_to_a_family_whose_facts_have_words(name):
    metric_ = CATALOGUE[name]
    (family,) = [f for f, metrics in FAMILIES.items() if metric_ in metrics]
    codes = (f"family.{family}", f"unit.{metric_.unit}", f"better.{metric_.better}",
             f"grain.{metric_.grain}")  # fmt: skip
    assert [code for code in codes if code not in entries()] == []
    tables = {need.partition(".")[0] for need in metric_.needs}
    assert tables <= set(TABLES)
    for need in metric_.needs:
        table, _dot, column = need.partition(".")
        assert not column or column in facts(table), need


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_metric_is_dated_by_a_column_of_its_rows(name, behind):
    dated, columns = CATALOGUE[name].dated, behind(name).rows.columns
    # A metric that can't be worked out has no rows, not even empty ones.
    assert not dated or not len(columns) or dated in columns


@pytest.mark.parametrize("name", CATALOGUE)
def test_what_is_behind_a_number_is_shown_in_both_languages(name, behind):
    found = behind(name)
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
    log = tables["changes"].to_pandas()
    log = log[log["field"] != "amount"]
    book = book_of({**tables, "opportunities": typed("opportunities", rows),
                    "changes": typed("changes", log)})  # fmt: skip
    row = metric(book, "win_rate_by_value", period="2026").iloc[0]
    assert pd.isna(row["win_rate_by_value"])
    assert row["reason"] == "amounts_only_for_won"


def test_several_columns_group_together_and_their_parts_sum_to_the_whole(sample_book, deals):
    found = metric(sample_book, "win_rate", period="2026Q1", by=["source", "outcome"])
    assert list(found.columns[:2]) == ["source", "outcome"]
    decided = deals[deals["stage"].isin(["contract", "lost"])]
    assert found["n"].sum() == len(decided)
    assert len(found) == len(decided.groupby(["source", "stage"]))
    # Of those won the rate is one, of those lost none, whatever the source.
    assert (found["win_rate"] == (found["outcome"] == "won")).all()


def won(*, closed_at: str, moves: tuple = ()):
    """Make a book of one deal won at an instant, and of its changes of owner."""
    closed = pd.Timestamp(closed_at)
    steps = [("stage", "needs", "contract", closed)]
    steps += [("owner_id", old, new, pd.Timestamp(at)) for at, old, new in moves]
    log = pd.DataFrame(steps, columns=["field", "old_value", "new_value", "changed_at"])
    deal = {"id": "d1", "owner_id": moves[-1][2] if moves else "u1", "stage": "contract",
            "created_at": pd.Timestamp("2026-01-05 02:00"), "closed_at": closed,
            "is_won": True}  # fmt: skip
    tracked = pd.DataFrame({"field": ["stage", "owner_id"], "since": pd.Timestamp("2026-01-01")})
    frames = {
        "opportunities": pd.DataFrame([deal]),
        "changes": log.assign(entity="opportunities", entity_id="d1", seq=range(len(log))),
        "users": pd.DataFrame({"id": ["u1", "u2"], "team": ["N", "S"], "role": "rep"}),
        "tracked": tracked.assign(entity="opportunities", how="log"),
    }
    return book_of({name: typed(name, frame) for name, frame in frames.items()})


def test_a_deal_belongs_to_who_owned_it_when_it_was_won_not_to_who_got_it_later():
    book = won(closed_at="2026-02-10 02:00", moves=(("2026-03-02 02:00", "u1", "u2"),))
    found = metric(book, "win_rate", period="2026Q1", by=["owner_id", "team"])
    assert found[["owner_id", "team"]].to_numpy().tolist() == [["u1", "N"]]


def test_half_past_midnight_belongs_to_the_companys_new_month():
    # Half past four in the afternoon in Greenwich, half past midnight in Shanghai.
    book = won(closed_at="2026-03-31 16:30")
    assert metric(book, "win_rate", period="2026-03")["n"].iloc[0] == 0
    assert metric(book, "win_rate", period="2026-04")["n"].iloc[0] == 1


def test_an_estimated_metric_groups_by_several_columns_and_by_none_known():
    rows = pd.DataFrame({"id": ["a", "b", "c"], "team": ["N", "N", None], "kind": ["x", "x", "y"]})
    counted = Metric(
        id="rows", unit="count", better="none", needs=(), grain="deal", dated="",
        rows=lambda _book, _period: ibis.memtable(rows),
        estimate=lambda frame, _book, _period: Estimate(value=float(len(frame))),
    )  # fmt: skip
    found = reduced(counted, None, None, ["team", "kind"])
    assert found["rows"].tolist() == [2, 1]
    assert found["team"].isna().tolist() == [False, True]


def test_an_unknown_metric_or_column_is_refused_with_those_there_are(tiny_book):
    with pytest.raises(UnknownMetric, match="win_rate"):
        metric(tiny_book, "win_rat")
    with pytest.raises(UnknownGroup, match="team"):
        metric(tiny_book, "win_rate", by=["tema"])
