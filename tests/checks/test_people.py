"""Targets, month ends, pushed dates, deals held back and empty claims against the planted truth."""

import pandas as pd
import pytest

from salesops.book.write import typed
from salesops.checks import review, targets, teamwork
from tests.checks.found import OTHER_SEEDS, agreement, clean_company, look, permuted
from tests.companies import book_of
from tests.fixtures import SAMPLE

CHECKS = {check.id: check for module in (review, targets, teamwork) for check in module.CHECKS}
SURE = 1e-4
EAST = pd.Timedelta(hours=8)


def held(name: str, book) -> list:
    return [test for test in look(CHECKS[name], book).tests if test.p < SURE]


def rows(name: str, book) -> pd.DataFrame:
    return pd.concat([test.rows for test in held(name, book)])


@pytest.mark.parametrize(
    ("name", "problem", "table"),
    [
        ("pushed_deals", "P10", "opportunities"),
        ("sudden_wins", "P11", "opportunities"),
        ("empty_claims", "P14", "accounts"),
        ("no_target", "P1", "users"),
    ],
)
def test_the_records_are_those_of_the_planted_problem(sample_book, name, problem, table):
    recall, precision = agreement(rows(name, sample_book), problem, table)
    assert recall >= 0.95
    assert precision >= 0.95


def test_months_without_a_target_and_teams_that_do_not_add_up_are_all_of_them(sample_book):
    found = pd.concat([rows(name, sample_book) for name in ("no_target", "target_sums")])
    assert agreement(found, "P1", "targets") == (1, 1)


def test_the_gap_of_a_team_and_the_reps_without_a_target_by_plain_pandas(sample_book):
    plans = pd.read_csv(SAMPLE / "targets.csv", dtype={"key": str})
    plans = plans[plans["metric"] == "bookings"]
    people = pd.read_csv(SAMPLE / "users.csv").set_index("id")["team"]
    own = plans[plans["level"] == "user"]
    mine = own[
        (own["key"].map(people) == "华东/一组") & own["period"].between("2025-07", "2026-06")
    ]
    team = plans[(plans["level"] == "team") & (plans["key"] == "华东/一组")]
    team = team[team["period"].between("2025-07", "2026-06")]
    gap = team["amount"].sum() - mine["amount"].sum() / 1.12
    (test,) = held("target_sums", sample_book)
    assert test.finding.subject == "华东/一组"
    assert test.finding.evidence["gap"] == pytest.approx(abs(gap), abs=10)
    (missing,) = held("no_target", sample_book)
    assert missing.finding.evidence["n"] == 3


def test_the_team_that_fills_in_at_month_end_is_named_beside_the_company(sample_book):
    tests = held("month_end_edits", sample_book)
    assert {test.finding.subject for test in tests} == {"", "华北/一组"}
    log = pd.read_parquet(SAMPLE / "changes.parquet")
    log = log[(log["entity"] == "opportunities") & (log["field"] != "_row")]
    log = log[log["old_value"].notna()]
    since = pd.Timestamp("2026-06-20 16:00") - pd.Timedelta(days=365)
    day = (log.loc[log["changed_at"] > since, "changed_at"] + EAST).dt.normalize()
    pairs = pd.DataFrame({"id": log.loc[day.index, "entity_id"], "day": day}).drop_duplicates()
    late = pairs["day"].dt.days_in_month - pairs["day"].dt.day < 3
    company = next(test for test in tests if not test.finding.subject)
    assert company.finding.evidence["n"] == len(pairs)
    assert company.finding.evidence["share"] == pytest.approx(late.mean())


@pytest.mark.parametrize("name", CHECKS)
def test_clean_companies_are_quiet(clean_book, name):
    for book in (clean_book, *(clean_company(seed) for seed in OTHER_SEEDS)):
        seen = look(CHECKS[name], book)
        assert all(test.p > 0.05 for test in seen.tests), seen


def test_permuted_owners_leave_nobody_who_holds_deals_back(sample_book):
    book = permuted(5)
    assert held("sudden_wins", book) == []


def test_a_touch_between_claim_and_return_is_no_empty_claim():
    stamp = pd.Timestamp
    log = [(f"a{i}", "pool", "u1", stamp("2026-01-05") + pd.Timedelta(days=i)) for i in range(20)]
    log += [(a, "u1", "pool", at + pd.Timedelta(days=9)) for a, _o, _n, at in log]
    changes = pd.DataFrame(log, columns=["entity_id", "old_value", "new_value", "changed_at"])
    changes = changes.assign(entity="accounts", field="owner_id", seq=range(len(changes)))
    touches = pd.DataFrame({
        "id": [f"t{i}" for i in range(20)], "account_id": [f"a{i}" for i in range(20)],
        "user_id": "u1", "kind": "call", "direction": "outbound",
        "occurred_at": [stamp("2026-01-06") + pd.Timedelta(days=i) for i in range(20)],
    })  # fmt: skip
    touches["logged_at"] = touches["occurred_at"]
    tables = {
        "accounts": pd.DataFrame({"id": [f"a{i}" for i in range(20)], "owner_id": "pool"}),
        "users": pd.DataFrame({"id": ["u1", "pool"], "role": ["rep", "pool"]}),
        "opportunities": pd.DataFrame({"id": ["d1"], "stage": ["needs"],
                                       "created_at": [stamp("2026-01-02")]}),
        "changes": changes,
        "tracked": pd.DataFrame({"entity": ["accounts"], "field": ["owner_id"],
                                 "since": [stamp("2026-01-01")], "how": ["log"]}),
    }  # fmt: skip
    cold = book_of({name: typed(name, frame) for name, frame in tables.items()} | {
        "activities": typed("activities", touches.iloc[:2])})  # fmt: skip
    seen = look(CHECKS["empty_claims"], cold)
    assert seen.n == 20
    assert seen.value == 18 / 20
    warm = book_of({name: typed(name, frame) for name, frame in tables.items()} | {
        "activities": typed("activities", touches)})  # fmt: skip
    assert look(CHECKS["empty_claims"], warm).value == 0
