"""Pictures as data: what is drawn is what the frame says."""

import datetime as dt
import math

import pandas as pd
import pytest

from salesops.charts import collection as pictures
from salesops.model.calendar import Period
from salesops.wording import language

PERIODS = pd.DataFrame(
    {
        "start": [dt.date(2026, 1, 1), dt.date(2026, 2, 1)], "n": [3, 2],
        "due": [400_000.0, 300_000.0], "collected": [400_000.0, 120_000.0],
        "rate": [1.0, 0.4], "came": [380_000.0, 150_000.0], "target": [500_000.0, math.nan],
        "attainment": [0.76, math.nan],
    }
)  # fmt: skip
BUCKETS = pd.DataFrame(
    {
        "bucket": ["not_due", "to_30", "beyond"], "n": [9, 2, 1],
        "amount": [900_000.0, 50_000.0, 80_000.0], "prior_amount": [math.nan, 60_000.0, 40_000.0],
        "norm_amount": [math.nan, 70_000.0, 20_000.0],
    }
)  # fmt: skip
COMING = pd.DataFrame(
    {
        "days": [30, 60], "n": [5, 7], "owed": [500_000.0, 700_000.0],
        "expected": [200_000.0, 350_000.0], "low": [150_000.0, 280_000.0],
        "high": [260_000.0, 420_000.0], "prior_came": [180_000.0, math.nan],
    }
)  # fmt: skip


def widths(ax) -> list[float]:
    return [bar.get_width() for bar in ax.patches]


def texts(ax) -> list[str]:
    return [t.get_text() for t in ax.texts]


def test_what_was_collected_and_the_rest_make_what_was_due():
    ax = pictures.due(PERIODS, Period.parse("2026-02"))
    pairs = list(zip(widths(ax)[::2], widths(ax)[1::2], strict=True))
    assert pairs == [(400_000, 0), (120_000, 180_000)]
    assert {"100%", "40%", "76%", "Jan 2026", "Feb 2026"} <= set(texts(ax))


def test_quarters_are_named_as_quarters():
    with language("zh"):
        ax = pictures.due(PERIODS, Period.parse("2026Q2"))
        assert any("第一季度" in text for text in texts(ax))


def test_what_is_not_due_is_a_number_without_a_bar():
    ax = pictures.ageing(BUCKETS, worst="beyond")
    assert widths(ax) == [50_000, 80_000]
    assert "¥900k" in texts(ax) or "900k" in "".join(texts(ax))
    first, last = (bar.get_facecolor() for bar in ax.patches)
    assert first != last


def test_expected_money_stands_on_its_range_and_before_what_is_owed():
    ax = pictures.coming(COMING)
    assert widths(ax) == [500_000, 110_000, 200_000, 700_000, 140_000, 350_000]
    assert any("150k" in text and "260k" in text for text in texts(ax))


def test_where_nothing_is_learnt_what_is_owed_stands_alone():
    unknown = COMING.assign(expected=math.nan, low=math.nan, high=math.nan)
    assert widths(pictures.coming(unknown)) == [500_000, 700_000]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_figures_are_as_wide_as_they_are_read(lang):
    standing = pd.DataFrame({"item": ["not_due", "retention"], "n": [2, 1],
                             "amount": [10.0, 5.0], "prior_amount": [math.nan, 4.0]})  # fmt: skip
    with language(lang):
        for figure in (
            pictures.due_figure(PERIODS, Period.parse("2026-02"), 352),
            pictures.ageing_figure(BUCKETS, 352), pictures.coming_figure(COMING, 352),
            pictures.standing_figure(standing, 352),
        ):  # fmt: skip
            assert figure.get_figwidth() * 96 == pytest.approx(352, abs=1)
