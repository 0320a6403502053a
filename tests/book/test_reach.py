"""A page of a day that the book knows nothing of is refused; a few days late is told on it."""

import datetime as dt
import re

import pandas as pd
import pytest

import salesops
from salesops.analyses.funnel import funnel
from salesops.book.reach import covered, known_as_of
from salesops.book.write import typed
from salesops.model.errors import BadDate
from salesops.wording import language
from tests.companies import book_of
from tests.fixtures import TINY


def test_a_book_covers_what_its_deals_and_their_changes_are_dated(tiny_book):
    deals = pd.read_csv(TINY / "opportunities.csv", parse_dates=["created_at"])
    first = (deals["created_at"].min() + pd.Timedelta(hours=8)).date()
    leads = pd.read_csv(TINY / "leads.csv", parse_dates=["created_at"])
    first = min(first, (leads["created_at"].min() + pd.Timedelta(hours=8)).date())
    assert covered(tiny_book.store) == (first, dt.date(2026, 3, 31))


@pytest.mark.parametrize("date", ["2019-12-31", "2026-05-02", "2031-01-01"])
def test_a_date_of_which_nothing_is_known_is_refused_with_what_is_covered(date):
    with pytest.raises(BadDate) as error:
        salesops.at(str(TINY), date)
    told = str(error.value)
    assert date in told
    assert "to 2026-03-31" in told
    assert "--as-of 202" in told.splitlines()[-1]


def test_the_example_of_the_refusal_is_accepted(tiny_book):
    for date in ("2019-12-31", "2031-01-01"):
        with pytest.raises(BadDate) as error:
            known_as_of(tiny_book, date)
        assert known_as_of(tiny_book, error.value.example)


@pytest.mark.parametrize("date", ["2026-04-06", "2026-05-01"])
def test_a_date_after_the_last_change_stands_on_the_page_with_that_of_the_data(date, tiny_book):
    result = funnel(known_as_of(tiny_book, date))
    for lang, told in (("en", "data up to 2026-03-31"), ("zh", "数据只到2026-03-31")):
        with language(lang):
            (fact,) = [fact for fact in result.facts()["head"] if date in fact]
            assert told in fact
            page = result._repr_mimebundle_()["text/html"]
            assert told in re.sub("<[^>]*>", "", page)


def test_a_date_that_the_data_reach_says_nothing_of_it(tiny_book):
    for date in ("2026-02-28", "latest"):
        with language("en"):
            assert "up to" not in " ".join(funnel(known_as_of(tiny_book, date)).facts()["head"])


def test_a_book_that_knows_no_date_at_all_refuses_none():
    deals = pd.DataFrame({"id": ["d1"], "stage": ["needs"], "created_at": [pd.NaT]})
    deals["created_at"] = deals["created_at"].astype("datetime64[us]")
    book = book_of({"opportunities": typed("opportunities", deals)})
    assert covered(book.store) is None
    assert known_as_of(book, "2026-01-01").date == dt.date(2026, 1, 1)
