"""The waterfall adds up to the cent, for everybody, on random companies and on hard cases."""

import datetime as dt

import pandas as pd
import pytest

from salesops.metrics.waterfall import moved_deals, pipeline_moves, waterfall_bars
from salesops.model.calendar import Period
from tests.companies import GRID, TEAMS, Company, at, book_of, random_company

COMPANIES = 200
# One store holds many companies: each person sells for one of them.
PER_STORE = 50


def many_companies(first: int) -> tuple[Company, dict[str, list[str]]]:
    """Put so many companies into one store; people and deals carry the company's number."""
    whole, people = Company([], [], pd.DataFrame()), {}
    for number in range(first, first + PER_STORE):
        one = random_company(number, n=12)
        for deal in one.deals:
            deal.id = f"c{number}-{deal.id}"
            deal.first["owner_id"] = f"c{number}-{deal.first['owner_id']}"
            deal.edits = [
                (w, f, f"c{number}-{v}" if f == "owner_id" and v else v) for w, f, v in deal.edits
            ]
        for user in one.users:
            user.id = f"c{number}-{user.id}"
            team = f"C{number}/"
            user.first["team"] = team + user.first["team"]
            user.edits = [(w, f, team + v) for w, f, v in user.edits]
        people[f"C{number}"] = [u.id for u in one.users]
        touches = one.touches.assign(id=[f"c{number}-{i}" for i in one.touches["id"]])
        whole.deals += one.deals
        whole.users += one.users
        whole.touches = pd.concat([whole.touches, touches])
    return whole, people


def balanced(bars: pd.DataFrame, deals: list, start: int, end: int, window) -> None:
    """Compare both ends with plain Python, and the sum of the moves with their difference."""
    cents = (bars.set_index("bucket")["amount"] * 100).round().astype(int)
    for bucket, step in (("start", start), ("end", end)):
        wanted = sum(_cents(d, step) for d in deals if _is_in(d, step, window))
        assert cents[bucket] == wanted, bucket
    assert cents["start"] + cents.drop(["start", "end"]).sum() == cents["end"]


def _is_in(deal, step, window) -> bool:
    if deal.born > step or (deal.removed is not None and deal.removed <= step):
        return False
    if deal.value("stage", step) in ("contract", "lost", "void"):
        return False
    expected = deal.value("expected_close_on", step)
    return window is None or (expected is not None and window.start <= expected <= window.end)


def _cents(deal, step) -> int:
    return round((deal.value("amount", step) or 0) * 100)


@pytest.mark.parametrize("first", range(0, COMPANIES, PER_STORE))
def test_it_balances_to_the_cent_for_200_random_companies(first):
    company, people = many_companies(first)
    book = book_of(company.tables())
    start, end = 20, 45
    window = Period.parse("2026-01", on=dt.date(2026, 1, 31))
    for limits in (None, window):
        moves = pipeline_moves(book.as_of(at(start)), book.as_of(at(end)), limits)
        balanced(waterfall_bars(moves), company.deals, start, end, limits)
        behind = moved_deals(moves)
        bars = waterfall_bars(moves).set_index("bucket")["amount"]
        sums = behind.groupby("bucket")["amount"].sum()
        for bucket, amount in sums.items():
            assert amount == pytest.approx(bars[bucket]), bucket
        # Each company is a part of the store whose own deals add up as well.
        for number in people:
            prefix = number.lower() + "-"
            own = moves[moves["id"].str.startswith(prefix)]
            mine = [d for d in company.deals if d.id.startswith(prefix)]
            balanced(waterfall_bars(own), mine, start, end, limits)


@pytest.mark.parametrize("seed", [1, 2])
def test_it_balances_for_every_team_and_owner(seed):
    company = random_company(seed)
    book = book_of(company.tables())
    scopes = [{"team": team} for team in TEAMS] + [{"user": u.id} for u in company.users]
    for scope in scopes:
        mine = book.scope(**scope)
        moves = pipeline_moves(mine.as_of(at(15)), mine.as_of(at(50)), None)
        bars = waterfall_bars(moves).set_index("bucket")["amount"]
        for bucket, step in (("start", 15), ("end", 50)):
            deals = mine.as_of(at(step)).opportunities.to_pandas()
            amount = deals.loc[deals["outcome"] == "open", "amount"].astype(float).sum()
            assert bars[bucket] == pytest.approx(amount), (scope, bucket)


def one_deal(*edits, born=1, amount=100.0, removed=None):
    company = random_company(0, n=1)
    deal = company.deals[0]
    deal.born, deal.edits, deal.removed = born, list(edits), removed
    deal.first |= {"amount": amount, "expected_close_on": dt.date(2026, 1, 20), "owner_id": "u1"}
    company.users[0].edits = []
    return book_of(company.tables())


def buckets(book, start=10, end=GRID, window=None) -> dict[str, float]:
    bars = waterfall_bars(pipeline_moves(book.as_of(at(start)), book.as_of(at(end)), window))
    found = bars[bars["n"] > 0].set_index("bucket")["amount"]
    return found.to_dict()


def test_a_deal_that_went_away_and_came_back_stays():
    book = one_deal((20, "owner_id", "u2"), (30, "owner_id", "u1"))
    assert buckets(book.scope(user="u1")) == {"start": 100, "end": 100}


def test_a_deal_that_was_won_and_reopened_stays_with_its_new_amount():
    book = one_deal((20, "stage", "contract"), (30, "stage", "needs"), (31, "amount", 130.0))
    assert buckets(book) == {"start": 100, "amount_up": 30, "end": 130}


def test_a_leaver_is_valued_at_the_start():
    book = one_deal((20, "amount", 170.0), (30, "stage", "lost"))
    assert buckets(book) == {"start": 100, "lost": -100}


def test_a_removed_deal_is_void_and_not_lost():
    assert buckets(one_deal(removed=30)) == {"start": 100, "void": -100}


def test_an_expected_date_that_leaves_the_window_pushes_the_deal_out():
    book = one_deal((20, "expected_close_on", dt.date(2026, 2, 3)))
    window = Period.parse("2026-01", on=dt.date(2026, 1, 31))
    assert buckets(book, window=window) == {"start": 100, "pushed_out": -100}


def test_a_deal_given_to_another_team_is_transferred_and_not_lost():
    book = one_deal((20, "owner_id", "u2"))
    assert buckets(book.scope(user="u1")) == {"start": 100, "transferred_out": -100}
    assert buckets(book.scope(user="u2")) == {"transferred_in": 100, "end": 100}
