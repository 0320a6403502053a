"""The funnel: by hand on ten deals, by plain pandas on the sample, silent where all is well."""

import datetime as dt
import math
from pathlib import Path

import pandas as pd
import pytest

from salesops.analyses.funnel import funnel
from salesops.book.book import open_book
from salesops.book.write import typed
from tests.companies import book_of
from tests.fixtures import SAMPLE

OPEN = ("acquisition", "needs", "proposal", "negotiation", "legal_review")
LATER = {stage: {*OPEN[i + 1 :], "contract"} for i, stage in enumerate(OPEN)}


@pytest.fixture(scope="module")
def tiny(tiny_book):
    return funnel(tiny_book)


@pytest.fixture(scope="module")
def sample(sample_book):
    return funnel(sample_book)


def test_the_open_deals_of_ten_deals(tiny):
    stages = tiny.stages.set_index("stage")
    assert stages["n"].to_dict() == {"acquisition": 1, "needs": 2, "negotiation": 2}
    assert stages["amount"].to_dict() == {
        "acquisition": 20, "needs": 30 + 70, "negotiation": 80 + 90,
    }  # fmt: skip
    # Of the two in negotiation only d07 is expected in March.
    assert stages.loc["negotiation", "due"] == 90


def test_the_chance_of_getting_past_needs_by_hand(tiny):
    # Seven entered: on after 14, 14, 30 days, gone after 31, 47, two are still there (43, 0).
    needs = tiny.stages.set_index("stage").loc["needs"]
    assert needs["entered"] == 7
    assert needs["rate"] == pytest.approx(2 / 6 + (4 / 6) * (1 / 4))


def test_a_skip_counts_as_past_the_stage(tiny):
    # d03 went from acquisition to negotiation: past acquisition, never in needs.
    moves = tiny.transitions.set_index(["source", "target"])
    assert moves.loc[("acquisition", "negotiation"), "kind"] == "skip"
    assert tiny.stages.set_index("stage").loc["acquisition", "entered"] == 10


def test_the_waterfall_of_march_by_hand(tiny):
    bars = tiny.waterfall.set_index("bucket")["amount"]
    # Expected in March and open on 28 February: d03 40, d04 80, d05 50, d07 75.
    assert bars["start"] == 40 + 80 + 50 + 75
    assert bars["won"] == -40
    assert bars["lost"] == -50
    assert bars["pushed_out"] == -80
    assert bars["amount_up"] == 90 - 75
    assert bars["end"] == 90


def test_a_figure_that_cannot_be_known_is_null_and_says_why(tiny):
    assert tiny.stages["prior_rate"].isna().all()
    assert [gap.what for gap in tiny.gaps] == ["what.prior_conversion"]


def test_by_team_the_open_deals_go_with_their_owner(tiny_book):
    groups = funnel(tiny_book, by="team").groups.set_index("group")
    people = pd.read_csv("tests/tiny_company/users.csv").set_index("id")["team"]
    deals = pd.read_csv("tests/tiny_company/opportunities.csv")
    is_open = deals[deals["stage"].isin(["acquisition", "needs", "negotiation"])]
    wanted = is_open.groupby(is_open["owner_id"].map(people))["amount"].agg(["size", "sum"])
    for team, row in wanted.iterrows():
        assert groups.loc[team, "n"] == row["size"]
        assert groups.loc[team, "amount"] == row["sum"]


def test_an_unknown_grouping_is_refused(tiny_book):
    with pytest.raises(ValueError, match="Expected none, team or user"):
        funnel(tiny_book, by="colour")


# The sample company by plain pandas, from its files alone.


@pytest.fixture(scope="module")
def files() -> dict[str, pd.DataFrame]:
    deals = pd.read_parquet(SAMPLE / "opportunities.parquet")
    log = pd.read_parquet(SAMPLE / "changes.parquet")
    deals = deals[deals["type"] != "renewal"]
    log = log[(log["entity"] == "opportunities") & log["entity_id"].isin(deals["id"])]
    return {"deals": deals, "log": log.sort_values(["changed_at", "seq"])}


def test_open_deals_of_the_sample_by_plain_pandas(sample, files):
    deals = files["deals"]
    is_open = deals[deals["stage"].isin(OPEN)].astype({"amount": float})
    for stage, rows in is_open.groupby("stage"):
        shown = sample.stages.set_index("stage").loc[stage]
        assert shown["n"] == len(rows)
        assert shown["amount"] == pytest.approx(rows["amount"].sum(), abs=0.005)


def test_stage_conversion_of_the_sample_by_plain_python(sample, files):
    first, beyond, gone, end = _lives(files)
    for stage in OPEN:
        stays = []
        for deal, entered in first[stage].items():
            if not end - pd.Timedelta(days=365) < entered <= end:
                continue
            on, lost = beyond[stage].get(deal), gone.get(deal)
            if on is not None and on < entered:
                continue
            until = on if on is not None else lost if lost and lost >= entered else end
            cause = "on" if on is not None else "gone" if lost and lost >= entered else ""
            stays.append((int((until - entered).total_seconds() // 86_400), cause))
        shown = sample.stages.set_index("stage").loc[stage]
        assert shown["entered"] == len(stays)
        assert shown["rate"] == pytest.approx(_incidence(stays), rel=1e-9), stage


def _lives(files):
    """Per stage the first entry, the first time beyond it, and since when a deal is gone."""
    deals = files["deals"].set_index("id")
    start, end = pd.Timestamp("2023-06-30 16:00"), pd.Timestamp("2026-06-20 15:59:59.999999")
    log = files["log"][files["log"]["field"] == "stage"]
    first = {stage: {} for stage in OPEN}
    beyond = {stage: {} for stage in OPEN}
    seen: dict[str, list[tuple[pd.Timestamp, str]]] = {}
    for row in log.itertuples():
        if row.entity_id not in seen:
            created = deals.loc[row.entity_id, "created_at"]
            seen[row.entity_id] = [(created, row.old_value)]
        seen[row.entity_id].append((row.changed_at, row.new_value))
    for deal, created in deals["created_at"].items():
        seen.setdefault(deal, [(created, deals.loc[deal, "stage"])])
    gone = {}
    for deal, steps in seen.items():
        for at, stage in steps:
            if stage in OPEN and at >= start:
                first[stage].setdefault(deal, at)
            for earlier in OPEN:
                if stage in LATER[earlier]:
                    beyond[earlier].setdefault(deal, at)
        if steps[-1][1] in ("lost", "void"):
            gone[deal] = steps[-1][0]
    last = max(at for steps in seen.values() for at, _stage in steps)
    assert last <= end
    known = max(
        pd.read_parquet(SAMPLE / f"{name}.parquet", columns=[column])[column].max()
        for name, column in (("changes", "changed_at"), ("activities", "logged_at"))
    )
    # What is only dated is known at the end of its day, by the clock of Shanghai.
    dated = max(
        pd.to_datetime(pd.read_parquet(SAMPLE / f"{name}.parquet")[column]).max()
        for name, column in (("contracts", "signed_on"), ("receipts", "received_on"),
                             ("invoices", "issued_on"))
    )  # fmt: skip
    known = max(known, dated + pd.Timedelta(hours=24 - 8, microseconds=-1))
    return first, beyond, gone, min(known, end)


def _incidence(stays: list[tuple[int, str]], enough: int = 10) -> float:
    """Sum over ages: chance to be there, times the share of those at risk that get on."""
    there, got = 1.0, 0.0
    most = math.ceil(len(stays) / 10)
    for age in sorted({a for a, cause in stays if cause}):
        at_risk = sum(1 for a, _c in stays if a >= age)
        if at_risk < min(enough, most):
            break
        on = sum(1 for a, c in stays if a == age and c == "on")
        left = sum(1 for a, c in stays if a == age and c)
        got += there * on / at_risk
        there *= 1 - left / at_risk
    return got


def test_losses_of_june_by_plain_pandas(sample, files):
    deals = files["deals"].astype({"amount": float})
    local = deals["closed_at"] + pd.Timedelta(hours=8)
    gone = deals[deals["stage"].isin(["lost", "void"]) & (local >= "2026-06-01")]
    assert sample.leaks["n"].sum() == len(gone)
    assert sample.leaks["leak"].sum() == pytest.approx(gone["amount"].sum(), abs=0.005)


def test_renewals_are_counted_beside_and_not_inside(sample):
    deals = pd.read_parquet(SAMPLE / "opportunities.parquet")
    renewals = deals[(deals["type"] == "renewal") & deals["closed_at"].isna()]
    assert sample.method.n["renewals"] == len(renewals)
    assert sample.method.n["deals"] == (deals["type"] != "renewal").sum()


@pytest.mark.parametrize("date", ["2026-06-20", "2026-03-31", "2025-12-31"])
def test_a_clean_company_raises_no_alarm(clean_book, date):
    assert funnel(clean_book.as_of(date)).findings == ()


def test_a_stage_that_got_harder_is_found_and_sized(tmp_path):
    """Two years of deals: 40 % get past needs in the first, 20 % in the second."""
    folder = _two_years(tmp_path, before=40, after=20)
    (found,) = funnel(open_book(folder)).findings
    assert found.code == "funnel.conversion_fell"
    assert found.subject == "needs"
    assert found.evidence["prior_rate"] == pytest.approx(0.40, abs=0.01)
    assert found.evidence["rate"] == pytest.approx(0.20, abs=0.01)
    assert found.recoverable is not None
    assert 0 < found.recoverable.low < found.recoverable.middle < found.recoverable.high
    assert found.recoverable.high <= found.at_stake


def test_a_stage_that_stayed_as_it_was_raises_no_alarm(tmp_path):
    assert funnel(open_book(_two_years(tmp_path, before=40, after=40))).findings == ()


def _two_years(folder: Path, before: int, after: int) -> Path:
    """Give 400 deals a year that leave needs after ten days, so many in a hundred forwards."""
    deals, log = [], []
    for year, share in ((2024, before), (2025, after)):
        for i in range(400):
            born = pd.Timestamp(f"{year}-01-05") + pd.Timedelta(hours=20 * i)
            name, passes = f"d{year}-{i}", i % 100 < share
            steps = [("acquisition", "needs", 1)]
            won = [("needs", "negotiation", 11), ("negotiation", "contract", 15)]
            steps += won if passes else [("needs", "lost", 11)]
            for old, new, days in steps:
                at = born + pd.Timedelta(days=days)
                log.append(("opportunities", name, "stage", old, new, at))
            deals.append((name, "u1", steps[-1][1], 100.0, born))
    for i in range(50):
        born = pd.Timestamp("2025-12-20") + pd.Timedelta(hours=i)
        log.append(("opportunities", f"o{i}", "stage", "acquisition", "needs", born))
        deals.append((f"o{i}", "u1", "needs", 100.0, born - pd.Timedelta(days=1)))
    columns = ["id", "owner_id", "stage", "amount", "created_at"]
    pd.DataFrame(deals, columns=columns).to_parquet(folder / "opportunities.parquet")
    columns = ["entity", "entity_id", "field", "old_value", "new_value", "changed_at"]
    pd.DataFrame(log, columns=columns).to_parquet(folder / "changes.parquet")
    tracked = pd.DataFrame({"entity": "opportunities", "field": ["stage", "amount"],
                            "since": pd.Timestamp("2023-06-01"), "how": "log"})  # fmt: skip
    tracked.to_parquet(folder / "tracked.parquet")
    return folder


def test_an_open_deal_without_a_stage_is_counted_and_shown_as_of_no_known_stage():
    day = dt.datetime(2026, 1, 5)
    deals = pd.DataFrame(
        [("a", "needs", 100.0, day), ("b", None, 50.0, day)],
        columns=["id", "stage", "amount", "created_at"],
    )
    result = funnel(book_of({"opportunities": typed("opportunities", deals)}))
    assert result.metrics["open_amount"] == 100 + 50
    shown = result.stages.set_index("stage")["n"]
    assert shown.sum() == result.metrics["open_deals"] == 2
    assert shown["unknown"] == 1


def test_what_was_won_in_another_currency_counts_at_its_rate():
    day = dt.datetime(2026, 1, 5)
    deals = pd.DataFrame(
        [("a", "contract", 100.0, "USD", day, day), ("b", "contract", 100.0, None, day, day)],
        columns=["id", "stage", "amount", "currency", "created_at", "closed_at"],
    )
    rates = pd.DataFrame({"currency": ["USD"], "on": [dt.date(2026, 1, 1)], "rate": [7.0]})
    tables = {"opportunities": typed("opportunities", deals), "fx": typed("fx", rates)}
    assert funnel(book_of(tables)).metrics["won_amount"] == 100 * 7 + 100


# How a period will end, and what stays too long.


def test_deals_that_ended_on_no_known_day_are_not_told_as_none():
    at = pd.Timestamp("2026-02-01")
    rows = [("d1", "u1", "contract", 10.0, at), ("d2", "u1", "lost", 10.0, at),
            ("d3", "u1", "needs", 10.0, at)]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["id", "owner_id", "stage", "amount", "created_at"])
    deals = typed("opportunities", frame.astype({"created_at": "datetime64[us]"}))
    result = funnel(book_of({"opportunities": deals}))
    ends = result.flow.set_index("bucket")["n"]
    assert ends[["won", "lost"]].isna().all()
    assert ends["created"] >= 0
    assert "leaks" not in result.exhibits
    assert result.exhibits["waterfall"].title.code == "funnel.title_came"
    said = [one.code for one in result.verdict]
    assert "funnel.verdict_flow" not in said
