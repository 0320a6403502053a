"""The waterfall adds up to the cent, for everybody, on random companies and on hard cases."""

import datetime as dt

import pandas as pd
import pytest

from salesops.metrics.waterfall import moved_deals, pipeline_moves, waterfall_bars
from salesops.model.calendar import Period
from tests.companies import GRID, PEOPLE, TEAMS, Company, at, book_of, random_company

COMPANIES = 200
# One store holds many companies whose people bear the same names: one query looks at a person or a
# team in all of them, and each company's own deals must add up.
PER_STORE = 100
START, END = 20, 45
WINDOW = Period.parse("2026-01", on=dt.date(2026, 1, 31))


def many_companies(first: int) -> Company:
    """Put so many companies into one store; deals carry the company's number."""
    whole = random_company(first, n=1)
    whole.deals = []
    for number in range(first, first + PER_STORE):
        one = random_company(number, n=12)
        for deal in one.deals:
            deal.id = f"c{number}-{deal.id}"
        touches = one.touches.assign(id=[f"c{number}-{i}" for i in one.touches["id"]])
        whole.deals += one.deals
        whole.touches = pd.concat([whole.touches, touches])
    whole.touches = whole.touches[whole.touches["opportunity_id"].str.startswith("c")]
    return whole


def standing(deals: list, step: int, window, people: dict) -> list[tuple[str, str, int]]:
    """Give owner, team and cents of each deal in the pipeline, by plain Python."""
    found = []
    for deal in deals:
        if _is_in(deal, step, window):
            owner = people[deal.value("owner_id", step)]
            found.append((owner.id, owner.value("team", step), _cents(deal, step)))
    return found


def balanced(bars: pd.DataFrame, ends: dict[str, int]) -> None:
    """Compare both ends with plain Python, and the sum of the moves with their difference."""
    cents = {bar: round(amount * 100)
             for bar, amount in zip(bars["bucket"], bars["amount"], strict=True)}  # fmt: skip
    assert {bucket: cents[bucket] for bucket in ends} == ends
    assert sum(cents.values()) - cents["end"] == cents["end"]


def _is_in(deal, step, window) -> bool:
    if deal.born > step or (deal.removed is not None and deal.removed <= step):
        return False
    if deal.value("stage", step) in ("contract", "lost", "void"):
        return False
    expected = deal.value("expected_close_on", step)
    return window is None or (expected is not None and window.start <= expected <= window.end)


def _cents(deal, step) -> int:
    return round((deal.value("amount", step) or 0) * 100)


SCOPES = [{}, *({"team": team} for team in TEAMS), *({"user": who} for who in PEOPLE)]


@pytest.mark.parametrize("first", range(0, COMPANIES, PER_STORE))
def test_it_balances_for_company_teams_and_owners_of_200_random_companies(first):
    company = many_companies(first)
    book = book_of(company.tables())
    people = {user.id: user for user in company.users}
    by_company: dict[str, list] = {}
    for deal in company.deals:
        by_company.setdefault(deal.id.split("-")[0], []).append(deal)
    sides = {(name, window, bucket): standing(deals, step, window, people)
             for name, deals in by_company.items() for window in (None, WINDOW)
             for bucket, step in (("start", START), ("end", END))}  # fmt: skip
    for scope in SCOPES:
        mine = book.scope(**scope) if scope else book
        start, end = mine.as_of(at(START)), mine.as_of(at(END))
        for window in (None, WINDOW):
            moves = pipeline_moves(start, end, window)
            parts = dict(list(moves.groupby(moves["id"].str.split("-").str[0])))
            for name in by_company:
                ends = {
                    bucket: sum(cents for owner, team, cents in sides[name, window, bucket]
                                if scope.get("user", owner) == owner
                                and scope.get("team", team) == team)
                    for bucket in ("start", "end")
                }  # fmt: skip
                balanced(waterfall_bars(parts.get(name, moves[:0])), ends)


def test_the_deals_behind_a_bar_sum_to_it():
    book = book_of(random_company(1, n=160).tables())
    moves = pipeline_moves(book.as_of(at(START)), book.as_of(at(END)), WINDOW)
    bars = waterfall_bars(moves).set_index("bucket")["amount"]
    for bucket, amount in moved_deals(moves).groupby("bucket")["amount"].sum().items():
        assert amount == pytest.approx(bars[bucket]), bucket


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


def test_a_deal_that_was_lost_and_is_open_again_is_reopened_and_not_pulled_in():
    book = one_deal((5, "stage", "lost"), (30, "stage", "needs"))
    assert buckets(book) == {"reopened": 100, "end": 100}


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
