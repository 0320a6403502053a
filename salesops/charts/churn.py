"""The pictures of churn: what falls due and will be renewed, retention rates, what was lost."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from salesops.charts import theme
from salesops.charts.theme import ACTUAL, BAD, BAND, INK, QUIET, TextColumn
from salesops.wording import label, money, ratio
from salesops.wording.numbers import count

LEFT = 92


def due(frame: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw by month what falls due for renewal, and what of it will be renewed."""
    ax = theme.own_axes(ax)
    theme.bar_rows(
        ax, [str(month) for month in frame["month"]], frame["expected"].tolist(), ACTUAL,
        TextColumn(1.45, label("churn.head_expected"), [money(v) for v in frame["expected"]]),
        TextColumn(2.0, label("churn.head_due"), [money(v) for v in frame["due"]], QUIET),
        top=float(frame["due"].max()) * 1.02,
    )  # fmt: skip
    ax.barh(range(len(frame)), frame["due"], 0.7, color=BAND, zorder=2)
    return ax


def due_figure(frame: pd.DataFrame, width: int) -> Figure:
    """Draw what falls due at a width."""
    fig, ax = theme.rows_figure(len(frame), width, left=LEFT, reach=2.0)
    due(frame, ax=ax)
    return fig


def rates(frame: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the retention rates with their ranges and those of a quarter before."""
    ax = theme.own_axes(ax)
    top = float(frame[["value", "high"]].max().max())
    theme.bar_rows(
        ax, [label(f"churn.rate_{name}") for name in frame["rate"]], frame["value"].tolist(),
        ACTUAL,
        TextColumn(1.4, label("churn.head_rate"),
                   ["—" if v != v else ratio(v) for v in frame["value"]]),
        TextColumn(1.85, "n", [count(v) for v in frame["n"]], QUIET),
        top=top * 1.02 if top == top else 1.0,
    )  # fmt: skip
    for y, row in enumerate(frame.itertuples()):
        if row.low == row.low:
            ax.barh(y, row.high - row.low, 0.7, left=row.low, color=BAND, zorder=2)
        theme.prior_mark(ax, row.prior, y)
    return ax


def rates_figure(frame: pd.DataFrame, width: int) -> Figure:
    """Draw the rates at a width."""
    fig, ax = theme.rows_figure(len(frame), width, left=112, reach=1.85)
    rates(frame, ax=ax)
    return fig


def lost(frame: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw what was not renewed, by the reason that was entered."""
    ax = theme.own_axes(ax)
    theme.bar_rows(
        ax, [label(str(r), otherwise=str(r)) for r in frame["reason"]], frame["money"].tolist(),
        [INK if r == "churn.no_reason" else BAD for r in frame["reason"]],
        TextColumn(1.6, label("churn.head_yearly"), [money(v) for v in frame["money"]]),
        TextColumn(2.0, label("churn.head_contracts"), [count(v) for v in frame["n"]], QUIET),
    )  # fmt: skip
    return ax


def lost_figure(frame: pd.DataFrame, width: int) -> Figure:
    """Draw what was lost at a width."""
    fig, ax = theme.rows_figure(len(frame), width, left=LEFT, reach=2.0)
    lost(frame, ax=ax)
    return fig
