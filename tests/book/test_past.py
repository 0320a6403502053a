"""Deals laid over many instants at once are those of each instant alone, for everybody."""

import datetime as dt

import pandas as pd
import pytest

from salesops.book.past import grid_of, has_past, open_in_past
from salesops.model.calendar import Period
from tests.companies import TEAMS, book_of, random_company

DAYS = [dt.date(2026, 1, 9), dt.date(2026, 1, 14), dt.date(2026, 1, 19)]
FIELDS = ["id", "stage", "amount", "expected_close_on", "owner_id"]


def comparable(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame[FIELDS].sort_values("id", ignore_index=True).astype(object)
    return frame.where(frame.notna(), None).map(str)


@pytest.mark.parametrize("seed", [1, 5, 11])
@pytest.mark.parametrize("scope", [{}, {"team": TEAMS[0]}, {"team": "North"}, {"user": "u2"}])
def test_each_instant_of_a_grid_equals_the_book_there(seed, scope):
    book = book_of(random_company(seed, n=60).tables())
    book = book.scope(**scope) if scope else book
    whole = Period.parse("2026-01")
    grid = grid_of(book, [(i, 0, day, whole) for i, day in enumerate(DAYS)])
    laid = open_in_past(book, grid).to_pandas()
    for i, day in enumerate(DAYS):
        then = book.as_of(day).opportunities
        wanted = then.filter(then.outcome == "open", then.stage.notnull()).to_pandas()
        pd.testing.assert_frame_equal(
            comparable(laid[laid["period"] == i]), comparable(wanted), obj=f"{scope} {day}"
        )


def test_a_past_is_known_from_the_day_on_which_all_three_histories_run(tiny_book):
    assert has_past(tiny_book, dt.date(2026, 1, 2))
    assert not has_past(tiny_book, dt.date(2025, 12, 31))
