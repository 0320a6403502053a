"""Metrics of open deals and of what became of them: by hand on ten deals, by plain pandas."""

import math
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from salesops.book.book import open_book
from salesops.metrics.ageing import stay_norms
from salesops.metrics.catalogue import CATALOGUE, metric
from salesops.metrics.metric import reduced
from salesops.sources.importing import import_path
from tests.companies import at, book_of, random_company

OPEN = ("acquisition", "needs", "proposal", "negotiation", "legal_review")
TOUCH = {"acquisition": 5, "needs": 7, "proposal": 5, "negotiation": 5, "legal_review": 5}
GONE = ("lost", "void")
QUARTER, REACH = "2026Q2", 81


def value(book, name: str, period: str = QUARTER, **options) -> float:
    return float(metric(book, name, period=period, **options)[name].iloc[0])


def reason(book, name: str, period: str = QUARTER) -> str:
    return metric(book, name, period=period)["reason"].iloc[0]


# Ten deals by hand. As of Tuesday 31 March 2026; Spring Festival is 15 to 23 February, Saturdays 14
# and 28 February are worked.


def test_silence_of_ten_deals_in_touch_norms(tiny_book):
    # Working days since 10 Feb (d04), 20 Feb (d06), 20 Mar (d07), created 2 Mar (d08), today (d10).
    march = 22
    gaps = [(3 + 1 + 4 + 1 + march) / 5, (4 + 1 + march) / 7, 7 / 5, 21 / 5, 0 / 7]
    assert value(tiny_book, "follow_up_gap", "2026Q1") == pytest.approx(np.median(gaps))
    # All but d10 have neither moved on nor been spoken with for more than one norm.
    assert value(tiny_book, "stalled", "2026Q1") == 4 / 5


def test_win_rates_of_ten_deals(tiny_book):
    # Won d01 and d03, lost d02 and d05; d04, d06 and d08 are silent for more than three norms.
    assert value(tiny_book, "win_rate_broad", "2026Q1") == 2 / (4 + 3)
    assert value(tiny_book, "win_rate_broad_by_value", "2026Q1") == pytest.approx(
        140 / (100 + 40 + 60 + 50 + 80 + 30 + 20)
    )
    # Of ten created one is void; five of the rest are open.
    assert value(tiny_book, "win_rate_cohort", "2026Q1") == 2 / 9
    assert value(tiny_book, "cohort_open_share", "2026Q1") == 5 / 9
    assert value(tiny_book, "win_rate_cohort_by_value", "2026Q1") == pytest.approx(140 / 540)


def test_a_deal_that_fell_silent_counts_in_that_period_alone(tiny_book):
    # d04 passed three norms (15 working days) in March, long after the month before.
    fell = CATALOGUE["win_rate_broad"].rows_of(tiny_book, tiny_book.period("2026-03")).to_pandas()
    assert set(fell.loc[fell["outcome"] == "open", "id"]) == {"d04", "d06", "d08"}
    before = CATALOGUE["win_rate_broad"].rows_of(tiny_book, tiny_book.period("2026-02")).to_pandas()
    # In February d05 passed its 21: it stood in needs since 15 January, 27 working days.
    assert set(before.loc[before["outcome"] == "open", "id"]) == {"d05"}


def test_coverage_of_march_by_hand(tiny_book):
    # On 28 February d03 40, d04 80, d05 50 and d07 75 were open and expected in March.
    assert value(tiny_book, "start_coverage", "2026-03") == (40 + 80 + 50 + 75) / 120
    # d07 is open for what 120 less d03 leaves.
    assert value(tiny_book, "to_go_coverage", "2026-03") == 90 / (120 - 40)
    by_team = metric(tiny_book, "to_go_coverage", period="2026-03", by=["team"])
    assert by_team.set_index("team").loc["North/1", "to_go_coverage"] == 90 / (80 - 40)


def test_a_quarter_of_which_one_month_has_a_target_has_none(tiny_book):
    assert reason(tiny_book, "to_go_coverage", "2026Q1") == "no_target"


def test_a_target_that_is_met_leaves_nothing_to_cover(tmp_path):
    folder = _copy(tmp_path, targets=lambda rows: rows.assign(amount=40.0))
    assert reason(open_book(folder), "to_go_coverage", "2026-03") == "target_met"


def test_velocity_and_cycle_of_ten_deals(tiny_book):
    # Of eight qualified one was won after 29 days of seven at risk, one after 43 of five.
    chance = 1 / 7 + (6 / 7) * (5 / 6) * (1 / 5)
    assert value(tiny_book, "velocity", "2026Q1") == pytest.approx(
        4 * chance * 70 / ((29 + 43) / 2)
    )
    assert value(tiny_book, "sales_cycle_won", "2026Q1") == (36 + 57) / 2
    # Two are won and five still open: the half may lie beyond all that was seen.
    assert reason(tiny_book, "sales_cycle", "2026Q1") == "no_plateau"


def test_time_in_stage_of_ten_deals_by_the_settings_norms(tiny_book):
    # Too few entries: 10 working days are 14 days, 15 are 21. Since 2 Feb, 16 Feb, 12 Mar, 2 Mar.
    part = 13.75 / 24
    ages = [(57 + part) / 21, (43 + part) / 21, (19 + part) / 21, (29 + part) / 14, 0]
    assert value(tiny_book, "stage_ageing", "2026Q1") == pytest.approx(np.median(ages))


def test_breaks_pushes_and_credible_value_of_ten_deals(tiny_book):
    # Nobody spoke with d01, d02, d03, d05 at all; d04, d06, d07, d08 waited too long; d10 is new.
    assert value(tiny_book, "broken_share", "2026Q1") == 8 / 9
    assert value(tiny_book, "push_count", "2026Q1") == 1 / 5
    # No past to count: a quarter of each, as the settings say, and none of it is overdue.
    assert value(tiny_book, "credible_pipeline", "2026Q1") == pytest.approx(290 * 0.25)


# Time, scope and what is missing.

NAMES = ("win_rate_broad", "win_rate_cohort", "stage_conversion", "sales_cycle", "velocity",
         "follow_up_gap", "stage_ageing", "stalled", "broken_share", "push_count",
         "credible_pipeline", "week_n_conversion")  # fmt: skip


def test_a_number_at_a_date_is_that_of_a_store_that_ends_there():
    company = random_company(3, n=120)
    past = book_of(company.tables()).as_of(at(40))
    cut = book_of(company.tables(until=40)).as_of(at(40))
    period = past.period("latest")
    for name in NAMES:
        one, other = (reduced(CATALOGUE[name], book, period) for book in (past, cut))
        pd.testing.assert_frame_equal(one, other, obj=name)


def test_stock_goes_with_the_owner_now_and_what_ended_with_the_team_then(tiny_book):
    # d07 went from South to North in March; d05 was lost in South.
    gaps = metric(tiny_book, "follow_up_gap", period="2026Q1", by=["team"]).set_index("team")["n"]
    assert gaps.to_dict() == {"North/1": 4, "South/1": 1}
    ended = metric(tiny_book, "sales_cycle_won", period="2026Q1", by=["team"]).set_index("team")
    assert ended["n"].to_dict() == {"North/1": 2}


def test_a_late_evening_belongs_to_its_month(tmp_path):
    # 23:30 in Shanghai on 31 March is 15:30 UTC; half past midnight is April.
    def late(rows: pd.DataFrame) -> pd.DataFrame:
        rows.loc[rows["id"] == "d10", "created_at"] = "2026-03-31 16:30:00"
        return rows

    book = open_book(_copy(tmp_path, opportunities=late)).as_of("2026-04-01")
    march = CATALOGUE["win_rate_cohort"].rows_of(book, book.period("2026-03")).to_pandas()
    assert set(march["id"]) == {"d08"}
    whole = open_book("tests/tiny_company")
    march = CATALOGUE["win_rate_cohort"].rows_of(whole, whole.period("2026-03")).to_pandas()
    assert set(march["id"]) == {"d08", "d10"}


def test_a_fiscal_year_from_april_moves_the_quarter(tmp_path):
    folder = _copy(tmp_path)
    from salesops.model.settings import default_text

    text = default_text().replace("fiscal_year_starts = 1", "fiscal_year_starts = 4")
    (folder / "salesops.toml").write_text(text, encoding="utf-8")
    book = open_book(folder)
    # The fourth quarter of fiscal 2025 is January to March 2026.
    assert book.period("2025Q4").start.isoformat() == "2026-01-01"
    assert value(book, "win_rate_cohort", "2025Q4") == 2 / 9


def test_few_entries_take_the_norm_of_the_settings_and_say_so(tiny_book):
    from salesops.metrics.ageing import stage_entries

    norms = stay_norms(tiny_book, stage_entries(tiny_book).to_pandas()).set_index("stage")
    assert norms["norm_from"].unique().tolist() == ["settings"]
    assert norms["norm_days"].to_dict() == {"acquisition": 14, "needs": 21, "negotiation": 21}


@pytest.mark.real_data
def test_what_the_maven_export_can_not_say_is_null_with_the_reason(tmp_path):
    into = tmp_path / "book"
    import_path(Path(os.environ["SALESOPS_REAL_DATA"]) / "maven_crm", source="maven", into=into)
    book = open_book(into)
    said = {name: reason(book, name, "2017Q4") for name in (
        "win_rate_by_value", "win_rate_broad_by_value", "win_rate_cohort_by_value",
        "to_go_coverage", "start_coverage", "needed_coverage", "velocity", "stalled")}  # fmt: skip
    assert said == {
        "win_rate_by_value": "amounts_only_for_won",
        "win_rate_broad_by_value": "missing:activities.opportunity_id",
        "win_rate_cohort_by_value": "amounts_only_for_won",
        "to_go_coverage": "missing:targets",
        "start_coverage": "missing:targets",
        "needed_coverage": "missing:opportunities.expected_close_on",
        "velocity": "no_history",
        "stalled": "missing:activities",
    }
    for name in said:
        assert math.isnan(value(book, name, "2017Q4"))
    assert value(book, "win_rate_cohort", "2017Q4") > 0


def _copy(folder: Path, **edits) -> Path:
    """Copy the ten deals, with some tables changed."""
    for path in Path("tests/tiny_company").glob("*.csv"):
        rows = pd.read_csv(path, dtype=str)
        if path.stem in edits:
            rows = edits[path.stem](rows)
        rows.to_csv(folder / path.name, index=False)
    return folder
