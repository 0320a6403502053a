"""The pictures of data quality: shares by team, open value by days over its date."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from salesops.charts import theme
from salesops.charts.theme import ACTUAL, BAD, QUIET, RULE, px
from salesops.wording import label, money, ratio
from salesops.wording.numbers import count

BAR, LEFT, TEAMS = 0.44, 92, 10


def shares(frame: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw a share by team, with that of the period before and what it is of."""
    ax = theme.own_axes(ax)
    theme.rows(ax, [str(team) for team in frame["team"]])
    for y, row in enumerate(frame.itertuples()):
        ax.barh(y, row.rate, BAR, color=ACTUAL, zorder=3)
        theme.prior_mark(ax, row.prior_rate, y)
        theme.column_text(ax, 1.4, y, ratio(row.rate))
        theme.column_text(ax, 1.95, y, count(row.n), color=QUIET, size=11)
    ax.set_xlim(0, 1.0)
    ax.set_xticks([])
    ax.axvline(0, color=RULE, lw=px(1), zorder=1)
    theme.head(ax, label("quality.head_share"), x=1.4, align="right")
    theme.head(ax, label("quality.head_of"), x=1.95, align="right")
    return ax


def shares_figure(frame: pd.DataFrame, width: int) -> Figure:
    """Draw the shares at a width; of many teams the lowest."""
    shown = frame.sort_values("rate").head(TEAMS) if len(frame) > TEAMS else frame
    fig, ax = theme.rows_figure(len(shown), width, left=LEFT, reach=1.95)
    shares(shown, ax=ax)
    return fig


def spans(frame: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the open value by how long its expected date is over."""
    ax = theme.own_axes(ax)
    theme.rows(ax, [label(f"quality.span_{name}") for name in frame["span"]])
    valued = frame["amount"].notna().any()
    size = frame["amount"].fillna(0.0) if valued else frame["n"]
    top = float(size.max()) if len(frame) else 0.0
    for y, row in enumerate(frame.itertuples()):
        ax.barh(y, size.iloc[y], BAR, color=BAD if y else ACTUAL, zorder=3)
        theme.column_text(ax, 1.5, y, money(row.amount) if valued else "—")
        theme.column_text(ax, 1.95, y, count(row.n), color=QUIET, size=11)
    ax.set_xlim(0, (top if top > 0 else 1) * 1.02)
    ax.set_xticks([])
    ax.axvline(0, color=RULE, lw=px(1), zorder=1)
    theme.head(ax, label("quality.head_value"), x=1.5, align="right")
    theme.head(ax, label("quality.head_deals"), x=1.95, align="right")
    return ax


def spans_figure(frame: pd.DataFrame, width: int) -> Figure:
    """Draw the spans at a column's width."""
    fig, ax = theme.rows_figure(len(frame), width, left=LEFT, reach=1.95)
    spans(frame, ax=ax)
    return fig
