"""Rules of data quality: each broken by hand, counted by plain pandas, summed by group."""

import datetime as dt

import pandas as pd
import pytest

from salesops.metrics import quality
from salesops.metrics.quality import RULES, broken_rules, entries, lacking, to_mend
from tests.checks.found import hand_made
from tests.fixtures import SAMPLE

AT = pd.Timestamp("2026-03-02 02:00")


def deal(name: str, **values) -> dict[str, object]:
    row = {"id": name, "name": name.upper(), "stage": "needs", "amount": 100.0, "created_at": AT,
           "account_id": "a1", "owner_id": "u1", "closed_at": None, "is_won": None,
           "expected_close_on": dt.date(2026, 5, 1), "next_step_due_on": dt.date(2026, 5, 1),
           "next_step": "call"}  # fmt: skip
    return row | values


def book(*deals: dict, **tables: list[dict]):
    later = pd.Timestamp("2026-03-20 02:00")
    ended = deal("sound", stage="contract", closed_at=later, is_won=True)
    people = [{"id": "u1", "name": "Ann", "team": "North", "role": "rep"},
              {"id": "u2", "name": "Bo", "team": "South", "role": "rep"}]  # fmt: skip
    accounts = [{"id": "a1", "name": "Alpha", "owner_id": "u1", "created_at": AT, "tax_id": None,
                 "phone": None}]  # fmt: skip
    frames = {"opportunities": [ended, *deals], "users": people, "accounts": accounts, **tables}
    return hand_made(**frames).as_of("2026-04-01")


BROKEN = {
    "no_value": deal("d", amount=0.0),
    "ends_first": deal("d", stage="lost", closed_at=pd.Timestamp("2026-03-01"), is_won=False),
    "date_over": deal("d", expected_close_on=dt.date(2026, 3, 31)),
    "step_over": deal("d", next_step_due_on=dt.date(2026, 3, 31)),
    "unknown_account": deal("d", account_id="nobody"),
    "stage_against_won": deal("d", stage="lost", is_won=True, closed_at=pd.Timestamp("2026-03-20")),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_each_rule_of_deals_finds_the_one_that_breaks_it(rule):
    rows = broken_rules(book(BROKEN[rule])).set_index("rule")["n_wrong"]
    assert rows[rule] == 1
    assert rows.drop(rule).sum() == 0
    assert broken_rules(book(deal("d")))["n_wrong"].sum() == 0


def test_what_is_due_on_the_day_itself_is_not_over():
    rows = broken_rules(book(deal("d", expected_close_on=dt.date(2026, 4, 1))))
    assert rows.set_index("rule")["n_wrong"]["date_over"] == 0


def test_ids_phones_and_addresses_that_can_not_be_ones():
    accounts = [
        {"id": f"a{i}", "name": f"A{i}", "owner_id": "u1", "created_at": AT, "tax_id": tax,
         "phone": phone}
        for i, (tax, phone) in enumerate([("91350100M000100Y43", "021-62881234 转 8"),
                                          ("none", "call me"), (" ", None)], start=1)
    ]  # fmt: skip
    mails = ["a@b.cn", "a.b.cn", None]
    contacts = [{"id": f"c{i}", "account_id": "a1", "name": "X", "email": mail, "phone": None,
                 "created_at": AT} for i, mail in enumerate(mails)]  # fmt: skip
    rows = broken_rules(book(accounts=accounts, contacts=contacts)).set_index("rule")
    assert rows.loc["bad_tax_id", ["n", "n_wrong"]].tolist() == [2, 1]
    assert rows.loc["bad_phone", ["n", "n_wrong"]].tolist() == [2, 1]
    assert rows.loc["bad_mail", ["n", "n_wrong"]].tolist() == [2, 1]


def test_a_contract_that_differs_from_its_deal_or_from_its_instalments():
    signed = {"account_id": "a1", "owner_id": "u1", "signed_on": dt.date(2026, 3, 20)}
    contracts = [{"id": "c1", "opportunity_id": "sound", "amount": 100.5, **signed},
                 {"id": "c2", "opportunity_id": "d", "amount": 120.0, **signed}]  # fmt: skip
    parts = [{"id": f"i{i}", "contract_id": c, "amount": a, "due_on": dt.date(2026, 5, 1)}
             for i, (c, a) in enumerate([("c1", 50.0), ("c1", 50.5), ("c2", 100.0)])]  # fmt: skip
    later = pd.Timestamp("2026-03-20 02:00")
    won = deal("d", stage="contract", closed_at=later, is_won=True)
    rows = broken_rules(book(won, contracts=contracts, instalments=parts)).set_index("rule")
    assert rows.loc["other_amount", ["n", "n_wrong"]].tolist() == [2, 1]
    assert rows.loc["other_sum", ["n", "n_wrong"]].tolist() == [2, 1]


def test_groups_add_up_to_the_whole(sample_book):
    whole = broken_rules(sample_book).set_index("rule")[["n", "n_wrong"]]
    for by in ("team", "month"):
        parts = broken_rules(sample_book, by).groupby("rule")[["n", "n_wrong"]].sum()
        pd.testing.assert_frame_equal(parts.sort_index(), whole.sort_index(), check_dtype=False)
    period = sample_book.period("latest")
    parts = entries(sample_book, period, "team").groupby("rule")[["n", "n_wrong"]].sum()
    whole = entries(sample_book, period).set_index("rule")[["n", "n_wrong"]]
    pd.testing.assert_frame_equal(parts.sort_index(), whole.sort_index(), check_dtype=False)


def test_dates_that_are_over_by_plain_pandas(sample_book):
    rows = broken_rules(sample_book).set_index("rule")
    deals = pd.read_parquet(SAMPLE / "opportunities.parquet")
    mine = deals[deals["closed_at"].isna() & (deals["type"] != "renewal")]
    for rule, column in (("date_over", "expected_close_on"), ("step_over", "next_step_due_on")):
        dated = pd.to_datetime(mine[column].dropna())
        assert rows.loc[rule, "n"] == len(dated)
        assert rows.loc[rule, "n_wrong"] == (dated < "2026-06-20").sum()


def test_the_deals_to_mend_are_ordered_by_value_times_faults():
    small = deal("small", amount=60.0, expected_close_on=None, next_step=" ")
    large = deal("large", amount=100.0, next_step=None)
    fine = deal("fine", amount=900.0)
    found = to_mend(book(small, large, fine), ("expected_close_on", "next_step"))
    assert found["id"].tolist() == ["small", "large"]
    assert found["faults"].tolist() == [
        ("missing_expected_close_on", "missing_next_step"), ("missing_next_step",)
    ]  # fmt: skip
    twice = to_mend(book(fine), (), {"a1"})
    assert twice["faults"].tolist() == [("twice",)]


def test_a_rule_without_its_column_is_left_out_and_named():
    only = hand_made(opportunities=[{"id": "d", "stage": "needs", "created_at": AT}])
    assert set(broken_rules(only)["rule"]) == {"unknown_account"} & set()
    named = {lacking(rule, only) for rule in RULES if rule.table == "opportunities"}
    assert "opportunities.amount" in named
    assert quality.late_logs(only, only.period("latest")).empty
