"""The pictures of service: ratings by quarter, levels, what waits, what comes again, call-backs."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from salesops.charts import theme
from salesops.charts.theme import ACTUAL, BAD, BAND, LATER, QUIET, TextColumn, px
from salesops.wording import label, ratio
from salesops.wording.numbers import count

LEFT = 96


def ratings(frame: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the share of satisfied customers with its range, and who answered, by quarter."""
    ax = theme.own_axes(ax)
    x = range(len(frame))
    known = frame["csat"].notna()
    ax.fill_between(x, frame["low"], frame["high"], color=BAND, lw=0, zorder=1)
    ax.plot(x, frame["csat"], color=ACTUAL, marker="o", ms=px(5), zorder=4)
    ax.plot(x, frame["response_rate"], color=QUIET, lw=px(1.2), zorder=3)
    if known.any():
        last = int(known.to_numpy().nonzero()[0][-1])
        share = float(frame["csat"].iloc[last])
        theme.label_end(ax, last, share, f"{label('service.line_csat')} {ratio(share)}")
    if len(frame):
        theme.label_end(
            ax, len(frame) - 1, float(frame["response_rate"].iloc[-1]),
            f"{label('service.line_answered')} {ratio(frame['response_rate'].iloc[-1])}",
            color=QUIET,
        )  # fmt: skip
    ax.set_ylim(0, 1)
    ax.set_yticks([0, 0.5, 1], [ratio(0.0), ratio(0.5), ratio(1.0)])
    # Every second one, the last among them: more run into each other on a column.
    ticks = [i for i in x if (len(frame) - 1 - i) % 2 == 0]
    ax.set_xticks(ticks, [f"{frame['until'].iloc[i]:%Y-%m}" for i in ticks])
    ax.set_xlim(-0.3, max(len(frame) - 1, 0) + 0.3)
    ax.grid(False, axis="x")
    theme.head(ax, label("service.head_ratings"))
    return ax


def ratings_figure(frame: pd.DataFrame, width: int) -> Figure:
    """Draw ratings at a width, with room for their names on the right."""
    fig = theme.figure(width, 150)
    ratings(frame, ax=theme.panel(fig, 40, 22, width - 40 - 92, 100))
    return fig


def levels(frame: pd.DataFrame, *, norm: float, ax: Axes | None = None) -> Axes:
    """Draw how often service levels were kept, all first, then by severity."""
    ax = theme.own_axes(ax)
    names = [label(f"service.level_{row.level}") if not row.severity else f"   {row.severity}"
             for row in frame.itertuples()]  # fmt: skip
    colors = [(BAD if row.share < norm else ACTUAL) if not row.severity else LATER
              for row in frame.itertuples()]  # fmt: skip
    theme.bar_rows(
        ax, names, frame["share"].tolist(), colors,
        TextColumn(1.35, label("service.head_in_time"), [ratio(v) for v in frame["share"]]),
        TextColumn(1.75, "n", [count(v) for v in frame["n"]], QUIET), top=1.0,
    )  # fmt: skip
    for y, row in enumerate(frame.itertuples()):
        theme.prior_mark(ax, row.prior, y)
        if not row.severity:
            theme.plan_mark(ax, norm, y)
    return ax


def levels_figure(frame: pd.DataFrame, width: int, *, norm: float) -> Figure:
    """Draw the levels at a width."""
    fig, ax = theme.rows_figure(len(frame), width, left=LEFT, reach=1.75)
    levels(frame, norm=norm, ax=ax)
    return fig


def ages(frame: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the open cases by how long they have been open; the late ones in red."""
    ax = theme.own_axes(ax)
    theme.bar_rows(
        ax, [label(f"service.age_{age}") for age in frame["age"]], frame["n"].tolist(), ACTUAL,
        TextColumn(1.35, label("service.head_open"), [count(v) for v in frame["n"]]),
        TextColumn(1.75, label("service.head_late"), [count(v) for v in frame["n_late"]], QUIET),
    )  # fmt: skip
    ax.barh(range(len(frame)), frame["n_late"], 0.44, color=BAD, zorder=4)
    return ax


def ages_figure(frame: pd.DataFrame, width: int) -> Figure:
    """Draw the ages at a width."""
    fig, ax = theme.rows_figure(len(frame), width, left=LEFT, reach=1.75)
    ages(frame, ax=ax)
    return fig


def shares(
    frame: pd.DataFrame, names: list[str], bad: list[bool], *, norm: float, head: str,
    ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Draw shares with their ranges, those of before, and a norm; all first where it is there."""
    ax = theme.own_axes(ax)
    top = max(float(frame[["share", "high"]].max().max()), norm) * 1.05
    colors = [BAD if is_bad else ACTUAL for is_bad in bad]
    theme.bar_rows(
        ax, names, frame["share"].tolist(), colors,
        TextColumn(1.35, head, [ratio(v) for v in frame["share"]]),
        TextColumn(1.75, "n", [count(v) for v in frame["n"]], QUIET), top=top,
    )  # fmt: skip
    for y, row in enumerate(frame.itertuples()):
        if row.low == row.low:
            ax.barh(y, row.high - row.low, 0.7, left=row.low, color=BAND, zorder=2)
        if "prior" in frame:
            theme.prior_mark(ax, row.prior, y)
        if norm == norm:
            theme.plan_mark(ax, norm, y)
    return ax


def shares_figure(
    frame: pd.DataFrame, width: int, *, names: list[str], bad: list[bool], norm: float, head: str
) -> Figure:
    """Draw shares at a width."""
    fig, ax = theme.rows_figure(len(frame), width, left=LEFT, reach=1.75)
    shares(frame, names, bad, norm=norm, head=head, ax=ax)
    return fig
