"""Pictures of the conversion report as data: what is drawn is what the frame says."""

import math

import pandas as pd
import pytest

from salesops.charts import conversion as pictures
from salesops.charts.theme import BAD
from salesops.wording import language

COHORTS = pd.DataFrame(
    {
        "cohort": ["2025Q3", "2025Q4", "2026Q1"], "n": [200, 20, 180],
        "rate": [0.1, 0.2, math.nan], "low": [0.08, 0.1, math.nan], "high": [0.13, 0.3, math.nan],
        "long_rate": [0.15, math.nan, math.nan], "prior_rate": [math.nan, 0.1, 0.12],
        "is_mature": [True, True, False],
    }
)  # fmt: skip
SOURCES = pd.DataFrame(
    {
        "source": ["web", "fair", "unnamed"], "n": [300, 200, 12], "n_accounts": [290, 190, 12],
        "n_signed": [3, 12, 1], "rate": [3 / 290, 12 / 190, 1 / 12], "low": [0.005, 0.045, 0.02],
        "high": [0.02, 0.08, 0.2], "prior_rate": [0.02, 0.05, math.nan],
        "valid_rate": [0.2, 0.4, 0.5], "money_per_lead": [100.0, 5_000.0, 10.0],
    }
)  # fmt: skip
TIMES = pd.DataFrame(
    {
        "until": [0.5, 1.0, math.inf, math.nan], "n": [40, 12, 60, 30],
        "rate": [0.2, 0.25, 0.1, 0.0], "low": [0.15, 0.1, 0.07, 0.0],
        "high": [0.27, 0.45, 0.15, 0.02],
    }
)  # fmt: skip


def texts(ax) -> list[str]:
    return [t.get_text() for t in ax.texts]


def dots(ax) -> list:
    return [line for line in ax.lines if line.get_marker() == "o"]


def test_a_cohort_that_is_too_young_has_no_dot_and_says_so():
    with language("en"):
        ax = pictures.cohorts(COHORTS)
    assert [float(line.get_ydata()[0]) for line in dots(ax)] == [0.1, 0.2]
    assert texts(ax).count("too early") == 1


def test_a_small_cohort_is_hollow_and_has_no_range():
    ax = pictures.cohorts(COHORTS)
    assert [line.get_markerfacecolor() == "white" for line in dots(ax)] == [False, True]
    bands = [p for p in ax.patches if p.get_height() == pytest.approx(0.13 - 0.08)]
    assert len(bands) == 1


def test_the_source_to_act_on_is_the_only_one_marked():
    ax = pictures.sources(SOURCES, worst="web")
    colours = [line.get_markerfacecolor() for line in dots(ax)]
    assert [colour == BAD for colour in colours] == [True, False, False]
    assert colours[2] == "white"  # twelve companies are too few


@pytest.mark.parametrize(("lang", "word"), [("zh", "没写"), ("en", "not entered")])
def test_rows_without_a_source_are_named_in_words(lang, word):
    with language(lang):
        assert word in texts(pictures.sources(SOURCES))


def test_times_of_answer_are_named_by_their_ends_and_never_is_left_out():
    with language("en"):
        ax = pictures.times(TIMES)
    assert {"within 30 min", "within 1 h", "after 1 h"} <= set(texts(ax))
    assert [float(line.get_xdata()[0]) for line in dots(ax)] == [0.2, 0.25, 0.1]


def test_pool_and_nobody_are_drawn_whatever_others_have():
    owners = pd.DataFrame(
        {"owner_id": [f"u{i}" for i in range(8)] + ["pool", "nobody"],
         "owner": [f"Name {i}" for i in range(8)] + ["pool", "nobody"],
         "n": [40] * 10, "n_untouched": [9, 8, 7, 6, 5, 4, 3, 2, 0, 1],
         "untouched_share": [k / 40 for k in (9, 8, 7, 6, 5, 4, 3, 2, 0, 1)]}
    )  # fmt: skip
    shown, rest = pictures.owners_shown(owners)
    assert shown["owner_id"].tolist() == ["u0", "u1", "u2", "u3", "pool", "nobody"]
    assert rest["n_untouched"].sum() == 5 + 4 + 3 + 2
    with language("en"):
        (ax,) = pictures.owners_figure(shown, 352, norm=0.05).axes
    assert [bar.get_width() for bar in ax.patches] == [9, 8, 7, 6, 0, 1]
    triangles = [float(line.get_xdata()[0]) for line in ax.lines if line.get_marker() == "^"]
    assert triangles == [40 * 0.05] * 6
    assert {"Public pool", "Nobody named"} <= set(texts(ax))


@pytest.mark.parametrize("width", [352, 736])
def test_a_figure_is_as_wide_as_it_is_read(width):
    figure = pictures.cohorts_figure(COHORTS, width, horizon=90, longer=180)
    assert figure.get_figwidth() * 96 == pytest.approx(width, abs=1)
