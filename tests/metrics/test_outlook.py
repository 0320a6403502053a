"""Chances, fairness, needs, pay and what-if of the sample company, against plain pandas."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from salesops.analyses.explained import explain
from salesops.book.book import open_book
from salesops.metrics.catalogue import metric
from salesops.metrics.fairness import fairness
from salesops.metrics.needs import needed, own_funnel
from salesops.metrics.outlook import outlook
from salesops.metrics.pay import paid_for, pay_period, pay_sheet
from salesops.metrics.productivity import past_of
from salesops.metrics.proposal import NoProposal, proposed
from salesops.metrics.whatif import what_if
from tests.fixtures import SAMPLE

PERSON, TEAM = "U0007", "华东/一组"


@pytest.fixture(scope="module")
def year(sample_book):
    return outlook(sample_book, sample_book.period("2026"))


def won(first: str, last: str) -> pd.DataFrame:
    """Sum contracts signed but renewals from the files, by owner."""
    contracts = pd.read_parquet(SAMPLE / "contracts.parquet")
    deals = pd.read_parquet(SAMPLE / "opportunities.parquet").set_index("id")
    kind = contracts["opportunity_id"].map(deals["type"])
    renewed = set(contracts["renewed_by"].dropna())
    mine = contracts[(kind != "renewal") & ~contracts["id"].isin(renewed)]
    day = pd.to_datetime(mine["signed_on"])
    return mine[(day >= first) & (day <= last)].assign(amount=lambda f: f["amount"].astype(float))


def test_parts_make_the_whole_in_every_draw(year):
    nodes = year.nodes
    for level in ("region", "team"):
        parts = year.sums[nodes.index[nodes["level"] == level]].sum(axis=0, dtype=float)
        assert parts == pytest.approx(year.sums[0].astype(float), rel=1e-5)


def test_targets_are_those_of_the_file(year):
    plan = pd.read_csv(SAMPLE / "targets.csv", dtype={"key": str}).fillna({"key": ""})
    plan = plan[(plan["metric"] == "bookings") & plan["period"].str.startswith("2026")]
    sums = plan.groupby(["level", "key"])["amount"].sum()
    for row in year.nodes[year.nodes["level"] != "user"].itertuples():
        assert row.plan == sums[row.level, row.key]
    # People have quotas for the quarters that were set.
    assert year.nodes.loc[year.nodes["level"] == "user", "plan"].isna().all()


def test_a_period_that_is_over_is_what_was_signed(sample_book):
    past = outlook(sample_book, sample_book.period("2026Q1"))
    assert past.nodes["middle"].to_numpy() == pytest.approx(past.nodes["signed"].to_numpy())
    reached = past.nodes["signed"] >= past.nodes["plan"]
    known = past.nodes["plan"].notna()
    assert (past.nodes["chance"][known] == reached[known].astype(float)).all()
    bookings = metric(sample_book, "bookings", period="2026Q1")["bookings"].iloc[0]
    assert past.nodes["signed"].iloc[0] == bookings


def test_the_chance_is_the_share_of_draws_that_reach_the_plan(sample_book):
    quarter = outlook(sample_book, sample_book.period("2026Q2"))
    users = quarter.nodes[(quarter.nodes["level"] == "user") & quarter.nodes["plan"].notna()]
    for row in users.itertuples():
        assert row.chance == (quarter.of("user", row.key) >= row.plan).mean()
        assert row.low <= row.middle <= row.high or row.low == row.high


def test_a_team_sees_its_own_alone(sample_book, year):
    team = outlook(sample_book.scope(team=TEAM), sample_book.period("2026"))
    people = pd.read_csv(SAMPLE / "users.csv").set_index("id")
    assert {people["team"][p] for p in team.people["person"]} == {TEAM}
    assert set(team.nodes.loc[team.nodes["level"] == "team", "key"]) == {TEAM}
    own = year.nodes[year.nodes["key"] == TEAM].iloc[0]
    assert team.nodes["plan"].iloc[0] == own["plan"]
    assert team.nodes["middle"].iloc[0] == pytest.approx(own["middle"], rel=0.02)


def test_an_earlier_date_knows_nothing_of_later_people(sample_book):
    early = sample_book.as_of("2025-06-30")
    past = past_of(early)
    people = pd.read_csv(SAMPLE / "users.csv", parse_dates=["hired_on"]).set_index("id")
    assert (people.loc[past.people["person"], "hired_on"] <= "2025-06-30").all()
    left = past.people["left_on"]
    assert not (left > pd.Timestamp("2025-06-30")).any()


def test_the_season_of_a_year_is_twelve_months(sample_book):
    past = past_of(sample_book)
    months = pd.period_range("2026-06", periods=12, freq="M")
    assert past.season(months).sum() == pytest.approx(12, rel=0.02)
    assert past.season(pd.PeriodIndex(["2026-12"], freq="M"))[0] > 1.5
    assert (np.diff(past.ramp) >= 0).all()
    assert past.ramp[-1] == 1.0


def test_fairness_is_quota_over_potential_by_hand(sample_book):
    found = fairness(sample_book).set_index("person")
    accounts = pd.read_parquet(SAMPLE / "accounts.parquet")
    value = accounts["potential"].astype(float)
    value = value[value > 0].clip(upper=value[value > 0].quantile(0.95))
    sums = value.groupby(accounts["owner_id"]).sum()
    for person in found.index[:5]:
        assert found.loc[person, "potential"] == pytest.approx(sums[person])
    assert found["quota_times"].mean() == pytest.approx(1)
    assert found["over"].to_numpy() == pytest.approx(
        (found["quota_times"] / found["potential_times"]).to_numpy()
    )
    by_region = found.groupby("region")["potential_times"].mean()
    assert by_region.idxmin() == "西南"


def test_what_is_asked_for_goes_backwards_through_the_funnel(sample_book, year):
    funnel, past = own_funnel(sample_book), past_of(sample_book)
    rows = won("2025-06-01", "2026-05-31")
    assert funnel.size == pytest.approx(rows["amount"].mean(), rel=0.01)
    period = sample_book.period("2026")
    asked = needed(sample_book, past, period, 100e6, funnel)
    done = metric(sample_book, "bookings", period="2026")["bookings"].iloc[0]
    assert asked["to_sign"].sum() == pytest.approx(100e6 - done)
    assert (asked["wins"] * funnel.size).to_numpy() == pytest.approx(asked["to_sign"].to_numpy())
    assert (asked["opportunities"] * funnel.win_rate).to_numpy() == pytest.approx(
        asked["wins"].to_numpy()
    )
    assert asked["month"].tolist()[0] == "2026-06"
    earlier = pd.PeriodIndex(asked["month"], freq="M") - funnel.lead_months
    assert asked["created"].tolist() == [str(m) for m in earlier]


def test_pay_is_counted_deal_by_deal_to_the_cent(sample_book):
    one = sample_book.scope(user=PERSON)
    sheet = pay_sheet(one, pay_period(one))
    whole = float(paid_for(one.settings, [sheet.attained])[0]) * one.settings.pay.on_target
    assert sheet.earned == pytest.approx(whole, abs=0.005)
    assert sheet.deals["pay"].sum() == pytest.approx(sheet.earned)
    told = explain(one, "variable_pay", period="2026Q2")
    assert told.value == pytest.approx(sheet.earned)
    assert told.rows["pay_cents"].sum() / 100 == pytest.approx(sheet.earned)
    more = (sheet.attained * sheet.quota + sheet.next_amount) / sheet.quota
    added = paid_for(one.settings, [more])[0] * one.settings.pay.on_target - whole
    assert sheet.next_pay == pytest.approx(added, abs=0.01)


def test_pay_periods_are_quarters_of_the_fiscal_year(sample_book):
    settings = sample_book.settings
    company = settings.company.model_copy(update={"fiscal_year_starts": 2})
    book = open_book(SAMPLE, settings=settings.model_copy(update={"company": company}))
    one = book.as_of("2026-04-20").scope(user=PERSON)
    period = pay_period(one)
    assert (period.start, period.end) == (dt.date(2026, 2, 1), dt.date(2026, 4, 30))
    plan = pd.read_csv(SAMPLE / "targets.csv", dtype={"key": str})
    mine = plan[(plan["key"] == PERSON) & (plan["metric"] == "bookings")]
    mine = mine[mine["period"].isin(["2026-02", "2026-03", "2026-04"])]
    assert pay_sheet(one, period).quota == pytest.approx(mine["amount"].sum())


@pytest.mark.parametrize("scope", [{}, {"team": TEAM}, {"region": "华东"}])
def test_nobodys_pay_is_shown_but_in_a_persons_own_scope(sample_book, scope):
    book = sample_book.scope(**scope)
    assert pay_sheet(book, pay_period(book)) is None
    found = metric(book, "variable_pay", period="2026Q2")
    assert found["variable_pay"].isna().all()
    assert found["reason"].tolist() == ["not_one_person"]
    by_deal = metric(book, "variable_pay", period="2026Q2", by=["id"])
    assert by_deal["variable_pay"].isna().all()


def test_more_growth_is_less_likely_and_more_hands_or_wins_more(sample_book):
    answers = what_if(sample_book, sample_book.period("2026"), 103e6)
    assert answers.before == metric(sample_book, "bookings", period="2025")["bookings"].iloc[0]
    by_growth = [answers.chance(growth=g) for g in (-0.4, -0.2, 0.0, 0.2)]
    assert by_growth == sorted(by_growth, reverse=True)
    assert by_growth[0] > 0.5 > by_growth[-1]
    grid = answers.grid()
    for _key, rows in grid.groupby(["hires", "wins"]):
        assert rows.sort_values("growth")["chance"].is_monotonic_decreasing
    assert answers.sums(wins=0.2).mean() > answers.sums().mean() * 1.08
    assert answers.sums(hires=10).mean() > answers.sums().mean()


def test_what_is_proposed_adds_up_and_meets_its_locks(sample_book):
    locks = pd.DataFrame([("team:华东/二组", "", 1_500_000_000),
                          ("company", "2027-03", 900_000_000)],
                         columns=["node", "month", "cents"])  # fmt: skip
    found = proposed(sample_book, sample_book.period("2027"), 120e6, locks)
    table = found.pivot_table(index=["metric", "level"], columns="month", values="cents",
                              aggfunc="sum")  # fmt: skip
    for name in ("bookings", "new_customers", "collection"):
        company = table.loc[name, "company"]
        assert (table.loc[name, "region"] == company).all()
        assert (table.loc[name, "team"] == company).all()
    over = sample_book.settings.norms.over_assignment
    teams = table.loc["bookings", "team"]
    assert table.loc["bookings", "user"].to_numpy() == pytest.approx(over * teams, abs=5.5)
    assert table.loc["new_customers", "user"].equals(table.loc["new_customers", "team"])
    bookings = found[found["metric"] == "bookings"]
    sums = bookings.groupby(["level", "key"])["cents"].sum()
    assert sums["company", ""] == 12_000_000_000
    assert sums["team", "华东/二组"] == 1_500_000_000
    march = bookings[(bookings["level"] == "company") & (bookings["month"] == "2027-03")]
    assert march["cents"].tolist() == [900_000_000]


def test_a_proposal_asks_for_the_company_and_the_future(sample_book, tiny_book):
    with pytest.raises(NoProposal, match="a part of the company"):
        proposed(sample_book.scope(team=TEAM), sample_book.period("2027"), 1e8)
    with pytest.raises(NoProposal, match="does not lie ahead"):
        proposed(sample_book, sample_book.period("2026"), 1e8)
    with pytest.raises(NoProposal, match="fewer than 60 signings"):
        proposed(tiny_book, tiny_book.period("2027"), 1e8)


def test_the_day_of_the_book_stands_at_the_end_of_what_is_signed(sample_book):
    ahead = outlook(sample_book, sample_book.period("2026-06"))
    left = past_of(sample_book).weights
    left = left[(left.index > pd.Timestamp(sample_book.date)) & (left.index <= "2026-06-30")]
    assert sample_book.date == dt.date(2026, 6, 20)
    assert ahead.months["middle"].iloc[0] > 0
    assert len(left) == 10


def test_one_person_is_the_same_in_every_scope(sample_book, year):
    alone = outlook(sample_book.scope(user=PERSON), sample_book.period("2026"))
    row = year.nodes[year.nodes["key"] == PERSON].iloc[0]
    assert alone.nodes["middle"].iloc[0] == pytest.approx(row["middle"])
    assert alone.nodes["chance"].iloc[0] == pytest.approx(row["chance"], nan_ok=True)
    own = what_if(sample_book.scope(user=PERSON), sample_book.period("2026"), 1.0)
    assert own.sums().mean() == pytest.approx(row["middle"], rel=0.1)


def test_what_a_team_needs_is_held_against_its_own_people(sample_book):
    team = sample_book.scope(team=TEAM)
    past = past_of(team)
    asked = needed(team, past, team.period("2026"), 25e6, own_funnel(team))
    people = pd.read_csv(SAMPLE / "users.csv")
    inside = people[(people["team"] == TEAM) & (people["role"] == "rep") & people["left_on"].isna()]
    assert 0 < asked["staff"].max() <= len(inside)
