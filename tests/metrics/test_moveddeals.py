"""Deals that moved between two days are exactly those that the log tells of."""

import datetime as dt

import pandas as pd
import pytest

from salesops.metrics.moveddeals import moved_deals
from tests.companies import book_of, random_company
from tests.fixtures import SAMPLE

FIELDS = ["stage", "amount", "expected_close_on", "owner_id"]


@pytest.mark.parametrize("day", ["2026-06-16", "2025-12-30", "2026-01-05"])
def test_one_more_day_of_data_lists_exactly_the_deals_that_moved(sample_book, day):
    last = dt.date.fromisoformat(day)
    found = moved_deals(sample_book.as_of(last), last - dt.timedelta(days=1))
    log = pd.read_parquet(SAMPLE / "changes.parquet")
    log = log[(log["entity"] == "opportunities") & log["field"].isin(FIELDS)]
    log["day"] = (log["changed_at"] + pd.Timedelta(hours=8)).dt.date
    deals = pd.read_parquet(SAMPLE / "opportunities.parquet")
    created = (deals["created_at"] + pd.Timedelta(hours=8)).dt.date
    born = set(deals.loc[created == last, "id"])
    of_day = log[(log["day"] == last) & ~log["entity_id"].isin(born)].sort_values(
        "changed_at", kind="stable"
    )
    first = of_day.drop_duplicates(["entity_id", "field"]).set_index(["entity_id", "field"])
    end = of_day.drop_duplicates(["entity_id", "field"], keep="last")
    end = end.set_index(["entity_id", "field"]).reindex(first.index)
    differs = first["old_value"].fillna("") != end["new_value"].fillna("")
    changed = set(first.index.get_level_values(0)[differs.to_numpy()])
    known = set(deals.loc[created <= last, "id"])
    assert set(found["id"]) == (changed | born) & known
    assert len(found) > 5


def test_what_moved_is_said_by_field():
    company = random_company(3)
    book = book_of(company.tables())
    days = pd.date_range(book.date - dt.timedelta(days=20), book.date)
    whats = set()
    for day in days[:-1]:
        for moves in moved_deals(book, day.date())["moves"]:
            whats |= {what for what, _before, _after in moves}
    assert {"created", "stage", "amount"} <= whats


def test_nothing_moved_within_the_same_day(sample_book):
    assert moved_deals(sample_book, sample_book.date).empty


def test_a_team_sees_what_moved_in_it(sample_book):
    since = dt.date(2026, 6, 12)
    team = sample_book.scope(team="华东/一组")
    mine = set(team.opportunities.select("id").to_pandas()["id"])
    mine |= set(team.as_of(since).opportunities.select("id").to_pandas()["id"])
    found = moved_deals(team, since)
    assert set(found["id"]) <= mine
    assert 0 < len(found) < len(moved_deals(sample_book, since))
