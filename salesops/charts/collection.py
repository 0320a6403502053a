"""The pictures of the collection: due and received, ageing, what is expected, what else is owed."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from salesops.charts import theme
from salesops.charts.theme import ACTUAL, BAD, BAND, INK, LATER, QUIET
from salesops.model.calendar import Period
from salesops.wording import label, money, ratio, say
from salesops.wording.catalogue import FORMATS
from salesops.wording.numbers import count, money_unit

BAR = 0.44
_ROW = 22


def _periods(starts: "pd.Series[Any]", period: Period) -> list[str]:
    """Name periods of the length of the one that ends them."""
    last = len(starts) - 1
    shifted = [period.shifted((i - last) * period.months) for i in range(len(starts))]
    return [FORMATS["period"](one) for one in shifted]


def due(frame: pd.DataFrame, period: Period, *, ax: Axes | None = None) -> Axes:
    """Draw what fell due in each period: dark what was received for it, pale what was not.

    Beside it stand the share received, all money that came in, and its share of the target.
    """
    ax = theme.own_axes(ax)
    theme.rows(ax, _periods(frame["start"], period))
    top = float(frame["due"].max()) if len(frame) else 0.0
    for y, row in enumerate(frame.itertuples()):
        ax.barh(y, row.collected, BAR, color=ACTUAL, zorder=3)
        ax.barh(y, row.due - row.collected, BAR, left=row.collected, color=LATER, zorder=3)
        theme.column_text(ax, 1.5, y, money(row.due, unit=False))
        theme.column_text(ax, 1.88, y, ratio(row.rate))
        if row.came == row.came:
            theme.column_text(ax, 2.4, y, money(row.came, unit=False), color=QUIET, size=11)
        if row.attainment == row.attainment:
            theme.column_text(ax, 2.8, y, ratio(row.attainment), color=QUIET, size=11)
    ax.set_xlim(0, (top if top > 0 else 1) * 1.02)
    theme.money_axis(ax.xaxis)
    theme.head(ax, say("collection.head_due", unit=money_unit()), x=1.5, align="right")
    for x, code, known in ((1.88, "head_rate", "rate"), (2.4, "head_came", "came"),
                           (2.8, "head_attainment", "attainment")):  # fmt: skip
        if frame[known].notna().any():
            theme.head(ax, label(f"collection.{code}"), x=x, align="right")
    return ax


def ageing(frame: pd.DataFrame, *, ax: Axes | None = None, worst: str = "") -> Axes:
    """Draw what is overdue by days since due: grey the period before, triangles what is normal.

    What is not due stands as a number without a bar, which would dwarf the others.
    """
    ax = theme.own_axes(ax)
    theme.rows(ax, [label(f"bucket_days.{b}") for b in frame["bucket"]])
    late = frame[frame["bucket"] != "not_due"]
    top = float(late[["amount", "prior_amount", "norm_amount"]].max().max())
    for y, row in enumerate(frame.itertuples()):
        theme.column_text(ax, 1.5, y, count(row.n), color=QUIET, size=11)
        if row.bucket == "not_due":
            theme.column_text(ax, 1.32, y, money(row.amount, unit=False), color=QUIET)
            continue
        colour = BAD if row.bucket == worst else ACTUAL
        ax.barh(y, row.amount, BAR, color=colour, zorder=3)
        theme.prior_mark(ax, row.prior_amount, y)
        theme.plan_mark(ax, row.norm_amount, y)
        text = BAD if row.bucket == worst else INK
        theme.column_text(ax, 1.32, y, money(row.amount, unit=False), color=text)
    ax.set_xlim(0, (top if top > 0 else 1) * 1.05)
    theme.money_axis(ax.xaxis)
    theme.head(ax, say("collection.head_unpaid", unit=money_unit()), x=1.32, align="right")
    theme.head(ax, label("collection.head_n"), x=1.5, align="right")
    return ax


def coming(frame: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw what is owed by 30, 60 and 90 days, and what of it is expected, with its range."""
    ax = theme.own_axes(ax)
    theme.rows(ax, [say("collection.within", days=d) for d in frame["days"]])
    top = float(frame[["owed", "high", "prior_came"]].max().max())
    learnt = bool(frame["expected"].notna().any())
    for y, row in enumerate(frame.itertuples()):
        ax.barh(y, row.owed, BAR, color=LATER, zorder=2)
        theme.prior_mark(ax, row.prior_came, y)
        if not learnt:
            theme.column_text(ax, 1.4, y, money(row.owed, unit=False))
            continue
        ax.barh(y, row.high - row.low, 0.8, left=row.low, color=BAND, zorder=1)
        ax.barh(y, row.expected, BAR, color=ACTUAL, zorder=3)
        theme.column_text(ax, 1.36, y, money(row.expected, unit=False))
        theme.column_text(ax, 2.0, y, _between(row.low, row.high), color=QUIET, size=11)
    ax.set_xlim(0, (top if top > 0 else 1) * 1.05)
    theme.money_axis(ax.xaxis)
    code = "collection.head_coming" if learnt else "collection.head_owed"
    theme.head(ax, say(code, unit=money_unit()), x=1.36 if learnt else 1.4, align="right")
    if learnt:
        theme.head(ax, label("collection.head_range"), x=2.0, align="right")
    return ax


def _between(low: float, high: float) -> str:
    return say("collection.between", low=money(low, unit=False), high=money(high, unit=False))


def standing(frame: pd.DataFrame, *, ax: Axes | None = None, worst: str = "") -> Axes:
    """Draw what is signed and not due, not accepted, held back, or paid ahead."""
    ax = theme.own_axes(ax)
    theme.rows(ax, [label(f"standing.{item}") for item in frame["item"]])
    top = float(frame[["amount", "prior_amount"]].max().max()) if len(frame) else 0.0
    for y, row in enumerate(frame.itertuples()):
        bad = row.item == worst
        ax.barh(y, max(row.amount, 0.0), BAR, color=BAD if bad else ACTUAL, zorder=3)
        theme.prior_mark(ax, row.prior_amount, y)
        text = money(row.amount, unit=False)
        theme.column_text(ax, 1.5, y, text, color=BAD if bad else INK)
        theme.column_text(ax, 1.75, y, count(row.n), color=QUIET, size=11)
    ax.set_xlim(0, (top if top > 0 else 1) * 1.05)
    theme.money_axis(ax.xaxis)
    theme.head(ax, money_unit(), x=1.5, align="right")
    theme.head(ax, label("collection.head_n"), x=1.75, align="right")
    return ax


def due_figure(frame: pd.DataFrame, period: Period, width: int) -> Figure:
    """Draw what fell due and what came in at a column's width."""
    body = _ROW * len(frame)
    fig = theme.figure(width, body + 46)
    due(frame, period, ax=theme.panel(fig, 66, 24, (width - 66) / 2.82, body))
    return fig


def ageing_figure(frame: pd.DataFrame, width: int, *, worst: str = "") -> Figure:
    """Draw the ageing at a column's width."""
    body = _ROW * len(frame)
    fig = theme.figure(width, body + 46)
    ageing(frame, ax=theme.panel(fig, 88, 24, (width - 90) / 1.52, body), worst=worst)
    return fig


def coming_figure(frame: pd.DataFrame, width: int) -> Figure:
    """Draw what is expected at a column's width."""
    body = 30 * len(frame)
    fig = theme.figure(width, body + 46)
    coming(frame, ax=theme.panel(fig, 62, 24, (width - 64) / 2.02, body))
    return fig


def standing_figure(frame: pd.DataFrame, width: int, *, worst: str = "") -> Figure:
    """Draw what else is owed at a column's width."""
    body = _ROW * len(frame)
    fig = theme.figure(width, body + 46)
    standing(frame, ax=theme.panel(fig, 116, 24, (width - 118) / 1.77, body), worst=worst)
    return fig
