"""Working together, against plain pandas, hand arithmetic and the planted truth."""

import numpy as np
import pandas as pd
import pytest

from salesops.analyses.collaboration import collaboration
from salesops.metrics.collaboration_load import beyond_even, even_shares, replayed
from salesops.metrics.collaboration_ramp import ramp as newcomers
from salesops.wording import language, say_finding

TRUTH = "data/sample/truth/rows.csv"


@pytest.fixture(scope="module")
def result(sample_book):
    return collaboration(sample_book)


@pytest.fixture(scope="module")
def truth():
    return pd.read_csv(TRUTH)


def of(result, code):
    return [finding for finding in result.findings if finding.code == code]


def test_the_two_leavers_of_the_planted_problem_are_found_with_what_they_left(result):
    (left,) = of(result, "diagnosis.left_behind")
    # Planted: two people, 64 customers and 31 deals untouched for 34 days.
    assert left.evidence["n_people"] == 2
    assert left.evidence["n"] == pytest.approx(31, abs=2)
    assert left.evidence["n_accounts"] == pytest.approx(64, abs=3)
    assert left.evidence["days"] == pytest.approx(34, abs=2)


def test_those_two_stand_in_the_list_of_leavers_with_the_money_of_the_finding(result):
    (left,) = of(result, "diagnosis.left_behind")
    names = left.evidence["people"].split(" / ")
    rows = result.stranded.set_index("name").loc[names]
    assert rows["n_open"].sum() == left.evidence["n_open"]
    assert rows["amount"].sum() == pytest.approx(left.evidence["amount"])
    assert rows["n_accounts"].sum() == left.evidence["n_accounts"]


def test_the_two_who_claim_in_vain_are_found_and_the_page_names_only_teams(result):
    claimers = of(result, "diagnosis.empty_claims")
    assert len(claimers) == 2
    claims = result.claims
    assert claims["n_cold"].sum() == sum(f.evidence["n"] for f in claimers)
    # Planted: forty claims a month.
    assert {f.evidence["n"] for f in claimers} <= set(range(200, 281))
    assert set(claims.columns) == {"team", "n", "n_cold", "cold_share"}


def test_leads_of_days_off_that_wait_are_found(result):
    (slow,) = of(result, "diagnosis.weekend_leads")
    assert slow.evidence["hours"] == pytest.approx(30, rel=0.15)


def test_hand_overs_are_counted_from_the_log_alone(result, sample_book):
    log = sample_book.table("changes").to_pandas()
    deals = sample_book.table("opportunities").to_pandas().set_index("id")
    users = sample_book.table("users").to_pandas().set_index("id")
    log = log[(log["entity"] == "opportunities") & (log["field"] == "owner_id")]
    log = log.dropna(subset=["old_value", "new_value"])
    # A day's start in Shanghai is 16:00 of the day before in UTC.
    first = pd.Timestamp(sample_book.date) - pd.Timedelta(days=364, hours=8)
    log = log[(log["changed_at"] >= first) & (log["old_value"] != log["new_value"])]
    log = log[log["new_value"].map(users["role"]) != "pool"]
    ended = log["entity_id"].map(deals["closed_at"])
    live = ended.isna() | (ended > log["changed_at"])
    assert result.handovers.iloc[0]["n"] == live.sum()
    assert result.handovers.iloc[1:]["n"].sum() == live.sum()


def test_newcomers_ramp_as_planted(result, clean_book):
    # Planted: signings ramp 0, 15, 35, 60, 80, 100 %; the ranges of single months hold most of it.
    for ramp in (result.ramp, newcomers(clean_book)):
        by_month = ramp.set_index("month")
        assert by_month.loc[1, "share"] < 0.1
        assert by_month.loc[2, "share"] < 0.25
        shares = by_month["share"]
        assert shares[1] < shares[3] < shares[5]
        later = by_month.loc[7:12]
        assert later["n_won"].sum() / later["even"].sum() == pytest.approx(1.0, abs=0.15)


def test_wins_of_newcomers_are_those_of_plain_pandas(result, sample_book):
    users = sample_book.table("users").to_pandas()
    hired = pd.to_datetime(users[users["role"] == "rep"].set_index("id")["hired_on"])
    deals = sample_book.attributed("opportunities").to_pandas()
    won = deals[(deals["is_won"] == True) & (deals["type"] != "renewal")]  # noqa: E712 - null is neither
    day = won["closed_at"] + pd.Timedelta(hours=8)
    start = won["event_owner_id"].map(hired)
    month = (day.dt.year - start.dt.year) * 12 + day.dt.month - start.dt.month + 1
    first = pd.Period(day.min(), "M")
    counted = month[(month >= 1) & (month <= 12) & (day.dt.to_period("M") >= first)]
    expected = counted.value_counts().reindex(range(1, 13), fill_value=0)
    assert result.ramp.set_index("month")["n_won"].to_dict() == expected.to_dict()


def day(text):
    return pd.Timestamp(text)


def test_an_even_share_counts_only_those_who_were_there():
    people = pd.DataFrame({
        "person": ["a", "b"], "team": ["N", "N"], "hired_on": [pd.NaT, day("2026-03-03")],
        "left_on": [pd.NaT, pd.NaT],
    })  # fmt: skip
    leads = pd.DataFrame({
        "person": ["a", "a", "b", "b", "b"],
        "day": [day("2026-03-02")] * 2 + [day("2026-03-03")] * 3,
    })  # fmt: skip
    shares = even_shares(leads, people).set_index("person")
    # Two leads of the day on which a was alone, half of three on the next.
    assert shares.loc["a", "expected"] == 2 + 3 / 2
    assert shares.loc["b", "expected"] == 3 / 2
    assert shares.loc["b", "times"] == 3 / (3 / 2)


def test_one_of_five_with_half_of_all_leads_stands_out_and_chance_does_not():
    people = pd.DataFrame({"person": list("abcde"), "team": "N", "hired_on": pd.NaT,
                           "left_on": pd.NaT})  # fmt: skip
    people[["hired_on", "left_on"]] = people[["hired_on", "left_on"]].astype("datetime64[ns]")
    crowd = pd.DataFrame({"person": ["a"] * 200 + list("bcde") * 50, "day": day("2026-03-02")})
    (uneven,) = beyond_even(even_shares(crowd, people)).to_dict("records")
    assert uneven["most_times"] == 200 / (400 / 5)
    assert uneven["p"] < 1e-6
    drawn = np.random.default_rng(5).choice(list("abcde"), 400)
    chance = pd.DataFrame({"person": drawn, "day": day("2026-03-02")})
    (even,) = beyond_even(even_shares(chance, people)).to_dict("records")
    assert even["p"] > 0.05


def test_under_five_people_nothing_is_compared():
    people = pd.DataFrame({"person": list("abcd"), "team": "N",
                           "hired_on": pd.Series([pd.NaT] * 4, dtype="datetime64[ns]"),
                           "left_on": pd.Series([pd.NaT] * 4, dtype="datetime64[ns]")})  # fmt: skip
    leads = pd.DataFrame({"person": ["a"] * 400 + list("bcd") * 5, "day": day("2026-03-02")})
    assert beyond_even(even_shares(leads, people)).empty


def test_replaying_in_turn_and_by_what_waits_is_worked_by_hand():
    people = pd.DataFrame({"person": ["a", "b"], "team": "N",
                           "hired_on": pd.Series([pd.NaT] * 2, dtype="datetime64[ns]"),
                           "left_on": pd.Series([pd.NaT] * 2, dtype="datetime64[ns]")})  # fmt: skip
    at = [day("2026-03-02 09:00"), day("2026-03-02 10:00"), day("2026-03-02 11:00")]
    leads = pd.DataFrame({
        "id": ["1", "2", "3"], "person": ["a", "a", "a"], "day": day("2026-03-02"),
        "created_at": at, "answered_at": [day("2026-03-02 12:00")] * 3,
    })  # fmt: skip
    rows = replayed(leads, people).set_index("rule")
    # As it was: 0, 1 and 2 waited with a. In turn a, b, a: 0, 0 and 1.
    assert rows.loc["as_was", "ahead"] == (0 + 1 + 2) / 3
    assert rows.loc["in_turn", "ahead"] == (0 + 0 + 1) / 3
    assert rows.loc["in_turn", "moved_share"] == 1 / 3
    assert rows.loc["as_was", "crowded_share"] == 1 / 3
    assert rows.loc["least_waiting", "crowded_share"] == 0


def test_the_first_answer_is_kept_as_the_metric_says(result, sample_book):
    leads = sample_book.table("leads").to_pandas()
    first = pd.Timestamp(sample_book.date) - pd.Timedelta(days=364, hours=8)
    leads = leads[leads["created_at"] >= first]
    age = pd.Timestamp(sample_book.instant) - leads["assigned_at"]
    old = leads[age >= pd.Timedelta(hours=24)]
    row = result.levels.set_index("what").loc["first_response"]
    assert row["n"] == pytest.approx(len(old), abs=2)
    quick = (old["first_touched_at"] - old["assigned_at"]) <= pd.Timedelta(hours=24)
    assert row["kept_share"] == pytest.approx(quick.mean(), abs=0.005)


def test_a_promise_that_nobody_records_has_no_share(result):
    row = result.levels.set_index("what").loc["delivery_start"]
    assert np.isnan(row["kept_share"])
    assert row["reason"] == "not_recorded"


def test_the_one_duty_for_which_nobody_answers_is_named(result):
    # In the settings delivery has R, C and I, and no A.
    assert result.gaps_raci[["duty", "gap"]].values.tolist() == [["delivery", "no_a"]]


def test_a_team_sees_its_own_and_no_name_from_elsewhere(sample_book):
    team = sample_book.scope(team="华南/一组")
    mine = set(team.people()["name"])
    result = collaboration(team)
    assert set(result.load["team"]) == {"华南/一组"}
    for frame, column in ((result.waiting, "owner"), (result.stranded, "name"),
                          (result.held, "owner")):  # fmt: skip
        if len(frame):
            assert set(frame[column]) <= mine | {"another_team"}


def test_without_a_log_the_page_still_says_five_things(small_book):
    result = collaboration(small_book)
    assert result.findings == ()
    assert len(result.exhibits) == 5
    assert {gap.what for gap in result.gaps} >= {"what.handovers", "what.stranded"}
    for lang in ("zh", "en"):
        with language(lang):
            for exhibit in result.exhibits.values():
                assert exhibit.title.text()
                assert exhibit.html()


def test_so_early_that_nobody_is_in_the_sixth_month_the_duties_stand_without_a_ramp(sample_book):
    result = collaboration(sample_book.as_of("2023-07-15"))
    assert result.metrics["ramp_n"] is None
    assert result.exhibits["raci"].draw is None
    assert result.exhibits["raci"].html()


def test_each_finding_has_an_action_and_says_who_does_it(result):
    for lang in ("zh", "en"):
        with language(lang):
            said = [say_finding(finding) for finding in result.findings]
            assert all(words.action and words.do and words.owner for words in said)
