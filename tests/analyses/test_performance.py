"""The performance report: by hand on ten deals, by plain pandas on the sample, silent when well."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from salesops.analyses.performance import performance
from salesops.wording import language, say_finding
from tests.companies import book_of
from tests.fixtures import SAMPLE
from tests.signings import OPEN, PEOPLE, T, contract, contracts, day, deals, targets, won


@pytest.fixture(scope="module")
def sample(sample_book):
    return performance(sample_book)


@pytest.fixture(scope="module")
def quarter(sample_book):
    return performance(sample_book, period="2026Q2")


@pytest.fixture(scope="module")
def files() -> pd.DataFrame:
    rows = pd.read_parquet(SAMPLE / "contracts.parquet").astype({"amount": float})
    kinds = pd.read_parquet(SAMPLE / "opportunities.parquet").set_index("id")["type"]
    renews = set(rows["renewed_by"].dropna())
    rows = rows[(rows["opportunity_id"].map(kinds) != "renewal") & ~rows["id"].isin(renews)]
    rows["day"] = pd.to_datetime(rows["signed_on"])
    gone = rows[rows["cancelled_on"].notna()]
    gone = gone.assign(day=pd.to_datetime(gone["cancelled_on"]), amount=-gone["amount"])
    return pd.concat([rows, gone])


def net(rows: pd.DataFrame, first: str, last: str) -> float:
    return float(rows.loc[rows["day"].between(T(first), T(last)), "amount"].sum())


# By hand on ten deals: March, targets 120, North/1 80, South/1 40; d03 40 won in North/1.


def test_march_of_ten_deals_by_hand(tiny_book):
    result = performance(tiny_book)
    rows = result.groups.set_index("name")
    assert rows.loc["", ["signed", "plan", "n"]].tolist() == [40, 120, 1]
    assert rows.loc["North/1", "attained_rate"] == 40 / 80
    assert rows.loc["South/1", "attained_rate"] == 0
    # The month is over, so that all of the target is due; in February d01 was won for 100.
    assert result.metrics["due"] == 120
    assert result.metrics["to_go"] == 80
    assert result.metrics["prior"] == 100
    assert result.metrics["change"] == 40 - 100
    # Open and expected in March: d07, 90.
    assert result.deals[["id", "amount"]].values.tolist() == [["d07", 90]]
    bars = dict(zip(result.bars["bar"], result.bars["amount"], strict=True))
    assert (bars["before"], bars["now"]) == (100, 40)


def test_by_person_each_owner_has_a_row(tiny_book):
    rows = performance(tiny_book, by="user", period="2026Q1").groups
    parts = rows[rows["level"] == "group"].set_index("name")
    assert parts["signed"].to_dict() == {"Ann": 100, "Bo": 40}


def test_an_unknown_grouping_is_refused(tiny_book):
    with pytest.raises(ValueError, match="Expected none, team, user or region"):
        performance(tiny_book, by="colour")


def test_without_a_plan_or_an_earlier_period_it_says_so(tiny_book):
    result = performance(tiny_book, period="2026Q1")
    assert result.run is None
    assert result.metrics["target"] is None
    assert {g.what for g in result.gaps} >= {"what.plan", "what.year_ago", "what.bridge"}


# The sample by plain pandas.


def test_the_numbers_of_june_by_plain_pandas(sample, files):
    assert sample.metrics["signed"] == pytest.approx(net(files, "2026-06-01", "2026-06-20"))
    assert sample.metrics["compared"] == pytest.approx(net(files, "2025-06-01", "2025-06-20"))
    assert sample.metrics["prior"] == pytest.approx(net(files, "2026-05-01", "2026-05-20"))
    plan = pd.read_csv(SAMPLE / "targets.csv")
    plan = plan[(plan["level"] == "company") & (plan["metric"] == "bookings")]
    target = plan.loc[plan["period"] == "2026-06", "amount"].sum()
    assert sample.metrics["target"] == target
    assert sample.metrics["attained"] == pytest.approx(sample.metrics["signed"] / target)
    assert sample.metrics["to_go"] == pytest.approx(target - sample.metrics["signed"])


def test_the_teams_sum_to_the_company_in_every_column(sample):
    total = sample.groups[sample.groups["level"] == "total"].iloc[0]
    parts = sample.groups[sample.groups["level"] == "group"]
    for column in ("n", "signed", "plan", "due", "prior", "year_ago"):
        assert parts[column].sum() == pytest.approx(total[column], abs=0.02), column


def test_the_parts_of_each_split_sum_to_what_was_signed(sample):
    for split, rows in sample.parts.groupby("split"):
        assert rows["signed"].sum() == pytest.approx(sample.metrics["signed"]), split


def test_the_course_ends_at_what_was_signed_and_what_was_planned(sample):
    known = sample.days["signed"].dropna()
    assert len(known) == 20
    assert known.iloc[-1] == pytest.approx(sample.metrics["signed"])
    assert sample.days["plan"].iloc[-1] == pytest.approx(sample.metrics["target"])
    assert sample.days["plan"].iloc[19] == pytest.approx(sample.metrics["due"], rel=1e-6)
    assert sample.days["compared"].iloc[19] == pytest.approx(sample.metrics["compared"])


def test_the_compared_course_is_that_of_the_year_before(sample, files):
    whole = net(files, "2025-06-01", "2025-06-30")
    assert sample.days["compared"].iloc[-1] == pytest.approx(whole)


def test_open_deals_of_june_by_plain_pandas(sample):
    rows = pd.read_parquet(SAMPLE / "opportunities.parquet").astype({"amount": float})
    rows = rows[rows["closed_at"].isna() & (rows["type"] != "renewal")]
    due = pd.to_datetime(rows["expected_close_on"]).between(T("2026-06-01"), T("2026-06-30"))
    assert sample.metrics["n_open"] == due.sum()
    assert sample.metrics["open"] == pytest.approx(rows.loc[due, "amount"].sum())
    assert sample.deals["amount"].is_monotonic_decreasing


def test_the_bridge_leads_from_the_year_before_to_now(sample):
    assert sample.bars["amount"].iloc[0] == pytest.approx(sample.metrics["compared"])
    assert sample.bars["amount"].iloc[-1] == pytest.approx(sample.metrics["signed"])
    cents = [round(a * 100) for a in sample.bars["amount"]]
    assert cents[0] + sum(cents[1:-1]) == cents[-1]


def test_the_verdict_bar_adds_up_to_the_target(sample):
    parts = {share.mark: share.size for share in sample.run.shares}
    assert parts["got"] + parts["likely"] + parts["short"] == pytest.approx(
        sample.metrics["target"]
    )
    assert parts["tick"] == sample.metrics["due"]


@pytest.mark.parametrize(("period", "lang"), [("2026-05", "zh"), ("2026", "en"), ("2024-02", "zh")])
def test_any_period_gives_a_verdict_and_five_exhibits_or_their_reasons(sample_book, period, lang):
    result = performance(sample_book, period=period)
    for each in ("zh", "en"):
        with language(each):
            assert all(clause.text() for clause in result.verdict)
    with language(lang):
        for key in ("attainment", "year_ago", "ladder", "gap", "bridge"):
            assert result.exhibit(key)._repr_mimebundle_()


def test_a_team_sees_its_own_people_alone(sample_book, quarter):
    team = "华东/一组"
    result = performance(sample_book.scope(team=team), period="2026Q2")
    users = pd.read_csv(SAMPLE / "users.csv")
    insiders = set(users.loc[users["team"] == team, "id"])
    names = set(users.loc[users["team"] == team, "name"])
    assert set(result.reps["owner_id"]) <= insiders
    assert set(result.deals["owner"]) <= names
    assert set(result.customers["owner"]) <= names
    assert set(result.parts.loc[result.parts["split"] == "team", "group"]) == {team}
    whole = quarter.groups.set_index("name")
    assert result.metrics["signed"] == pytest.approx(whole.loc[team, "signed"])
    assert result.metrics["target"] == whole.loc[team, "plan"]


def test_a_fiscal_year_from_april_begins_its_first_quarter_there(sample_book, quarter):
    settings = sample_book.settings
    company = settings.company.model_copy(update={"fiscal_year_starts": 4})
    other = settings.model_copy(update={"company": company})
    store = replace(sample_book.store, settings=other)
    here = performance(replace(sample_book, store=store), period="2026Q1").metrics
    assert here["signed"] == quarter.metrics["signed"]
    assert here["target"] == quarter.metrics["target"]


# What it concludes.


def years(*, last: float, seed: int = 7) -> dict:
    """Sign 20 contracts a month of about 10 for two years, then the last year at a share of it."""
    rng = np.random.default_rng(seed)
    rows = []
    for k in range(36):
        month = 2023 * 12 + k
        n = round(20 * (last if k >= 24 else 1.0))
        for i in range(n):
            on = day(f"{month // 12}-{month % 12 + 1:02d}-{3 + i % 24:02d}")
            amount = float(np.round(10 * rng.lognormal(0, 0.5), 2))
            rows.append(contract(id=f"c{k}-{i}", amount=amount, signed_on=on))
    plan = [(f"2025-{m:02d}", "company", None, 220.0, "2024-12-01") for m in range(1, 13)]
    return {**deals(OPEN), **PEOPLE, **contracts(*rows), **targets(*plan)}


def test_a_company_far_behind_its_pace_is_told_so_with_what_is_missing():
    book = book_of(years(last=0.4)).as_of("2025-12-31")
    (found,) = performance(book, period="2025").findings
    assert found.code == "performance.behind_pace"
    assert found.at_stake == pytest.approx(12 * 220 - found.evidence["signed"])
    for lang in ("zh", "en"):
        with language(lang):
            assert say_finding(found).text


@pytest.mark.parametrize("seed", range(3))
def test_a_company_on_pace_is_left_in_peace(seed):
    # 20 a month of mean 11.3 are worth more than 220.
    book = book_of(years(last=1.0, seed=seed)).as_of("2025-12-31")
    assert performance(book, period="2025").findings == ()


@pytest.mark.parametrize(
    ("date", "period"),
    [("2026-06-20", "2026"), ("2025-03-31", "2025Q1")],
)  # fmt: skip
def test_a_clean_company_raises_no_alarm(clean_book, date, period):
    assert performance(clean_book.as_of(date), period=period).findings == ()


def test_of_a_small_company_it_says_what_its_lists_say(small_book):
    result = performance(small_book)
    assert len(result.exhibits) >= 4
    assert result.findings == ()
    too_few = [g for g in result.gaps if g.reason == "too_few"]
    assert len(too_few) <= 1


def test_signings_without_a_value_are_told_of():
    book = book_of(deals(won(id="d1", amount=10.0, closed_at=T("2026-03-05")),
                         won(id="d2", amount=None, closed_at=T("2026-03-06"))))  # fmt: skip
    result = performance(book, period="2026-03")
    assert result.metrics["signed"] == 10
    (gap,) = [g for g in result.gaps if g.what == "what.signed_amount"]
    assert gap.evidence == {"n": 1}


def test_where_only_some_won_deals_have_a_contract_the_share_is_told():
    rows = [won(id=f"d{i}", amount=10.0, closed_at=T("2026-03-05")) for i in range(4)]
    one = contracts(contract(id="c1", opportunity_id="d0", amount=10.0,
                             signed_on=day("2026-03-05")))  # fmt: skip
    result = performance(book_of({**deals(*rows), **one}), period="2026-03")
    assert result.metrics["signed"] == 10
    (gap,) = [g for g in result.gaps if g.what == "metric.contract_match"]
    assert gap.evidence == {"share": 1 / 4}


def test_where_days_of_winning_are_unknown_nothing_is_said_to_be_signed():
    frame = pd.DataFrame({"id": ["d1"], "owner_id": ["u1"], "stage": ["contract"],
                          "amount": [5.0], "created_at": [T("2026-02-01")]})  # fmt: skip
    frame["created_at"] = frame["created_at"].astype("datetime64[us]")
    from salesops.book.write import typed

    result = performance(book_of({"opportunities": typed("opportunities", frame)}))
    assert result.metrics["signed"] is None
    assert result.verdict[0].code == "performance.verdict_unknown"
    needed = {g.needs for g in result.gaps if g.reason == "missing_column"}
    assert needed == {"opportunities.closed_at"}


def test_money_a_hundredfold_scales_money_and_leaves_shares():
    tables = years(last=0.8)
    many = dict(tables)
    for name in ("contracts", "targets", "opportunities"):
        frame = tables[name].to_pandas()
        frame["amount"] = frame["amount"].astype(float) * 100
        from salesops.book.write import typed

        many[name] = typed(name, frame)
    one, other = (performance(book_of(t).as_of("2025-11-15"), period="2025-11").metrics
                  for t in (tables, many))  # fmt: skip
    assert other["signed"] == pytest.approx(100 * one["signed"])
    assert other["due"] == pytest.approx(100 * one["due"], rel=1e-4)
    assert other["pace"] == pytest.approx(one["pace"], rel=1e-4)
    assert not math.isnan(one["pace"])
