"""The pictures of stalled deals: by team, reasons, silence by stage, last week, calibration."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from salesops.charts import theme
from salesops.charts.theme import ACTUAL, BAD, BAND, INK, PLAN, QUIET, RULE, TextColumn, px
from salesops.wording import label, money, ratio
from salesops.wording.catalogue import FORMATS
from salesops.wording.numbers import count

BAR, LEFT, TEAMS = 0.44, 92, 10
# What became of last week's deals: the good, then what is only a step, then the bad.
OUTCOMES = {"moved": ACTUAL, "touched": "#A9C3E2", "ended": INK, "nothing": BAD}


def by_team(frame: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the share of open value that stands still, by team, with that of a month before."""
    ax = theme.own_axes(ax)
    theme.bar_rows(
        ax, [str(team) for team in frame["team"]], frame["share"].tolist(), BAD,
        TextColumn(1.42, label("stall.head_share"), [ratio(v) for v in frame["share"]]),
        TextColumn(2.0, label("stall.head_money"), [money(v) for v in frame["money"]], QUIET),
    )  # fmt: skip
    for y, prior in enumerate(frame["prior_share"]):
        theme.prior_mark(ax, prior, y)
    return ax


def by_team_figure(frame: pd.DataFrame, width: int) -> Figure:
    """Draw teams at a width; of many the worst."""
    shown = frame.sort_values("money", ascending=False).head(TEAMS)
    fig, ax = theme.rows_figure(len(shown), width, left=LEFT, reach=2.0)
    by_team(shown, ax=ax)
    return fig


def why(frame: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the reasons by the money of the deals in which each is the weightiest."""
    ax = theme.own_axes(ax)
    theme.bar_rows(
        ax, [label(f"stall.why_{name}") for name in frame["reason"]], frame["money"].tolist(),
        ACTUAL,
        TextColumn(1.62, label("stall.head_money"), [money(v) for v in frame["money"]]),
        TextColumn(2.0, label("stall.head_deals"), [count(v) for v in frame["n"]], QUIET),
    )  # fmt: skip
    return ax


def why_figure(frame: pd.DataFrame, width: int) -> Figure:
    """Draw the reasons at a width."""
    fig, ax = theme.rows_figure(len(frame), width, left=112, reach=2.0)
    why(frame, ax=ax)
    return fig


def silent(frame: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the middle and the widest tenth of silence by stage, against its norm."""
    ax = theme.own_axes(ax)
    theme.rows(ax, [FORMATS["stage"](stage) for stage in frame["stage"]])
    for y, row in enumerate(frame.itertuples()):
        ax.barh(y, row.most_days, 0.7, color=BAND, zorder=2)
        over = row.middle_days > row.touch_days
        ax.barh(y, row.middle_days, BAR, color=BAD if over else ACTUAL, zorder=3)
        theme.plan_mark(ax, row.touch_days, y)
        theme.column_text(ax, 1.25, y, f"{row.middle_days:,.0f}")
        theme.column_text(ax, 1.6, y, count(row.n), color=QUIET)
    ax.set_xlim(0, float(frame["most_days"].max()) * 1.04 or 1.0)
    ax.tick_params(labelsize=px(11), labelcolor=QUIET)
    ax.axvline(0, color=RULE, lw=px(1), zorder=1)
    theme.head(ax, label("stall.head_days"), x=1.25, align="right")
    theme.head(ax, label("stall.head_deals"), x=1.6, align="right")
    return ax


def silent_figure(frame: pd.DataFrame, width: int) -> Figure:
    """Draw silence at a width."""
    fig, ax = theme.rows_figure(len(frame), width, left=LEFT, reach=1.6, foot=22)
    silent(frame, ax=ax)
    return fig


def became(frame: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw what became of last week's list."""
    ax = theme.own_axes(ax)
    theme.bar_rows(
        ax, [label(f"stall.outcome_{name}") for name in frame["outcome"]], frame["n"].tolist(),
        [OUTCOMES[str(name)] for name in frame["outcome"]],
        TextColumn(1.3, label("stall.head_deals"), [count(v) for v in frame["n"]]),
        TextColumn(1.8, label("stall.head_money"), [money(v) for v in frame["money"]], QUIET),
    )  # fmt: skip
    return ax


def became_figure(frame: pd.DataFrame, width: int) -> Figure:
    """Draw what became at a width."""
    fig, ax = theme.rows_figure(len(frame), width, left=LEFT, reach=1.8)
    became(frame, ax=ax)
    return fig


def calibration(bins: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw what was said against what happened, with n and 90 % ranges."""
    ax = theme.own_axes(ax)
    ax.plot([0, 1], [0, 1], color=PLAN, lw=px(1.2), ls=(0, (4, 3)), zorder=2)
    for row in bins.itertuples():
        ax.plot([row.said, row.said], [row.low, row.high], color=BAND, lw=px(7), zorder=2)
    ax.plot(bins["said"], bins["share"], "o-", color=ACTUAL, ms=px(6), lw=px(1.4), zorder=4)
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    ticks = [0, 0.25, 0.5, 0.75, 1]
    ax.set_xticks(ticks, [ratio(t) for t in ticks])
    ax.set_yticks(ticks, [ratio(t) for t in ticks])
    ax.tick_params(labelsize=px(11), labelcolor=QUIET)
    ax.grid(True, axis="both")
    theme.head(ax, label("scored.head_happened"), dx=-theme.edge(ax))
    ax.set_xlabel(label("scored.head_said"), fontsize=px(11), color=QUIET)
    return ax


def calibration_figure(bins: pd.DataFrame, width: int) -> Figure:
    """Draw calibration at a width."""
    side = min(width, 420)
    fig = theme.figure(width, round(side * 0.62) + 70)
    calibration(bins, ax=theme.panel(fig, 40, 24, side - 60, side * 0.62))
    return fig
