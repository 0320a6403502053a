"""What a metric was by person and month: by plain pandas, only whole and mature months."""

import datetime as dt

import pandas as pd
import pytest

from salesops.metrics.catalogue import metric
from salesops.metrics.outcomes import month_number, monthly, reason_unfollowed

SINCE = dt.date(2025, 1, 15)


@pytest.mark.parametrize(
    "name", ["win_rate", "lead_opportunity_rate", "bookings", "lead_valid_rate"]
)
def test_people_and_months_add_up_to_the_metric(sample_book, name):
    frame = monthly(sample_book, name, SINCE)
    month = frame[frame["period"] == month_number(dt.date(2025, 11, 1))]
    whole = metric(sample_book, name, period="2025-11").iloc[0]
    total = (month["value"] * month["n"]).sum()
    if name == "bookings":
        assert total == pytest.approx(float(whole[name]))
    else:
        assert total / month["n"].sum() == pytest.approx(float(whole[name]), abs=0.01)


def test_only_months_that_are_over_and_had_their_time(sample_book):
    # The sample ends on the 20th of June; leads are given 90 days.
    assert monthly(sample_book, "win_rate", SINCE)["period"].max() == month_number(
        dt.date(2026, 5, 1)
    )
    late = monthly(sample_book, "lead_opportunity_rate", SINCE)["period"]
    assert late.max() == month_number(dt.date(2026, 2, 1))
    assert late.min() == month_number(dt.date(2025, 1, 1))


def test_money_is_nought_in_a_month_without_any(sample_book):
    frame = monthly(sample_book, "bookings", SINCE)
    spans = frame.groupby("unit")["period"].agg(["min", "max", "size"])
    assert (spans["max"] - spans["min"] + 1 == spans["size"]).all()
    assert (frame["n"] == 1).all()
    assert frame["value"].eq(0).any()


def test_a_metric_of_stands_can_not_be_followed(sample_book):
    assert reason_unfollowed(sample_book, "open_backlog") == "not_by_month"
    assert reason_unfollowed(sample_book, "win_rate") is None


def test_the_future_is_not_seen(sample_book):
    then = monthly(sample_book.as_of("2026-03-31"), "win_rate", SINCE)
    now = monthly(sample_book, "win_rate", SINCE)
    now = now[now["period"] <= then["period"].max()]
    keys = ["unit", "period"]
    pd.testing.assert_frame_equal(
        then.sort_values(keys, ignore_index=True), now.sort_values(keys, ignore_index=True)
    )
