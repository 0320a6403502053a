"""Deals of the clean company have the outcome, size, length and season that its page states."""

import numpy as np
import pandas as pd
import pytest

from tests.sample.measured import (
    END,
    LEADS,
    check_mean,
    check_quantile,
    check_ratio,
    check_share,
    ended,
    frame,
    last_five_working_days,
    many,
    selling,
    three_errors,
    wins,
)

WHOLE_YEARS = (2022, 2023, 2024, 2025)


@pytest.fixture(scope="module")
def deals(cleans) -> pd.DataFrame:
    return many(cleans, selling)


@pytest.fixture(scope="module")
def won(deals) -> pd.DataFrame:
    return wins(deals)


def test_nine_in_ten_are_decided_and_a_quarter_of_those_won(deals):
    over = deals[deals["closed_at"].notna()]
    check_share(over["is_won"].notna(), 0.90)
    check_share(ended(deals)["won"], 0.25)


def test_the_win_rate_by_value_is_22_per_cent(deals):
    decided = ended(deals)
    check_ratio(decided["amount"].where(decided["won"], 0.0), decided["amount"], 0.22)


def test_deals_come_from_where_they_should(deals):
    source = deals["source"]
    check_share(source.isin(LEADS), 0.45)
    check_share(source == "自拓", 0.30)
    check_share(source.isin(["老客户", "转介绍"]), 0.15)
    check_share(source == "渠道伙伴", 0.10)


def test_sizes_have_the_stated_median_mean_and_top_tenth(deals, won):
    # Those that begin in the time that is shown: of the open ones at its start the long ones are
    # left, and the large ones are long.
    amount = deals.loc[deals["created_at"] >= "2021-07-01", "amount"]
    check_quantile(amount, 140_000)
    check_mean(amount, 256_000)
    check_mean(won["amount"], 220_000)
    top = amount[amount >= amount.quantile(0.9)].sum() / amount.sum()
    # The top tenth of a lognormal with that mean and median: its share is N(sigma - z(0.9)), with
    # sigma² = 2 ln(256/140); its error is that of the sum of the tenth.
    error = 3 * amount.nlargest(len(amount) // 10).std() * np.sqrt(len(amount) / 10) / amount.sum()
    assert top == pytest.approx(0.43, abs=float(error))


def test_bookings_are_98_million_a_year(won):
    years = won[won["closed"].dt.year.isin(WHOLE_YEARS)].groupby(["company", won["closed"].dt.year])
    check_mean(years["amount"].sum(), 98_000_000)


def test_won_deals_take_75_days_and_a_tenth_of_them_more_than_190(deals, won):
    check_quantile(won["days"], 75, slack=0.5)
    check_quantile(won["days"], 190, share=0.9, slack=0.5)
    check_quantile(won.loc[won["amount"] > 800_000, "days"], 150, slack=0.5)
    check_quantile(won.loc[won["source"] == "老客户", "days"], 30, slack=0.5)
    lost = deals[deals["is_won"].eq(False)]
    check_quantile(lost["days"], 50, slack=0.5)


def test_of_the_reasons_for_losses_two_in_five_say_nothing_or_the_price(deals):
    lost = deals[deals["is_won"].eq(False)]
    check_share(lost["lost_reason"].isna() | (lost["lost_reason"] == "价格"), 0.40)


SEASON = dict(zip(range(1, 13), (5, 3, 8, 6, 7, 11, 6, 6, 10, 6, 10, 22), strict=True))


def test_the_year_is_signed_by_the_stated_season(won):
    whole = won[won["closed"].dt.year.isin(WHOLE_YEARS)]
    share = whole.groupby(whole["closed"].dt.month).size() / len(whole)
    for month in range(4, 13):
        wanted = SEASON[month] / 100
        assert share[month] == pytest.approx(wanted, abs=three_errors(wanted, len(whole))), month
    # The festival moves within the first three months; together they keep their share.
    assert share.loc[1:3].sum() == pytest.approx(0.16, abs=three_errors(0.16, len(whole)))


def test_with_the_festival_in_february_the_first_months_are_as_stated(won):
    # In 2026 the new year is on 17 February; what is signed in the first quarter is 16 % of a year.
    early = won[(won["closed"] >= "2026-01-01") & (won["closed"] < "2026-04-01")]
    for month in (1, 2, 3):
        here = early["closed"].dt.month == month
        wanted = SEASON[month] / 16
        assert here.mean() == pytest.approx(wanted, abs=three_errors(wanted, len(early))), month


FESTIVALS = ("2022-02-01", "2023-01-22", "2024-02-10", "2025-01-29", "2026-02-17")


def test_two_weeks_of_the_festival_sign_nothing_and_three_a_fifth(won):
    fifth = 0
    for day in FESTIVALS:
        since = (won["closed"] - pd.Timestamp(day)).dt.days
        assert not since.between(-2, 11).any(), day
        fifth += (since.between(-9, -3) | since.between(12, 25)).sum()
    span = (END - pd.Timestamp("2021-07-01")).days / 7
    usual = len(won) / span * 3 * len(FESTIVALS)
    assert fifth / usual == pytest.approx(0.2, abs=3 * np.sqrt(fifth) / usual)


def test_half_of_a_month_is_signed_in_its_last_five_working_days(won):
    whole = won[won["closed"] < "2026-06-01"]
    late = whole["closed"].isin(last_five_working_days("2021-07-01", "2026-05-31"))
    month = whole["closed"].dt.month
    # In January to March the festival may lie on the end of a month.
    check_share(late[~month.isin([1, 2, 3, 6, 9, 12])], 0.50)
    check_share(late[month.isin([6, 9, 12])], 0.65)


def test_discounts_are_12_per_cent_and_19_at_the_end_of_a_quarter(cleans, won):
    quotes = many(cleans, lambda made: frame(made, "quotes"))
    signed = quotes[quotes["accepted_at"].notna()].merge(
        won[["company", "id", "closed"]],
        left_on=["company", "opportunity_id"], right_on=["company", "id"],
    )  # fmt: skip
    last_week = signed["closed"] + pd.Timedelta(days=8)
    at_end = last_week.dt.to_period("Q") != signed["closed"].dt.to_period("Q")
    check_quantile(signed.loc[~at_end, "discount"], 0.12, slack=0.001)
    check_quantile(signed.loc[at_end, "discount"], 0.19, slack=0.001)


def test_it_is_not_perfect_but_within_the_norms(clean):
    figures = clean.truth.figures
    assert 0 < figures["P7"]["share"] < 0.03
    n_open = selling(clean)["closed_at"].isna().sum()
    assert 0 < len(clean.truth.rows["P4"]) < 0.03 * n_open
    assert 0 < figures["P3"]["untouched_share"] < 0.05
    touches = frame(clean, "activities")
    late = (touches["logged_at"] - touches["occurred_at"]) > pd.Timedelta(hours=24)
    assert 0.02 < late.mean() < 0.15
    pushes = clean.tables["changes"].to_pandas()
    pushes = pushes[pushes["field"] == "expected_close_on"]
    later = pushes[pushes["new_value"] > pushes["old_value"]].groupby("entity_id").size()
    assert (later == 1).sum() > 100
    assert figures["P10"]["share_of_open"] < 0.05
