"""The pictures of the process as data: lanes, moves, marks and words."""

import pandas as pd
import pytest
from matplotlib.patches import FancyArrowPatch

from salesops.charts import process as pictures
from salesops.charts.process_design import DesignTable, fields_table
from salesops.charts.theme import ACTUAL, BAD, COLUMN, FULL
from salesops.model.settings import Settings
from salesops.wording import language

DESIGN = pd.DataFrame({
    "stage": ["acquisition", "needs", "contract", "after_sales"],
    "role": ["rep", None, "rep", "cs"],
})  # fmt: skip
NODES = pd.DataFrame({
    "stage": ["acquisition", "needs", "contract"], "n": [10.0, 6.0, 4.0],
    "next_share": [0.6, 0.5, None], "skip_share": [0.2, 0.0, None], "out_share": [0.2, 0.5, None],
})  # fmt: skip
MOVES = pd.DataFrame({
    "source": ["acquisition", "acquisition", "needs"], "target": ["needs", "contract", "contract"],
    "n": [6, 2, 3], "kind": ["forward", "skip", "forward"],
})  # fmt: skip


def words(ax):
    return [text.get_text() for text in ax.texts]


def colour_of(ax, word):
    (box,) = [t.get_bbox_patch() for t in ax.texts if t.get_text() == word and t.get_bbox_patch()]
    return box.get_facecolor()


def test_each_role_has_one_lane_and_each_stage_stands_in_its_own():
    with language("en"):
        ax = pictures.lanes(DESIGN)
    assert words(ax)[:3] == ["Rep", "nobody", "Customer success"]
    places = {t.get_text(): t.get_position() for t in ax.texts if t.get_bbox_patch()}
    assert places["Acquisition"] == (0, 0)
    assert places["Needs"] == (1, 1)
    assert places["Contract and delivery"] == (2, 0)
    assert places["After-sales"] == (3, 2)


def test_only_a_stage_of_nobody_is_marked():
    from matplotlib.colors import to_rgba

    with language("en"):
        ax = pictures.lanes(DESIGN)
    assert colour_of(ax, "Needs") == to_rgba(BAD)
    assert colour_of(ax, "Acquisition") == to_rgba(ACTUAL)


def test_a_skip_is_drawn_wide_by_how_many_made_it_and_marked_where_it_is_the_worst():
    ax = pictures.real(NODES, MOVES, worst="needs")
    arrows = [p for p in ax.patches if isinstance(p, FancyArrowPatch)]
    assert len(arrows) == len(MOVES)
    from matplotlib.colors import to_rgba

    bad = [a for a in arrows if a.get_edgecolor() == to_rgba(BAD)]
    assert len(bad) == 1
    widths = sorted(a.get_linewidth() for a in arrows)
    assert widths[-1] / widths[0] == pytest.approx((1 + 4) / (1 + 4 * 2 / 6))


def test_a_win_rate_of_few_deals_is_left_out():
    row = {"move": "skip", "stage": "needs", "share": 0.2, "norm": 0.1, "prior_share": 0.1,
           "won_rate": 0.5, "low": 0.1, "high": 0.9, "others_rate": 0.3}  # fmt: skip
    shown = {n: words(pictures.deviations(pd.DataFrame([row | {"n_ended": n}]), too_few=30))
             for n in (29.0, 30.0)}  # fmt: skip
    assert "50%" not in shown[29.0]
    assert "50%" in shown[30.0]


@pytest.mark.parametrize("width", [COLUMN, FULL])
def test_lanes_are_drawn_at_the_width_at_which_they_are_read(width):
    fig = pictures.lanes_figure(DESIGN, width)
    assert fig.get_size_inches()[0] * 96 == pytest.approx(width)


def test_the_table_says_what_the_settings_say_in_either_language():
    settings = Settings.default()
    for lang in ("zh", "en"):
        with language(lang):
            rows = DesignTable(settings).rows()
        first = settings.stages[0]
        assert rows[0][0] == getattr(first.name, lang)
        assert rows[0][1] == getattr(first.key_actions, lang)
        assert rows[0][5] == getattr(first.exit_criteria, lang)
        assert rows[-1][0] == getattr(settings.after_sales.name, lang)
        assert len(rows) == len([s for s in settings.stages if s.kind in ("open", "won")]) + 1


def test_what_a_company_writes_is_escaped_and_its_own_number_keeps_its_name():
    settings = Settings.default()
    stage = settings.stages[0].model_copy(update={"metric": "<b>calls</b>"})
    page = DesignTable(settings.model_copy(update={"stages": (stage, *settings.stages[1:])})).html()
    assert "&lt;b&gt;calls&lt;/b&gt;" in page
    assert "<b>calls" not in page


def test_fields_that_are_nearly_always_filled_are_counted_and_not_listed():
    frame = pd.DataFrame({
        "field": ["leads.campaign", "leads.phone"], "required": [False, False], "n": [10.0, 10.0],
        "filled_share": [0.4, 1.0], "prior_share": [0.5, 1.0],
    })  # fmt: skip
    table = fields_table(frame, 0.995)
    assert len(table.frame) == 1
    with language("en"):
        assert table.caption.text().startswith("1 of 2 fields")


def test_long_names_of_neighbours_in_one_lane_are_shortened_and_stand_whole_in_the_table():
    long = "A stage with a name that is far too long for its step"
    stages = [f"{long} {i}" for i in range(6)]
    ax = pictures.lanes(pd.DataFrame({"stage": stages, "role": ["rep"] * 6}))
    boxes = [t.get_text() for t in ax.texts if t.get_bbox_patch()]
    # 632 pixels for six steps are 105 for each, of which a letter takes about 6.
    assert all(text.endswith("…") and len(text) <= 105 / 6 for text in boxes)
