"""The pictures and small tables of the diagnosis."""

import datetime as dt
import math

import pandas as pd
from matplotlib.colors import to_rgba

from salesops.charts import diagnosis as pictures
from salesops.charts.diagnosis_parts import Changes, ToDo, shown
from salesops.charts.theme import BAD, GOOD, WATCH, house_theme
from salesops.wording import language

PAINS = pd.DataFrame({
    "pain": ["targets", "data", "process", "review", "teamwork"],
    "status": ["act", "watch", "good", "unknown", "act"],
    "n_checks": [2, 3, 4, 1, 2], "n_seen": [2, 3, 4, 0, 2], "n_bad": [1, 2, 0, 0, 1],
    "low": [10.0, 50.0, math.nan, math.nan, math.nan],
    "middle": [20.0, 60.0, math.nan, math.nan, math.nan],
    "high": [30.0, 80.0, math.nan, math.nan, math.nan], "worst": ["", "", "", "", ""],
})  # fmt: skip
BREAKS = pd.DataFrame({"kind": ["broken", "skipped", "silent"], "n": [50, 20, 40],
                       "n_deals": [100] * 3, "share": [0.5, 0.2, 0.4],
                       "prior_share": [0.4, math.nan, 0.5]})  # fmt: skip
CREDIBLE = pd.DataFrame({"stage": ["needs", "negotiation"], "n": [3, 2],
                         "reported": [100.0, 50.0], "credible": [20.0, 30.0]})  # fmt: skip


def texts(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


def test_lights_are_red_amber_green_and_empty_where_nothing_could_be_looked_at():
    with house_theme():
        ax = pictures.pains(PAINS)
    lights = [t for t in ax.texts if t.get_text() in "●○"]
    assert [t.get_text() for t in lights] == ["●", "●", "●", "○", "●"]
    assert [to_rgba(t.get_color()) for t in lights[:3]] == [to_rgba(c) for c in (BAD, WATCH, GOOD)]


def test_money_is_drawn_with_its_range_and_what_has_none_gets_a_dash():
    with house_theme():
        ax = pictures.pains(PAINS)
    assert [round(bar.get_width()) for bar in ax.patches] == [20, 20, 30, 60]
    assert texts(ax).count("—") >= 3


def test_breaks_are_shares_with_the_period_before_in_grey():
    with house_theme():
        ax = pictures.breaks(BREAKS)
    assert [bar.get_width() for bar in ax.patches] == [0.5, 0.2, 0.4]
    marks = [line.get_xdata()[0] for line in ax.lines]
    assert marks == [0.4, 0.5]


def test_what_is_believable_stands_before_what_is_reported():
    with house_theme():
        ax = pictures.credible(CREDIBLE)
    assert [bar.get_width() for bar in ax.patches] == [100, 20, 50, 30]


def test_a_value_is_written_in_the_unit_of_its_check():
    with language("zh"):
        assert shown("ratio", 0.136) == "14%"
        assert shown("money", 1_200_000.0) == "120.0万元"
        assert shown("count", math.nan) == "—"


def test_changes_list_the_first_few_and_count_the_rest():
    frame = pd.DataFrame({"check": ["silent_deals"] * 9, "unit": "ratio", "change": "worse",
                          "prior_value": 0.1, "value": 0.2})  # fmt: skip
    with language("en"):
        page = Changes(frame).html()
    assert page.count("<tr>") == 1 + 6
    assert "9" in page


def test_an_empty_list_of_things_to_do_is_an_empty_table():
    assert "<tbody></tbody>" in ToDo((), {"x": dt.date(2026, 1, 1)}).html()
