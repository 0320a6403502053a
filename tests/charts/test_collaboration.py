"""The pictures of collaboration, read back as data."""

from itertools import pairwise

import pandas as pd
import pytest

from salesops.charts.collaboration import late_handovers, late_handovers_figure, ramp, ramp_figure
from salesops.charts.collaboration_tables import duties_table, parties_table, table, together
from salesops.charts.table import TableView
from salesops.charts.theme import BAD
from salesops.model.settings import Settings
from salesops.wording import language

HANDED = pd.DataFrame({
    "team": ["", "N", "S"], "n": [40, 30, 10], "late_share": [0.5, 0.4, 0.8],
    "gap_days": [6.0, 4.0, 9.0], "prior_late_share": [0.3, 0.2, float("nan")],
})  # fmt: skip
RAMP = pd.DataFrame({
    "month": [1, 2, 3], "n": [5, 5, 4], "n_won": [0, 2, 4], "share": [0.0, 0.4, 0.9],
    "low": [0.0, 0.2, 0.6], "high": [0.2, 0.7, 1.3],
})  # fmt: skip


def test_bars_are_the_late_shares_and_only_all_may_be_red():
    ax = late_handovers(HANDED, is_bad=True)
    assert [bar.get_width() for bar in ax.patches] == [0.5, 0.4, 0.8]
    from matplotlib.colors import to_hex

    assert [to_hex(bar.get_facecolor()) == BAD for bar in ax.patches] == [True, False, False]


@pytest.mark.parametrize("width", [352, 736])
def test_columns_of_numbers_keep_their_room_at_each_width(width):
    fig = late_handovers_figure(HANDED, width, is_bad=False)
    (ax,) = fig.axes
    bars = ax.get_position().width * width
    places = sorted(
        {round(t.get_position()[0] * bars) for t in ax.texts if t.get_position()[0] > 1}
    )
    gaps = [b - a for a, b in pairwise(places)]
    assert all(gap >= 30 for gap in gaps)


def test_the_ramp_is_drawn_against_settled_people():
    ax = ramp(RAMP)
    lines = [list(line.get_ydata()) for line in ax.lines]
    assert [0.0, 0.4, 0.9] in lines
    assert [1, 1] in lines
    assert ramp_figure(RAMP, 352).axes


def test_duties_of_the_settings_are_shown_in_both_languages():
    settings = Settings.default()
    for lang in ("zh", "en"):
        with language(lang):
            shown = duties_table(settings)
            assert isinstance(shown, TableView)
            words = [getattr(duty.what, lang) for duty in settings.duties]
            assert list(shown.frame["duty"]) == words
            assert len(parties_table(settings).frame) == len(settings.raci)


def test_a_sentence_for_none_stands_only_where_no_table_does():
    empty = table(pd.DataFrame(), "claims", {"team": "text"})
    full = table(pd.DataFrame({"team": ["N"]}), "claims", {"team": "text"})
    assert together(empty, full).page.count("<table") == 1
    assert empty.plain not in together(empty, full).page
    assert together(empty, empty).page == empty.page
