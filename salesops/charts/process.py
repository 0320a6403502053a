"""The pictures of the process: lanes as drawn, the way deals really went, skips, steps, fields."""

import unicodedata
from itertools import accumulate, pairwise

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle

from salesops.charts import theme
from salesops.charts.theme import ACTUAL, BAD, BAND, INK, LATER, QUIET, RULE, px
from salesops.wording import label, money, ratio, say
from salesops.wording.catalogue import FORMATS
from salesops.wording.language import current_language, current_settings
from salesops.wording.numbers import count, money_unit

LANE, ROW, BAR, LEFT = 19, 22, 0.44, 104
_NOBODY = "nobody"
_AFTER = "after_sales"


def stage_name(stage: str) -> str:
    """Name a stage, or the phase after the sale."""
    phase = current_settings().after_sales
    if stage != _AFTER or phase is None:
        return FORMATS["stage"](stage)
    return phase.name.zh if current_language() == "zh" else phase.name.en


def lanes(design: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the process that the settings describe: one lane per role, from left to right."""
    ax = theme.own_axes(ax)
    roles = [role if isinstance(role, str) else _NOBODY for role in design["role"]]
    order = list(dict.fromkeys(roles))
    names = [label("process.nobody") if role == _NOBODY else label(f"role.{role}")
             for role in order]  # fmt: skip
    theme.rows(ax, names, grid=False)
    ax.set_xticks([])
    ax.set_xlim(-0.5, max(len(design), 1) - 0.5)
    for y in range(len(order)):
        ax.axhspan(y - 0.46, y + 0.46, color=BAND, alpha=0.5 if y % 2 else 1.0, lw=0, zorder=0)
    places = [(x, order.index(role)) for x, role in enumerate(roles)]
    for (x0, y0), (x1, y1) in pairwise(places):
        ax.plot([x0, x1, x1], [y0, y0, y1], color=LATER, lw=px(1.5), zorder=1)
    room = (theme.FULL - LEFT) / max(len(design), 1)
    for (x, y), stage, role in zip(places, design["stage"], roles, strict=True):
        # A box may reach over its step unless the next one stands in the same lane.
        beside = y in {lane for step, lane in places if abs(step - x) == 1}
        name = _fitted(stage_name(stage), room if beside else 1.6 * room)
        ax.text(x, y, name, ha="center", va="center_baseline", fontsize=px(11),
                color="white", zorder=3,
                bbox={"boxstyle": "square,pad=0.22", "lw": 0,
                      "fc": BAD if role == _NOBODY else ACTUAL})  # fmt: skip
    return ax


def lanes_figure(design: pd.DataFrame, width: int) -> Figure:
    """Draw the lanes over two columns; a column's width shows the same flow downwards."""
    if width <= theme.COLUMN:
        return _lanes_down(design, width)
    roles = {role if isinstance(role, str) else _NOBODY for role in design["role"]}
    body = LANE * max(len(roles), 1)
    fig = theme.figure(width, body + 4)
    lanes(design, ax=theme.panel(fig, LEFT, 2, width - LEFT, body))
    return fig


def _fitted(name: str, room: float) -> str:
    """Shorten a name to a width in CSS pixels; the table below has it whole."""
    widths = [11.0 if unicodedata.east_asian_width(c) in "WF" else 6.2 for c in name]
    if sum(widths) <= room - 8:
        return name
    kept = sum(1 for end in accumulate(widths) if end <= room - 19)
    return name[: max(kept, 1)] + "…"


def _lanes_down(design: pd.DataFrame, width: int) -> Figure:
    """Draw one step per row, indented to the lane of its role, for a phone."""
    body = 26 * max(len(design), 1)
    fig = theme.figure(width, body + 4)
    ax = theme.panel(fig, 0, 2, width, body)
    roles = [role if isinstance(role, str) else _NOBODY for role in design["role"]]
    order = list(dict.fromkeys(roles))
    step = min(26.0, 110 / max(len(order), 1))
    ax.set(xlim=(0, width), ylim=(len(design) - 0.5, -0.5), xticks=[], yticks=[])
    ax.grid(False)
    places = [(90 + step * order.index(role), y) for y, role in enumerate(roles)]
    for (x0, y0), (x1, y1) in pairwise(places):
        ax.plot([x0, x0, x1], [y0, y1, y1], color=LATER, lw=px(1.5), zorder=1)
    for (x, y), stage, role in zip(places, design["stage"], roles, strict=True):
        name = label("process.nobody") if role == _NOBODY else label(f"role.{role}")
        ax.text(0, y, name, va="center_baseline", fontsize=px(11), color=QUIET)
        ax.text(x, y, stage_name(stage), va="center_baseline", fontsize=px(11), color="white",
                zorder=3, bbox={"boxstyle": "square,pad=0.22", "lw": 0,
                                "fc": BAD if role == _NOBODY else ACTUAL})  # fmt: skip
    return fig


def real(nodes: pd.DataFrame, moves: pd.DataFrame, *, worst: str = "",
         ax: Axes | None = None) -> Axes:  # fmt: skip
    """Draw the way deals really went: steps downwards, skips on the right, ways back on the left.

    Parameters
    ----------
    nodes
        One row per open stage, then won: `stage`, `n`, `next_share`, `skip_share`, `out_share`.
    moves
        One row per pair of stages: `source`, `target` (as in `nodes`), `n`, `kind`.
    worst
        Stage whose skipping is the one thing to act on.
    """
    ax = theme.own_axes(ax)
    names = [stage_name(stage) for stage in nodes["stage"]]
    theme.rows(ax, names, grid=False)
    ax.set(xlim=(0, 1), xticks=[])
    at = {stage: y for y, stage in enumerate(nodes["stage"])}
    most = float(moves["n"].max()) if len(moves) else 1.0
    for row in moves.sort_values("n").itertuples():
        if row.source in at and row.target in at and row.source != row.target:
            _arrow(ax, at[row.source], at[row.target], row.n / most, row.kind,
                   bad=_passes(nodes, at, row, worst))  # fmt: skip
    for y, row in enumerate(nodes.itertuples()):
        ax.add_patch(Rectangle((0.22, y - 0.34), 0.36, 0.68, fc="white", ec=ACTUAL, lw=px(1.2),
                               zorder=4))  # fmt: skip
        ax.text(0.4, y, count(row.n), ha="center", va="center_baseline", fontsize=px(11),
                zorder=5)  # fmt: skip
        for x, value in ((1.32, row.next_share), (1.66, row.skip_share), (2.0, row.out_share)):
            if value == value:
                shown = BAD if x == 1.66 and worst and _skips(nodes, at, row.stage, worst) else INK
                theme.column_text(ax, x, y, ratio(value), color=shown)
    for x, code in ((1.32, "next"), (1.66, "skip"), (2.0, "out")):
        theme.head(ax, label(f"process.head_{code}"), x=x, align="right")
    return ax


def _passes(nodes: pd.DataFrame, at: dict[str, int], row: object, worst: str) -> bool:
    source, target = at[row.source], at[row.target]  # type: ignore[attr-defined]
    return worst in at and source < at[worst] < target


def _skips(nodes: pd.DataFrame, at: dict[str, int], stage: str, worst: str) -> bool:
    return worst in at and at[stage] == at[worst] - 1


def _arrow(ax: Axes, y0: int, y1: int, size: float, kind: str, *, bad: bool) -> None:
    """Draw one direct move, its width by how many made it."""
    down = y1 == y0 + 1
    side = 0.4 if down else 0.58 if y1 > y0 else 0.22
    start, end = (y0 + 0.34, y1 - 0.34) if down else (y0, y1)
    bend = 0.0 if down else -0.5
    ax.add_patch(FancyArrowPatch(
        (side, start), (side, end), connectionstyle=f"arc3,rad={bend}",
        arrowstyle="-|>", mutation_scale=px(7), lw=px(1 + 4 * size), shrinkA=0, shrinkB=0,
        color=BAD if bad else ACTUAL if kind == "forward" else LATER, zorder=6 if bad else 2,
        clip_on=False,
    ))  # fmt: skip


def real_figure(nodes: pd.DataFrame, moves: pd.DataFrame, width: int, *, worst: str) -> Figure:
    """Draw the real way at a column's width."""
    body = ROW * max(len(nodes), 1)
    fig = theme.figure(width, body + 28)
    real(nodes, moves, worst=worst, ax=theme.panel(fig, 104, 22, (width - 106) / 2, body))
    return fig


def deviations(frame: pd.DataFrame, *, worst: str = "", too_few: int = 30,
               ax: Axes | None = None) -> Axes:  # fmt: skip
    """Draw the share that skips each stage or goes back against its norm, and how often it wins."""
    ax = theme.own_axes(ax)
    theme.rows(ax, [_move(row) for row in frame.itertuples()])
    top = float(frame[["share", "norm", "prior_share"]].max().max()) if len(frame) else 1.0
    for y, row in enumerate(frame.itertuples()):
        bad = row.move == "skip" and row.stage == worst
        ax.barh(y, row.share, BAR, color=BAD if bad else ACTUAL, zorder=3)
        theme.prior_mark(ax, row.prior_share, y)
        theme.plan_mark(ax, row.norm, y)
        theme.column_text(ax, 1.55, y, ratio(row.share), color=BAD if bad else INK)
        if row.n_ended >= too_few:
            theme.column_text(ax, 2.2, y, ratio(row.won_rate), color=BAD if bad else INK)
            theme.column_text(ax, 3.15, y, _span(row.low, row.high), color=QUIET, size=11)
            theme.column_text(ax, 3.75, y, ratio(row.others_rate))
        elif row.move == "skip":
            theme.column_text(ax, 2.2, y, "—", color=QUIET)
    ax.set_xlim(0, (top if top > 0 else 1) * 1.05)
    ax.set_xticks([])
    theme.head(ax, label("process.head_share"), x=1.55, align="right")
    theme.head(ax, label("process.head_did"), x=2.2, align="right")
    theme.head(ax, label("process.head_range"), x=3.15, align="right")
    theme.head(ax, label("process.head_others"), x=3.75, align="right")
    return ax


def _span(low: float, high: float) -> str:
    return say("process.span", low=low, high=high)


def _move(row: object) -> str:
    move, stage = row.move, row.stage  # type: ignore[attr-defined]
    return label("process.back") if move == "back" else say("process.skip", stage=stage)


def deviations_figure(frame: pd.DataFrame, width: int, *, worst: str, too_few: int) -> Figure:
    """Draw skips and ways back at a column's width."""
    fig, ax = theme.rows_figure(len(frame), width, left=104, reach=3.75, row=ROW)
    deviations(frame, worst=worst, too_few=too_few, ax=ax)
    return fig


def steps(frame: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how long each step takes against its norm, what it stops and what waits in it."""
    ax = theme.own_axes(ax)
    theme.rows(ax, [_step(row) for row in frame.itertuples()])
    top = float(frame[["median_days", "norm_days"]].max().max()) if len(frame) else 1.0
    for y, row in enumerate(frame.itertuples()):
        bad = row.part == "below"
        ax.barh(y, row.median_days, BAR, color=BAD if bad else ACTUAL, zorder=3)
        theme.plan_mark(ax, row.norm_days, y)
        theme.column_text(ax, 1.4, y, count(round(row.median_days)), color=BAD if bad else INK)
        theme.column_text(ax, 2.1, y, ratio(row.stopped_share))
        theme.column_text(ax, 3.0, y, money(row.held, unit=False) if row.held == row.held else "—")
    ax.set_xlim(0, (top if top > 0 else 1) * 1.05)
    ax.set_xticks([])
    theme.head(ax, label("process.head_days"), x=1.4, align="right")
    theme.head(ax, label("process.head_stopped"), x=2.1, align="right")
    theme.head(ax, say("process.head_held", unit=money_unit()), x=3.0, align="right")
    return ax


def _step(row: object) -> str:
    stage, part, cut = row.stage, row.part, row.cut  # type: ignore[attr-defined]
    if not part:
        return stage_name(stage)
    return say(f"process.step_{part}", stage=stage, cut=cut)


def steps_figure(frame: pd.DataFrame, width: int) -> Figure:
    """Draw the steps at a column's width."""
    fig, ax = theme.rows_figure(len(frame), width, left=140, reach=3.0, row=ROW)
    steps(frame, ax=ax)
    return fig


def fields(frame: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the share of rows in which each field is filled, least first."""
    ax = theme.own_axes(ax)
    theme.rows(ax, [label(f"field.{name}") for name in frame["field"]])
    for y, row in enumerate(frame.itertuples()):
        ax.barh(y, row.filled_share, BAR, color=ACTUAL if row.required else LATER, zorder=3)
        theme.prior_mark(ax, row.prior_share, y)
        theme.column_text(ax, 1.4, y, ratio(row.filled_share))
        theme.column_text(ax, 1.85, y, count(row.n), color=QUIET, size=11)
    ax.set_xlim(0, 1.0)
    ax.set_xticks([])
    ax.axvline(0, color=RULE, lw=px(1), zorder=1)
    theme.head(ax, label("process.head_filled"), x=1.4, align="right")
    theme.head(ax, label("process.head_rows"), x=1.85, align="right")
    return ax


def fields_figure(frame: pd.DataFrame, width: int) -> Figure:
    """Draw the fields at a column's width."""
    fig, ax = theme.rows_figure(len(frame), width, left=134, reach=1.85)
    fields(frame, ax=ax)
    return fig
