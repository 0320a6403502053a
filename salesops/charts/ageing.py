"""Pictures of time in stage: a dot per deal against the norm, and what staying long costs."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from salesops.charts import theme
from salesops.charts.theme import ACTUAL, BAD, BAND, INK, QUIET, WATCH, px
from salesops.wording import label, money, ratio, say
from salesops.wording.catalogue import FORMATS
from salesops.wording.numbers import count, money_unit, multiple

# More dots than this lie on each other and are counted in boxes instead.
MOST_DOTS = 150
LAST, BIN = 5.0, 0.5
LEAST = 0.08  # of a row's height
# Golden ratio steps spread the dots of a row without chance.
_STEP = 0.6180339887


def ages(
    ageing: pd.DataFrame, deals: pd.DataFrame, *, ax: Axes | None = None, limit: float = 2.0,
    worst: str = "",
) -> Axes:  # fmt: skip
    """Draw how many norms each open deal has stayed: within, up to the limit, beyond it."""
    ax = theme.own_axes(ax)
    theme.rows(ax, [FORMATS["stage"](s) for s in ageing["stage"]], grid=False)
    known = deals[deals["age_times"].notna()]
    right = min(max(float(known["age_times"].max()) if len(known) else 0.0, limit + 0.5), LAST)
    ax.axvspan(0, 1, color=BAND, lw=0, zorder=0)
    for y, stage in enumerate(ageing["stage"]):
        mine = known[known["stage"] == stage]
        if len(known) > MOST_DOTS:
            _boxes(ax, y, mine, limit)
        else:
            _dots(ax, y, mine, known, limit)
    ax.set_xlim(0, right)
    ticks = list(range(int(right) + 1))
    ax.set_xticks(ticks, ["0", *(multiple(float(t)) for t in ticks[1:])])
    for y, row in enumerate(ageing.itertuples()):
        colour = BAD if row.stage == worst else INK
        theme.column_text(ax, 1.30, y, count(row.aged_n), color=colour)
        if not math.isnan(row.aged_amount):
            theme.column_text(ax, 1.68, y, money(row.aged_amount, unit=False), color=colour)
    theme.head(ax, label("label.age_times"))
    theme.head(ax, say("label.beyond", times=limit), x=1.30, align="right")
    theme.head(ax, money_unit(), x=1.68, align="right")
    return ax


def _colours(values: pd.Series, limit: float) -> list[str]:
    return [BAD if v > limit else WATCH if v > 1 else ACTUAL for v in values]


def _dots(ax: Axes, y: int, deals: pd.DataFrame, whole: pd.DataFrame, limit: float) -> None:
    top = float(whole["amount"].max()) if whole["amount"].notna().any() else math.nan
    part = deals["amount"].fillna(0).to_numpy() / top if top > 0 else np.full(len(deals), 0.1)
    spread = (np.arange(len(deals)) * _STEP % 1 - 0.5) * 0.62
    x = deals["age_times"].clip(upper=LAST)
    ax.scatter(x, y + spread, s=px(1) ** 2 * (16 + 100 * part), c=_colours(x, limit),
               alpha=0.85, lw=0, zorder=4, clip_on=False)  # fmt: skip


def _boxes(ax: Axes, y: int, deals: pd.DataFrame, limit: float) -> None:
    """Draw a bar per half norm, as high as the stage's deals are many."""
    edges = np.arange(0, LAST + BIN, BIN)
    counts = np.histogram(deals["age_times"].clip(upper=LAST - 1e-9), edges)[0]
    most = max(int(counts.max()), 1)
    middles = pd.Series(edges[:-1] + BIN / 2)
    # One deal beyond the limit must be seen beside hundreds within it.
    height = np.where(counts > 0, np.maximum(0.78 * counts / most, LEAST), 0.0)
    ax.bar(edges[:-1] + BIN / 2, -height, BIN * 0.86, bottom=y + 0.39,
           color=_colours(middles, limit), zorder=4)  # fmt: skip


def chances(frame: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the chance of winning by how many norms a deal has stayed; hollow where too few."""
    ax = theme.own_axes(ax)
    firm = frame[frame["n"] >= 30]
    ax.fill_between(firm["times"], firm["low"], firm["high"], color=BAND, lw=0, zorder=1)
    ax.plot(firm["times"], firm["chance"], color=ACTUAL, lw=px(2), zorder=3)
    for row in frame[frame["chance"].notna()].itertuples():
        few = row.n < 30
        colour = BAD if row.times >= 2 and not few else ACTUAL
        ax.plot([row.times], [row.chance], "o", ms=px(8), zorder=5, clip_on=False,
                color="white" if few else colour, mec=QUIET if few else "white")  # fmt: skip
        text = say("label.chance_few", chance=row.chance) if few else ratio(row.chance)
        ax.annotate(text, (row.times, row.chance), (px(8), px(6)), textcoords="offset points",
                    color=QUIET if few else BAD if row.times >= 2 else INK, fontsize=px(12),
                    ha="right" if few and row.times else "left", annotation_clip=False)  # fmt: skip
    names = [label("label.on_entry"), *(say("label.norms", times=float(t))
                                        for t in frame["times"].iloc[1:])]  # fmt: skip
    shown = [f"{name}\nn={count(n)}" for name, n in zip(names, frame["n"], strict=True)]
    ax.set_xticks(frame["times"], shown)
    top = float(frame["high"].max()) if frame["high"].notna().any() else 1.0
    ax.set_ylim(0, max(top, 0.05) * 1.15)
    ax.set_xlim(-0.15, float(frame["times"].max()) + 0.15)
    ticks = [t for t in ax.get_yticks() if 0 <= t <= max(top, 0.05) * 1.15]
    ax.set_yticks(ticks, [ratio(t) if t else "0" for t in ticks])
    ax.tick_params(axis="y", labelsize=px(11), labelcolor=QUIET)
    ax.grid(True, axis="y")
    ax.grid(False, axis="x")
    theme.head(ax, label("label.chance_to_win"), dx=-theme.edge(ax))
    return ax


def ageing_figure(
    ageing: pd.DataFrame, deals: pd.DataFrame, width: int, *, limit: float, worst: str
) -> Figure:  # fmt: skip
    """Draw time in stage at a column's width."""
    body = 26 * len(ageing)
    fig = theme.figure(width, body + 46)
    ages(ageing, deals, ax=theme.panel(fig, 84, 24, 156, body), limit=limit, worst=worst)
    return fig


def chances_figure(frame: pd.DataFrame, width: int) -> Figure:
    """Draw the chances at a column's width."""
    fig = theme.figure(width, 230)
    chances(frame, ax=theme.panel(fig, 44, 24, width - 44 - 20, 160))
    return fig
