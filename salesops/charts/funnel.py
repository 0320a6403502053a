"""The pictures of the funnel: stages, waterfall and losses. One function draws one picture."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from salesops.charts import theme
from salesops.charts.theme import ACTUAL, BAD, BAND, GOOD, INK, LATER, QUIET, STOCK, px
from salesops.wording import label, money, points, ratio, say
from salesops.wording.catalogue import FORMATS
from salesops.wording.numbers import count, money_unit

BAR = 0.44


def _names(stages: pd.Series) -> list[str]:
    return [label("label.unknown") if s == "unknown" else FORMATS["stage"](s) for s in stages]


def worst_stage(ageing: pd.DataFrame) -> str:
    """Name the stage in which most value, else most deals, stays beyond the limit; or nothing."""
    aged = ageing[ageing["aged_n"] > 0] if len(ageing) else ageing
    if aged.empty:
        return ""
    by = "aged_amount" if aged["aged_amount"].notna().any() else "aged_n"
    return str(aged.loc[aged[by].idxmax(), "stage"])


def open_counts(stages: pd.DataFrame, *, ax: Axes | None = None, title: str = "") -> Axes:
    """Draw the open deals of each stage, the period before as a grey line."""
    ax = theme.own_axes(ax, title=title)
    theme.rows(ax, _names(stages["stage"]))
    top = max(float(stages[["n", "prior_n"]].max().max()), 1.0)
    for y, row in enumerate(stages.itertuples()):
        ax.barh(y, row.n, BAR, color=ACTUAL, zorder=3)
        theme.prior_mark(ax, row.prior_n, y)
        shown = max(row.n, row.prior_n) if row.prior_n == row.prior_n else row.n
        theme.label_end(ax, shown, y, count(row.n))
    ax.set_xlim(0, top * 1.3)
    ax.xaxis.set_major_locator(MaxNLocator(3, integer=True))
    theme.head(ax, label("label.open_deals"))
    return ax


def open_amounts(
    stages: pd.DataFrame, *, ax: Axes | None = None, named: bool = True, title: str = ""
) -> Axes:
    """Draw the open value of each stage: dark what is expected in the period, pale the rest."""
    ax = theme.own_axes(ax, title=title)
    theme.rows(ax, _names(stages["stage"]), named=named)
    top = float(stages[["amount", "prior_amount"]].max().max())
    for y, row in enumerate(stages.itertuples()):
        if row.amount != row.amount:
            continue
        due = row.due if row.due == row.due else 0.0
        ax.barh(y, due, BAR, color=ACTUAL, zorder=3)
        rest = LATER if row.due == row.due else ACTUAL
        ax.barh(y, row.amount - due, BAR, left=due, color=rest, zorder=3)
        theme.prior_mark(ax, row.prior_amount, y)
        marks = [v for v in (row.amount, row.prior_amount) if v == v]
        theme.label_end(ax, max(marks), y, money(row.amount, unit=False))
    ax.set_xlim(0, (top if top > 0 else 1) * 1.42)
    theme.money_axis(ax.xaxis)
    theme.head(ax, say("label.open_amount", unit=money_unit()))
    return ax


def conversion(
    stages: pd.DataFrame, *, ax: Axes | None = None, named: bool = True, worst: str = "",
    title: str = "",
) -> Axes:  # fmt: skip
    """Draw the chance of getting past each stage with its range, and the year before."""
    ax = theme.own_axes(ax, title=title)
    theme.rows(ax, _names(stages["stage"]), named=named)
    low = float(stages[["low", "prior_rate"]].min().min())
    left = max(0.0, (int(low * 5) / 5) if low == low else 0.0)
    for y, row in enumerate(stages.itertuples()):
        if row.rate != row.rate:
            continue
        few = row.entered < 30
        colour = BAD if row.stage == worst else QUIET if few else ACTUAL
        if not few:
            ax.barh(y, row.high - row.low, BAR, left=row.low, color=BAND, zorder=1)
        theme.prior_mark(ax, row.prior_rate, y)
        ax.plot([row.rate], [y], "o", ms=px(9), color="white" if few else colour,
                mec=colour if few else "white", mew=px(1.5 if few else 1), zorder=5,
                clip_on=False)  # fmt: skip
        text = BAD if row.stage == worst else INK
        theme.label_end(ax, 1.0, y, ratio(row.rate), color=text, dx=10)
        alarming = row.stage == worst and row.trust == "firm"
        theme.label_end(ax, 1.0, y, _change(row), dx=48, size=11, color=BAD if alarming else QUIET)
    ax.set_xlim(left, 1.0)
    ticks = [t / 5 for t in range(6) if left - 1e-9 <= t / 5 <= 1]
    ax.set_xticks(ticks, [ratio(t) if t else "0" for t in ticks])
    # Beside names of rows the heading begins above these, so that it ends before the next one.
    theme.head(ax, label("label.conversion"), dx=-theme.edge(ax) if named else 0)
    theme.head(ax, label("label.versus_year"), x=1, dx=48)
    return ax


def _change(row: Any) -> str:
    trust = getattr(row, "trust", None)
    rate, prior = row.rate, row.prior_rate
    if prior != prior or not isinstance(trust, str):
        return "—"
    if trust == "too_few":
        return label("trust.too_few")
    return say("label.change_trust", change=points(rate - prior), trust=trust)


def waterfall(bars: pd.DataFrame, *, ax: Axes | None = None, worst: str = "") -> Axes:
    """Draw the moves from top to bottom; the period before stands as a column of numbers."""
    ax = theme.own_axes(ax, height=340)
    names = [label(f"bucket.{b}") for b in bars["bucket"]]
    theme.rows(ax, names, grid=False)
    level = right = 0.0
    colours = {"stock": STOCK, "in": ACTUAL, "out": LATER, "won": GOOD}
    for y, bar in enumerate(bars.itertuples()):
        stock = bar.kind == "stock"
        after = bar.amount if stock else level + bar.amount
        left = 0.0 if stock else min(level, after)
        colour = BAD if bar.bucket == worst else colours[bar.kind]
        ax.barh(y, abs(bar.amount), 0.62, left=left, color=colour, zorder=3)
        if y < len(bars) - 1:
            ax.plot([after, after], [y - 0.31, y + 1.31], color=theme.PRIOR, lw=px(0.75), zorder=2)
        right = max(right, left + abs(bar.amount))
        level = after
    ax.set_xlim(0, right * 1.02 or 1)
    for y, bar in enumerate(bars.itertuples()):
        stock = bar.kind == "stock"
        theme.column_text(ax, 1.34, y, money(bar.amount, unit=False, sign=not stock),
                          color=BAD if bar.bucket == worst else INK)  # fmt: skip
        theme.column_text(ax, 1.72, y, money(bar.prior_amount, unit=False, sign=not stock),
                          color=QUIET, size=11)  # fmt: skip
    ax.set_xticks([])
    theme.head(ax, say("label.this_period", unit=money_unit()), x=1.34, align="right")
    theme.head(ax, label("label.prior_period"), x=1.72, align="right")
    return ax


def leaks(frame: pd.DataFrame, *, ax: Axes | None = None, by_money: bool = True) -> Axes:
    """Draw what was lost or void by stage; triangles are the norm, grey the period before."""
    ax = theme.own_axes(ax)
    theme.rows(ax, _names(frame["stage"]))
    now, prior, norm = ("leak", "prior_leak", "norm_leak") if by_money else ("n", "prior_n",
                                                                             "norm_n")  # fmt: skip
    top = float(frame[[now, prior, norm]].max().max())
    values = frame[now].astype(float).fillna(0.0)
    worst = int(values.to_numpy().argmax()) if values.max() > 0 else -1
    # What is the most, yet within its norm or nobody knows where, is nothing to act on.
    lost_at, usual = frame["stage"].iloc[worst], float(frame[norm].iloc[worst])
    if worst >= 0 and (lost_at == "unknown" or values.iloc[worst] <= usual):
        worst = -1
    for y, row in enumerate(frame.to_dict("records")):
        value = float(row[now])
        ax.barh(y, 0.0 if value != value else value, BAR, color=BAD if y == worst else LATER,
                zorder=3)  # fmt: skip
        theme.prior_mark(ax, float(row[prior]), y)
        theme.plan_mark(ax, float(row[norm]), y)
        marks = [v for v in (value, float(row[prior]), float(row[norm])) if v == v]
        text = money(value, unit=False) if by_money else count(value)
        theme.label_end(ax, max(marks, default=0.0), y, text, color=BAD if y == worst else INK)
    ax.set_xlim(0, (top if top > 0 else 1) * 1.3)
    if by_money:
        theme.money_axis(ax.xaxis)
        theme.head(ax, say("label.leak_amount", unit=money_unit()))
    else:
        ax.xaxis.set_major_locator(MaxNLocator(3, integer=True))
        theme.head(ax, label("label.leak_deals"))
    return ax


def stages_figure(stages: pd.DataFrame, width: int, *, worst: str = "") -> Figure:
    """Put the three pictures of the stages side by side, or two on a phone."""
    height = 46 + 29 * len(stages)
    body = height - 46
    converts = stages["rate"].notna().any()
    valued = stages["amount"].notna().any()
    if width < theme.FULL:
        return _stages_phone(stages, width, worst=worst)
    fig = theme.figure(width, height)
    left = 108
    open_counts(stages, ax=theme.panel(fig, left, 24, 112 if converts else 230, body))
    if valued:
        at = 236 if converts else 400
        open_amounts(stages, ax=theme.panel(fig, at, 24, 150 if converts else 300, body),
                     named=False)  # fmt: skip
    if converts:
        conversion(stages, ax=theme.panel(fig, 412, 24, 166, body), named=False, worst=worst)
    return fig


def _stages_phone(stages: pd.DataFrame, width: int, *, worst: str) -> Figure:
    body = 32 * len(stages)
    parts = [open_counts]
    if stages["amount"].notna().any():
        parts.append(open_amounts)
    block = body + 56
    converts = stages["rate"].notna().any()
    fig = theme.figure(width, block * (len(parts) + bool(converts)))
    for i, draw in enumerate(parts):
        draw(stages, ax=theme.panel(fig, 108, 24 + i * block, width - 108 - 20, body))
    if converts:
        at = 24 + len(parts) * block
        conversion(stages, ax=theme.panel(fig, 108, at, 90, body), worst=worst)
    return fig


def moved_bars(bars: pd.DataFrame) -> pd.DataFrame:
    """Leave out the buckets in which nothing moved, now or before."""
    still = (bars["amount"] == 0) & (bars["prior_amount"].fillna(0) == 0)
    return bars[~still | (bars["kind"] == "stock")]


def waterfall_figure(bars: pd.DataFrame, width: int, *, worst: str = "") -> Figure:
    """Draw the waterfall at a column's width."""
    bars = moved_bars(bars)
    fig = theme.figure(width, 34 + 17 * len(bars))
    waterfall(bars, ax=theme.panel(fig, 92, 24, 148, 17 * len(bars)), worst=worst)
    return fig


def leaks_figure(frame: pd.DataFrame, width: int, *, by_money: bool = True) -> Figure:
    """Draw the losses at a column's width."""
    body = 26 * len(frame)
    fig = theme.figure(width, body + 46)
    leaks(frame, ax=theme.panel(fig, 108, 24, width - 108 - 24, body), by_money=by_money)
    return fig
