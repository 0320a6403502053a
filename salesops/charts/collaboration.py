"""The pictures of collaboration: late hand-overs by team, and how new people come up to speed."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from salesops.charts import theme
from salesops.charts.theme import ACTUAL, BAD, BAND, INK, LATER, QUIET, px
from salesops.wording import label, ratio
from salesops.wording.numbers import count, days

ROW, BAR, LEFT = 24, 0.46, 76
# Room in CSS pixels for the share, the days and the count.
COLUMNS = (46, 70, 36)


def late_handovers(
    frame: pd.DataFrame, *, is_bad: bool = False,
    places: tuple[float, float, float] = (1.16, 1.38, 1.55), ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Draw the share of hand-overs that waited beyond the norm, all first, then by team.

    `places` are those of the three columns of numbers, in widths of the axes.
    """
    ax = theme.own_axes(ax)
    names = [team or label("collaboration.all") for team in frame["team"]]
    theme.rows(ax, names)
    for y, row in enumerate(frame.itertuples()):
        colour = ACTUAL if y == 0 and not is_bad else BAD if y == 0 else LATER
        ax.barh(y, row.late_share, BAR, color=colour, zorder=3)
        theme.prior_mark(ax, row.prior_late_share, y)
        theme.column_text(ax, places[0], y, ratio(row.late_share))
        theme.column_text(ax, places[1], y, days(row.gap_days))
        theme.column_text(ax, places[2], y, count(row.n), color=QUIET, size=11)
    ax.set_xlim(0, 1)
    ax.set_xticks([])
    for x, code in zip(places, ("late", "half", "n"), strict=True):
        theme.head(ax, label(f"collaboration.head_{code}"), x=x, align="right")
    return ax


def late_handovers_figure(frame: pd.DataFrame, width: int, *, is_bad: bool) -> Figure:
    """Draw late hand-overs at a width in CSS pixels."""
    body = ROW * max(len(frame), 1)
    fig = theme.figure(width, body + 28)
    # A phone needs the same room for numbers, and leaves less to the bars.
    bars = width - LEFT - 2 - sum(COLUMNS)
    ax = theme.panel(fig, LEFT, 22, bars, body)
    places = (bars + COLUMNS[0], bars + sum(COLUMNS[:2]), bars + sum(COLUMNS))
    first, second, third = (place / bars for place in places)
    late_handovers(frame, is_bad=is_bad, places=(first, second, third), ax=ax)
    return fig


def ramp(frame: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how many deals new people win by month since they came; settled people are 100 %."""
    ax = theme.own_axes(ax)
    ax.axhline(1, color=INK, lw=px(1), zorder=2)
    ax.fill_between(frame["month"], frame["low"], frame["high"], color=BAND, lw=0, zorder=1)
    ax.plot(frame["month"], frame["share"], color=ACTUAL, marker="o", ms=px(5), zorder=4)
    top = float(frame["high"].max()) if len(frame) else 1.0
    ax.set_ylim(0, max(1.2, top * 1.05))
    ax.set_yticks([0, 0.5, 1], [ratio(0.0), ratio(0.5), ratio(1.0)])
    ax.set_xticks(frame["month"], [count(month) for month in frame["month"]])
    ax.set_xlim(0.6, float(frame["month"].max()) + 0.4 if len(frame) else 12.4)
    ax.grid(False, axis="x")
    theme.head(ax, label("collaboration.head_ramp"))
    return ax


def ramp_figure(frame: pd.DataFrame, width: int) -> Figure:
    """Draw the ramp at a column's width."""
    fig = theme.figure(width, 162)
    ramp(frame, ax=theme.panel(fig, 46, 22, width - 50, 98))
    fig.axes[0].set_xlabel(label("collaboration.axis_month"), loc="right", fontsize=px(11))
    return fig
