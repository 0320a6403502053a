"""Customers entered twice: planted, clean, and few."""

import pandas as pd
import pytest

from salesops.checks import duplicates
from tests.checks.found import OTHER_SEEDS, agreement, clean_company, look, only
from tests.fixtures import SAMPLE

(CHECK,) = duplicates.CHECKS


def test_the_records_are_the_planted_duplicates(sample_book):
    test = only(look(CHECK, sample_book))
    recall, precision = agreement(test.rows, "P6", "accounts")
    assert recall > 0.95
    assert precision > 0.95
    assert test.p < 1e-9


def test_the_open_value_on_them_by_plain_pandas(sample_book):
    facts = only(look(CHECK, sample_book)).finding.evidence
    deals = pd.read_parquet(SAMPLE / "opportunities.parquet")
    mine = deals[deals["closed_at"].isna() & (deals["type"] != "renewal")]
    pairs = duplicates.duplicate_accounts(sample_book)
    both = set(pairs["account"]) | set(pairs["other"])
    wanted = mine.loc[mine["account_id"].isin(both), "amount"].astype(float).sum()
    assert facts["amount"] == pytest.approx(wanted)
    assert facts["share"] == pytest.approx(facts["n"] / facts["n_accounts"])


def test_clean_companies_have_hardly_any(clean_book):
    for book in (clean_book, *(clean_company(seed) for seed in OTHER_SEEDS)):
        seen = look(CHECK, book)
        assert seen.value < 0.005
        assert [t for t in seen.tests if t.p < 0.01] == []


def test_few_customers_are_not_judged(tiny_book):
    assert look(CHECK, tiny_book).tests == ()
