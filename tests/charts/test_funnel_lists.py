"""The lists of the funnel's page hold the rows that their titles speak of."""

import datetime as dt

import pandas as pd

from salesops.charts.funnel_lists import due_exhibit
from salesops.model.calendar import Period

JULY = Period(start=dt.date(2026, 7, 1), end=dt.date(2026, 7, 31), text="2026-07")


def deals(*expected: str) -> pd.DataFrame:
    return pd.DataFrame({
        "id": [f"d{i}" for i in range(len(expected))], "name": "x", "owner": "Li Na",
        "expected_close_on": pd.to_datetime(list(expected)), "amount": 100.0, "overdue": False,
    })  # fmt: skip


def test_no_deal_is_due_where_all_are_expected_later():
    found = due_exhibit(JULY, dt.date(2026, 7, 18), deals("2026-09-01", "2026-10-01"),
                        has_goal=False)  # fmt: skip
    assert found is not None
    assert (found.title.fields["n"], found.title.fields["amount"]) == (0, 0.0)
    assert len(found.table.frame) == 0


def test_a_deal_that_is_expected_in_the_period_is_due():
    found = due_exhibit(JULY, dt.date(2026, 7, 18), deals("2026-09-01", "2026-07-31"),
                        has_goal=False)  # fmt: skip
    assert found.title.fields["n"] == 1
    assert found.table.frame["id"].tolist() == ["d1"]


def test_a_deal_without_a_name_goes_by_its_id():
    some = deals("2026-07-20", "2026-07-31").assign(name=pd.Series(["Press line", None]))
    table = due_exhibit(JULY, dt.date(2026, 7, 18), some, has_goal=False).table
    for told in (table.html(), table.text()):
        assert "Press line" in told
        assert "d1" in told
        assert "d0" not in told
