"""Coverage and time in stage as pictures: what is drawn is what the frame says."""

import math
from itertools import pairwise

import pandas as pd
import pytest

from salesops.charts import ageing, coverage, funnel
from salesops.wording import language

WEEKS = pd.DataFrame(
    {
        "days": [7.0, 14.0, 20.0], "week": [1.0, 2.0, 3.0], "open": [3.0, 2.5, 2.0],
        "coverage": [3.0, 2.8, 2.4], "awake": [2.0, 1.9, 1.1], "prior": [2.5, 2.6, math.nan],
        "need": [4.0, 3.5, 3.8], "need_low": [3.0, 2.8, 3.1], "need_high": [6.0, 5.5, 90.0],
    }
)  # fmt: skip
STAGES = pd.DataFrame(
    {"stage": ["needs", "negotiation"], "norm_days": [20.0, 10.0], "aged_n": [1, 0],
     "aged_amount": [500.0, 0.0]}
)  # fmt: skip


def deals(n: int) -> pd.DataFrame:
    return pd.DataFrame({
        "stage": ["needs"] * n, "amount": [100.0] * (n - 1) + [500.0],
        "age_times": [0.5] * (n - 1) + [2.5],
    })  # fmt: skip


@pytest.mark.parametrize(
    ("lang", "names"),
    [("zh", ("需要3.8倍", "现有2.4倍", "除沉默1.1倍")),
     ("en", ("needed 3.8x", "now 2.4x", "not silent 1.1x"))],
)  # fmt: skip
def test_lines_are_named_at_their_ends_and_an_unknown_one_is_not(lang, names):
    with language(lang):
        ax = coverage.coverage(WEEKS)
        said = [t.get_text() for t in ax.texts]
    assert set(names) <= set(said)
    assert not any("before" in text or "上期" in text for text in said)


def test_a_range_that_runs_away_is_cut_and_the_lines_are_not():
    ax = coverage.coverage(WEEKS)
    assert ax.get_ylim()[0] == 0
    assert 4.0 < ax.get_ylim()[1] < 6


def test_names_of_lines_that_end_together_stand_apart():
    ax = coverage.coverage(WEEKS.assign(awake=WEEKS["coverage"], need=WEEKS["coverage"]))
    heights = sorted(t.xy[1] for t in ax.texts if t.get_text().startswith(("need", "now", "not")))
    pixels = ax.get_position().height * ax.get_figure().get_size_inches()[1] * 96
    assert all((b - a) * pixels >= 14 for a, b in pairwise(heights))


def test_a_dot_per_deal_is_red_beyond_the_limit_and_larger_with_its_value():
    ax = ageing.ages(STAGES, deals(4))
    (dots, *_rest) = ax.collections
    assert dots.get_offsets()[:, 0].tolist() == [0.5, 0.5, 0.5, 2.5]
    assert dots.get_sizes()[3] > dots.get_sizes()[0]
    assert tuple(dots.get_facecolors()[3]) != tuple(dots.get_facecolors()[0])


def test_too_many_deals_are_counted_in_bars():
    many = deals(ageing.MOST_DOTS + 1)
    ax = ageing.ages(STAGES, many)
    assert not ax.collections
    heights = [abs(bar.get_height()) for bar in ax.patches if bar.get_height()]
    bars = [h for h in heights if h < 1]
    # A hundred and fifty within the norm, and one beyond it that can still be seen.
    assert len(bars) == 2
    assert min(bars) == pytest.approx(ageing.LEAST)


def test_the_value_beyond_the_limit_stands_beside_each_stage():
    texts = [t.get_text() for t in ageing.ages(STAGES, deals(4)).texts]
    assert {"1", "500", "over 2x"} <= set(texts)


def test_a_chance_of_few_is_hollow_and_says_so():
    frame = pd.DataFrame({
        "stage": "needs", "times": [0, 1, 2, 3], "n": [400, 100, 50, 12],
        "chance": [0.4, 0.3, 0.1, 0.05], "low": [0.38, 0.25, 0.07, 0.01],
        "high": [0.42, 0.35, 0.15, 0.2], "variance": [0.001] * 4,
    })  # fmt: skip
    ax = ageing.chances(frame)
    hollow = [line.get_markerfacecolor() == "white" for line in ax.lines
              if line.get_marker() == "o"]  # fmt: skip
    assert hollow == [False, False, False, True]
    assert any("too few" in t.get_text() for t in ax.texts)


def test_a_bucket_in_which_nothing_moved_is_left_out_of_the_picture():
    bars = pd.DataFrame({
        "bucket": ["start", "created", "fx", "end"], "kind": ["stock", "in", "in", "stock"],
        "n": [1, 1, 0, 2], "amount": [10.0, 5.0, 0.0, 15.0],
        "prior_amount": [0.0, math.nan, 0.0, 0.0],
    })  # fmt: skip
    assert funnel.moved_bars(bars)["bucket"].tolist() == ["start", "created", "end"]
