"""Unfair quotas, pay steps and stale forecasts: planted, clean, and by hand."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from salesops.book.book import open_book
from salesops.checks import quotas
from salesops.sample.options import SampleOptions
from tests.checks.found import OTHER_SEEDS, clean_company, hand_made, look, only
from tests.fixtures import SAMPLE
from tests.made import made_folder

UNFAIR, CLIFFS, STALE = quotas.CHECKS
SURE = 1e-4


def held(check, book):
    return [test for test in look(check, book).tests if test.p < SURE]


def test_the_region_whose_quota_its_potential_does_not_carry_is_named(sample_book):
    (test,) = held(UNFAIR, sample_book)
    facts = test.finding.evidence
    assert test.finding.subject == facts["region"] == "西南"
    accounts = pd.read_parquet(SAMPLE / "accounts.parquet")
    assert facts["n"] == (accounts["region"] == "西南").sum()
    assert facts["over"] == pytest.approx(facts["quota_times"] / facts["potential_times"])
    plan = pd.read_csv(SAMPLE / "targets.csv", dtype={"key": str})
    region = pd.read_csv(SAMPLE / "users.csv").set_index("id")["region"]
    plan = plan[(plan["level"] == "user") & (plan["metric"] == "bookings")]
    plan = plan[plan["period"].between("2025-07", "2026-06") & (plan["amount"] > 0)]
    mine = plan[plan["key"].map(region) == "西南"]
    assert facts["quota"] == pytest.approx(mine["amount"].sum() / (len(mine) / 12))


def test_clean_companies_are_fair_and_gather_nowhere(clean_book):
    for book in (clean_book, *(clean_company(seed) for seed in OTHER_SEEDS)):
        for check in (UNFAIR, CLIFFS, STALE):
            assert held(check, book) == []


@pytest.mark.parametrize(("starts", "quarters"), [(1, "Q-DEC"), (2, "Q-JAN")])
def test_results_of_pay_periods_are_won_value_by_target(sample_book, starts, quarters):
    settings = sample_book.settings
    company = settings.company.model_copy(update={"fiscal_year_starts": starts})
    book = open_book(SAMPLE, settings=settings.model_copy(update={"company": company}))
    found = quotas._attained(book, book.period("latest"))
    deals = pd.read_parquet(SAMPLE / "opportunities.parquet")
    won = deals[deals["is_won"].eq(True) & (deals["type"] != "renewal")]
    quarter = (won["closed_at"] + pd.Timedelta(hours=8)).dt.to_period(quarters)
    got = won["amount"].astype(float).groupby([won["owner_id"], quarter]).sum()
    plan = pd.read_csv(SAMPLE / "targets.csv", dtype={"key": str})
    plan = plan[(plan["level"] == "user") & (plan["metric"] == "bookings")]
    months = pd.PeriodIndex(plan["period"], freq="M")
    plan = plan.assign(quarter=months.asfreq(quarters))
    whole = plan.groupby(["key", "quarter"])["amount"].agg(["sum", "size"])
    whole = whole[(whole["size"] == 3) & (whole["sum"] > 0)]
    running = pd.Period(book.date, freq=quarters)
    whole = whole[whole.index.get_level_values("quarter") < running]
    wanted = got.rename_axis(["key", "quarter"]).reindex(whole.index).fillna(0.0) / whole["sum"]
    # Who came or left within a quarter has targets for their whole months alone.
    few = len(found) - len(wanted)
    assert 0 <= few <= 40
    rest = np.sort(found.to_numpy())
    at = np.searchsorted(rest, wanted.to_numpy() - 1e-9)
    assert np.allclose(rest[np.minimum(at, len(rest) - 1)], wanted)


def test_results_moved_over_the_steps_of_pay_are_seen():
    book = open_book(made_folder(SampleOptions(seed=2, problems={"P13": 4.0})))
    test = only(look(CLIFFS, book))
    facts = test.finding.evidence
    assert test.p < SURE
    assert facts["n"] > 2 * facts["n_expected"]
    assert facts["moved"] == pytest.approx(0.57, abs=0.25)
    assert facts["steps"] == "80% / 100%"


def forecasts(*rows: tuple[str, str]) -> dict[str, list[dict[str, object]]]:
    said = [{"id": f"f{i}", "period": "2026-06", "level": "user", "key": who, "user_id": who,
             "category": "commit", "amount": 1.0, "entered_at": pd.Timestamp(f"{on} 02:00")}
            for i, (who, on) in enumerate(rows)]  # fmt: skip
    people = [{"id": who, "name": who.upper(), "role": "rep", "hired_on": dt.date(2020, 1, 1),
               "left_on": dt.date(2026, 6, 1) if who == "gone" else None}
              for who in sorted({who for who, _on in rows})]  # fmt: skip
    deal = {"id": "d1", "stage": "needs", "created_at": pd.Timestamp("2026-06-01 02:00")}
    return {"forecasts": said, "users": people, "opportunities": [deal]}


def test_whose_last_forecast_is_old_is_named_and_who_left_is_not():
    rows = forecasts(
        ("ann", "2026-05-01"),
        ("ann", "2026-06-28"),
        ("bo", "2026-06-08"),
        ("cy", "2026-06-10"),
        ("gone", "2026-05-20"),
        ("long", "2026-01-01"),
    )
    book = hand_made(**rows).as_of("2026-06-30")
    seen = look(STALE, book)
    test = only(seen)
    assert test.rows["id"].tolist() == ["f2"]
    assert test.finding.evidence["person"] == "BO"
    assert test.finding.evidence["longest_days"] == 22
    assert (test.finding.evidence["n"], seen.n) == (1, 3)


def test_without_forecasts_of_late_it_is_said_that_nothing_can_be_seen():
    seen = look(STALE, hand_made(**forecasts(("ann", "2025-01-01"))).as_of("2026-06-30"))
    assert seen.tests == ()
    assert [gap.reason for gap in seen.gaps] == ["no_rows"]
