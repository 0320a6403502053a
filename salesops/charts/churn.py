"""The pictures of churn: what falls due and will be renewed, retention rates, what was lost."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from salesops.charts import theme
from salesops.charts.theme import ACTUAL, BAD, BAND, INK, QUIET, RULE, px
from salesops.wording import label, money, ratio
from salesops.wording.numbers import count

BAR, LEFT = 0.44, 92


def due(frame: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw by month what falls due for renewal, and what of it will be renewed."""
    ax = theme.own_axes(ax)
    theme.rows(ax, [str(month) for month in frame["month"]])
    for y, row in enumerate(frame.itertuples()):
        ax.barh(y, row.due, 0.7, color=BAND, zorder=2)
        ax.barh(y, row.expected, BAR, color=ACTUAL, zorder=3)
        theme.column_text(ax, 1.45, y, money(row.expected))
        theme.column_text(ax, 2.0, y, money(row.due), color=QUIET)
    _plain(ax, float(frame["due"].max()))
    theme.head(ax, label("churn.head_expected"), x=1.45, align="right")
    theme.head(ax, label("churn.head_due"), x=2.0, align="right")
    return ax


def _plain(ax: Axes, top: float) -> None:
    ax.set_xlim(0, top * 1.02 if top > 0 else 1.0)
    ax.set_xticks([])
    ax.axvline(0, color=RULE, lw=px(1), zorder=1)


def due_figure(frame: pd.DataFrame, width: int) -> Figure:
    """Draw what falls due at a width."""
    fig, ax = theme.rows_figure(len(frame), width, left=LEFT, reach=2.0)
    due(frame, ax=ax)
    return fig


def rates(frame: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the retention rates with their ranges and those of a quarter before."""
    ax = theme.own_axes(ax)
    theme.rows(ax, [label(f"churn.rate_{name}") for name in frame["rate"]])
    for y, row in enumerate(frame.itertuples()):
        if row.low == row.low:
            ax.barh(y, row.high - row.low, 0.7, left=row.low, color=BAND, zorder=2)
        if row.value == row.value:
            ax.barh(y, row.value, BAR, color=ACTUAL, zorder=3)
        theme.prior_mark(ax, row.prior, y)
        theme.column_text(ax, 1.4, y, ratio(row.value) if row.value == row.value else "—")
        theme.column_text(ax, 1.85, y, count(row.n), color=QUIET)
    top = float(frame[["value", "high"]].max().max())
    _plain(ax, top if top == top else 1.0)
    theme.head(ax, label("churn.head_rate"), x=1.4, align="right")
    theme.head(ax, "n", x=1.85, align="right")
    return ax


def rates_figure(frame: pd.DataFrame, width: int) -> Figure:
    """Draw the rates at a width."""
    fig, ax = theme.rows_figure(len(frame), width, left=112, reach=1.85)
    rates(frame, ax=ax)
    return fig


def lost(frame: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw what was not renewed, by the reason that was entered."""
    ax = theme.own_axes(ax)
    theme.rows(ax, [label(str(r), otherwise=str(r)) for r in frame["reason"]])
    for y, row in enumerate(frame.itertuples()):
        known = row.reason != "churn.no_reason"
        ax.barh(y, row.money, BAR, color=BAD if known else INK, zorder=3)
        theme.column_text(ax, 1.6, y, money(row.money))
        theme.column_text(ax, 2.0, y, count(row.n), color=QUIET)
    _plain(ax, float(frame["money"].max()))
    theme.head(ax, label("churn.head_yearly"), x=1.6, align="right")
    theme.head(ax, label("churn.head_contracts"), x=2.0, align="right")
    return ax


def lost_figure(frame: pd.DataFrame, width: int) -> Figure:
    """Draw what was lost at a width."""
    fig, ax = theme.rows_figure(len(frame), width, left=LEFT, reach=2.0)
    lost(frame, ax=ax)
    return fig
