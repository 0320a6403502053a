"""Silence, forgotten leads, what leavers left behind, and records of nobody, as planted."""

import datetime as dt
import math

import pandas as pd
import pytest
from scipy.stats import binom

from salesops.checks import answers, followup, leavers
from salesops.checks.judged import examine
from salesops.checks.looks import Gain, gain_of_deals, gain_of_looks, looks
from tests.checks.found import (
    OTHER_SEEDS,
    SAMPLE,
    agreement,
    clean_company,
    hand_made,
    judge,
    look,
    only,
    permuted,
)

SILENT, NO_OWNER, NO_CONTACT = followup.CHECKS
UNTOUCHED, WEEKEND = answers.CHECKS
(LEFT_BEHIND,) = leavers.CHECKS
ALL = (*followup.CHECKS, *answers.CHECKS, *leavers.CHECKS)
END = pd.Timestamp("2026-06-20")


def sample_frame(name: str) -> pd.DataFrame:
    path = SAMPLE / f"{name}.parquet"
    return pd.read_parquet(path) if path.exists() else pd.read_csv(SAMPLE / f"{name}.csv")


def local_days(instants: pd.Series) -> pd.Series:
    return (pd.to_datetime(instants) + pd.Timedelta(hours=8)).dt.normalize()


@pytest.fixture(scope="module")
def judged(sample_book):
    return judge(sample_book, *ALL)


def test_every_planted_neglect_is_found(judged):
    assert set(judged.check_of) == {"silent_deals", "untouched_leads", "weekend_leads",
                                    "left_behind"}  # fmt: skip


def test_a_clean_company_neglects_nothing(clean_book):
    assert judge(clean_book, *ALL).held == ()


@pytest.mark.parametrize("seed", OTHER_SEEDS)
def test_nor_do_other_clean_companies(seed):
    assert judge(clean_company(seed), *ALL).held == ()


def test_silent_deals_are_all_planted_ones_and_dead_ones_of_less_than_ninety_days(sample_book):
    rows = only(look(SILENT, sample_book)).rows
    recall, _precision = agreement(rows, "P4", "opportunities")
    assert recall == 1.0
    # Dead deals are silent too until they are silent for ninety days.
    assert set(rows["id"]) - _planted("P4", "opportunities") <= _planted("P12", "opportunities")


def _planted(problem: str, table: str) -> set[str]:
    rows = pd.read_csv(SAMPLE / "truth" / "rows.csv")
    return set(rows.loc[(rows["problem"] == problem) & (rows["table"] == table), "id"])


def test_days_of_silence_are_those_that_plain_pandas_counts(sample_book):
    deals = sample_frame("opportunities")
    deals = deals[deals["closed_at"].isna() & (deals["type"] != "renewal")].set_index("id")
    touches = sample_frame("activities")
    both = touches[touches["direction"] == "two_way"]
    last = both.groupby("opportunity_id")["occurred_at"].max().reindex(deals.index)
    days = (END - local_days(last.fillna(deals["created_at"]))).dt.days
    quiet = followup.quiet_deals(sample_book).set_index("id")
    pd.testing.assert_series_equal(quiet["dead"], (days > 90).reindex(quiet.index),
                                   check_names=False)  # fmt: skip
    assert quiet["dead"].sum() == 22


def test_the_chance_of_a_share_beyond_its_limit_is_the_exact_binomial_tail():
    assert followup.beyond(9, 60, 0.05) == pytest.approx(binom.sf(8, 60, 0.05))
    assert followup.beyond(0, 60, 0.05) == 1.0


def test_a_deal_gains_at_most_the_difference_of_the_chances(sample_book):
    test = only(look(SILENT, sample_book))
    facts = test.finding.evidence
    difference = facts["norm_chance"] - facts["chance"]
    assert test.gains["middle"].unique() == pytest.approx([difference])
    assert (test.gains["low"] <= test.gains["middle"]).all()
    assert test.gains["amount"].sum() == pytest.approx(facts["amount"])


def test_looks_see_what_as_of_sees(sample_book):
    seen = looks(sample_book)
    day = sample_book.date - dt.timedelta(days=180 + 28 * 5)
    then = sample_book.as_of(day).without_renewals().opportunities
    then = then.filter(then.outcome == "open").select("id", "stage").to_pandas()
    # Each deal once per look; of this look all that were open then.
    merged = seen.merge(then, on=["id", "stage"])
    assert set(then["id"]) <= set(merged["id"])


def test_equal_chances_bring_nothing_and_fewer_than_ten_say_nothing():
    won = pd.Series([True, False] * 20)
    alike = gain_of_deals(won, pd.Series([True] * 20 + [False] * 20))
    assert alike.middle == 0.0
    assert not gain_of_deals(won, pd.Series([True] * 9 + [False] * 31)).is_known
    none = Gain.unknown().on(pd.DataFrame({"id": ["a"], "cents": [100.0]}))
    assert none.empty


# In each stage half as many are won with the trait, though there are more late ones with it.
COMPARED = ([("e", False, i < 40) for i in range(200)] + [("e", True, i < 2) for i in range(20)]
            + [("l", False, i < 10) for i in range(20)]
            + [("l", True, i < 50) for i in range(200)])  # fmt: skip


def compared(at: str = "2025-01-01") -> pd.DataFrame:
    seen = pd.DataFrame(COMPARED, columns=["stage", "trait", "won"])
    return seen.assign(id=[f"d{i} {at}" for i in range(len(seen))], at=pd.Timestamp(at))


@pytest.mark.parametrize(
    ("deals", "wanted"),
    [
        ([("e", 100.0)], 40 / 200 - 2 / 20),
        ([("l", 100.0)], 10 / 20 - 50 / 200),
        # By value, three quarters of it early.
        ([("e", 200.0), ("l", 100.0), ("e", 100.0)],
         0.75 * (40 / 200 - 2 / 20) + 0.25 * (10 / 20 - 50 / 200)),
        # Without values each deal counts alike.
        ([("e", None), ("l", None)], (40 / 200 - 2 / 20 + 10 / 20 - 50 / 200) / 2),
    ],
)  # fmt: skip
def test_looks_are_compared_within_the_stages_of_the_open_deals(deals, wanted):
    seen = compared()
    gain = gain_of_looks(seen, seen["trait"], pd.DataFrame(deals, columns=["stage", "cents"]))
    assert gain.middle == pytest.approx(wanted)
    assert gain.norm - gain.chance == pytest.approx(wanted)
    assert gain.low < gain.middle < gain.high


def test_what_differs_from_half_year_to_half_year_widens_the_range():
    one, two = compared("2025-01-01"), compared("2025-09-01")
    deals = pd.DataFrame({"stage": ["l"], "cents": [1.0]})
    # In the later half-year the trait makes all the difference.
    two["won"] = two["won"] | ~two["trait"]
    weeks = [two.assign(at=two["at"] + pd.Timedelta(weeks=4 * i)) for i in range(7)]
    uneven = pd.concat([one, *weeks], ignore_index=True)
    torn = gain_of_looks(uneven, uneven["trait"], deals)
    together = uneven.assign(at=pd.Timestamp("2025-01-01"))
    steady = gain_of_looks(together, together["trait"], deals)
    assert torn.middle == steady.middle
    assert torn.high - torn.low > 1.5 * (steady.high - steady.low)


def test_forgotten_leads_are_the_planted_ones(sample_book):
    seen = look(UNTOUCHED, sample_book)
    recall, precision = agreement(only(seen).rows, "P3", "leads")
    assert recall > 0.99
    assert precision == 1.0


def test_the_share_of_forgotten_leads_is_that_of_plain_pandas(sample_book):
    leads = sample_frame("leads")
    day = local_days(leads["created_at"])
    # Five working days, of nine hours each, lie between these leads and the evening of the 20th.
    old = leads[(day > END - pd.Timedelta(days=365)) & (day < pd.Timestamp("2026-06-12"))]
    share = old["first_touched_at"].isna().mean()
    seen = look(UNTOUCHED, sample_book)
    assert seen.value == pytest.approx(share, abs=0.003)
    assert seen.norm.limit == pytest.approx(0.05 + 0.01)


def test_leads_of_days_off_wait_as_long_as_planted(sample_book):
    facts = only(look(WEEKEND, sample_book)).finding.evidence
    assert facts["hours"] == pytest.approx(30, abs=4)
    assert facts["norm_hours"] == pytest.approx(2, abs=0.5)
    assert facts["limit"] == 24


def test_a_company_that_answers_slowly_every_day_is_not_told_off_for_its_weekends():
    start = pd.Timestamp("2026-01-05T02:00")
    leads = [
        {"id": f"l{i}", "created_at": start + pd.Timedelta(days=i % 90),
         "first_touched_at": start + pd.Timedelta(days=i % 90, hours=40)} for i in range(900)
    ]  # fmt: skip
    deals = [{"id": "d1", "stage": "needs", "created_at": pd.Timestamp("2026-05-01")}]
    book = hand_made(leads=leads, opportunities=deals)
    (test,) = look(WEEKEND, book).tests
    assert test.p > 0.99
    assert examine(book, book.period("latest"), (WEEKEND,)).held == ()


def test_leads_without_any_touch_on_record_are_not_judged():
    leads = [{"id": f"l{i}", "created_at": pd.Timestamp("2026-01-05")} for i in range(90)]
    deals = [{"id": "d1", "stage": "needs", "created_at": pd.Timestamp("2026-05-01")}]
    book = hand_made(leads=leads, opportunities=deals)
    for check in answers.CHECKS:
        seen = look(check, book)
        assert math.isnan(seen.value)
        assert [gap.reason for gap in seen.gaps] == ["no_touches"]


def test_what_leavers_left_behind_is_the_planted_deals_and_customers(judged):
    (test,) = [t for t, of in zip(judged.held, judged.check_of, strict=True) if of == "left_behind"]
    for table in ("opportunities", "accounts"):
        recall, precision = agreement(test.rows, "P5", table)
        assert recall > 0.95, table
        assert precision > 0.95, table
    assert test.finding.evidence["n_people"] == 2
    assert test.finding.evidence["left_on"] == dt.date(2026, 3, 6)


def test_a_hand_over_in_time_counts_its_touches_on_both_sides():
    # The last day is Friday 6 March; touches on three working days before and on two after.
    touched = ("2026-03-03", "2026-03-04", "2026-03-05", "2026-03-06", "2026-03-16", "2026-03-17")
    book = _one_hand_over(touched)
    (row,) = leavers.left_deals(book).to_dict("records")
    assert (row["before"], row["after"]) == (3, 2)
    # From 6 March to Monday the 16th: 9, 10, 11, 12, 13 and 16 March.
    assert row["gap_days"] == 6
    assert row["is_late"]
    # Monday 2 February to Friday 6 March has more than 20 working days, New Year left out or not.
    assert row["days_after"] == 18


def _one_hand_over(touched: tuple[str, ...]) -> object:
    noon = pd.Timedelta(hours=4)
    return hand_made(
        users=[{"id": "u1", "name": "A", "role": "rep", "hired_on": dt.date(2024, 1, 1),
                "left_on": dt.date(2026, 3, 6)},
               {"id": "u2", "name": "B", "role": "rep", "hired_on": dt.date(2024, 1, 1),
                "left_on": None}],
        opportunities=[{"id": "d1", "stage": "needs", "owner_id": "u2", "amount": 100.0,
                        "created_at": pd.Timestamp("2026-01-05")}],
        changes=[{"entity": "opportunities", "entity_id": "d1", "field": "owner_id",
                  "old_value": "u1", "new_value": "u2", "seq": 1,
                  "changed_at": pd.Timestamp("2026-03-06T02:00")},
                 {"entity": "opportunities", "entity_id": "d1", "field": "next_step",
                  "old_value": None, "new_value": "call", "seq": 2,
                  "changed_at": pd.Timestamp("2026-04-01T02:00")}],
        tracked=[{"entity": "opportunities", "field": "owner_id", "how": "log",
                  "since": pd.Timestamp("2026-01-01")}],
        activities=[{"id": f"t{i}", "kind": "call", "direction": "two_way", "user_id": "u2",
                     "opportunity_id": "d1", "occurred_at": pd.Timestamp(day) + noon,
                     "logged_at": pd.Timestamp(day) + noon} for i, day in enumerate(touched)],
    )  # fmt: skip


def test_fewer_touches_than_two_thirds_are_unlikely_only_where_there_are_enough():
    rows = pd.DataFrame({"before": [40], "after": [4], "days_before": [100], "days_after": [100]})
    assert leavers.fell_off(rows) == pytest.approx(binom.cdf(4, 44, (2 / 3) / (2 / 3 + 1)))
    assert leavers.fell_off(rows.assign(before=9)) == 1.0


def test_deals_of_people_who_are_gone_are_counted_whatever_the_log_says():
    book = _gone(dt.date(2026, 3, 6))
    seen = look(LEFT_BEHIND, book)
    test = only(seen)
    assert (test.p, list(test.rows["id"])) == (0.0, ["d1"])
    assert test.finding.code == "diagnosis.still_theirs"
    assert [gap.reason for gap in seen.gaps] == ["no_history"]


def _gone(day: dt.date) -> object:
    deal = {"owner_id": "u1", "amount": 100.0, "created_at": pd.Timestamp("2026-01-05")}
    return hand_made(
        users=[{"id": "u1", "name": "A", "role": "rep", "left_on": day,
                "hired_on": dt.date(2024, 1, 1)}],
        opportunities=[deal | {"id": "d1", "stage": "needs"},
                       deal | {"id": "d2", "stage": "lost", "is_won": False,
                               "closed_at": pd.Timestamp("2026-05-05")}],
        activities=[{"id": "t1", "kind": "call", "direction": "two_way", "user_id": "u1",
                     "opportunity_id": "d1", "occurred_at": pd.Timestamp("2026-01-06"),
                     "logged_at": pd.Timestamp("2026-01-06")}],
    )  # fmt: skip


def test_permuted_owners_left_nothing_behind():
    held = judge(permuted(1), LEFT_BEHIND).findings
    assert [f for f in held if f.code == "diagnosis.left_behind"] == []


def test_a_deal_without_an_owner_is_named():
    day = pd.Timestamp("2026-05-01")
    book = hand_made(
        opportunities=[{"id": "d1", "stage": "needs", "owner_id": None, "created_at": day},
                       {"id": "d2", "stage": "needs", "owner_id": "u1", "created_at": day},
                       {"id": "d3", "stage": "lost", "owner_id": None, "is_won": False,
                        "closed_at": day, "created_at": day}],
        accounts=[{"id": "a1", "name": "A", "owner_id": "u1", "created_at": day},
                  {"id": "a2", "name": "B", "owner_id": None, "created_at": day}],
    )  # fmt: skip
    test = only(look(NO_OWNER, book))
    assert sorted(test.rows.itertuples(index=False, name=None)) == [
        ("accounts", "a2"), ("opportunities", "d1")
    ]  # fmt: skip
    assert test.p == 0.0


def test_a_company_that_keeps_no_owners_at_all_is_not_told_so_deal_by_deal():
    day = pd.Timestamp("2026-05-01")
    deals = [{"id": f"d{i}", "stage": "needs", "created_at": day, "owner_id": None}
             for i in range(40)]  # fmt: skip
    assert look(NO_OWNER, hand_made(opportunities=deals)).tests == ()


@pytest.mark.parametrize(("without", "held"), [(2, False), (20, True)])
def test_deals_without_a_contact_count_beyond_a_tenth(without, held):
    day = pd.Timestamp("2026-05-01")
    deals = [{"id": f"d{i}", "stage": "needs", "created_at": day, "account_id": f"a{i}"}
             for i in range(60)]  # fmt: skip
    people = [{"id": f"c{i}", "account_id": f"a{i}", "created_at": day}
              for i in range(without, 60)]  # fmt: skip
    book = hand_made(opportunities=deals, contacts=people)
    seen = look(NO_CONTACT, book)
    assert seen.value == without / 60
    assert bool(judge(book, NO_CONTACT).held) is held


def test_touches_that_begin_later_than_a_deal_make_it_neither_silent_nor_dead(clean_book):
    # Six weeks after the records begin, nothing of older deals' talks is known.
    early = clean_book.as_of("2023-08-15")
    quiet = followup.quiet_deals(early)
    old = early.opportunities.filter(early.opportunities.created_at < pd.Timestamp("2023-06-01"))
    untold = quiet["id"].isin(old.select("id").to_pandas()["id"])
    assert untold.sum() > 20
    assert not quiet["dead"].any()
    assert judge(early, *ALL).held == ()


def test_without_touches_silence_is_not_known():
    deals = [{"id": f"d{i}", "stage": "needs", "created_at": pd.Timestamp("2026-01-01")}
             for i in range(40)]  # fmt: skip
    judged = judge(hand_made(opportunities=deals), SILENT)
    assert judged.held == ()
    assert [(gap.what, gap.reason) for gap in judged.gaps] == [
        ("check.silent_deals", "missing_table")
    ]
