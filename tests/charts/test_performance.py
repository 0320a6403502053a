"""Pictures of performance as data: what is drawn is what the frame says."""

import math

import pandas as pd
import pytest

from salesops.charts import performance as pictures
from salesops.charts.theme import BAD, GOOD
from salesops.wording import language

GROUPS = pd.DataFrame({
    "level": ["total", "group", "group"], "group": ["", "N", "S"], "name": ["", "N", "S"],
    "n": [3, 2, 1], "signed": [90.0, 60.0, 30.0], "plan": [200.0, 100.0, 100.0],
    "due": [100.0, 50.0, 50.0], "attained_rate": [0.45, 0.6, 0.3],
    "pace_rate": [0.9, 1.2, 0.6], "prior": [80.0, 80.0, 0.0], "year_ago": [math.nan] * 3,
})  # fmt: skip
REPS = pd.DataFrame({
    "owner": ["Ann", "Bo", "Cy"], "n": [2, 1, 0], "signed": [120.0, 40.0, 5.0],
    "signed_year": [300.0, 400.0, 50.0], "plan": [100.0, 80.0, math.nan],
    "attained_rate": [1.2, 0.5, math.nan], "prior_rate": [0.8, 1.0, math.nan],
})  # fmt: skip
BARS = pd.DataFrame({
    "bar": ["before", "at_risk", "closing", "winning", "mean_amount", "contracts", "now"],
    "kind": ["stock", *["change"] * 5, "stock"],
    "amount": [100.0, 30.0, -10.0, -50.0, 20.0, 0.0, 90.0],
})  # fmt: skip


def widths(ax) -> list[float]:
    return [bar.get_width() for bar in ax.patches]


def texts(ax) -> list[str]:
    return [t.get_text() for t in ax.texts]


def marks(ax, style: str) -> list[float]:
    return [float(line.get_xdata()[0]) for line in ax.lines if line.get_marker() == style]


def test_each_bar_is_the_share_of_its_own_target():
    ax = pictures.attainment(GROUPS)
    assert widths(ax) == [90 / 200, 60 / 100, 30 / 100]
    assert marks(ax, "^") == [1, 1, 1]


def test_without_targets_the_parts_are_drawn_in_money_and_the_whole_is_not():
    ax = pictures.attainment(GROUPS.assign(plan=math.nan, due=math.nan))
    assert widths(ax) == [0, 60, 30]
    assert marks(ax, "^") == []


def test_only_the_group_to_act_on_is_marked():
    ax = pictures.attainment(GROUPS, worst="S")
    colours = [bar.get_facecolor() for bar in ax.patches]
    assert colours[2] != colours[1] == colours[0]
    from matplotlib.colors import to_rgba

    assert colours[2] == to_rgba(BAD)


def test_numbers_stand_beside_the_bars_in_both_languages():
    for lang, word in (("zh", "进度达成"), ("en", "pace")):
        with language(lang):
            figure = pictures.attainment_figure(GROUPS, 736)
            shown = texts(figure.axes[0])
            assert word in shown
            assert {"45%", "90%"} <= set(shown)


def test_people_beyond_their_target_are_drawn_as_met():
    from matplotlib.colors import to_rgba

    ax = pictures.ladder(REPS)
    assert widths(ax) == [1.2, 0.5]
    assert ax.patches[0].get_facecolor() == to_rgba(GOOD)
    assert ax.patches[1].get_facecolor() != to_rgba(GOOD)


def test_without_targets_people_are_drawn_by_what_they_signed_in_a_year():
    ax = pictures.ladder(REPS.assign(attained_rate=math.nan))
    assert widths(ax) == [400, 40, 300, 120, 50, 5]


def test_of_many_people_the_first_and_the_last_are_named():
    many = pd.DataFrame({
        "owner": [f"P{i:02d}" for i in range(40)], "signed": 1.0, "signed_year": 1.0,
        "attained_rate": [1.0 - i / 50 for i in range(40)], "prior_rate": math.nan,
    })  # fmt: skip
    ax = pictures.ladder(many)
    named = [t for t in texts(ax) if t.startswith("P")]
    assert len(ax.patches) == 40
    assert named[0] == "P00"
    assert named[-1] == "P39"
    assert len(named) == pictures.MOST_NAMED


def test_of_many_people_those_who_signed_nothing_yet_share_one_row():
    many = pd.DataFrame({
        "owner": [f"P{i:02d}" for i in range(20)], "signed": 1.0, "signed_year": 1.0,
        "attained_rate": [0.9, 0.4, 0.2, *[0.0] * 17], "prior_rate": 0.5,
    })  # fmt: skip
    for lang, rest in (("zh", "其余17人"), ("en", "17 others")):
        with language(lang):
            ax = pictures.ladder(many)
            assert [t for t in texts(ax) if t.startswith("P")] == ["P00", "P01", "P02"]
            assert rest in texts(ax)
            assert widths(ax) == [0.9, 0.4, 0.2, 0]


def test_the_bridge_begins_where_the_bar_above_ends():
    ax = pictures.bridge(BARS, worst="winning")
    assert widths(ax) == [100, 30, 10, 50, 20, 0, 90]
    assert [bar.get_x() for bar in ax.patches] == [0, 100, 120, 70, 70, 90, 0]


def test_the_course_shows_what_is_known_and_nothing_of_the_future():
    days = pd.DataFrame({
        "day": pd.date_range("2026-03-01", periods=4), "day_number": [1, 2, 3, 4],
        "signed": [5.0, 9.0, math.nan, math.nan], "plan": [10.0, 20.0, 30.0, 40.0],
        "compared": [math.nan] * 4,
    })  # fmt: skip
    ax = pictures.course(days)
    drawn = [line for line in ax.lines if len(line.get_xdata()) > 1 and line.get_label() != "grid"]
    lengths = sorted(len(line.get_xdata()) for line in drawn if len(set(line.get_ydata())) > 1)
    assert lengths == [2, 4]


@pytest.mark.parametrize("width", [352, 736])
def test_a_figure_is_as_wide_as_it_is_read(width):
    for figure in (pictures.attainment_figure(GROUPS, width), pictures.ladder_figure(REPS, width),
                   pictures.bridge_figure(BARS, width)):  # fmt: skip
        assert figure.get_figwidth() * 96 == pytest.approx(width, abs=1)
