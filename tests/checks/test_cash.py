"""What waits for a signature, and a source without customers, as planted."""

import datetime as dt
import math

import pandas as pd
import pytest
from scipy.stats import binom

from salesops.checks import cash
from tests.checks.found import (
    OTHER_SEEDS,
    SAMPLE,
    agreement,
    clean_company,
    hand_made,
    judge,
    look,
    only,
)

UNACCEPTED, WEAK = cash.CHECKS


def test_both_planted_faults_are_found(sample_book):
    judged = judge(sample_book, *cash.CHECKS)
    assert {f.code: f.subject for f in judged.findings} == {
        "diagnosis.unaccepted": "", "diagnosis.weak_source": "搜索推广"
    }  # fmt: skip


def test_a_clean_company_has_neither(clean_book):
    assert judge(clean_book, *cash.CHECKS).held == ()


@pytest.mark.parametrize("seed", OTHER_SEEDS)
def test_nor_have_other_clean_companies(seed):
    assert judge(clean_company(seed), *cash.CHECKS).held == ()


def test_contracts_that_wait_are_exactly_the_planted_ones(sample_book):
    test = only(look(UNACCEPTED, sample_book))
    assert agreement(test.rows, "P15", "contracts") == (1.0, 1.0)
    contracts = pd.read_parquet(SAMPLE / "contracts.parquet").set_index("id")
    wait = contracts.loc[test.rows["id"], "amount"].astype(float).sum()
    assert test.finding.evidence["amount"] == pytest.approx(wait)
    delivered = pd.to_datetime(contracts["delivered_on"])
    year = (delivered > pd.Timestamp("2025-06-20")) & contracts["cancelled_on"].isna()
    assert test.finding.evidence["share"] == pytest.approx(
        wait / contracts.loc[year, "amount"].astype(float).sum()
    )


def test_what_falls_due_with_the_signature_leaves_retention_money_out(sample_book):
    test = only(look(UNACCEPTED, sample_book))
    rows = pd.read_parquet(SAMPLE / "instalments.parquet").set_index("id")
    gains = test.gains.set_index("id")
    assert (rows.loc[gains.index, "trigger"] != "retention").all()
    assert gains["amount"].sum() == pytest.approx(test.finding.evidence["payable"])
    # By the settings a fifth is unpaid on the due day, a tenth 25 days later, 4 % after 180.
    assert gains[["low", "middle", "high"]].iloc[0].tolist() == pytest.approx([0.8, 0.9, 0.96])


@pytest.mark.parametrize(("amount", "held"), [(900.0, False), (1_100.0, True)])
def test_a_hundredth_of_the_deliveries_may_wait(amount, held):
    day = dt.date(2026, 5, 31)
    old, new = day - dt.timedelta(days=100), day - dt.timedelta(days=20)
    contracts = [
        {"id": "c1", "amount": amount, "signed_on": old, "delivered_on": old, "accepted_on": None},
        {"id": "c2", "amount": 100_000.0 - amount, "signed_on": old, "delivered_on": old,
         "accepted_on": new},
        {"id": "c3", "amount": 5_000.0, "signed_on": old, "delivered_on": None,
         "accepted_on": None, "cancelled_on": day},
    ]  # fmt: skip
    deals = [{"id": "d1", "stage": "needs", "created_at": pd.Timestamp("2026-05-31")}]
    book = hand_made(contracts=contracts, opportunities=deals)
    seen = look(UNACCEPTED, book)
    assert seen.value == pytest.approx(amount / 100_000)
    assert bool(judge(book, UNACCEPTED).held) is held
    # Nothing says what is to be paid, so nothing can be had back.
    assert only(seen).gains.empty


def test_where_nobody_enters_acceptances_none_is_missing():
    day = dt.date(2026, 1, 31)
    contracts = [{"id": "c1", "amount": 10.0, "signed_on": day, "delivered_on": day,
                  "accepted_on": None}]  # fmt: skip
    deals = [{"id": "d1", "stage": "needs", "created_at": pd.Timestamp("2026-05-31")}]
    seen = look(UNACCEPTED, hand_made(contracts=contracts, opportunities=deals))
    assert math.isnan(seen.value)
    assert [gap.reason for gap in seen.gaps] == ["acceptance_not_recorded"]


def test_leads_and_customers_of_sources_are_those_of_plain_pandas(sample_book):
    leads = pd.read_parquet(SAMPLE / "leads.parquet")
    day = (leads["created_at"] + pd.Timedelta(hours=8)).dt.normalize()
    end = pd.Timestamp("2026-06-20")
    inside = (day >= end - pd.Timedelta(days=730)) & (day < end - pd.Timedelta(days=90))
    deals = pd.read_parquet(SAMPLE / "opportunities.parquet")
    won = set(deals.loc[deals["is_won"].eq(True), "id"])
    counted = leads[inside].assign(won=leads["opportunity_id"].isin(won)).groupby("source")["won"]
    found = cash.leads_of_sources(sample_book).set_index("source")
    assert found["n"].to_dict() == counted.size().to_dict()
    assert found["won"].to_dict() == counted.sum().to_dict()


def test_so_few_customers_are_as_likely_as_the_conditional_binomial_says():
    share = 2 / 3 * 300 / (2 / 3 * 300 + 700)
    assert cash.fewer(2, 300, 40, 700) == pytest.approx(binom.cdf(2, 42, share))
    assert cash.fewer(0, 0, 40, 700) == cash.fewer(0, 300, 0, 700) == 1.0


def test_a_source_of_which_few_leads_are_known_is_not_judged():
    start = pd.Timestamp("2025-01-06")
    leads = [{"id": f"l{i}", "source": "fair" if i < 20 else "web", "created_at": start,
              "opportunity_id": f"d{i}" if i >= 400 else None} for i in range(500)]  # fmt: skip
    deals = [{"id": f"d{i}", "stage": "contract", "is_won": True, "created_at": start,
              "account_id": f"a{i}", "closed_at": pd.Timestamp("2026-03-01")}
             for i in range(400, 500)]  # fmt: skip
    seen = look(WEAK, hand_made(leads=leads, opportunities=deals))
    # 20 leads of the fair are fewer than 30, and without it nothing is left to compare the web to.
    assert seen.tests == ()
    assert seen.n == 500
