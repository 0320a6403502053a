"""What a practitioner would stumble over does not happen in a generated company."""

import pandas as pd
import pytest

from salesops.sample.generate import SampleCompany
from tests.sample.measured import DAY, END, ZONE, check_share, frame, selling


@pytest.fixture(scope="module", params=["clean", "planted"])
def made(request) -> SampleCompany:
    return request.getfixturevalue(request.param)


def test_no_two_companies_bear_one_name(made):
    accounts = frame(made, "accounts").set_index("id")
    labelled = set(made.truth.pairs["other"])
    assert not accounts.loc[~accounts.index.isin(labelled), "name"].duplicated().any()


def test_deals_begin_on_all_weekdays_alike(made):
    deals = selling(made)
    begun = (deals["created_at"] + ZONE).dt.dayofweek
    weekdays = begun[begun < 5]
    assert len(weekdays) > 0.95 * len(begun), "make-up days of holidays are few"
    for day in range(5):
        # Holidays of whole weeks take about as much from each.
        assert (weekdays == day).mean() == pytest.approx(1 / 5, abs=0.025)


def test_only_customers_buy_more(made):
    deals = selling(made)
    since = deals["account_id"].map(frame(made, "accounts").set_index("id")["customer_since"])
    more = deals["type"] == "expansion"
    known = since <= (deals["created_at"] + ZONE).dt.normalize()
    # A deal may come on the day on which the first contract is signed, or be entered twice.
    assert known[more].mean() > 0.97


def test_nobody_acts_before_coming_or_after_leaving(made):
    users = frame(made, "users").set_index("id")
    touches = frame(made, "activities")
    at = touches["occurred_at"] + ZONE
    assert not (at < touches["user_id"].map(users["hired_on"])).any()
    assert not (at > touches["user_id"].map(users["left_on"]) + DAY).any()
    deals = frame(made, "opportunities")
    is_open = deals["closed_at"].isna()
    assert deals.loc[is_open, "owner_id"].map(users["left_on"]).isna().all()
    assert frame(made, "accounts")["owner_id"].map(users["left_on"]).isna().all()


def test_nobody_pays_before_what_the_payment_is_for(made):
    dues, receipts = frame(made, "instalments"), frame(made, "receipts")
    contracts = frame(made, "contracts").set_index("id")
    first = dues["id"].map(receipts.groupby("instalment_id")["received_on"].min())
    for trigger, event in (
        ("signing", "signed_on"), ("delivery", "delivered_on"), ("acceptance", "accepted_on"),
        ("retention", "accepted_on"),
    ):  # fmt: skip
        mine = dues["trigger"] == trigger
        day = dues.loc[mine, "contract_id"].map(contracts[event])
        # What arrives on a holiday is booked on the working day before.
        assert not (first[mine] < day - 10 * DAY).any(), trigger
    known = contracts[contracts["cancelled_on"].isna()]
    agreed = dues.groupby("contract_id")["amount"].sum().reindex(known.index)
    assert (agreed - known["amount"]).abs().max() < 0.01


def test_losses_have_reasons_whatever_turned_them(made):
    lost = selling(made).query("is_won == False")
    check_share(lost["lost_reason"].isna(), 0.22)


def test_won_deals_and_contracts_tell_the_same(made):
    deals = selling(made)
    won = deals[deals["won"]].set_index("id")
    contracts = frame(made, "contracts").dropna(subset="opportunity_id")
    of = contracts.set_index("opportunity_id").loc[won.index]
    assert (of["amount"] == won["amount"]).all()
    assert (of["signed_on"] == won["closed"]).all()
    assert won["closed"].max() <= END
    assert pd.Index(contracts["opportunity_id"]).is_unique
