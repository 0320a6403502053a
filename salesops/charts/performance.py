"""The pictures of performance: groups against plan, the year so far, people, and the bridge."""

import math
from collections.abc import Callable
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from salesops.charts import theme
from salesops.charts.theme import ACTUAL, BAD, GOOD, INK, LATER, PLAN, PRIOR, QUIET, STOCK, px
from salesops.wording import label, money, ratio, say
from salesops.wording.numbers import money_unit

BAR = 0.44
# Rows of people beyond which names no longer fit beside each bar.
MOST_NAMED = 12


def attainment(
    groups: pd.DataFrame, *, ax: Axes | None = None, worst: str = "", title: str = ""
) -> Axes:
    """Draw how much of its target each group signed; without targets how much it signed.

    A triangle is the target, the dashed line what is due by now, grey the period before.

    Parameters
    ----------
    groups
        As `metrics.progress.groups_of` gives them, with `level` (`total` or `group`) and `name`.
    worst
        The group to mark.
    """
    ax = theme.own_axes(ax, title=title)
    room = theme.edge(ax) - 6
    theme.rows(ax, [_shortened(_name(row), room) for row in groups.to_dict("records")])
    planned = bool(groups["plan"].notna().any())
    # Against its own target the whole and its parts have one scale; in money they have not.
    ones = pd.Series(1.0, index=groups.index)
    scale = groups["plan"].where(groups["plan"] > 0) if planned else ones
    money_of = groups["level"].eq("group") | planned | (len(groups) == 1)
    shown = groups[["signed", "plan", "due", "prior"]].where(money_of, math.nan)
    shown = shown.div(scale, axis=0)
    for y, (row, mark) in enumerate(zip(shown.itertuples(), groups["group"], strict=True)):
        value = max(row.signed, 0.0) if row.signed == row.signed else 0.0
        colour = BAD if worst and mark == worst else ACTUAL
        ax.barh(y, value, BAR, color=colour, zorder=3)
        theme.prior_mark(ax, row.prior, y)
        theme.plan_mark(ax, row.plan, y)
        if row.due == row.due and row.due < row.plan:
            ax.plot([row.due, row.due], [y - 0.36, y + 0.36], color=PLAN, lw=px(1.5),
                    ls=(0, (2, 1.5)), zorder=5)  # fmt: skip
    top = float(shown.max().max())
    ax.set_xlim(0, (top if top > 0 else 1) * 1.06)
    if planned:
        _share_axis(ax, top)
        theme.head(ax, label("label.signed_share"))
    else:
        theme.money_axis(ax.xaxis)
        theme.head(ax, say("label.signed_amount", unit=money_unit()))
    return ax


def _share_axis(ax: Axes, top: float) -> None:
    """Give ticks in halves of the target, at most five."""
    ticks = [t / 2 for t in range(math.ceil(max(top, 1.0) * 2) + 1) if t / 2 <= top * 1.06
             or t == 2]  # fmt: skip
    while len(ticks) > 5:
        ticks = ticks[::2]
    ax.set_xticks(ticks, [ratio(t) if t else "0" for t in ticks])


def _shortened(text: str, room: float) -> str:
    """Cut a name that is wider than its room in CSS pixels."""
    wide = [12.0 if ord(c) > 0x2E80 else 6.6 for c in text]
    if sum(wide) <= room:
        return text
    used, kept = 12.0, 0
    while kept < len(text) and used + wide[kept] <= room:
        used, kept = used + wide[kept], kept + 1
    return text[:kept].rstrip() + "…"


def _name(row: dict[Any, Any]) -> str:
    if row["level"] == "total":
        return label("label.total")
    return str(row["name"]) if row["group"] else label("label.no_group")


_TEXTS: tuple[tuple[str, str, Callable[[float], str]], ...] = (
    ("signed", "label.signed", lambda v: money(v, unit=False)),
    ("plan", "label.target", lambda v: money(v, unit=False)),
    ("attained_rate", "label.attained", ratio),
    ("pace_rate", "label.pace", ratio),
    ("year_ago", "label.year_ago", lambda v: money(v, unit=False)),
)
_BEFORE = ("prior", "label.prior_period", lambda v: money(v, unit=False))


def _columns_of(groups: pd.DataFrame, fields: tuple[str, ...]) -> list[tuple[str, str, Any]]:
    """Keep the text columns in which anything is known."""
    known = [t for t in _TEXTS if t[0] in fields and groups[t[0]].notna().any()]
    # Without targets there is room for the period before.
    planned = groups["plan"].notna().any()
    return known if planned or groups["prior"].isna().all() else [*known, _BEFORE]


def attainment_figure(groups: pd.DataFrame, width: int, *, worst: str = "") -> Figure:
    """Put the bars of the groups and their numbers beside each other."""
    body = 26 * len(groups)
    wide = width >= theme.FULL
    fields = tuple(t[0] for t in _TEXTS) if wide else ("signed", "attained_rate", "pace_rate")
    texts = _columns_of(groups, fields)
    step = 72 if wide else 52
    fig = theme.figure(width, body + 46)
    bars = width - 108 - step * len(texts) - 8
    ax = theme.panel(fig, 108, 24, bars, body)
    attainment(groups, ax=ax, worst=worst)
    for i, (field, code, write) in enumerate(texts):
        at = (bars + step * (i + 1)) / bars
        theme.head(ax, label(code), x=at, align="right")
        for y, row in enumerate(groups.to_dict("records")):
            marked = worst and row["group"] == worst and field in ("signed", "pace_rate")
            theme.column_text(ax, at, y, write(float(row[field])), color=BAD if marked else INK)
    return fig


def course(days: pd.DataFrame, *, ax: Axes | None = None, compared: str = "label.year_ago",
           title: str = "") -> Axes:  # fmt: skip
    """Draw what was signed up to each day, the year before in grey, the plan dashed."""
    ax = theme.own_axes(ax, title=title)
    ends: list[tuple[float, float, str, str]] = []
    lines = (("compared", PRIOR, "-", compared), ("plan", PLAN, (0, (4, 2)), "label.plan"),
             ("signed", ACTUAL, "-", "label.signed"))  # fmt: skip
    for field, colour, style, code in lines:
        known = days[days[field].notna()]
        if known.empty:
            continue
        thick = px(2.5 if field == "signed" else 1.5)
        ax.plot(known["day_number"], known[field], color=colour, ls=style, lw=thick, zorder=4)
        last = known.iloc[-1]
        if field == "signed" and last["day_number"] < 0.8 * len(days):
            ax.annotate(
                f"{label(code)} {money(float(last[field]), unit=False)}",
                (float(last["day_number"]), float(last[field])), (0, px(9)), color=colour,
                textcoords="offset points", fontsize=px(11), ha="center", va="bottom", zorder=8,
                annotation_clip=False,
            )  # fmt: skip
            continue
        ends.append((float(last["day_number"]), float(last[field]), label(code), colour))
    n = len(days)
    ax.set_xlim(1, max(n, 2))
    low, high = ax.get_ylim()
    ax.set_ylim(min(0.0, low), max(high, 1.0) * 1.04)
    today = days[days["signed"].notna()]
    if len(today) and len(today) < n:
        now = today.iloc[-1]
        ax.plot([now["day_number"]], [now["signed"]], "o", ms=px(7), color=ACTUAL, zorder=6)
    _label_ends(ax, ends, n)
    theme.money_axis(ax.yaxis)
    ticks = [1, *range(7, n, 7)] if n <= 31 else [int(i) for i in _month_starts(days)]
    written = [f"{days['day'].iloc[t - 1]:%m-%d}" for t in ticks]
    if len(ticks) > 5:
        ticks, written = ticks[:: len(ticks) // 4], written[:: len(ticks) // 4]
    ax.set_xticks(ticks, written)
    ax.tick_params(axis="y", labelsize=px(11), labelcolor=QUIET)
    ax.grid(False, axis="x")
    ax.axhline(0, color=theme.RULE, lw=px(1), zorder=2)
    theme.head(ax, say("label.signed_so_far", unit=money_unit()), dx=-36)
    return ax


def _month_starts(days: pd.DataFrame) -> list[int]:
    return [int(n) for n, day in zip(days["day_number"], days["day"], strict=True) if day.day == 1]


def _label_ends(ax: Axes, ends: list[tuple[float, float, str, str]], n: int) -> None:
    """Write name and value at the end of each line, so far apart that they can be read."""
    fig = ax.get_figure()
    inches = fig.get_size_inches()[1] if isinstance(fig, Figure) else 1.0
    height = ax.get_position().height * inches * 96
    low, high = ax.get_ylim()
    least = 27 * (high - low) / height
    place = -math.inf
    for _x, y, text, colour in sorted(ends, key=lambda end: end[1]):
        place = max(y, place + least)
        shade = INK if colour == PLAN else QUIET if colour == PRIOR else colour
        ax.annotate(
            f"{text}\n{money(y, unit=False)}", (n, place), (px(6), 0), color=shade,
            textcoords="offset points", fontsize=px(11), va="center", annotation_clip=False,
            linespacing=1.1,
        )  # fmt: skip


def course_figure(days: pd.DataFrame, width: int, *, compared: str) -> Figure:
    """Draw the course of the period at a column's width."""
    fig = theme.figure(width, 204)
    course(days, ax=theme.panel(fig, 42, 24, width - 42 - 64, 156), compared=compared)
    return fig


def ladder(reps: pd.DataFrame, *, ax: Axes | None = None, title: str = "") -> Axes:
    """Draw people by attainment with the line of 100 %; without targets by what they signed.

    Without targets the bar is what they signed in the year up to now, the dark part of it in the
    period.
    """
    ax = theme.own_axes(ax, title=title)
    planned = reps["attained_rate"].notna().any()
    field = "attained_rate" if planned else "signed_year"
    shown = _rungs(reps, field)
    named = len(shown) <= MOST_NAMED
    shown["owner"] = [_shortened(str(v), theme.edge(ax) - 6) for v in shown["owner"]]
    theme.rows(ax, shown["owner"].tolist(), named=named)
    top = float(shown[field].max()) if len(shown) else 0.0
    for y, row in enumerate(shown.to_dict("records")):
        value = max(float(row[field]), 0.0)
        colour = LATER if not planned else GOOD if value >= 1 else ACTUAL
        ax.barh(y, value, BAR if named else 0.7, color=colour, zorder=3)
        if not planned:
            now = max(float(row["signed"]), 0.0)
            ax.barh(y, now, BAR if named else 0.7, color=ACTUAL, zorder=4)
        else:
            theme.prior_mark(ax, float(row["prior_rate"]), y)
    least = [1.0] if planned else []
    ax.set_xlim(0, max([top, *least]) * 1.06 or 1)
    if planned:
        ax.axvline(1.0, color=PLAN, lw=px(1.5), ls=(0, (4, 2)), zorder=5)
        ticks = [t / 2 for t in range(math.ceil(max(top, 1.0) * 2) + 1) if t / 2 <= top * 1.06
                 or t == 2]  # fmt: skip
        while len(ticks) > 5:
            ticks = ticks[::2]
        ax.set_xticks(ticks, [ratio(t) if t else "0" for t in ticks])
        theme.head(ax, label("label.attained"))
    else:
        theme.money_axis(ax.xaxis)
        theme.head(ax, say("label.signed_year", unit=money_unit()))
    _ladder_texts(ax, shown, field, named=named)
    return ax


def _rungs(reps: pd.DataFrame, field: str) -> pd.DataFrame:
    """Order people from the top; of too many, those without anything signed share one row."""
    shown = reps[reps[field].notna()].sort_values(field, ascending=False, kind="stable")
    idle = shown[field] <= 0
    if len(shown) <= MOST_NAMED or idle.sum() < 2 or (shown[field] < 0).any():
        return shown.reset_index(drop=True)
    rest = shown[idle].iloc[:1].copy()
    rest["owner"] = say("performance.others_idle", n=int(idle.sum()))
    rest["prior_rate"] = math.nan
    return pd.concat([shown[~idle], rest], ignore_index=True)


def _ladder_texts(ax: Axes, shown: pd.DataFrame, field: str, *, named: bool) -> None:
    """Write the value of each person; of many, names and values of the first and the last few."""
    write = ratio if field == "attained_rate" else (lambda v: money(v, unit=False))
    n = len(shown)
    places = {round(i * (n - 1) / max(MOST_NAMED - 1, 1)) for i in range(MOST_NAMED)}
    for y, row in enumerate(shown.to_dict("records")):
        if not named and y not in places:
            continue
        theme.column_text(ax, 1.22, y, write(float(row[field])))
        if not named:
            ax.annotate(
                str(row["owner"]), (0, y), (-px(theme.edge(ax)), 0), fontsize=px(12), color=INK,
                xycoords=ax.get_yaxis_transform(), textcoords="offset points",
                va="center_baseline", annotation_clip=False,
            )  # fmt: skip


def ladder_figure(reps: pd.DataFrame, width: int) -> Figure:
    """Draw the ladder at a column's width; many people share the height of a dozen."""
    planned = reps["attained_rate"].notna().any()
    n = len(_rungs(reps, "attained_rate" if planned else "signed_year"))
    body = min(max(n, 1), MOST_NAMED) * 15
    fig = theme.figure(width, body + 46)
    ladder(reps, ax=theme.panel(fig, 84, 24, width - 84 - 62, body))
    return fig


def bridge(bars: pd.DataFrame, *, ax: Axes | None = None, worst: str = "") -> Axes:
    """Draw from before to now, each cause in a row; where it took away it begins at the right."""
    ax = theme.own_axes(ax, height=280)
    theme.rows(ax, [label(f"bridge.{b}") for b in bars["bar"]], grid=False)
    level = 0.0
    edges = [0.0]
    for y, bar in enumerate(bars.itertuples()):
        stock = bar.kind == "stock"
        after = bar.amount if stock else level + bar.amount
        left = min(0.0, after) if stock else min(level, after)
        lost = BAD if bar.bar == worst else LATER
        colour = STOCK if stock else ACTUAL if bar.amount >= 0 else lost
        ax.barh(y, abs(bar.amount), 0.62, left=left, color=colour, zorder=3)
        if y < len(bars) - 1:
            ax.plot([after, after], [y - 0.31, y + 1.31], color=PRIOR, lw=px(0.75), zorder=2)
        level = after
        edges += [left, left + abs(bar.amount)]
        marked = bar.bar == worst
        theme.column_text(ax, 1.34, y, money(bar.amount, unit=False, sign=not stock),
                          color=BAD if marked else INK)  # fmt: skip
    low, high = min(edges), max(edges)
    ax.set_xlim(low, high + (high - low) * 0.02 if high > low else 1)
    ax.set_xticks([])
    theme.head(ax, money_unit(), x=1.34, align="right")
    return ax


def bridge_figure(bars: pd.DataFrame, width: int, *, worst: str = "") -> Figure:
    """Draw the bridge at a column's width."""
    body = 22 * len(bars)
    fig = theme.figure(width, body + 34)
    left = 118
    inner = (width - left) / 1.36
    bridge(bars, ax=theme.panel(fig, left, 24, inner, body), worst=worst)
    return fig
