"""The pictures of the diagnosis: five pains with their money, breaks, what is believable."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from salesops.charts import theme
from salesops.charts.theme import ACTUAL, BAD, BAND, GOOD, INK, LATER, QUIET, RULE, WATCH, px
from salesops.wording import label, money, ratio, say
from salesops.wording.numbers import count, money_unit

BAR = 0.44
LIGHT = {"act": BAD, "watch": WATCH, "good": GOOD, "unknown": RULE}
_ROW = 30
# Right edges of the text columns in widths of the axes, over two columns and over one.
_MONEY, _FOUND, _WORST = {True: 1.4, False: 1.24}, {True: 2.0, False: 1.62}, 2.1


def pains(frame: pd.DataFrame, *, ax: Axes | None = None, wide: bool = True) -> Axes:
    """Draw each pain with its light, and what acting could bring back with its range.

    A light is red where something is to be acted on, amber where to be watched, green where all
    that was looked at is within its norm, and empty where nothing could be looked at.
    """
    ax = theme.own_axes(ax)
    theme.rows(ax, [label(f"pain.{p}") for p in frame["pain"]])
    top = float(frame["high"].max()) if frame["high"].notna().any() else 0.0
    for y, row in enumerate(frame.itertuples()):
        _light(ax, y, row.status)
        if row.middle == row.middle:
            ax.barh(y, row.high - row.low, 0.8, left=row.low, color=BAND, zorder=1)
            ax.barh(y, row.middle, BAR, color=ACTUAL, zorder=3)
        shown = money(row.middle, unit=False) if row.middle == row.middle else "—"
        theme.column_text(ax, _MONEY[wide], y, shown)
        told = say("diagnosis.n_bad", n_bad=row.n_bad, n_seen=row.n_seen) if row.n_seen else "—"
        theme.column_text(ax, _FOUND[wide], y, told, color=QUIET, size=11)
        if wide and row.worst:
            ax.text(_WORST, y, label(f"check.{row.worst}"), transform=ax.get_yaxis_transform(),
                    va="center_baseline", fontsize=px(12), color=INK)  # fmt: skip
    ax.set_xlim(0, (top if top > 0 else 1) * 1.05)
    if top > 0:
        theme.money_axis(ax.xaxis)
    else:
        ax.set_xticks([])
    theme.head(ax, say("diagnosis.head_back", unit=money_unit()))
    theme.head(ax, label("diagnosis.head_found"), x=_FOUND[wide], align="right")
    if wide:
        theme.head(ax, label("diagnosis.head_worst"), x=_WORST)
    return ax


def _light(ax: Axes, y: float, status: str) -> None:
    empty = status == "unknown"
    ax.annotate(
        "○" if empty else "●", (0, y), (-px(14), 0), xycoords=ax.get_yaxis_transform(),
        textcoords="offset points", fontsize=px(13), color=QUIET if empty else LIGHT[status],
        va="center", ha="center", annotation_clip=False,
    )  # fmt: skip


def pains_figure(frame: pd.DataFrame, width: int) -> Figure:
    """Draw the pains over one column or two."""
    body = _ROW * len(frame)
    fig = theme.figure(width, body + 46)
    wide = width > theme.COLUMN
    left = 140
    inner = 190 if wide else (width - left) / 1.64
    pains(frame, ax=theme.panel(fig, left, 24, inner, body), wide=wide)
    return fig


def breaks(frame: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the share of deals with each kind of break; grey is the period before."""
    ax = theme.own_axes(ax)
    theme.rows(ax, [label(f"break.{kind}") for kind in frame["kind"]])
    top = float(frame[["share", "prior_share"]].max().max()) if len(frame) else 0.0
    for y, row in enumerate(frame.itertuples()):
        ax.barh(y, row.share, BAR, color=ACTUAL if row.kind == "broken" else LATER, zorder=3)
        theme.prior_mark(ax, row.prior_share, y)
        theme.column_text(ax, 1.26, y, ratio(row.share))
        theme.column_text(ax, 1.52, y, count(row.n), color=QUIET, size=11)
    ax.set_xlim(0, (top if top > 0 else 1) * 1.05)
    ax.set_xticks([])
    theme.head(ax, label("diagnosis.head_share"), x=1.26, align="right")
    theme.head(ax, label("diagnosis.head_deals"), x=1.52, align="right")
    return ax


def breaks_figure(frame: pd.DataFrame, width: int) -> Figure:
    """Draw the breaks at a column's width."""
    body = 24 * len(frame)
    fig = theme.figure(width, body + 34)
    breaks(frame, ax=theme.panel(fig, 108, 24, (width - 108) / 1.54, body))
    return fig


def credible(frame: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw what the open deals of each stage are said to be worth (pale) and what is believable."""
    ax = theme.own_axes(ax)
    theme.rows(ax, [_stage(stage) for stage in frame["stage"]])
    top = float(frame["reported"].max()) if len(frame) else 0.0
    for y, row in enumerate(frame.itertuples()):
        ax.barh(y, row.reported, BAR, color=LATER, zorder=2)
        ax.barh(y, row.credible, BAR, color=ACTUAL, zorder=3)
        theme.column_text(ax, 1.3, y, money(row.reported, unit=False), color=QUIET)
        theme.column_text(ax, 1.62, y, money(row.credible, unit=False))
    ax.set_xlim(0, (top if top > 0 else 1) * 1.05)
    theme.money_axis(ax.xaxis)
    theme.head(ax, say("diagnosis.head_reported", unit=money_unit()), x=1.3, align="right")
    theme.head(ax, label("diagnosis.head_credible"), x=1.62, align="right")
    return ax


def _stage(stage: str) -> str:
    return say("diagnosis.stage", stage=stage)


def credible_figure(frame: pd.DataFrame, width: int) -> Figure:
    """Draw the believable pipeline at a column's width."""
    body = 24 * len(frame)
    fig = theme.figure(width, body + 46)
    credible(frame, ax=theme.panel(fig, 92, 24, (width - 92) / 1.64, body))
    return fig
