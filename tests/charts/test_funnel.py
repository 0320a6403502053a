"""Pictures as data: what is drawn is what the frame says."""

import math

import pandas as pd
import pytest

from salesops.charts import funnel as pictures
from salesops.wording import language

STAGES = pd.DataFrame(
    {
        "stage": ["acquisition", "needs", "negotiation"],
        "n": [20, 12, 5], "amount": [400_000.0, 250_000.0, 90_000.0],
        "due": [100_000.0, 0.0, 90_000.0], "prior_n": [18, 14, 6],
        "prior_amount": [380_000.0, 260_000.0, 70_000.0],
        "entered": [200, 120, 12], "rate": [0.8, 0.5, 0.4], "low": [0.77, 0.45, 0.2],
        "high": [0.83, 0.55, 0.6], "prior_rate": [0.8, 0.6, math.nan],
        "trust": ["unsure", "firm", None],
    }
)  # fmt: skip
BARS = pd.DataFrame(
    {
        "bucket": ["start", "created", "won", "lost", "end"],
        "kind": ["stock", "in", "won", "out", "stock"], "n": [4, 1, 1, 1, 3],
        "amount": [500.0, 120.0, -200.0, -90.0, 330.0], "prior_amount": [math.nan] * 5,
    }
)  # fmt: skip


def widths(ax) -> list[float]:
    return [bar.get_width() for bar in ax.patches]


def texts(ax) -> list[str]:
    return [t.get_text() for t in ax.texts]


def test_open_deals_are_as_long_as_they_are_many():
    ax = pictures.open_counts(STAGES)
    assert widths(ax)[:3] == [20, 12, 5]
    assert {"20", "12", "5"} <= set(texts(ax))


def test_what_is_due_and_the_rest_make_the_open_value():
    ax = pictures.open_amounts(STAGES)
    pairs = list(zip(widths(ax)[::2], widths(ax)[1::2], strict=True))
    assert pairs == [(100_000, 300_000), (0, 250_000), (90_000, 0)]
    assert "¥" in "".join(texts(ax)) or "¥" in ax.get_title() + "".join(texts(ax))


def test_a_stage_with_few_deals_shows_a_hollow_mark_and_no_range():
    ax = pictures.conversion(STAGES)
    assert len(ax.patches) == 2
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    assert [line.get_xdata()[0] for line in dots] == [0.8, 0.5, 0.4]
    assert [line.get_markerfacecolor() == "white" for line in dots] == [False, False, True]


@pytest.mark.parametrize(("lang", "word"), [("zh", "稳"), ("en", "firm")])
def test_a_change_says_how_sure_it_is(lang, word):
    with language(lang):
        assert any(word in text for text in texts(pictures.conversion(STAGES)))


def test_the_waterfall_begins_where_the_bar_above_ends():
    ax = pictures.waterfall(BARS)
    lefts = [bar.get_x() for bar in ax.patches]
    assert lefts == [0, 500, 500 + 120 - 200, 500 + 120 - 200 - 90, 0]
    assert widths(ax) == [500, 120, 200, 90, 330]


def test_the_largest_loss_is_marked_only_beyond_its_norm():
    frame = pd.DataFrame(
        {"stage": ["needs", "negotiation"], "n": [3, 1], "leak": [300.0, 100.0],
         "prior_leak": [200.0, 50.0], "norm_leak": [250.0, 90.0], "prior_n": [2, 1],
         "norm_n": [2.0, 1.0]}
    )  # fmt: skip
    beyond = pictures.leaks(frame).patches[0].get_facecolor()
    within = pictures.leaks(frame.assign(norm_leak=[350.0, 90.0])).patches[0].get_facecolor()
    assert beyond != within


def test_a_loss_at_a_stage_that_nobody_knows_is_nothing_to_act_on():
    frame = pd.DataFrame(
        {"stage": ["unknown"], "n": [3], "leak": [300.0], "prior_leak": [200.0],
         "norm_leak": [50.0], "prior_n": [2], "norm_n": [2.0]}
    )  # fmt: skip
    known = pictures.leaks(frame.assign(stage="needs")).patches[0].get_facecolor()
    assert pictures.leaks(frame).patches[0].get_facecolor() != known


@pytest.mark.parametrize("width", [352, 736])
def test_a_figure_is_as_wide_as_it_is_read(width):
    figure = pictures.stages_figure(STAGES, width)
    assert figure.get_figwidth() * 96 == pytest.approx(width, abs=1)
