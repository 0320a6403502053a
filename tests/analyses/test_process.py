"""The process as drawn beside the way deals went, against plain pandas and the planted truth."""

import pandas as pd
import pytest

import salesops
from salesops.analyses.process import process
from salesops.checks.idle import TOLERANCE_DAYS
from salesops.wording import language, say_finding

OPEN = ["acquisition", "needs", "proposal", "negotiation", "legal_review"]


@pytest.fixture(scope="module")
def result(sample_book):
    return process(sample_book)


@pytest.fixture(scope="module")
def paths(sample_book):
    """Stages of each deal in order, from the log, in plain pandas."""
    log = sample_book.table("changes").to_pandas()
    log = log[(log["entity"] == "opportunities") & (log["field"] == "stage")]
    log = log.sort_values(["changed_at", "seq"])
    deals = sample_book.table("opportunities").to_pandas()
    deals = deals[deals["type"] != "renewal"].set_index("id")
    seen = log[log["entity_id"].isin(deals.index)].groupby("entity_id")
    found = {i: [rows["old_value"].iloc[0], *rows["new_value"]] for i, rows in seen}
    return deals.assign(path=pd.Series(found)).dropna(subset=["path"])


def test_the_share_that_skipped_needs_is_counted_from_the_log_alone(result, sample_book, paths):
    born = pd.Timestamp(sample_book.date) - pd.Timedelta(days=730)
    later = {"proposal", "negotiation", "legal_review", "contract"}
    # A day's start in Shanghai is 16:00 of the day before in UTC.
    lately = paths[paths["created_at"] >= born - pd.Timedelta(hours=8)]
    past = lately[lately["path"].map(lambda p: bool(later & set(p)))]
    skipped = past[past["path"].map(lambda p: "needs" not in p)]
    row = result.deviations.set_index("stage").loc["needs"]
    assert row["n_past"] == len(past)
    assert row["n"] == len(skipped)


def test_deals_that_skipped_needs_win_about_as_rarely_as_was_planted(result):
    row = result.deviations.set_index("stage").loc["needs"]
    # Planted: 22 % skip, and win 14 %.
    assert row["share"] == pytest.approx(0.22, abs=0.02)
    assert row["low"] - 0.01 <= 0.14 <= row["high"] + 0.01
    assert row["others_rate"] > row["high"]


def test_a_way_as_drawn_has_no_skip_no_way_back_and_no_reopening(result, sample_book, paths):
    born = pd.Timestamp(sample_book.date) - pd.Timedelta(days=730, hours=8)
    rank = {stage: i for i, stage in enumerate([*OPEN, "contract"])}

    def as_drawn(path):
        places = [rank[stage] for stage in path if stage in rank]
        return places == list(range(len(places)))

    past = paths[paths["path"].map(lambda p: max(rank.get(s, -1) for s in p) > 1)]
    past = past[past["created_at"] >= born]
    assert result.metrics["n_ways"] == len(past)
    assert result.metrics["n_as_drawn"] == past["path"].map(as_drawn).sum()


def test_the_legal_review_of_small_deals_is_found_with_the_planted_cut(result):
    below = result.steps[result.steps["part"] == "below"].iloc[0]
    assert below["stage"] == "legal_review"
    assert below["cut"] == pytest.approx(100_000, rel=0.1)
    assert below["median_days"] == pytest.approx(11, abs=0.5)
    above = result.steps[result.steps["part"] == "from"].iloc[0]
    longer = below["median_days"] - above["median_days"]
    assert longer > TOLERANCE_DAYS
    assert result.metrics["excess_days"] == pytest.approx(longer, abs=0.3)
    assert below["stopped_share"] < 0.2


def test_what_waits_in_a_step_is_value_times_days_beyond_the_plan(result, paths, sample_book):
    log = sample_book.table("changes").to_pandas()
    log = log[(log["entity"] == "opportunities") & (log["field"] == "stage")]
    out = log[log["old_value"] == "legal_review"].groupby("entity_id")["changed_at"].min()
    came = log[log["new_value"] == "legal_review"].groupby("entity_id")["changed_at"].min()
    out = out.reindex(came.index)
    days = (out - came).dt.total_seconds() / 86_400
    year = out > pd.Timestamp(sample_book.instant) - pd.Timedelta(days=365)
    amount = paths["amount"].astype(float).reindex(days.index)
    # Five working days are seven calendar days.
    held = (amount * (days - 7).clip(lower=0))[year].sum() / 365
    mine = result.steps[result.steps["stage"] == "legal_review"]["held"].sum()
    assert mine == pytest.approx(held, rel=1e-6)


def test_a_field_is_filled_in_so_many_of_the_rows_that_need_it(result, sample_book):
    deals = sample_book.table("opportunities").to_pandas()
    deals = deals[deals["type"] != "renewal"]
    since = pd.Timestamp(sample_book.date) - pd.Timedelta(days=365, hours=8)
    lost = deals[(deals["created_at"] >= since) & (deals["outcome"] == "lost")]
    row = result.fields.set_index("field").loc["opportunities.lost_reason"]
    assert row["n"] == len(lost)
    assert row["filled"] == lost["lost_reason"].notna().sum()


def test_the_stages_of_the_settings_are_drawn_with_after_sales_last(result, sample_book):
    drawn = result.design
    assert drawn["stage"].tolist() == [*OPEN, "contract", "after_sales"]
    assert drawn["role"].tolist()[-1] == sample_book.settings.after_sales.owner_role
    assert drawn["n_open"].sum() == (sample_book.without_renewals().table("opportunities")
                                     .to_pandas()["outcome"] == "open").sum()  # fmt: skip


def changed_stage(book, stage_id, **values):
    """Give the book with one stage of its settings changed."""
    from dataclasses import replace

    stages = tuple(s.model_copy(update=values) if s.id == stage_id else s
                   for s in book.settings.stages)  # fmt: skip
    store = replace(book.store, settings=book.settings.model_copy(update={"stages": stages}))
    return replace(book, store=store)


def test_a_stage_without_an_end_is_told(tiny_book):
    book = changed_stage(tiny_book, "needs", exit_criteria=None)
    (finding,) = process(book).findings
    assert finding.code == "process.no_exit"
    assert finding.subject == "needs"
    for lang in ("zh", "en"):
        with language(lang):
            assert say_finding(finding).action


def test_a_stage_without_a_role_is_drawn_as_nobodys_and_told(tiny_book):
    book = changed_stage(tiny_book, "needs", owner_role=None)
    result = process(book)
    assert [f.code for f in result.findings] == ["diagnosis.no_role"]
    assert result.metrics["n_no_role"] == 1
    with language("en"):
        assert "nobody" in result.exhibits["design"].html()


def test_a_stage_that_came_later_is_not_skipped_by_deals_born_before(tiny_book):
    before = process(tiny_book).deviations.set_index("stage").loc["needs", "n_past"]
    assert before > 0
    later = tiny_book.date
    book = changed_stage(tiny_book, "needs", valid_from=later)
    assert "needs" not in process(book).deviations["stage"].tolist()


def test_without_a_log_the_design_stands_and_five_things_are_still_told(small_book):
    result = process(small_book)
    assert set(result.exhibits) == {"design", "real", "skips", "idle", "fields"}
    assert result.metrics["as_drawn_share"] is None
    assert {gap.what for gap in result.gaps} >= {"what.real", "what.skips", "what.idle"}
    assert result.moves.empty


def test_what_the_process_and_the_diagnosis_say_of_skips_is_the_same(result, sample_book):
    other = {f.id: f for f in salesops.diagnosis(sample_book).findings}
    for finding in result.findings:
        assert finding.evidence == other[finding.id].evidence
