"""Metrics of open deals of the sample company by plain pandas, from its files alone."""

import math

import chinese_calendar
import numpy as np
import pandas as pd
import pytest

from salesops.metrics.catalogue import CATALOGUE, metric
from tests.fixtures import SAMPLE

OPEN = ("acquisition", "needs", "proposal", "negotiation", "legal_review")
TOUCH = {"acquisition": 5, "needs": 7, "proposal": 5, "negotiation": 5, "legal_review": 5}
GONE = ("lost", "void")
QUARTER, REACH = "2026Q2", 81


def value(book, name: str, period: str = QUARTER, **options) -> float:
    return float(metric(book, name, period=period, **options)[name].iloc[0])


def reason(book, name: str, period: str = QUARTER) -> str:
    return metric(book, name, period=period)["reason"].iloc[0]


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
