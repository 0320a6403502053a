"""The pictures of a choice of a CRM: the ranking, three years of cost, the weights that flip it."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from salesops.charts import theme
from salesops.charts.theme import ACTUAL, BAD, INK, LATER, QUIET, RULE, STOCK, px
from salesops.model.selection import TOP
from salesops.wording import label, money, ratio
from salesops.wording.catalogue import FORMATS
from salesops.wording.numbers import decimal

LEFT, WIDE, BAR = 96, 122, 0.44


def _names(values: "pd.Series[object]", room: int = LEFT) -> list[str]:
    # Latin letters take a little more room than they are cut for.
    return [theme.fitted(FORMATS["own"](value), 0.76 * room) for value in values]


def rank(ranked: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw each candidate's points of ten, with how often it is first where weights are drawn."""
    ax = theme.own_axes(ax)
    first = ranked["place"] == 1
    colours = [ACTUAL if is_first else LATER for is_first in first]
    points = ranked["total"].where(~ranked["is_out"].astype(bool))
    near = [label("selection.out") if out else ratio(share) for out, share in
            zip(ranked["is_out"], ranked["near_weights"], strict=True)]  # fmt: skip
    theme.bar_rows(
        ax, _names(ranked["crm"]), points.tolist(), colours,
        theme.TextColumn(x=1.24, head=label("selection.head_points"),
                         texts=[decimal(value) for value in ranked["total"]]),
        theme.TextColumn(x=1.72, head=label("selection.head_near"), texts=near, color=QUIET),
        top=TOP,
    )  # fmt: skip
    return ax


def rank_figure(ranked: pd.DataFrame, width: int) -> Figure:
    """Draw the ranking at a width."""
    fig, ax = theme.rows_figure(len(ranked), width, left=LEFT, reach=1.72)
    rank(ranked, ax=ax)
    return fig


def cost(costs: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw licence, implementation and time of entry of three years, end to end."""
    ax = theme.own_axes(ax)
    theme.rows(ax, _names(costs["crm"]), grid=False)
    for y, row in enumerate(costs.itertuples()):
        left = 0.0
        for part, colour in ((row.licence, ACTUAL), (row.once, LATER), (row.entry, STOCK)):
            ax.barh(y, part, BAR, left=left, color=colour, zorder=3)
            left += part
        theme.column_text(ax, 1.34, y, money(row.entry), color=QUIET)
        theme.column_text(ax, 1.86, y, money(row.three_years))
    ax.set_xlim(0, float(costs["three_years"].max()) * 1.02 or 1.0)
    ax.set_xticks([])
    ax.axvline(0, color=RULE, lw=px(1), zorder=1)
    theme.head(ax, label("selection.head_entry"), x=1.34, align="right")
    theme.head(ax, label("selection.head_cost"), x=1.86, align="right")
    return ax


def cost_figure(costs: pd.DataFrame, width: int) -> Figure:
    """Draw three years of cost at a width."""
    fig, ax = theme.rows_figure(len(costs), width, left=LEFT, reach=1.86)
    cost(costs, ax=ax)
    return fig


def flip(flips: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw each weight's share now, and the nearest at which another is first."""
    ax = theme.own_axes(ax)
    theme.rows(ax, _names(flips["wanted"], WIDE))
    for y, row in enumerate(flips.itertuples()):
        nearest = BAD if y == 0 else INK
        if row.flips_at == row.flips_at:
            ax.plot([row.weight_of_all, row.flips_at], [y, y], color=RULE, lw=px(3), zorder=2)
            ax.scatter([row.flips_at], [y], s=30, facecolor="white", edgecolor=nearest,
                       lw=px(1.6), zorder=4, clip_on=False)  # fmt: skip
        ax.scatter([row.weight_of_all], [y], s=30, color=ACTUAL, lw=0, zorder=3, clip_on=False)
        is_told = row.flips_at == row.flips_at
        theme.column_text(ax, 1.44, y, ratio(row.weight_of_all))
        theme.column_text(ax, 2.06, y, ratio(row.flips_at), color=nearest if is_told else QUIET)
        rival = FORMATS["own"](row.rival) if is_told else "—"
        theme.column_text(ax, 3.0, y, theme.fitted(rival, 50), color=QUIET)
    ax.set_xlim(0, _top(flips))
    ax.set_xticks([])
    ax.axvline(0, color=RULE, lw=px(1), zorder=1)
    for x, code in ((1.44, "now"), (2.06, "at"), (3.0, "rival")):
        theme.head(ax, label(f"selection.head_{code}"), x=x, align="right")
    return ax


def _top(flips: pd.DataFrame) -> float:
    values: Sequence[float] = [*flips["weight_of_all"], *flips["flips_at"].dropna()]
    return min(1.0, max(values, default=1.0) * 1.06)


def flip_figure(flips: pd.DataFrame, width: int) -> Figure:
    """Draw the weights that flip the ranking at a width."""
    fig, ax = theme.rows_figure(len(flips), width, left=WIDE, reach=3.0)
    flip(flips, ax=ax)
    return fig
