"""The house theme: colours with one meaning each, sizes in CSS pixels, a CJK font, small marks.

Pictures are drawn at the width at which they are read, COLUMN on phones and in a column, FULL over
two columns; they are never scaled, so 11 pixels stay 11 pixels. Nothing changes on import.
"""

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from salesops.charts import fonts
from salesops.wording import current_language
from salesops.wording.numbers import plain

COLUMN, FULL = 352, 736

ACTUAL = "#1f5a94"  # what is or happened
LATER = "#a9c4de"  # the same outside the period, or a minor part
GOOD = "#0b7a6f"  # won
BAD = "#b8391b"  # the one thing to act on
WATCH = "#e0a23a"  # between norm and twice the norm
PRIOR = "#7d8790"  # the period before
PLAN = "#14191e"  # plan, target, need or norm
BAND = "#e3e7ea"  # the range it may lie in
INK, QUIET, RULE = "#14191e", "#56616b", "#d5dade"
STOCK = "#c3c9ce"  # what was there at the start and is at the end


def px(pixels: float) -> float:
    """Give the points of a font size or line width in CSS pixels."""
    return pixels * 0.75


@contextmanager
def house_theme() -> Iterator[None]:
    """Apply the theme inside a `with` block."""
    import seaborn as sns

    sides = {f"axes.spines.{side}": False for side in ("top", "right", "left", "bottom")}
    look: Any = {
        "font.family": list(fonts.register()),
        "font.size": px(12),
        # A dollar in a name begins no formula.
        "text.parse_math": False,
        "text.color": INK,
        "axes.labelcolor": QUIET,
        "axes.edgecolor": RULE,
        "axes.titlelocation": "left",
        "axes.titlesize": px(15),
        "axes.titleweight": "normal",
        "axes.titlepad": px(22),
        "axes.labelsize": px(11),
        "axes.linewidth": px(1),
        "axes.axisbelow": True,
        "axes.unicode_minus": True,
        **sides,
        "axes.grid": True,
        "grid.color": RULE,
        "grid.linewidth": px(0.75),
        "xtick.labelsize": px(11),
        "ytick.labelsize": px(12),
        "xtick.color": RULE,
        "ytick.color": RULE,
        "xtick.labelcolor": QUIET,
        "ytick.labelcolor": INK,
        "xtick.major.size": 0,
        "ytick.major.size": 0,
        "lines.linewidth": px(2),
        "figure.facecolor": "none",
        "savefig.facecolor": "none",
        "axes.facecolor": "none",
        "svg.fonttype": "path",
        "figure.dpi": 96,
    }
    with sns.axes_style("white"), mpl.rc_context(look):
        yield


def figure(width: int, height: int) -> Figure:
    """Make an empty picture of a size in CSS pixels."""
    return Figure(figsize=(width / 96, height / 96))


def panel(fig: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Place axes in CSS pixels from the top left, so that neighbours share their baselines."""
    w, h = fig.get_size_inches() * 96
    return fig.add_axes((left / w, 1 - (top + height) / h, width / w, height / h))


def rows_figure(n: int, width: int, *, left: float, reach: float, foot: int = 8,
                row: int = 20) -> tuple[Figure, Axes]:  # fmt: skip
    """Make a picture of `n` named rows under their heads, with room for columns of text.

    Parameters
    ----------
    n
        Number of rows.
    width, left
        Of the picture and of the names, in CSS pixels.
    reach
        Where the last column of text ends, in multiples of the axes' width.
    foot
        Room below the rows, for an axis.
    row
        Height of a row.
    """
    body = row * max(n, 1)
    fig = figure(width, body + 22 + foot)
    return fig, panel(fig, left, 22, (width - left - 2) / reach, body)


@dataclass(frozen=True)
class TextColumn:
    """Numbers beside rows: where the column ends, in axes' widths, its head and its texts."""

    x: float
    head: str
    texts: Sequence[str]
    color: str = INK


def bar_rows(ax: Axes, names: Sequence[str], values: Sequence[float], colors: str | Sequence[str],
             *columns: TextColumn, top: float | None = None) -> None:  # fmt: skip
    """Draw one bar per named row, with columns of numbers beside them; the bars have no axis.

    Parameters
    ----------
    names, values
        Of the rows, first on top; a null has no bar.
    colors
        Of all bars, or one each.
    columns
        From left to right.
    top
        Where the axes end; by default just beyond the longest bar.
    """
    rows(ax, names)
    each = [colors] * len(names) if isinstance(colors, str) else colors
    for y, (value, color) in enumerate(zip(values, each, strict=True)):
        if value == value:
            ax.barh(y, value, 0.44, color=color, zorder=3)
    for column in columns:
        for y, text in enumerate(column.texts):
            column_text(ax, column.x, y, text, color=column.color)
        head(ax, column.head, x=column.x, align="right")
    longest = max((v for v in values if v == v), default=0.0)
    ax.set_xlim(0, top or (longest * 1.02 if longest > 0 else 1.0))
    ax.set_xticks([])
    ax.axvline(0, color=RULE, lw=px(1), zorder=1)


def own_axes(ax: Axes | None, *, title: str = "", height: int = 260) -> Axes:
    """Give the axes to draw on: those given, or new ones with the finding as title."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    with house_theme():
        fig = plt.figure(figsize=(FULL / 96, height / 96))
        fig.set_facecolor("white")
        made = panel(fig, 150, 52, FULL - 330, height - 90)
        made.set_title(title, x=-150 / (FULL - 330))
    return made


def money_axis(axis: Axis) -> None:
    """Give round ticks; the unit stands once, on the last."""
    ax = axis.axes
    axis.set_major_locator(MaxNLocator(3, steps=[1, 2, 4, 5, 10]))
    top = ax.get_xlim()[1] if axis is ax.xaxis else ax.get_ylim()[1]
    ticks = [tick for tick in axis.get_ticklocs() if 0 <= tick <= top]
    labels = [_tick(tick, last=tick == ticks[-1]) for tick in ticks]
    axis.set_ticks(ticks, labels)


def _tick(value: float, *, last: bool) -> str:
    if value == 0:
        return "0"
    if current_language() == "zh":
        if value < 1000:
            return f"{value:,.0f}" + ("元" if last else "")
        shown = value / 1e4
        return (f"{shown:,.0f}" if shown == round(shown) else f"{shown:,.1f}") + (
            "万" if last else ""
        )
    for size, unit in ((1e9, "bn"), (1e6, "m"), (1e3, "k")):
        if value >= size:
            shown = value / size
            return (f"{shown:,.0f}" if shown == round(shown) else f"{shown:,.1f}") + unit
    return f"{value:,.0f}"


def edge(ax: Axes) -> float:
    """Give the CSS pixels from the left edge of the picture to the axes."""
    fig = ax.get_figure()
    width = fig.get_size_inches()[0] if isinstance(fig, Figure) else 0.0
    return float(ax.get_position().x0 * width * 96)


def rows(ax: Axes, labels: Sequence[str], *, grid: bool = True, named: bool = True) -> None:
    """Lay out one row per label, first on top; words flush left, light vertical grid.

    A label that is wider than its room is cut.
    """
    ax.set_yticks([])
    for y, text in enumerate(labels if named else []):
        ax.annotate(
            fitted(text, max(edge(ax), 60)), (0, y), (-px(edge(ax)), 0),
            xycoords=ax.get_yaxis_transform(), textcoords="offset points", fontsize=px(12),
            color=INK, va="center_baseline", annotation_clip=False,
        )  # fmt: skip
    ax.set_ylim(len(labels) - 0.5, -0.5)
    ax.grid(False, axis="y")
    ax.grid(grid, axis="x")


def fitted(text: str, room: float) -> str:
    """Cut a text to about its room in CSS pixels.

    Examples
    --------
    >>> fitted("North", 60), len(fitted("x" * 10_000, 60))
    ('North', 13)
    """
    shown, used = plain(text[:200]), 0.0
    for n, letter in enumerate(shown):
        used += 12 if ord(letter) > 0x2E80 else 5
        if used > room and n:
            return shown[:n].rstrip() + "…"
    return shown


def prior_mark(ax: Axes, x: float, y: float, half: float = 0.36) -> None:
    """Draw the period before: a grey line across the row."""
    if x == x:
        ax.plot([x, x], [y - half, y + half], color=PRIOR, lw=px(2), solid_capstyle="butt",
                zorder=4)  # fmt: skip


def plan_mark(ax: Axes, x: float, y: float, reach: float = 0.36) -> None:
    """Draw plan, target or norm: a black triangle below the row."""
    if x == x:
        ax.plot([x], [y + reach], marker="^", ms=px(7), color=PLAN, mec="white", mew=px(0.8),
                zorder=6, clip_on=False)  # fmt: skip


def label_end(
    ax: Axes, x: float, y: float, text: str, *, color: str = INK, dx: float = 6, dy: float = 0,
    size: float = 12, ha: str = "left",
) -> None:  # fmt: skip
    """Write a direct label beside a mark, offset in CSS pixels."""
    ax.annotate(
        text, (x, y), (px(dx), px(dy)), textcoords="offset points", color=color, fontsize=px(size),
        va="center_baseline", ha=ha, annotation_clip=False, zorder=7,
    )  # fmt: skip


def column_text(ax: Axes, x: float, y: float, text: str, *, color: str = INK,
                size: float = 12) -> None:  # fmt: skip
    """Write a number of a text column, right-aligned at a share of the axes' width."""
    ax.text(x, y, text, transform=ax.get_yaxis_transform(), ha="right", va="center_baseline",
            color=color, fontsize=px(size))  # fmt: skip


def head(ax: Axes, text: str, *, x: float = 0, align: str = "left", dx: float = 0) -> None:
    """Write the small heading of a panel or text column: name and unit."""
    ax.annotate(
        text, (x, 1), (px(dx), px(7)), xycoords="axes fraction", textcoords="offset points",
        fontsize=px(11), color=QUIET, ha=align, va="bottom", annotation_clip=False,
    )  # fmt: skip


def svg(fig: Figure) -> str:
    """Write a picture as SVG text: glyphs as paths, two decimals, no date, no machine names."""
    buffer = io.StringIO()
    metadata: Any = {"Date": None, "Creator": None}
    # Its ids are drawn by lot otherwise, and the same report is other bytes each time.
    with mpl.rc_context({"svg.hashsalt": "salesops"}):
        fig.savefig(buffer, format="svg", metadata=metadata)
    text = re.sub(r"^.*?(?=<svg)", "", buffer.getvalue(), flags=re.DOTALL)
    text = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", text, flags=re.DOTALL)
    # Numbers inside scale(…) stay as they are: rounding them makes glyphs a quarter larger.
    text = re.sub(r"(?<![(\d.-])-?\d+\.\d{3,}", lambda m: f"{float(m[0]):.2f}".rstrip("0")
                  .rstrip("."), text)  # fmt: skip
    return re.sub(r">\s+<", "><", re.sub(r"\s{2,}", " ", text)).strip()
