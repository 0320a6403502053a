"""The pictures of the review: what became of actions, and forecasts against what came."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from salesops.charts import theme
from salesops.charts.theme import ACTUAL, BAD, LATER, QUIET, TextColumn
from salesops.wording import label, money
from salesops.wording.numbers import count, points

LEFT = 96
_COLORS = {"late": BAD, "open": LATER, "done": ACTUAL, "dropped": QUIET}


def states(frame: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how many actions are late, open, done and dropped."""
    ax = theme.own_axes(ax)
    theme.bar_rows(
        ax, [label(f"review.state_{state}") for state in frame["state"]], frame["n"].tolist(),
        [_COLORS[state] for state in frame["state"]],
        TextColumn(1.3, label("review.head_n"), [count(n) for n in frame["n"]]),
    )  # fmt: skip
    return ax


def states_figure(frame: pd.DataFrame, width: int) -> Figure:
    """Draw the states at a width."""
    fig, ax = theme.rows_figure(len(frame), width, left=LEFT, reach=1.3)
    states(frame, ax=ax)
    return fig


def forecasts(frame: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw what came by month, with a mark for what was committed at its beginning."""
    ax = theme.own_axes(ax)
    off = frame["said"] / frame["came"].where(frame["came"] > 0) - 1
    theme.bar_rows(
        ax, [str(month) for month in frame["month"]], frame["came"].tolist(), ACTUAL,
        TextColumn(1.65, label("review.head_came"), [money(v) for v in frame["came"]]),
        TextColumn(2.35, label("review.head_said"), [money(v) for v in frame["said"]]),
        TextColumn(2.75, label("review.head_off"),
                   ["—" if v != v else points(v) for v in off], QUIET),
        top=float(frame[["said", "came"]].max().max()) * 1.04,
    )  # fmt: skip
    for y, said in enumerate(frame["said"]):
        theme.plan_mark(ax, said, y)
    return ax


def forecasts_figure(frame: pd.DataFrame, width: int) -> Figure:
    """Draw the forecasts at a width."""
    fig, ax = theme.rows_figure(len(frame), width, left=60, reach=2.75)
    forecasts(frame, ax=ax)
    return fig
