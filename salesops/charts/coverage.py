"""The picture of coverage: week by week against the period before and what is needed."""

import math

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from salesops.charts import theme
from salesops.charts.theme import ACTUAL, BAD, BAND, INK, PLAN, PRIOR, QUIET, px
from salesops.wording import label, say
from salesops.wording.numbers import multiple

# A line that few points make is no course.
GAP_PX = 15


def coverage(weeks: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw coverage up to now, without silent deals in red, and what was needed dashed."""
    ax = theme.own_axes(ax)
    x = weeks["days"]
    top = _top(weeks)
    ax.fill_between(x, weeks["need_low"].clip(upper=top), weeks["need_high"].clip(upper=top),
                    color=BAND, lw=0, zorder=1)  # fmt: skip
    ax.plot(x, weeks["prior"], color=PRIOR, lw=px(1.5), zorder=3)
    ax.plot(x, weeks["need"], color=PLAN, lw=px(1.5), ls=(0, (4, 3)), zorder=4)
    ax.plot(x, weeks["awake"], color=BAD, lw=px(2), zorder=5)
    ax.plot(x, weeks["coverage"], color=ACTUAL, lw=px(2.5), zorder=6)
    _labels(ax, weeks, top)
    ax.set_ylim(0, top)
    ax.set_xlim(float(x.min()), float(x.max()) if len(x) > 1 else float(x.min()) + 1)
    ax.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    ticks = [tick for tick in ax.get_yticks() if 0 <= tick <= top]
    ax.set_yticks(ticks, ["0" if tick == 0 else multiple(tick) for tick in ticks])
    ax.tick_params(axis="y", labelsize=px(11), labelcolor=QUIET)
    shown = weeks.iloc[sorted({0, len(weeks) // 3, 2 * len(weeks) // 3, len(weeks) - 1})]
    ax.set_xticks(shown["days"], [say("label.week", week=int(w)) for w in shown["week"]])
    ax.grid(True, axis="y")
    ax.grid(False, axis="x")
    theme.head(ax, label("label.coverage"), dx=-theme.edge(ax))
    return ax


def _top(weeks: pd.DataFrame) -> float:
    """Give the height of the picture: a range that runs away is cut, not the lines."""
    lines = weeks[["coverage", "awake", "prior", "need"]].max().max()
    band = weeks["need_high"].max()
    top = float(lines) if lines == lines and lines > 0 else 1.0
    return max(min(float(band), 1.2 * top), top) * 1.08 if band == band else top * 1.08


def _labels(ax: Axes, weeks: pd.DataFrame, top: float) -> None:
    """Write the lines' names and last values at their ends, apart from each other."""
    last = weeks.iloc[-1]
    marks = [("need", "label.need", INK), ("prior", "label.prior_coverage", QUIET),
             ("coverage", "label.coverage_now", ACTUAL), ("awake", "label.awake", BAD)]  # fmt: skip
    known = [(float(last[c]), code, colour) for c, code, colour in marks
             if not math.isnan(last[c])]  # fmt: skip
    known.sort(key=lambda mark: -mark[0])
    fig = ax.get_figure()
    height = ax.get_position().height * (fig.get_size_inches()[1] if isinstance(fig, Figure)
                                         else 3) * 96  # fmt: skip
    places: list[float] = []
    for value, _code, _colour in known:
        y = value / top * height
        places.append(min(y, places[-1] - GAP_PX) if places else y)
    # The lowest may have been pushed below the axis.
    lift = max(0.0, 4 - places[-1]) if places else 0.0
    for (value, code, colour), place in zip(known, places, strict=True):
        if code in ("label.coverage_now", "label.awake"):
            ax.plot([last["days"]], [value], "o", ms=px(6), color=colour, zorder=8, clip_on=False)
        ax.annotate(
            say(code, times=value), (1, (place + lift) / height), (px(8), 0),
            xycoords="axes fraction", textcoords="offset points", color=colour, fontsize=px(12),
            va="center_baseline", annotation_clip=False,
        )  # fmt: skip


def coverage_figure(weeks: pd.DataFrame, width: int) -> Figure:
    """Draw coverage at a column's width."""
    fig = theme.figure(width, 178)
    coverage(weeks, ax=theme.panel(fig, 34, 24, width - 34 - 96, 128))
    return fig
