"""Metrics of open deals and of what became of them: by hand on ten deals, by plain pandas."""

import math
import os
from pathlib import Path

import chinese_calendar
import numpy as np
import pandas as pd
import pytest

from salesops.book.book import open_book
from salesops.metrics.ageing import stay_norms
from salesops.metrics.catalogue import CATALOGUE, metric
from salesops.metrics.metric import reduced
from salesops.sources.importing import import_path
from tests.companies import at, book_of, random_company
from tests.fixtures import SAMPLE

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


# The sample company by plain pandas, from its files alone.


@pytest.fixture(scope="module")
def deals() -> pd.DataFrame:
    rows = pd.read_parquet(SAMPLE / "opportunities.parquet").astype({"amount": float})
    rows["expected"] = pd.to_datetime(rows["expected_close_on"])
    return rows[rows["type"] != "renewal"].set_index("id")


@pytest.fixture(scope="module")
def log(deals) -> pd.DataFrame:
    rows = pd.read_parquet(SAMPLE / "changes.parquet")
    rows = rows[(rows["entity"] == "opportunities") & rows["entity_id"].isin(deals.index)]
    return rows.sort_values(["changed_at", "seq"])


@pytest.fixture(scope="module")
def touches() -> pd.DataFrame:
    rows = pd.read_parquet(SAMPLE / "activities.parquet")
    return rows[(rows["direction"] == "two_way") & rows["opportunity_id"].notna()]


@pytest.fixture(scope="module")
def now(sample_book) -> pd.Timestamp:
    return pd.Timestamp(sample_book.instant)


_DAYS = pd.date_range("2022-01-01", "2026-12-31")
_WORKED = np.cumsum([chinese_calendar.is_workday(day) for day in _DAYS.date])


def worked(instants: pd.Series) -> pd.Series:
    """Count the working days up to and with the day in Shanghai."""
    days = (instants + pd.Timedelta(hours=8)).dt.normalize()
    return pd.Series(_WORKED[(days - _DAYS[0]).dt.days], index=instants.index)


def then(deals: pd.DataFrame, log: pd.DataFrame, field: str, t: pd.Timestamp) -> pd.Series:
    """Give a field at an instant: the old value of its first later change, else today's."""
    later = log[(log["field"] == field) & (log["changed_at"] > t)]
    old = later.drop_duplicates("entity_id").set_index("entity_id")["old_value"]
    current = deals[{"expected_close_on": "expected"}.get(field, field)]
    values = current.where(~current.index.isin(old.index), old.reindex(current.index))
    values = values[deals["created_at"] <= t]
    if field == "amount":
        return values.astype(float)
    return pd.to_datetime(values) if field == "expected_close_on" else values


def incidence(ages, causes, of: str, enough: int = 10) -> tuple[list[float], list[float], float]:
    """Ages, chance of `of` by each, and the chance to be still there, as far as ten are at risk."""
    rows = sorted(zip(ages, causes, strict=True))
    most = math.ceil(max((sum(1 for a, _c in rows if a >= rows[0][0])), 1) / 10)
    there, got, found, at_ages = 1.0, 0.0, [], []
    frame = pd.DataFrame(rows, columns=["age", "cause"])
    for age in sorted(frame.loc[frame["cause"] != "", "age"].unique()):
        risk = int((frame["age"] >= age).sum())
        if risk < min(enough, most):
            break
        here = frame[frame["age"] == age]
        got += there * int((here["cause"] == of).sum()) / risk
        there *= 1 - int((here["cause"] != "").sum()) / risk
        at_ages.append(float(age))
        found.append(got)
    return at_ages, found, there


def open_now(deals: pd.DataFrame) -> pd.DataFrame:
    return deals[deals["stage"].isin(OPEN)]


def silence(deals: pd.DataFrame, touches: pd.DataFrame, now: pd.Timestamp) -> pd.Series:
    rows = open_now(deals)
    last = touches.groupby("opportunity_id")["occurred_at"].max().reindex(rows.index)
    since = last.fillna(rows["created_at"])
    return (worked(pd.Series(now, index=rows.index)) - worked(since)).astype(float)


def test_silence_and_standstill_of_the_sample(sample_book, deals, log, touches, now):
    gap, norm = silence(deals, touches, now), open_now(deals)["stage"].map(TOUCH)
    assert value(sample_book, "follow_up_gap") == pytest.approx((gap / norm).median())
    moves = log[log["field"] == "stage"].groupby("entity_id")["changed_at"].max()
    entered = moves.reindex(gap.index).fillna(open_now(deals)["created_at"])
    rest = worked(pd.Series(now, index=gap.index)) - worked(entered)
    wanted = ((gap > norm) & (rest > norm)).mean()
    assert value(sample_book, "stalled") == pytest.approx(wanted)


def test_win_rates_of_the_sample(sample_book, deals, touches, now):
    closed = deals["closed_at"] + pd.Timedelta(hours=8)
    ended = deals[(closed >= "2026-04-01") & (closed < "2026-07-01")]
    won, lost = ((ended["stage"] == s) for s in ("contract", "lost"))
    gap, norm = silence(deals, touches, now), open_now(deals)["stage"].map(TOUCH)
    passed = (
        _WORKED[(pd.Timestamp("2026-06-20") - _DAYS[0]).days]
        - _WORKED[(pd.Timestamp("2026-03-31") - _DAYS[0]).days]
    )
    fell = (gap > 3 * norm) & (gap - passed <= 3 * norm)
    whole = won.sum() + lost.sum() + fell.sum()
    assert value(sample_book, "win_rate_broad") == pytest.approx(won.sum() / whole)
    money = deals["amount"]
    below = money[ended.index][won | lost].sum() + money[fell[fell].index].sum()
    broad = value(sample_book, "win_rate_broad_by_value")
    assert broad == pytest.approx(money[ended.index][won].sum() / below)
    born = deals["created_at"] + pd.Timedelta(hours=8)
    cohort = deals[(born >= "2026-04-01") & (born < "2026-07-01") & (deals["stage"] != "void")]
    assert value(sample_book, "win_rate_cohort") == pytest.approx(
        (cohort["stage"] == "contract").mean()
    )
    assert value(sample_book, "cohort_open_share") == pytest.approx(
        cohort["stage"].isin(OPEN).mean()
    )


def test_cycle_of_the_sample(sample_book, deals, now):
    born = deals[deals["created_at"] > now - pd.Timedelta(days=730)]
    until = born["closed_at"].fillna(now)
    ages = (until - born["created_at"]).dt.total_seconds() // 86_400
    causes = born["stage"].map(lambda s: "won" if s == "contract" else "gone" if s in GONE else "")
    at_ages, won, _there = incidence(ages, causes, "won")
    half = next(a for a, share in zip(at_ages, won, strict=True) if share >= won[-1] / 2)
    assert value(sample_book, "sales_cycle") == half
    closed = deals["closed_at"] + pd.Timedelta(hours=8)
    wins = deals[(closed >= "2026-04-01") & (closed < "2026-07-01")]
    wins = wins[wins["stage"] == "contract"]
    days = (wins["closed_at"] - wins["created_at"]).dt.total_seconds() / 86_400
    assert value(sample_book, "sales_cycle_won") == pytest.approx(days.median())


def due(deals, log, t: pd.Timestamp, first: str, last: str) -> pd.Series:
    """Give the value of what was open at an instant and expected between two days."""
    stage = then(deals, log, "stage", t)
    expected = then(deals, log, "expected_close_on", t)
    amount = then(deals, log, "amount", t)
    inside = stage.isin(OPEN) & (expected >= first) & (expected <= last)
    return amount[inside]


@pytest.fixture(scope="module")
def goal() -> float:
    rows = pd.read_csv(SAMPLE / "targets.csv")
    rows = rows[(rows["level"] == "company") & (rows["metric"] == "bookings")]
    return float(rows.loc[rows["period"].between("2026-04", "2026-06"), "amount"].sum())


def test_coverage_of_the_sample(sample_book, deals, log, now, goal):
    start = due(deals, log, pd.Timestamp("2026-03-31 15:59:59.999999"), "2026-04-01", "2026-06-30")
    assert value(sample_book, "start_coverage") == pytest.approx(start.sum() / goal)
    closed = deals["closed_at"] + pd.Timedelta(hours=8)
    won = deals.loc[(deals["stage"] == "contract") & (closed >= "2026-04-01"), "amount"].sum()
    here = due(deals, log, now, "2026-04-01", "2026-06-30")
    assert value(sample_book, "to_go_coverage") == pytest.approx(here.sum() / (goal - won))


def test_what_earlier_quarters_won_of_what_was_open_at_this_day(sample_book, deals, log):
    closed = (deals["closed_at"] + pd.Timedelta(hours=8)).where(deals["stage"] == "contract")
    open_, won = 0.0, 0.0
    for k in range(1, 9):
        first = pd.Timestamp("2026-04-01") - pd.DateOffset(months=3 * k)
        after = first + pd.DateOffset(months=3)
        last = after - pd.Timedelta(days=1)
        look = first + pd.Timedelta(days=REACH) - pd.Timedelta(hours=8, microseconds=1)
        rows = due(deals, log, look, str(first.date()), str(last.date()))
        inside = closed.reindex(rows.index)
        taken = (inside >= look + pd.Timedelta(hours=8)) & (inside < after)
        open_, won = open_ + rows.sum(), won + rows[taken].sum()
    assert value(sample_book, "week_n_conversion") == pytest.approx(won / open_)
    assert value(sample_book, "needed_coverage") == pytest.approx(open_ / won)


def test_chances_by_stage_and_days_left_of_the_sample(sample_book, deals, log):
    closed = (deals["closed_at"] + pd.Timedelta(hours=8)).where(deals["stage"] == "contract")
    today, looks = pd.Timestamp("2026-06-20"), []
    for i in range(1, 27):
        day = today - pd.Timedelta(days=14 * i)
        t = day + pd.Timedelta(hours=16) - pd.Timedelta(microseconds=1)
        stage, expected = then(deals, log, "stage", t), then(deals, log, "expected_close_on", t)
        mine = pd.DataFrame({"stage": stage, "expected": expected, "closed": closed[stage.index]})
        mine = mine[stage.isin(OPEN) & (expected >= day) & (expected < today)]
        looks.append(mine.assign(left=(mine["expected"] - day).dt.days, t=t))
    seen = pd.concat(looks)
    seen["won"] = (seen["closed"].dt.normalize() <= seen["expected"]) & (
        seen["closed"] >= seen["t"] + pd.Timedelta(hours=8)
    )
    bins = [-1, 14, 30, 60, 90, 10_000]
    seen["group"] = pd.cut(seen["left"], bins, labels=False)
    by_group = seen.groupby(["stage", "group"])["won"].agg(["size", "mean"])
    by_stage = seen.groupby("stage")["won"].agg(["size", "mean"])
    rows = open_now(deals)
    left = (rows["expected"] - today).dt.days
    total = 0.0
    for deal in rows.index[left >= 0]:
        key = (rows.loc[deal, "stage"], int(np.searchsorted(bins[1:], left[deal])))
        own = by_group.loc[key] if key in by_group.index else None
        chosen = own if own is not None and own["size"] >= 30 else by_stage.loc[key[0]]
        total += rows.loc[deal, "amount"] * chosen["mean"]
    assert value(sample_book, "credible_pipeline") == pytest.approx(total, abs=1)


def test_pushes_of_the_sample(sample_book, deals, log):
    moves = log[(log["field"] == "expected_close_on") & (log["new_value"] > log["old_value"])]
    wanted = moves["entity_id"].isin(open_now(deals).index).sum() / len(open_now(deals))
    assert value(sample_book, "push_count") == pytest.approx(wanted)


def first_times(deals, log) -> pd.DataFrame:
    """First entry into each open stage, first time beyond it, first win, and since when gone."""
    moves = log[log["field"] == "stage"]
    start = moves.drop_duplicates("entity_id").set_index("entity_id")["old_value"]
    began = start.reindex(deals.index).fillna(deals["stage"])
    rows = [moves[["entity_id", "new_value", "changed_at"]],
            pd.DataFrame({"entity_id": deals.index, "new_value": began.to_numpy(),
                          "changed_at": deals["created_at"].to_numpy()})]  # fmt: skip
    seen = pd.concat(rows)
    # What was entered before the history begins is not known.
    seen = seen[seen["changed_at"] >= "2023-06-30 16:00"]
    found = {}
    for i, stage in enumerate(OPEN):
        later = [*OPEN[i + 1 :], "contract"]
        for name, stages in ((f"in_{stage}", [stage]), (f"on_{stage}", later)):
            some = seen[seen["new_value"].isin(stages)]
            found[name] = some.groupby("entity_id")["changed_at"].min()
    found["won"] = seen[seen["new_value"] == "contract"].groupby("entity_id")["changed_at"].min()
    last = moves.drop_duplicates("entity_id", keep="last").set_index("entity_id")
    found["gone"] = last.loc[last["new_value"].isin(GONE), "changed_at"]
    return pd.DataFrame(found).reindex(deals.index)


def test_time_in_stage_of_the_sample(sample_book, deals, log, now):
    times = first_times(deals, log)
    norms = {}
    for stage in OPEN:
        rows = times[times[f"in_{stage}"] > now - pd.Timedelta(days=365)]
        entered, on = rows[f"in_{stage}"], rows[f"on_{stage}"]
        rows = rows[on.isna() | (on >= entered)]
        entered, on = rows[f"in_{stage}"], rows[f"on_{stage}"]
        gone = rows["gone"].where(rows["gone"] >= entered)
        until = on.fillna(gone).fillna(now)
        causes = ["on" if a else "gone" if b else "" for a, b in
                  zip(on.notna(), gone.notna(), strict=True)]  # fmt: skip
        ages = ((until - entered).dt.total_seconds() // 86_400).tolist()
        there, norm = 1.0, None
        frame = pd.DataFrame({"age": ages, "cause": causes})
        for age in sorted(frame.loc[frame["cause"] != "", "age"].unique()):
            risk = (frame["age"] >= age).sum()
            there *= 1 - ((frame["age"] == age) & (frame["cause"] != "")).sum() / risk
            if there <= 0.25 and norm is None:
                norm = age
        norms[stage] = norm
    moves = log[log["field"] == "stage"].groupby("entity_id")["changed_at"].max()
    rows = open_now(deals)
    entered = moves.reindex(rows.index).fillna(rows["created_at"])
    days = (now - entered).dt.total_seconds().astype(int) / 86_400
    wanted = (days / rows["stage"].map(norms)).median()
    assert value(sample_book, "stage_ageing") == pytest.approx(wanted, rel=1e-4)


def test_velocity_of_the_sample(sample_book, deals, log, now):
    times = first_times(deals, log)
    qualified = times[["in_needs", "on_needs"]].min(axis=1)
    year = now - pd.Timedelta(days=365)
    n_open = int(qualified[open_now(deals).index].notna().sum())
    cohort = qualified[qualified > year]
    won, gone = times["won"].reindex(cohort.index), times["gone"].reindex(cohort.index)
    until = won.fillna(gone).fillna(now)
    causes = ["won" if a else "gone" if b else "" for a, b in
              zip(won.notna(), gone.notna(), strict=True)]  # fmt: skip
    ages = ((until - cohort).dt.total_seconds() // 86_400).tolist()
    _ages, chance, _there = incidence(ages, causes, "won")
    wins = deals[(deals["stage"] == "contract") & (times["won"] > year)]
    days = (times["won"] - qualified)[wins.index].dt.total_seconds().mean() / 86_400
    wanted = n_open * chance[-1] * wins["amount"].mean() / days
    assert value(sample_book, "velocity") == pytest.approx(wanted, rel=1e-6)


def test_skips_and_silence_behind_the_breaks_of_the_sample(sample_book, deals, log, touches, now):
    rows = CATALOGUE["broken_share"].rows_of(sample_book, sample_book.period(QUARTER)).to_pandas()
    rows = rows.set_index("id")
    any_break = rows[["skipped", "silent", "handed_late", "no_owner"]].any(axis=1)
    assert (rows["broken"] == any_break).all()
    place = {stage: i for i, stage in enumerate((*OPEN, "contract"))}
    moves = log[log["field"] == "stage"]
    step = moves["new_value"].map(place) - moves["old_value"].map(place)
    skipped = set(moves.loc[step > 1, "entity_id"])
    assert {*rows.index[rows["skipped"]]} == skipped & {*rows.index}
    of_deal = dict(tuple(moves.groupby("entity_id")))
    spoken = touches.groupby("opportunity_id")["occurred_at"].apply(list)
    silent = {deal for deal in rows.index
              if _silent(deal, deals, of_deal, spoken, now)}  # fmt: skip
    assert {*rows.index[rows["silent"]]} == silent


def _silent(deal, deals, of_deal, spoken, now) -> bool:
    row = deals.loc[deal]
    end = row["closed_at"] if pd.notna(row["closed_at"]) else now
    marks = sorted(t for t in spoken.get(deal, []) if row["created_at"] <= t <= end)
    marks = [row["created_at"], *marks, end]
    counts = worked(pd.Series(marks)).tolist()
    moves = of_deal.get(deal)
    for begin, one, two in zip(marks, counts, counts[1:], strict=False):
        stage = row["stage"]
        if moves is not None:
            past = moves[moves["changed_at"] <= begin]
            stage = past["new_value"].iloc[-1] if len(past) else moves["old_value"].iloc[0]
        if stage in TOUCH and two - one > 3 * TOUCH[stage]:
            return True
    return False


# Time, scope and what is missing.

NAMES = ("win_rate_broad", "win_rate_cohort", "stage_conversion", "sales_cycle", "velocity",
         "follow_up_gap", "stage_ageing", "stalled", "broken_share", "push_count",
         "credible_pipeline", "week_n_conversion")  # fmt: skip


@pytest.mark.parametrize("seed", [3, 8])
def test_a_number_at_a_date_is_that_of_a_store_that_ends_there(seed):
    company = random_company(seed, n=60)
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
