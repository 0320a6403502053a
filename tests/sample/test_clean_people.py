"""People, targets, leads and volumes of the clean company are as its page states."""

import pandas as pd
import pytest

from salesops.sample.draws import NONE, Draws
from salesops.sample.generate import generate
from salesops.sample.options import SampleOptions
from salesops.sample.people import TEAMS, hire
from salesops.sample.timeline import Timeline
from tests.sample.measured import END, check_share, frame, many, selling, wins

START = pd.Timestamp("2021-07-01")


@pytest.fixture(scope="module")
def reps(cleans) -> pd.DataFrame:
    users = many(cleans, lambda made: frame(made, "users"))
    return users[users["role"] == "rep"]


def test_the_company_has_its_people(clean):
    users = frame(clean, "users")
    here = users[users["left_on"].isna()]["role"].value_counts()
    stated = {"lead": 5, "sdr": 4, "presales": 6, "cs": 3, "legal": 2, "finance": 2, "ops": 2,
              "pool": 1}  # fmt: skip
    assert {role: here[role] for role in stated} == stated
    # Of 30 quota seats a few are empty on any day.
    assert 24 <= here["rep"] <= 30
    teams = {"华东/一组", "华东/二组", "华南/一组", "华北/一组", "西南/一组"}
    assert set(users.loc[users["role"] == "rep", "team"]) == teams


def test_28_in_a_hundred_leave_each_year_and_nearly_half_of_them_in_the_first_quarter():
    # Whole calendar years of many companies: who was there, in years, and who left.
    first, last = pd.Timestamp("2022-01-01"), pd.Timestamp("2026-01-01")
    parts = [_people(seed) for seed in range(40)]
    people = pd.concat(parts, ignore_index=True)
    until = people["left"].fillna(last).clip(first, last)
    years = (until - people["hired"].clip(first, last)).dt.days.clip(lower=0).sum() / 365.25
    left = people[(people["left"] >= first) & (people["left"] < last)]
    assert len(left) > 1_000
    assert len(left) / years == pytest.approx(0.28, abs=3 * len(left) ** 0.5 / years)
    check_share(left["left"].dt.quarter == 1, 0.45)


def _people(seed: int) -> pd.DataFrame:
    line = Timeline.of(END.date(), 60, "normal")
    users = hire(Draws(seed, 0, "people"), line, TEAMS)
    users = users[users["role"] == "rep"]
    went = users["left"] != NONE
    # Of whole numbers: pandas now and then overflows on the gaps of floating ones.
    left = pd.to_datetime(users["left"].where(went, 0).astype("int64"), unit="D").where(went)
    return pd.DataFrame({"hired": pd.to_datetime(users["hired"], unit="D"), "left": left})


RAMP = (0, 0.15, 0.35, 0.60, 0.80, 1.00)


def test_new_people_ramp_up_over_six_months(cleans, reps):
    won = many(cleans, lambda made: wins(selling(made)))
    stayed = reps["left_on"].isna() | (reps["left_on"] - reps["hired_on"] > pd.Timedelta(days=360))
    young = reps[stayed & (reps["hired_on"] > START) & (reps["hired_on"] < "2025-06-01")]
    assert len(young) > 60
    both = won.merge(young[["company", "id", "hired_on"]],
                     left_on=["company", "owner_id"], right_on=["company", "id"])  # fmt: skip
    month = (both["closed"] - both["hired_on"]).dt.days // 30
    assert (month >= 0).all(), "nobody wins before they are hired"
    count = month.value_counts().reindex(range(12)).fillna(0)
    settled = count.loc[6:].mean()
    for number, share in enumerate(RAMP):
        # Beside counting error: signings follow the season, and people begin in some months more.
        error = 3 * max(share * settled, 1) ** 0.5 / settled + 0.10
        assert count[number] / settled == pytest.approx(share, abs=error), number


def test_targets_add_up_from_people_to_the_company(clean):
    targets = frame(clean, "targets")
    bookings = targets[(targets["metric"] == "bookings") & (targets["period"] <= "2026-06")]
    people = frame(clean, "users").set_index("id")["team"]
    for period, rows in bookings.groupby("period"):
        by = {level: part.set_index("key")["amount"] for level, part in rows.groupby("level")}
        assert by["team"].sum() == by["region"].sum() == by["company"].sum(), period
        own = by["user"].groupby(by["user"].index.map(people)).sum()
        for team, amount in by["team"].items():
            assert own[team] / amount == pytest.approx(1.12, abs=0.001), (period, team)
    year = bookings[(bookings["level"] == "company") & bookings["period"].str.startswith("2025")]
    assert year["amount"].sum() == pytest.approx(102_000_000, rel=0.002)


def test_a_third_of_the_reps_reach_their_year_and_a_quarter_less_than_half(cleans):
    def read(made):
        own = frame(made, "targets").query("metric == 'bookings' and level == 'user'")
        own = own.assign(year=own["period"].str[:4])
        quota = own.groupby(["key", "year"])["amount"].agg(["sum", "size"])
        won = wins(selling(made))
        got = won.groupby(["owner_id", won["closed"].dt.year.astype(str)])["amount"].sum()
        quota["got"] = got.reindex(quota.index).fillna(0.0).to_numpy()
        quota = quota[(quota["size"] == 12) & (quota.index.get_level_values("year") < "2026")]
        return (quota["got"] / quota["sum"]).rename("reached").to_frame()

    reached = many(cleans, read)["reached"]
    check_share(reached >= 1, 0.35)
    check_share(reached < 0.5, 0.25)


def test_a_tenth_of_the_leads_become_deals_and_two_in_a_hundred_customers(cleans):
    def read(made):
        leads = frame(made, "leads")
        won = wins(selling(made))["id"]
        return leads.assign(customer=leads["opportunity_id"].isin(won))

    leads = many(cleans, read)
    old = leads[leads["created_at"] < END - pd.Timedelta(days=400)]
    check_share(old["opportunity_id"].notna(), 0.10)
    # 10 % become deals, of which 90 % are decided and a quarter won: 2 % in whole per cent.
    check_share(old["customer"], 0.10 * 0.90 * 0.25)


def test_each_team_turns_the_same_share_of_its_leads_into_deals(cleans):
    def read(made):
        return frame(made, "leads").assign(
            team=lambda rows: rows["owner_id"].map(frame(made, "users").set_index("id")["team"])
        )

    leads = many(cleans, read)
    old = leads[leads["created_at"] < END - pd.Timedelta(days=30)]
    for _team, rows in old.groupby("team"):
        check_share(rows["opportunity_id"].notna(), 0.10)


def test_three_years_have_the_stated_volumes(clean):
    months = (END - pd.Timestamp("2023-07-01")).days / 30.4375
    deals, leads = selling(clean), frame(clean, "leads")
    begun = deals[deals["created_at"] >= "2023-07-01"]
    assert len(begun) / months == pytest.approx(165, abs=3 * len(begun) ** 0.5 / months)
    assert len(leads) / months == pytest.approx(740, abs=3 * len(leads) ** 0.5 / months)
    # "About", of what is in the tables on the last day.
    accounts = frame(clean, "accounts")
    assert len(deals) == pytest.approx(6_000, rel=0.10)
    assert len(leads) == pytest.approx(27_000, rel=0.10)
    assert len(accounts) == pytest.approx(4_800, rel=0.10)
    assert accounts["customer_since"].notna().sum() == pytest.approx(1_200, rel=0.10)
    assert clean.tables["activities"].num_rows == pytest.approx(135_000, rel=0.10)


def test_a_rep_logs_five_activities_a_day(cleans):
    for made in cleans:
        users = frame(made, "users")
        reps = users[users["role"] == "rep"]
        touches = frame(made, "activities")
        own = touches[touches["user_id"].isin(reps["id"])]["occurred_at"]
        weekdays = pd.Series(pd.bdate_range("2022-01-01", "2025-12-31"))
        heads = [((reps["hired_on"] <= day) & ~(reps["left_on"] <= day)).sum() for day in weekdays]
        # 250 of a year's 261 weekdays are worked.
        a_day = own.between("2022-01-01", "2026-01-01").sum() / (sum(heads) * 250 / 261)
        assert round(a_day) == 5


def test_a_strong_season_signs_nearly_two_thirds_at_three_quarter_ends():
    strong = generate(SampleOptions(clean=True, months=60, season="strong"))
    won = wins(selling(strong))
    whole = won[won["closed"].dt.year.isin([2022, 2023, 2024, 2025])]
    check_share(whole["closed"].dt.month.isin([6, 9, 12]), 0.18 + 0.16 + 0.30)
    assert all(not figures.get("reps") for figures in strong.truth.figures.values())
