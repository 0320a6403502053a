"""The pictures of data quality: shares by team, open value by days over its date."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from salesops.charts import theme
from salesops.charts.theme import ACTUAL, BAD, QUIET, TextColumn
from salesops.wording import label, money, ratio
from salesops.wording.numbers import count

LEFT, TEAMS = 92, 10


def shares(frame: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw a share by team, with that of the period before and what it is of."""
    ax = theme.own_axes(ax)
    theme.bar_rows(
        ax, [str(team) for team in frame["team"]], frame["rate"].tolist(), ACTUAL,
        TextColumn(1.4, label("quality.head_share"), [ratio(v) for v in frame["rate"]]),
        TextColumn(1.95, label("quality.head_of"), [count(v) for v in frame["n"]], QUIET),
        top=1.0,
    )  # fmt: skip
    for y, prior in enumerate(frame.get("prior_rate", [])):
        theme.prior_mark(ax, prior, y)
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
    valued = frame["amount"].notna().any()
    size = frame["amount"].fillna(0.0) if valued else frame["n"]
    theme.bar_rows(
        ax, [label(f"quality.span_{name}") for name in frame["span"]], size.tolist(),
        [BAD if y else ACTUAL for y in range(len(frame))],
        TextColumn(1.5, label("quality.head_value"),
                   [money(v) if valued else "—" for v in frame["amount"]]),
        TextColumn(1.95, label("quality.head_deals"), [count(v) for v in frame["n"]], QUIET),
    )  # fmt: skip
    return ax


def spans_figure(frame: pd.DataFrame, width: int) -> Figure:
    """Draw the spans at a column's width."""
    fig, ax = theme.rows_figure(len(frame), width, left=LEFT, reach=1.95)
    spans(frame, ax=ax)
    return fig
