"""Money, renewals and service of the clean company are as its page states."""

import numpy as np
import pandas as pd
import pytest

from tests.sample.measured import (
    END,
    check_mean,
    check_quantile,
    check_ratio,
    check_share,
    frame,
    many,
)

RECURRING = ("subscription", "maintenance")


@pytest.fixture(scope="module")
def contracts(cleans) -> pd.DataFrame:
    def read(made):
        rows, lines = frame(made, "contracts"), frame(made, "contract_lines")
        of = lines.groupby("contract_id")
        rows["recurring"] = rows["id"].map(
            lines[lines["kind"].isin(RECURRING)].groupby("contract_id")["amount"].sum()
        ).fillna(0.0)  # fmt: skip
        main = lines.sort_values("amount").groupby("contract_id")["kind"].last()
        rows["main"], rows["n_lines"] = rows["id"].map(main), rows["id"].map(of.size())
        names = frame(made, "accounts").set_index("id")
        rows["account"] = rows["account_id"].map(names["name"])
        return rows

    return many(cleans, read)


@pytest.fixture(scope="module")
def dues(cleans, contracts) -> pd.DataFrame:
    def read(made):
        rows, paid = frame(made, "instalments"), frame(made, "receipts")
        # Money that names no instalment can't be laid to one here.
        rows = rows[
            ~rows["contract_id"].isin(paid.loc[paid["instalment_id"].isna(), "contract_id"])
        ]
        paid = paid.dropna(subset="instalment_id").copy()
        paid["due"] = paid["instalment_id"].map(rows.set_index("id")["original_due_on"])
        in_time = paid[paid["received_on"] <= paid["due"]].groupby("instalment_id")["amount"].sum()
        rows["in_time"] = rows["id"].map(in_time).fillna(0.0)
        rows["paid_on"] = rows["id"].map(paid.groupby("instalment_id")["received_on"].min())
        rows["late"] = (rows["paid_on"].fillna(END) - rows["original_due_on"]).dt.days
        return rows

    found = many(cleans, read)
    of = contracts.set_index(["company", "id"])
    keys = pd.MultiIndex.from_frame(found[["company", "contract_id"]])
    for column in ("amount", "main", "account", "accepted_on", "signed_on"):
        name = "contract_amount" if column == "amount" else column
        found[name] = of[column].reindex(keys).to_numpy()
    found["share"] = found["amount"] / found["contract_amount"]
    return found


TERMS = {
    "licence": {"signing": 0.30, "acceptance": 0.60, "retention": 0.10},
    "hardware": {"signing": 0.30, "delivery": 0.30, "acceptance": 0.30, "retention": 0.10},
    "subscription": {"signing": 1.0},
}


@pytest.mark.parametrize("kind", TERMS)
def test_each_product_is_paid_by_its_terms(dues, kind):
    mine = dues[(dues["main"] == kind) & (dues["contract_amount"] >= 50_000)]
    shares = mine.groupby("trigger")["share"]
    assert set(shares.groups) == set(TERMS[kind])
    for trigger, stated in TERMS[kind].items():
        assert np.allclose(shares.get_group(trigger), stated, atol=1e-5), trigger


def test_small_contracts_are_paid_in_advance(dues):
    small = dues[dues["contract_amount"] < 50_000]
    assert len(small) > 500
    assert (small["trigger"] == "signing").all()
    assert np.allclose(small["share"], 1)


def test_retention_money_is_due_twelve_months_after_acceptance(dues):
    kept = dues[(dues["trigger"] == "retention") & dues["accepted_on"].notna()]
    assert set((kept["original_due_on"] - kept["accepted_on"]).dt.days) == {365}


def test_four_fifths_are_collected_when_due_and_4_per_cent_half_a_year_late(dues):
    old = dues[dues["original_due_on"] < END - pd.Timedelta(days=540)]
    check_ratio(old["in_time"], old["amount"], 0.80)
    check_share(old["in_time"] >= old["amount"] - 0.01, 0.80)
    check_share(old["late"] > 180, 0.04)


def test_what_is_late_is_25_days_late_and_with_public_bodies_70(dues):
    old = dues[dues["original_due_on"] < END - pd.Timedelta(days=540)]
    late = old[old["late"] > 0]
    public = late["account"].str.contains("国营") | late["account"].str.endswith("医院")
    check_quantile(late["late"], 25, slack=1)
    check_quantile(late.loc[public, "late"], 70, slack=1)


def test_cash_peaks_in_december_and_january(cleans):
    receipts = many(cleans, lambda made: frame(made, "receipts"))
    whole = receipts[receipts["received_on"].dt.year.isin([2022, 2023, 2024, 2025])]
    by_month = whole.groupby(whole["received_on"].dt.month)["amount"].sum().sort_values()
    assert set(by_month.index[-2:]) == {12, 1}


def test_three_quarters_renew_and_82_per_cent_of_the_value(contracts):
    known = contracts["cancelled_on"].isna() & (contracts["recurring"] > 0)
    in_time = (contracts["ends_on"] >= "2021-07-21") & (contracts["ends_on"] <= "2026-03-20")
    due = contracts[known & in_time]
    renewed = due["renewed_by"].notna()
    check_share(renewed, 0.74)
    check_ratio(due["recurring"].where(renewed, 0.0), due["recurring"], 0.82)


def test_net_retention_is_98_to_103_per_cent(contracts):
    """Recurring value a year later of the accounts that had some, each customer its own draw."""
    parts = []
    for day in pd.to_datetime(["2023-03-31", "2024-03-31", "2025-03-31", "2026-03-31"]):
        then, now = (_recurring(contracts, at) for at in (day - pd.DateOffset(years=1), day))
        parts.append(pd.DataFrame({"then": then, "now": now.reindex(then.index).fillna(0.0)}))
    both = pd.concat(parts)
    check_ratio(both["now"], both["then"], (0.98 + 1.03) / 2, slack=0.025)


def _recurring(contracts: pd.DataFrame, at: pd.Timestamp) -> "pd.Series":
    runs = (contracts["starts_on"] <= at) & (contracts["ends_on"] >= at)
    runs &= contracts["cancelled_on"].isna() | (contracts["cancelled_on"] > at)
    rows = contracts[runs & (contracts["recurring"] > 0)]
    return rows.groupby(["company", "account_id"])["recurring"].sum()


def test_each_customer_opens_three_tickets_in_ten_months(cleans, contracts):
    tickets = many(cleans, lambda made: frame(made, "tickets"))
    since = contracts.groupby(["company", "account_id"])["delivered_on"].min().dropna()
    months = (END - since.clip(lower=pd.Timestamp("2021-07-01"))).dt.days.sum() / 30.4375
    assert len(tickets) / months == pytest.approx(0.30, abs=3 * np.sqrt(len(tickets)) / months)
    answered = tickets[tickets["closed_at"].notna()]["csat"]
    check_share(answered.notna(), 0.18)
    check_mean(answered.dropna().astype(float), 4.3)


def test_what_waits_for_an_acceptance_has_no_due_date(planted):
    contracts, dues = frame(planted, "contracts"), frame(planted, "instalments")
    waiting = contracts.loc[contracts["accepted_on"].isna(), "id"]
    unplanned = dues["original_due_on"].isna()
    assert unplanned.any()
    assert set(dues.loc[unplanned, "contract_id"]) <= set(waiting)
    assert set(dues.loc[unplanned, "trigger"]) == {"acceptance", "retention"}
    assert dues["original_due_on"].min() > pd.Timestamp("2023-01-01")
