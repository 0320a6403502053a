"""The pictures of targets: gap by team, chances down the tree, fairness, needs, pay, what-if."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from salesops.charts import theme
from salesops.charts.theme import ACTUAL, BAD, BAND, INK, PLAN, PRIOR, QUIET, RULE, px
from salesops.wording import label, money, ratio, say
from salesops.wording.numbers import count, multiple

BAR, LEFT = 0.44, 92
# The chance below which a target is a wish, and from which on it is safe.
DOUBTFUL = 0.5


def gap(nodes: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw what the people of each node will sign, with its 80 % range, against its target."""
    ax = theme.own_axes(ax)
    theme.rows(ax, [str(name) for name in nodes["name"]])
    for y, row in enumerate(nodes.itertuples()):
        ax.barh(y, row.high - row.low, 0.7, left=row.low, color=BAND, zorder=2)
        ax.barh(y, row.middle, BAR, color=ACTUAL, zorder=3)
        theme.plan_mark(ax, row.plan, y)
        short = row.plan - row.middle
        text = "—" if short != short else money(short)
        theme.column_text(ax, 1.36, y, text, color=BAD if short > 0 else INK)
    top = float(np.nanmax(nodes[["plan", "high"]].to_numpy())) if len(nodes) else 1.0
    ax.set_xlim(0, top * 1.04)
    theme.money_axis(ax.xaxis)
    ax.axvline(0, color=RULE, lw=px(1), zorder=1)
    theme.head(ax, label("targets.head_short"), x=1.36, align="right")
    return ax


def gap_figure(nodes: pd.DataFrame, width: int) -> Figure:
    """Draw the gap at a width."""
    fig, ax = theme.rows_figure(len(nodes), width, left=LEFT, reach=1.36, foot=22)
    gap(nodes, ax=ax)
    return fig


def chances(nodes: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the chance of each node of reaching its target, and that of its part by now."""
    ax = theme.own_axes(ax)
    names = ["  " * int(depth) + str(name)
             for depth, name in zip(nodes["depth"], nodes["name"], strict=True)]  # fmt: skip
    theme.rows(ax, names)
    for y, row in enumerate(nodes.itertuples()):
        colour = ACTUAL if row.chance >= DOUBTFUL else BAD
        ax.barh(y, row.chance, BAR, color=colour, zorder=3)
        theme.column_text(ax, 1.34, y, _chance(row.chance))
        theme.column_text(ax, 1.94, y, _chance(row.chance_now), color=QUIET)
    ax.set_xlim(0, 1)
    ax.set_xticks([])
    ax.axvline(0, color=RULE, lw=px(1), zorder=1)
    theme.head(ax, label("targets.head_chance"), x=1.34, align="right")
    theme.head(ax, label("targets.head_chance_now"), x=1.94, align="right")
    return ax


def _chance(value: float) -> str:
    """Write a chance; hardly any and all but sure are said so."""
    if value != value:
        return "—"
    if value < 0.01:
        return say("targets.below", share=0.01)
    if value > 0.99:
        return say("targets.above", share=0.99)
    return ratio(value)


def chances_figure(nodes: pd.DataFrame, width: int) -> Figure:
    """Draw the chances at a width."""
    fig, ax = theme.rows_figure(len(nodes), width, left=LEFT, reach=1.94)
    chances(nodes, ax=ax)
    return fig


def fair(people: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw each person's quota against the potential of the customers, on equal scales."""
    ax = theme.own_axes(ax)
    top = float(max(people["quota_times"].max(), people["potential_times"].max())) * 1.12
    ax.plot([0, top], [0, top], color=PLAN, lw=px(1.2), ls=(0, (4, 3)), zorder=2)
    ax.scatter(people["potential_times"], people["quota_times"], s=26, color=ACTUAL, lw=0, zorder=3)
    worst = people.head(1)
    ax.scatter(worst["potential_times"], worst["quota_times"], s=30, color=BAD, lw=0, zorder=4)
    ax.set_xlim(0, top)
    ax.set_ylim(0, top)
    ticks = [t for t in (0.5, 1.0, 1.5, 2.0, 3.0, 4.0) if t < top]
    ax.set_xticks(ticks, [multiple(t) for t in ticks])
    ax.set_yticks(ticks, [multiple(t) for t in ticks])
    ax.tick_params(labelsize=px(11), labelcolor=QUIET)
    ax.grid(True, axis="both")
    theme.head(ax, label("targets.head_quota"), dx=-theme.edge(ax))
    ax.set_xlabel(label("targets.head_potential"), fontsize=px(11), color=QUIET)
    return ax


def fair_figure(people: pd.DataFrame, width: int) -> Figure:
    """Draw fairness at a width, the name of the most laden person beside the dot."""
    fig = theme.figure(width, 200)
    ax = fair(people, ax=theme.panel(fig, 34, 24, width - 34 - 10, 134))
    for row in people.head(1).itertuples():
        theme.label_end(ax, row.potential_times, row.quota_times, str(row.name_), color=BAD,
                        dx=0, dy=12, ha="center")  # fmt: skip
    return fig


def needs(frame: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw what there is of what it takes, one row each."""
    ax = theme.own_axes(ax)
    theme.rows(ax, [label(f"targets.need_{what}") for what in frame["what"]])
    for y, row in enumerate(frame.itertuples()):
        share = row.have / row.need if row.need > 0 else float("nan")
        ax.barh(y, 1.0, 0.7, color=BAND, zorder=2)
        ax.barh(y, min(share, 1.0) if share == share else 0.0, BAR,
                color=ACTUAL if share >= 1 else BAD, zorder=3)  # fmt: skip
        write = money if row.what == "pipeline" else _whole
        theme.column_text(ax, 1.5, y, _known(write, row.have))
        theme.column_text(ax, 1.95, y, _known(write, row.need), color=QUIET)
    ax.set_xlim(0, 1.02)
    ax.set_xticks([])
    ax.axvline(0, color=RULE, lw=px(1), zorder=1)
    theme.head(ax, label("targets.head_have"), x=1.5, align="right")
    theme.head(ax, label("targets.head_need"), x=1.95, align="right")
    return ax


def _known(write: Callable[[float], str], value: float) -> str:
    return "—" if value != value else write(value)


def _whole(value: float) -> str:
    return count(round(value))


def needs_figure(frame: pd.DataFrame, width: int) -> Figure:
    """Draw needs at a width."""
    fig, ax = theme.rows_figure(len(frame), width, left=LEFT, reach=1.95)
    needs(frame, ax=ax)
    return fig


def pay(curve: pd.DataFrame, marks: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the variable pay by attainment, with its jumps, and the marked attainments."""
    ax = theme.own_axes(ax)
    ax.plot([0, 1, 1], [1, 1, 0], color=PRIOR, lw=px(1), ls=(0, (2, 3)), zorder=1)
    ax.plot(curve["attained"], curve["paid"], color=ACTUAL, lw=px(2.2), zorder=3)
    for row in marks.itertuples():
        ax.plot([row.attained], [row.paid], "o", ms=px(7), color=ACTUAL, mec="white", zorder=5)
        theme.label_end(ax, row.attained, row.paid, ratio(row.paid), ha="right", dx=-8)
    ax.set_xlim(0, float(curve["attained"].max()))
    ax.set_ylim(0, float(curve["paid"].max()) * 1.1)
    for axis, ticks in ((ax.xaxis, (0, 0.5, 0.8, 1.0, 1.2, 1.5)), (ax.yaxis, (0, 0.5, 1, 1.5))):
        shown = [t for t in ticks if t <= axis.get_view_interval()[1]]
        axis.set_ticks(shown, [ratio(t) for t in shown])
    ax.tick_params(labelsize=px(11), labelcolor=QUIET)
    ax.grid(True, axis="y")
    theme.head(ax, label("targets.head_paid"), dx=-theme.edge(ax))
    ax.set_xlabel(label("targets.head_attained"), fontsize=px(11), color=QUIET)
    return ax


def pay_figure(curve: pd.DataFrame, marks: pd.DataFrame, width: int) -> Figure:
    """Draw the pay plan at a width."""
    fig = theme.figure(width, 190)
    pay(curve, marks, ax=theme.panel(fig, 38, 24, width - 38 - 14, 124))
    return fig


def what_if(grid: pd.DataFrame, growth: float, width: int) -> Figure:
    """Draw the chance by growth, a panel per number of people hired, a line per win rate."""
    panels = sorted(set(grid["hires"]))
    fig = theme.figure(width, 210)
    each = (width - 38 - 40) / len(panels)
    for k, hires in enumerate(panels):
        ax = theme.panel(fig, 38 + k * each, 26, each - 16, 134)
        part = grid[grid["hires"] == hires]
        colours = [PRIOR, ACTUAL, INK]
        for colour, (_wins, line) in zip(colours, part.groupby("wins"), strict=False):
            ax.plot(line["growth"], line["chance"], color=colour, lw=px(2), zorder=3)
        if growth == growth:
            ax.axvline(growth, color=PLAN, lw=px(1.2), ls=(0, (4, 3)), zorder=2)
        _what_if_axes(ax, part, first=k == 0)
        theme.head(ax, say("targets.head_hires", n=int(hires)))
        if k == 0:
            _named_lines(ax, part, colours)
    return fig


def _what_if_axes(ax: Axes, part: pd.DataFrame, *, first: bool) -> None:
    ax.set_ylim(0, 1)
    low, high = float(part["growth"].min()), float(part["growth"].max())
    ax.set_xlim(low, high)
    ticks = [t for t in (-0.2, 0.0, 0.2, 0.4) if low <= t <= high]
    ax.set_xticks(ticks, [say("targets.growth", share=t) for t in ticks])
    ax.set_yticks([0, 0.5, 1], [ratio(t) for t in (0, 0.5, 1)] if first else ["", "", ""])
    ax.tick_params(labelsize=px(11), labelcolor=QUIET)
    ax.grid(True, axis="y")


def _named_lines(ax: Axes, part: pd.DataFrame, colours: list[str]) -> None:
    """Name the lines below all of them, in the panel where they stand highest."""
    for k, (colour, (wins, _line)) in enumerate(
        zip(colours, part.groupby("wins"), strict=False)
    ):  # fmt: skip
        ax.annotate(say("targets.wins", share=float(wins)), (0, 0.04 + 0.12 * k), (px(4), 0),
                    xycoords="axes fraction", textcoords="offset points", color=colour,
                    fontsize=px(11), ha="left", va="bottom")  # fmt: skip
