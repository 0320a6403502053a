"""Each planted problem has its stated size in the tables, measured with plain pandas."""

import pandas as pd
import pytest

from tests.sample.measured import (
    DAY,
    END,
    ZONE,
    check_quantile,
    check_share,
    ended,
    frame,
    log_of,
    owners_at,
    selling,
    three_errors,
    wins,
    working_days,
)

MONTH_25 = pd.Timestamp("2025-07-01")


@pytest.fixture(scope="module")
def deals(planted) -> pd.DataFrame:
    return selling(planted)


@pytest.fixture(scope="module")
def still_open(deals) -> pd.DataFrame:
    return deals[deals["closed_at"].isna()].set_index("id")


@pytest.fixture(scope="module")
def team(planted) -> "pd.Series":
    return frame(planted, "users").set_index("id")["team"]


@pytest.fixture(scope="module")
def silent_since(planted, still_open) -> "pd.Series":
    """Day of the last two-way touch of each open deal, or of its beginning."""
    touches = frame(planted, "activities").query("direction == 'two_way'")
    last = touches.groupby("opportunity_id")["occurred_at"].max().reindex(still_open.index)
    return (last.fillna(still_open["created_at"]) + ZONE).dt.normalize()


def rows(planted, problem: str, table: str = "opportunities") -> set[str]:
    found = planted.truth.rows[problem]
    return set(found.loc[found["table"] == table, "id"])


def test_p1_three_reps_have_no_target_for_four_months(planted):
    own = frame(planted, "targets").query("metric == 'bookings' and level == 'user'")
    users = frame(planted, "users")
    here = users[(users["role"] == "rep") & users["left_on"].isna()]
    settled = here.loc[here["hired_on"] < "2026-01-01", "id"]
    months = {f"2026-{month:02d}" for month in range(1, 7)}
    missing = {who: months - set(own.loc[own["key"] == who, "period"]) for who in settled}
    without = {who: gone for who, gone in missing.items() if gone}
    assert len(without) == 3
    assert all(gone == {"2026-03", "2026-04", "2026-05", "2026-06"} for gone in without.values())
    assert set(without) <= rows(planted, "P1", "users")


def test_p1_one_team_differs_by_one_million_two(planted, team):
    bookings = frame(planted, "targets").query("metric == 'bookings'")
    own = bookings[bookings["level"] == "user"]
    people = own.groupby(["period", own["key"].map(team)])["amount"].sum() / 1.12
    stated = bookings[bookings["level"] == "team"].set_index(["period", "key"])["amount"]
    gap = (stated - people).dropna()
    by_team = gap[gap.abs() > 1].groupby(level="key").sum()
    assert by_team.index.tolist() == ["华东/一组"]
    assert by_team.iloc[0] == pytest.approx(1_200_000, abs=1)
    named = {f"{period}/team/{key}" for period, key in gap[gap.abs() > 1].index}
    assert named <= rows(planted, "P1", "targets")


def test_p2_the_south_west_has_60_per_cent_of_the_potential_and_the_same_quota(planted, deals):
    accounts = frame(planted, "accounts")
    potential = accounts.groupby("region")["potential"]
    poor, rich = potential.get_group("西南"), potential.get_group("华东")
    # Two means, each with its error.
    error = 3 * ((poor.sem() / poor.mean()) ** 2 + (rich.sem() / rich.mean()) ** 2) ** 0.5
    assert poor.mean() / rich.mean() == pytest.approx(0.60, abs=0.60 * error)
    bookings = frame(planted, "targets").query("metric == 'bookings' and level == 'team'")
    year = bookings[bookings["period"].str.startswith("2025")].groupby("key")["amount"].sum()
    assert year["西南/一组"] / 5 == pytest.approx(year["华东/二组"] / 6, rel=0.001)
    people = frame(planted, "users").set_index("id")
    assert set(people.loc[list(rows(planted, "P2", "users")), "region"]) == {"西南"}


def test_p3_14_per_cent_are_never_touched_and_weekends_wait_30_hours(planted):
    leads = frame(planted, "leads")
    old = leads[leads["created_at"] < END - 7 * DAY]
    check_share(old["first_touched_at"].isna(), 0.14)
    assert rows(planted, "P3", "leads") == set(old.loc[old["first_touched_at"].isna(), "id"])
    hours = (old["first_touched_at"] - old["created_at"]) / pd.Timedelta(hours=1)
    weekend = (old["created_at"] + ZONE).dt.dayofweek >= 5
    before = old["created_at"] < MONTH_25
    # A lead is assigned within 25 minutes, and called some time after that.
    check_quantile(hours[weekend].dropna(), 30, slack=0.5)
    check_quantile(hours[~weekend & before].dropna(), 2, slack=0.4)


def test_p4_a_further_18_per_cent_of_open_value_is_silent(planted, still_open, silent_since):
    norm = still_open["stage"].map({"needs": 7}).fillna(5)
    silent = working_days(silent_since, END) > 3 * norm
    dead = still_open.index.isin(rows(planted, "P12"))
    found = still_open.index[silent & ~dead]
    assert set(found) == rows(planted, "P4")
    share = still_open.loc[found, "amount"].sum() / still_open["amount"].sum()
    # Planted to the last deal that fits; what is silent by nature is a few deals more or less.
    assert share == pytest.approx(0.18, abs=0.02)


def test_p5_two_leavers_leave_64_accounts_and_31_deals(planted, deals):
    facts = planted.truth.figures["P5"]
    left = pd.Timestamp(facts["left_on"])
    assert len(facts["leavers"]) == 2
    accounts = owners_at(planted, "accounts", left - ZONE)
    known = frame(planted, "accounts").set_index("id")["created_at"] < left - ZONE
    assert (accounts[known].isin(facts["leavers"])).sum() == 64
    assert set(accounts.index[known & accounts.isin(facts["leavers"])]) == rows(
        planted, "P5", "accounts"
    )
    evening = left + pd.Timedelta(hours=18) - ZONE
    touches = frame(planted, "activities")
    soon = touches[touches["occurred_at"].between(evening, evening + 34 * DAY)]
    theirs = owners_at(planted, "opportunities", left - ZONE).isin(facts["leavers"])
    mine = deals[deals["id"].map(theirs) & (deals["created_at"] < evening)]
    lives = mine["closed_at"].isna() | (mine["closed_at"] > evening + 34 * DAY)
    untouched = mine[lives & ~mine["id"].isin(soon["opportunity_id"])]
    assert len(untouched) == 31
    assert set(untouched["id"]) == rows(planted, "P5")
    # 13 % of so few is a number of deals.
    decided = ended(untouched)
    assert abs(decided["won"].sum() - 0.13 * len(decided)) <= 1


def test_p6_six_in_a_hundred_accounts_are_duplicates_a_fifth_with_two_owners(planted):
    pairs = planted.truth.pairs
    accounts = frame(planted, "accounts").set_index("id")
    real = pairs[pairs["duplicate"]]
    assert len(real) / (len(accounts) - len(real)) == pytest.approx(0.06, abs=0.001)
    owner = accounts["owner_id"]
    differ = real["account"].map(owner).to_numpy() != real["other"].map(owner).to_numpy()
    assert differ.mean() == pytest.approx(0.20, abs=0.005)
    assert (differ == real["two_owners"]).all()
    assert set(real["kind"]) == {"short", "full_width", "subsidiary"}
    alike = pairs[~pairs["duplicate"]]
    assert set(alike["kind"]) == {"look_alike"}
    assert len(alike) > 100
    assert (alike["account"].map(accounts["tax_id"]).to_numpy()
            != alike["other"].map(accounts["tax_id"]).to_numpy()).all()  # fmt: skip


def test_p7_22_per_cent_skip_the_needs_and_are_won_14_per_cent(planted, deals):
    log = log_of(planted, "opportunities", "stage")
    born = log_of(planted, "opportunities", "_row")["entity_id"]
    log = log[log["entity_id"].isin(born) & log["entity_id"].isin(deals["id"])]
    later = log[log["new_value"].isin(["proposal", "negotiation", "legal_review"])]
    beyond = later.groupby("entity_id")["changed_at"].min()
    needs = log[log["new_value"] == "needs"].groupby("entity_id")["changed_at"].min()
    skipped = ~(needs.reindex(beyond.index) < beyond)
    check_share(skipped, 0.22)
    found = set(beyond.index[skipped])
    assert found == rows(planted, "P7")
    check_share(ended(deals[deals["id"].isin(found)])["won"], 0.14)


def test_p8_legal_review_takes_11_days_on_small_deals_and_converts_nothing(planted, deals):
    log = log_of(planted, "opportunities", "stage")
    begun = log[log["new_value"] == "legal_review"].groupby("entity_id")["changed_at"].min()
    reviewed = deals.set_index("id").loc[begun.index]
    reviewed = reviewed[reviewed["closed_at"].notna()]
    days = (reviewed["closed_at"] - begun.reindex(reviewed.index)) / DAY
    small = reviewed["amount"] < 100_000
    assert days[small].median() == pytest.approx(11, abs=0.5)
    assert days[~small].median() < 6
    won, n = reviewed["won"][small].mean(), small.sum()
    others = reviewed["won"][~small].mean()
    error = three_errors(others, n) + three_errors(others, len(small) - n)
    assert won == pytest.approx(others, abs=error)
    assert set(reviewed.index[small]) <= rows(planted, "P8")


def test_p9_45_per_cent_of_edits_come_in_the_last_three_days(planted, team):
    log = planted.tables["changes"].to_pandas()
    edits = log[(log["entity"] == "opportunities") & (log["field"] != "_row")]
    day = edits["changed_at"] + ZONE
    late = (day.dt.days_in_month - day.dt.day) < 3
    assert late.mean() == pytest.approx(0.45, abs=0.01)
    owner = frame(planted, "opportunities").set_index("id")["owner_id"]
    by_team = late.groupby(edits["entity_id"].map(owner).map(team)).mean()
    worst = planted.truth.figures["P9"]["team"]
    assert by_team[worst] == pytest.approx(0.70, abs=0.015)
    assert by_team.drop(worst).max() < 0.45


def test_p10_a_fifth_of_the_open_deals_is_pushed_three_times_and_won_9_per_cent(planted, deals):
    log = log_of(planted, "opportunities", "expected_close_on")
    times = log[log["new_value"] > log["old_value"]].groupby("entity_id").size()
    often = deals[deals["id"].isin(times.index[times >= 3])]
    is_open = deals["closed_at"].isna()
    assert often["closed_at"].isna().sum() / is_open.sum() == pytest.approx(0.20, abs=0.01)
    assert set(often.loc[often["closed_at"].isna(), "id"]) == rows(planted, "P10")
    check_share(ended(often)["won"], 0.09)


def test_p11_two_reps_enter_30_per_cent_of_their_wins_in_the_last_days(planted, deals):
    won = wins(deals)
    fast = won["days"] < 5
    assert set(won.loc[fast, "id"]) == rows(planted, "P11")
    theirs = won["owner_id"].isin(planted.truth.figures["P11"]["reps"])
    assert fast[theirs].sum() == round(0.30 * theirs.sum())
    assert fast[~theirs].mean() < 0.01


def test_p12_dead_deals_hold_a_fifth_of_open_value_and_go_each_january(planted, deals, still_open):
    dead = still_open[still_open.index.isin(rows(planted, "P12"))]
    share = dead["amount"].sum() / still_open["amount"].sum()
    assert share == pytest.approx(0.20, abs=0.015)
    lost = deals[deals["is_won"].eq(False)]
    january = lost[lost["closed"].dt.month == 1].groupby("closed").size()
    bulk = january.groupby(january.index.year).max()
    assert set(bulk.index) == {2024, 2025, 2026}
    usual = lost.groupby("closed").size().median()
    assert (bulk > 10 * usual).all()
    # On that day others are lost as well; of the dead some have not been missed yet.
    assert (bulk.sum() + len(dead)) / len(deals) == pytest.approx(0.05, abs=0.006)


def test_p13_a_quarter_of_the_results_below_a_step_lie_just_above_it(planted, deals):
    own = frame(planted, "targets").query("metric == 'bookings' and level == 'user'")
    quarter = pd.PeriodIndex(own["period"], freq="M").asfreq("Q").astype(str)
    quota = own.groupby([own["key"], quarter])["amount"].sum()
    won = wins(deals)
    got = won.groupby([won["owner_id"], won["closed"].dt.to_period("Q").astype(str)])
    reached = got["amount"].sum() / quota.rename_axis(["owner_id", "closed"])
    facts = planted.truth.figures["P13"]
    assert len(facts["moved"]) == round(0.25 * facts["below"])
    for moved in facts["moved"]:
        just = reached[moved["user"], moved["quarter"]] - moved["cliff"]
        assert 0 <= just < 0.035, moved
    whole = reached[(quota.rename_axis(["owner_id", "closed"]) > 0) & reached.notna()]
    whole = whole[whole.index.get_level_values("closed") < "2026Q2"]
    below = ((whole >= 0.70) & (whole < 0.80)) | ((whole >= 0.90) & (whole < 1.00))
    assert below.sum() == facts["below"] - len(facts["moved"])


def test_p14_two_reps_claim_40_accounts_a_month_and_return_them_untouched(planted):
    users = frame(planted, "users")
    pool = set(users.loc[users["role"] == "pool", "id"])
    log = log_of(planted, "accounts", "owner_id")
    log = log.sort_values(["entity_id", "changed_at", "seq"])
    back = log.groupby("entity_id")[["new_value", "changed_at"]].shift(-1)
    taken = log["old_value"].isin(pool) & back["new_value"].isin(pool)
    claims = log[taken].assign(returned=back.loc[taken, "changed_at"])
    touches = frame(planted, "activities")
    both = claims.merge(touches, left_on="entity_id", right_on="account_id")
    assert not both["occurred_at"].between(both["changed_at"], both["returned"]).any()
    assert set(claims["new_value"]) == set(planted.truth.figures["P14"]["reps"])
    month = (claims["changed_at"] + ZONE).dt.to_period("M")
    whole = month.value_counts().sort_index()["2025-07":"2026-05"]
    assert (whole == 40).all()
    assert set(claims["entity_id"]) == rows(planted, "P14", "accounts")


def test_p15_four_million_are_delivered_and_not_accepted(planted):
    contracts = frame(planted, "contracts")
    late = contracts["delivered_on"] < END - 60 * DAY
    waits = contracts[late & contracts["accepted_on"].isna() & contracts["cancelled_on"].isna()]
    assert waits["amount"].sum() == pytest.approx(4_000_000, rel=0.02)
    assert set(waits["id"]) == rows(planted, "P15", "contracts")


def test_p16_one_source_brings_30_per_cent_of_leads_and_5_of_customers(planted, deals):
    leads = frame(planted, "leads")
    weak = leads["source"] == planted.truth.figures["P16"]["source"]
    check_share(weak, 0.30)
    check_share(weak[leads["opportunity_id"].isin(wins(deals)["id"])], 0.05)


def test_p17_two_teams_turn_an_eighth_of_their_leads_into_deals_from_month_25(planted, team):
    leads = frame(planted, "leads")
    leads = leads[leads["created_at"] < END - 25 * DAY]
    theirs = leads["owner_id"].map(team).isin(planted.truth.figures["P17"]["teams"])
    later = leads["created_at"] + ZONE >= MONTH_25
    became = leads["opportunity_id"].notna()
    check_share(became[theirs & ~later], 0.10)
    check_share(became[theirs & later], 0.125)
    check_share(became[~theirs & later], 0.10)
    hours = (leads["first_touched_at"] - leads["created_at"]) / pd.Timedelta(hours=1)
    worked = (leads["created_at"] + ZONE).dt.dayofweek < 5
    assert hours[theirs & later & worked].median() < 1.2 < hours[theirs & ~later & worked].median()


def test_p18_the_worst_team_gets_a_template_and_comes_back_by_itself(planted, deals, team):
    name = planted.truth.figures["P18"]["team"]
    decided = ended(deals).assign(team=ended(deals)["owner_id"].map(team))
    bad = decided["closed"].between(MONTH_25 - 92 * DAY, MONTH_25 - DAY)
    before = decided[bad].groupby("team")["won"].mean()
    assert before.idxmin() == name
    after = decided[decided["closed"] >= MONTH_25]
    own = after["team"] == name
    # It comes back, to what the others do as well.
    assert after.loc[own, "won"].mean() > before[name] + 0.05
    usual = after.loc[~own, "won"].mean()
    assert after.loc[own, "won"].mean() == pytest.approx(usual, abs=three_errors(usual, own.sum()))
    notes = frame(planted, "actions").set_index("scope")["note"]
    assert "模板" in notes[f"team:{name}"]
