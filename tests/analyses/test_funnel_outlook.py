"""The funnel's outlook: what is to go, likely and missing, and what stayed too long."""

from pathlib import Path

import pandas as pd
import pytest

from salesops.analyses.funnel import funnel
from salesops.book.book import open_book
from salesops.metrics.catalogue import metric
from tests.fixtures import SAMPLE

OPEN = ("acquisition", "needs", "proposal", "negotiation", "legal_review")
SOUTHWEST = "西南/一组"


@pytest.fixture(scope="module")
def quarter(sample_book):
    return funnel(sample_book, period="2026Q2")


def test_what_is_to_go_what_is_likely_and_what_is_missing_make_the_target(quarter):
    told = quarter.metrics
    assert told["won_by_now"] + told["to_go"] == pytest.approx(told["target"])
    assert told["likely"] == pytest.approx(told["from_open"] + told["usually_later"])
    assert told["likely"] + told["gap"] == pytest.approx(told["to_go"])
    assert told["coverage"] == pytest.approx(told["open_due"] / told["to_go"])
    # Open deals are enough where their usual share fills the gap.
    assert told["need"] * told["to_go"] * told["week_n_conversion"] == pytest.approx(told["to_go"])
    parts = [share.size for share in quarter.run.shares if share.mark != "tick"]
    assert sum(parts) == pytest.approx(told["target"])


def test_coverage_of_the_page_is_that_of_the_catalogue(quarter, sample_book):
    for name, key in (("to_go_coverage", "coverage"), ("week_n_conversion", "week_n_conversion"),
                      ("needed_coverage", "need")):  # fmt: skip
        found = metric(sample_book, name, period="2026Q2")[name].iloc[0]
        assert quarter.metrics[key] == pytest.approx(found), name


def test_a_finished_week_of_the_curve_is_what_was_known_on_its_last_day(quarter, sample_book):
    week = quarter.weeks[quarter.weeks["days"] == 28].iloc[0]
    then = funnel(sample_book.as_of("2026-04-28"), period="2026Q2")
    for name, key in (("coverage", "coverage"), ("awake", "awake_coverage"), ("open", "open_due"),
                      ("won", "won_by_now")):  # fmt: skip
        assert week[name] == pytest.approx(then.metrics[key], rel=1e-9), name


@pytest.mark.parametrize(
    ("date", "target", "code"),
    [
        ("2026-03-20", "120.00", "funnel.verdict_unknown"),
        ("2026-03-31", "120.00", "funnel.verdict_over"),
        ("2026-03-31", "40.00", "funnel.verdict_met"),
    ],
)
def test_the_verdict_says_what_the_target_leaves(tmp_path, date, target, code):
    for path in Path("tests/tiny_company").glob("*.csv"):
        rows = pd.read_csv(path, dtype=str)
        if path.stem == "targets":
            rows["amount"] = target
        rows.to_csv(tmp_path / path.name, index=False)
    result = funnel(open_book(tmp_path).as_of(date), period="2026-03")
    assert result.verdict[0].code == code


def test_a_team_whose_quota_is_far_beyond_its_market_is_told_how_much_is_missing(sample_book):
    book = sample_book.as_of("2025-12-10").scope(team=SOUTHWEST)
    result = funnel(book, period="2025Q4")
    assert result.verdict[0].code == "funnel.verdict_short_firm"
    (short,) = [f for f in result.findings if f.code == "funnel.coverage_short"]
    assert short.at_stake == pytest.approx(result.metrics["gap"])
    assert short.recoverable.high <= short.at_stake
    month = funnel(book)
    assert "funnel.coverage_short" not in {f.code for f in month.findings}


def test_old_and_silent_deals_are_sized_by_the_chance_they_lost(quarter):
    found = [f for f in quarter.findings if f.code == "funnel.aged"]
    assert found
    for finding in found:
        deals = quarter.open_deals
        mine = deals[(deals["stage"] == finding.subject) & (deals["age_times"] > 2)
                     & deals["silent"].eq(True)]  # fmt: skip
        assert finding.at_stake == pytest.approx(mine["amount"].sum())
        assert finding.evidence["n_deals"] == len(mine)
        lost = finding.evidence["chance"] - finding.evidence["late_chance"]
        assert finding.recoverable.middle == pytest.approx(finding.at_stake * lost)
        assert finding.recoverable.low < finding.recoverable.middle < finding.recoverable.high


# The latest month of three more dates is looked at in test_funnel.
@pytest.mark.parametrize(
    ("date", "period"),
    [("2026-06-20", "2026Q2"), ("2026-05-10", "2026Q2"), ("2025-11-12", "latest")],
)
def test_a_clean_company_raises_no_alarm_in_any_period(clean_book, date, period):
    assert funnel(clean_book.as_of(date), period=period).findings == ()


def test_the_chance_of_those_that_stayed_by_hand(tmp_path):
    """Of 400 a year half leave after 10 days and win; half stay 100 days, a tenth of them win."""
    result = funnel(open_book(_stayers(tmp_path)))
    chances = result.chances[result.chances["stage"] == "needs"].set_index("times")
    assert result.ageing.set_index("stage").loc["needs", "norm_from"] == "history"
    assert chances.loc[0, "chance"] == pytest.approx(0.5 + 0.5 * 0.1, abs=0.01)


def _stayers(folder: Path) -> Path:
    deals, log = [], []
    for i in range(400):
        born = pd.Timestamp("2025-01-05") + pd.Timedelta(hours=12 * i)
        stays = i % 2
        wins = not stays or i % 20 == 1
        steps = [("acquisition", "needs", 1),
                 ("needs", "contract" if wins else "lost", 101 if stays else 11)]  # fmt: skip
        for old, new, days in steps:
            at = born + pd.Timedelta(days=days)
            log.append(("opportunities", f"d{i}", "stage", old, new, at))
        deals.append((f"d{i}", "u1", steps[-1][1], 100.0, born))
    columns = ["id", "owner_id", "stage", "amount", "created_at"]
    pd.DataFrame(deals, columns=columns).to_parquet(folder / "opportunities.parquet")
    columns = ["entity", "entity_id", "field", "old_value", "new_value", "changed_at"]
    pd.DataFrame(log, columns=columns).to_parquet(folder / "changes.parquet")
    tracked = pd.DataFrame({"entity": "opportunities", "field": ["stage", "amount"],
                            "since": pd.Timestamp("2024-06-01"), "how": "log"})  # fmt: skip
    tracked.to_parquet(folder / "tracked.parquet")
    return folder


def test_a_small_company_without_history_still_has_five_exhibits(small_book):
    result = funnel(small_book, period="2026Q2")
    assert list(result.exhibits) == ["stages", "waterfall", "coverage", "ageing", "leaks"]
    deals = small_book.opportunities.to_pandas()
    is_open = deals[deals["outcome"] == "open"]
    assert result.metrics["open_deals"] == len(is_open)
    flow = result.flow.set_index("bucket")["n"]
    local = deals["closed_at"] + pd.Timedelta(hours=8)
    inside = (local >= "2026-04-01") & (local < "2026-07-01")
    for bucket in ("won", "lost", "void"):
        assert flow[bucket] == ((deals["outcome"] == bucket) & inside).sum()
    said = " ".join(e.html() for e in result.exhibits.values())
    assert "too few" not in said


def test_one_persons_funnel_is_theirs(sample_book):
    result = funnel(sample_book.scope(user="U0018"), period="2026Q2")
    assert set(result.open_deals["owner_id"]) == {"U0018"}
    rows = pd.read_parquet(SAMPLE / "opportunities.parquet")
    mine = rows[(rows["owner_id"] == "U0018") & rows["stage"].isin(OPEN)]
    assert len(result.open_deals) == (mine["type"] != "renewal").sum()
