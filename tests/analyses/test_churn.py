"""The churn report: terms and due renewals by plain pandas, chances, and companies with little."""

import shutil
import warnings

import numpy as np
import pandas as pd
import pytest

from salesops.analyses.churn import churn
from salesops.book.book import open_book
from salesops.metrics.catalogue import metric
from salesops.metrics.churns import churns
from salesops.metrics.contractstates import contract_landmarks, terms
from salesops.metrics.repeatorders import orders_of, repeats, states_of
from salesops.wording import language
from tests.fixtures import SAMPLE


@pytest.fixture(scope="module")
def result(sample_book):
    return churn(sample_book)


def test_page_one_has_its_five_exhibits(result):
    assert list(result.exhibits) == ["due", "rates", "lost", "risk", "unopened"]


def test_what_falls_due_is_that_of_the_contracts(result):
    contracts = pd.read_parquet(SAMPLE / "contracts.parquet")
    lines = pd.read_parquet(SAMPLE / "contract_lines.parquet")
    lines = lines[lines["kind"].isin(["subscription", "maintenance"]) & (lines["months"] > 0)]
    yearly = lines["amount"].astype(float) * 12 / lines["months"]
    money = yearly.groupby(lines["contract_id"]).sum()
    ends = pd.to_datetime(contracts["ends_on"])
    signed = contracts.set_index("id")["signed_on"]
    renewed = pd.to_datetime(contracts["renewed_by"].map(signed)) <= "2026-06-20"
    mine = contracts[(ends >= "2026-06-20") & (ends <= "2026-09-18") & ~renewed]
    mine = mine[mine["id"].isin(money.index)]
    gone = pd.to_datetime(mine["cancelled_on"]) <= "2026-06-20"
    mine = mine[~gone]
    assert result.metrics["n_due"] == len(mine)
    assert result.metrics["due"] == pytest.approx(mine["id"].map(money).sum(), abs=1)
    assert result.coming["due"].sum() == pytest.approx(result.metrics["due"])
    assert result.coming["expected"].sum() == pytest.approx(result.metrics["expected"])
    assert result.metrics["expected_low"] < result.metrics["expected"]


def test_rates_are_those_of_the_catalogue(result, sample_book):
    at = result.rates.set_index("rate")
    for name in ("nrr", "grr"):
        assert at.loc[name, "value"] == metric(sample_book, name)[name].iloc[0]
    quarter = metric(sample_book, "renewal_rate", period="2025Q4").iloc[0]
    assert at.loc["renewal_rate", "value"] == quarter["renewal_rate"]
    assert at.loc["renewal_rate", "n"] == quarter["n"]


def test_who_left_was_not_renewed_within_the_grace_days(sample_book):
    rows = terms(sample_book)
    grace = pd.Timedelta(days=sample_book.settings.norms.renewal_grace_days)
    kept = rows[~rows["happened"]]
    assert (kept["renewed_on"] <= kept["ends_on"] + grace).all()
    past = churns(sample_book).past
    assert (past["known_at"] <= pd.Timestamp(sample_book.instant)).all()
    assert (past["known_at"] > past["ends_on"] + grace).all()


def test_what_is_known_of_a_contract_is_what_was_known_then(sample_book):
    then = sample_book.as_of("2026-03-28")
    early = contract_landmarks(then)
    early = early[early["on"] == "2026-03-28"].set_index("id")
    late = contract_landmarks(sample_book)
    late = late[late["on"] == "2026-03-28"].set_index("id")
    assert len(early)
    assert set(early.index) == set(late.index)
    for column in ("account_silent_days", "tickets_180", "open_tickets", "renewal_open",
                   "late_money", "n_renewed", "n_contracts", "n_dropped"):  # fmt: skip
        got, want = late.loc[early.index, column], early[column]
        assert np.allclose(got, want, equal_nan=True), column


def test_one_chance_for_all_is_said_where_the_past_tells_no_more(result, sample_book):
    assert churns(sample_book).model.kind == "base"
    assert any(gap.reason == "no_better_churn" for gap in result.gaps)
    with language("en"):
        assert "does not tell who leaves" in result.exhibit("risk").html()
    # Money is expected to stay as money did, and not as contracts did.
    share = result.metrics["expected"] / result.metrics["due"]
    assert share > 1 - result.risk["leaves"].iloc[0]


def test_a_team_sees_its_own_contracts(sample_book):
    team = churn(sample_book.scope(team="华东/一组"))
    mine = set(sample_book.scope(team="华东/一组").contracts.select("id").to_pandas()["id"])
    assert set(team.risk["id"]) <= mine
    assert 0 < team.metrics["n_due"] < churn(sample_book).metrics["n_due"]


def test_customers_without_contracts_are_told_by_their_orders(sample_book):
    orders = orders_of(sample_book)
    deals = pd.read_parquet(SAMPLE / "opportunities.parquet")
    won = deals[deals["is_won"].eq(True) & deals["account_id"].notna()]
    assert len(orders) == len(won)
    day = pd.Timestamp("2026-01-31")
    state = states_of(orders, day).set_index("customer")
    often = orders[orders["on"] <= day].groupby("customer")["on"].nunique().idxmax()
    one = orders[(orders["customer"] == often) & (orders["on"] <= day)]
    assert state.loc[often, "x"] == one["on"].nunique() - 1
    assert state.loc[often, "recency"] == (day - one["on"].max()).days
    assert state.loc[often, "spent"] == pytest.approx(one["money"].sum())
    told = repeats(sample_book)
    assert told.now["leaves"].between(0, 1).all()
    assert (told.judged["bgnbd"].dropna().between(0, 1)).all()


def test_a_company_without_contracts_is_told_by_its_orders(tmp_path):
    folder = tmp_path / "orders"
    keep = {"opportunities.parquet", "accounts.parquet", "users.csv", "salesops.toml",
            "changes.parquet", "tracked.csv"}  # fmt: skip
    folder.mkdir()
    for name in keep:
        shutil.copy(SAMPLE / name, folder / name)
    told = churn(open_book(folder))
    assert not told.by_contract
    assert list(told.exhibits) == ["risk"]
    assert told.metrics["n_customers"] > 500
    assert 0 < told.metrics["expected_back"] < told.metrics["n_customers"]
    with language("zh"):
        assert "会再下单" in told._repr_mimebundle_()["text/html"]


@pytest.mark.parametrize("what", ["tiny", "small"])
def test_little_is_said_of_companies_with_little(what, tiny_book, small_book):
    book = {"tiny": tiny_book, "small": small_book}[what]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        told = churn(book)
    assert told.gaps
    for lang in ("zh", "en"):
        with language(lang):
            assert told._repr_mimebundle_()["text/html"]
            assert told.risk_table._repr_mimebundle_()["text/html"]
            assert told.scored_tables._repr_mimebundle_()["text/html"]
