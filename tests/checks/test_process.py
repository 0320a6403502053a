"""Skips, ways back, dead deals and idle steps as planted, and none of them on clean companies."""

import math

import numpy as np
import pandas as pd
import pytest

from salesops.checks import idle, process
from salesops.model.settings import Settings
from tests.checks.found import (
    OTHER_SEEDS,
    SAMPLE,
    agreement,
    clean_company,
    hand_made,
    judge,
    look,
    only,
    truth,
)
from tests.companies import book_of

SKIPPED, BACK, DEAD, NO_ROLE = process.CHECKS
(IDLE,) = idle.CHECKS
ALL = (*process.CHECKS, *idle.CHECKS)
OPEN = ("acquisition", "needs", "proposal", "negotiation", "legal_review")


def planted(problem: str) -> set[str]:
    rows = truth()
    return set(rows.loc[rows["problem"] == problem, "id"])


@pytest.fixture(scope="module")
def judged(sample_book):
    return judge(sample_book, *ALL)


@pytest.fixture(scope="module")
def log() -> pd.DataFrame:
    """The log of stages of deals that were created within it, renewals left out."""
    deals = pd.read_parquet(SAMPLE / "opportunities.parquet")
    deals = deals[(deals["type"] != "renewal")].set_index("id")
    tracked = pd.read_csv(SAMPLE / "tracked.csv", parse_dates=["since"])
    since = tracked.loc[tracked["field"] == "stage", "since"].min()
    changes = pd.read_parquet(SAMPLE / "changes.parquet")
    moves = changes[(changes["entity"] == "opportunities") & (changes["field"] == "stage")]
    moves = moves[moves["entity_id"].isin(deals.index)]
    return moves.assign(created_at=moves["entity_id"].map(deals["created_at"]),
                        amount=moves["entity_id"].map(deals["amount"]).astype(float),
                        since=since)  # fmt: skip


def test_every_planted_fault_of_the_process_is_found_and_nothing_else(judged):
    assert set(judged.check_of) == {"skipped_stages", "dead_deals", "idle_steps"}
    subjects = dict(zip(judged.check_of, (f.subject for f in judged.findings), strict=True))
    assert subjects == {"skipped_stages": "needs", "dead_deals": "", "idle_steps": "legal_review"}


def test_a_clean_company_keeps_to_its_process(clean_book):
    assert judge(clean_book, *ALL).held == ()


@pytest.mark.parametrize("seed", OTHER_SEEDS)
def test_so_do_other_clean_companies(seed):
    assert judge(clean_company(seed), *ALL).held == ()


def test_deals_that_skipped_the_needs_are_the_planted_ones(judged):
    (test,) = [t for t in judged.held if t.finding.code == "diagnosis.skipped_stages"]
    recall, precision = agreement(test.rows, "P7", "opportunities")
    assert recall > 0.95
    assert precision > 0.95
    facts = test.finding.evidence
    assert facts["won_share"] == pytest.approx(0.14, abs=0.03)
    assert facts["norm_chance"] > facts["chance"] + 0.05


def test_skips_of_two_years_are_counted_as_plain_pandas_counts_them(log, sample_book):
    end = pd.Timestamp("2026-06-20")
    start = end - pd.Timedelta(days=730) - pd.Timedelta(hours=8)
    recent = log[(log["created_at"] >= log["since"]) & (log["created_at"] >= start)]
    entered = recent.groupby("entity_id")["new_value"].agg(set)
    past = entered[[bool(s & {"proposal", "negotiation", "legal_review", "contract"})
                    for s in entered]]  # fmt: skip
    skipped = [("needs" not in s) for s in past]
    facts = {t.finding.subject: t.finding.evidence for t in look(SKIPPED, sample_book).tests}
    assert facts["needs"]["n_past"] == len(past)
    assert facts["needs"]["n"] == sum(skipped)


def test_only_open_deals_that_skipped_can_gain(sample_book):
    (test,) = [t for t in look(SKIPPED, sample_book).tests if t.finding.subject == "needs"]
    deals = sample_book.opportunities.filter(sample_book.opportunities.outcome == "open")
    open_ids = set(deals.select("id").to_pandas()["id"])
    assert set(test.gains["id"]) <= open_ids & set(test.rows["id"])
    assert len(test.gains) == test.finding.evidence["n_open"]


def test_ways_back_are_counted_as_plain_pandas_counts_them(log, sample_book):
    order = {stage: i for i, stage in enumerate(OPEN)}
    known = log[log["created_at"] >= log["since"]]
    back = known["new_value"].map(order) < known["old_value"].map(order)
    (test,) = look(BACK, sample_book).tests
    assert set(test.rows["id"]) == set(known.loc[back, "entity_id"])
    assert test.p > 0.99


def test_dead_deals_are_planted_ones_silent_for_more_than_ninety_days(judged):
    (test,) = [t for t in judged.held if t.finding.code == "diagnosis.dead_deals"]
    assert set(test.rows["id"]) <= planted("P12")
    assert test.finding.evidence["n"] == 22
    assert test.finding.at_stake > 0
    assert test.finding.recoverable.high == 0


def test_the_idle_step_is_legal_review_of_deals_below_a_hundred_thousand(judged):
    (test,) = [t for t in judged.held if t.finding.code == "diagnosis.idle_steps"]
    facts = test.finding.evidence
    assert facts["cut"] == 100_000
    assert facts["days"] == pytest.approx(11, abs=0.5)
    assert facts["norm_days"] == pytest.approx(5, abs=0.5)
    assert test.finding.owner_role == "legal"
    recall, precision = agreement(test.rows, "P8", "opportunities")
    assert recall > 0.95
    assert precision > 0.95


def test_days_at_legal_review_are_those_of_plain_pandas(log, judged):
    (test,) = [t for t in judged.held if t.finding.code == "diagnosis.idle_steps"]
    entered = log[log["new_value"] == "legal_review"].groupby("entity_id")["changed_at"].min()
    left = log[log["old_value"] == "legal_review"].groupby("entity_id")["changed_at"].min()
    days = (left - entered).dropna().dt.total_seconds() / 86_400
    small = log.groupby("entity_id")["amount"].first().reindex(days.index) < 100_000
    assert test.finding.evidence["n"] == small.sum()
    assert test.finding.evidence["days"] == pytest.approx(days[small].median(), abs=0.05)
    assert test.finding.evidence["norm_days"] == pytest.approx(days[~small].median(), abs=0.05)


def deals_at_a_step(days_of_small: float, stopped: float) -> idle.Step:
    """Make a step of 400 deals: larger ones take five days, a tenth of which end there."""
    rng = np.random.default_rng(5)
    amount = np.linspace(10_000, 400_000, 400)
    is_small = amount < 100_000
    days = np.where(is_small, days_of_small, 5) * rng.lognormal(0, 0.3, 400)
    ends = rng.random(400) < np.where(is_small, stopped, 0.1)
    deals = pd.DataFrame({"id": [f"d{i}" for i in range(400)], "amount": amount, "days": days,
                          "is_stopped": ends, "ended": True})  # fmt: skip
    return idle.Step(stage="review", deals=deals, split=idle.best_split(amount, days))


def test_a_step_is_not_idle_where_it_stops_the_small_deals():
    assert not deals_at_a_step(11, 0.1).sorts
    assert deals_at_a_step(11, 0.5).sorts


def test_a_day_more_is_tolerated_and_six_days_are_not():
    assert idle.longer_p(deals_at_a_step(11, 0.1)) < 1e-9
    assert idle.longer_p(deals_at_a_step(5, 0.1)) > 0.05


def test_a_cut_is_as_round_as_people_draw_a_line():
    step = deals_at_a_step(11, 0.1)
    assert step.cut == 100_000
    assert len(step.small) + len(step.large) == 400


def test_between_two_imports_a_stage_may_be_missed_so_skips_need_a_log():
    day = pd.Timestamp("2026-01-05")
    tables = {
        "opportunities": [{"id": f"d{i}", "stage": "negotiation", "created_at": day}
                          for i in range(60)],
        "changes": [{"entity": "opportunities", "entity_id": f"d{i}", "field": "stage",
                     "old_value": "acquisition", "new_value": "negotiation", "seq": i,
                     "changed_at": pd.Timestamp("2026-02-05"), "changed_after": day}
                    for i in range(60)],
        "tracked": [{"entity": "opportunities", "field": "stage", "how": "snapshot",
                     "since": pd.Timestamp("2026-01-01")}],
    }  # fmt: skip
    judged = judge(hand_made(**tables), SKIPPED)
    assert judged.held == ()
    assert [gap.reason for gap in judged.gaps] == ["only_between_imports"]
    tables["tracked"][0]["how"] = "log"
    tables["changes"] = [row | {"changed_after": None} for row in tables["changes"]]
    (test,) = judge(hand_made(**tables), SKIPPED).held
    assert test.finding.evidence["n"] == test.finding.evidence["n_past"] == 60


def test_without_a_history_the_way_of_deals_is_not_known():
    deals = [{"id": "d1", "stage": "needs", "amount": 10.0,
              "created_at": pd.Timestamp("2026-01-05")}]  # fmt: skip
    judged = judge(hand_made(opportunities=deals), SKIPPED, BACK, IDLE)
    assert judged.seen == {}
    assert {gap.reason for gap in judged.gaps} == {"no_history"}


def test_a_stage_that_the_settings_give_to_nobody_is_named(tiny_book):
    settings = tiny_book.settings
    alone = [s.model_copy(update={"owner_role": None}) if s.id == "needs" else s
             for s in settings.stages]  # fmt: skip
    changed = settings.model_copy(update={"stages": tuple(alone)})
    tables = {"opportunities": tiny_book.unscoped("opportunities").to_pyarrow().select(
        ["id", "stage", "created_at", "owner_id"])}  # fmt: skip
    book = book_of(tables, changed)
    test = only(look(NO_ROLE, book))
    assert (test.p, test.finding.subject) == (0.0, "needs")
    # d06 and d10 stand there.
    assert test.finding.evidence["n"] == 2
    assert look(NO_ROLE, book_of(tables, Settings.default())).tests == ()


def test_a_company_of_five_deals_is_told_nothing_of_its_process(tiny_book):
    judged = judge(tiny_book, *ALL)
    assert judged.held == ()
    assert math.isnan(judged.seen["skipped_stages"].value)
