"""The pictures of the conversion report. One function draws one picture."""

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from salesops.charts import theme
from salesops.charts.theme import ACTUAL, BAD, BAND, INK, LATER, PRIOR, QUIET, px
from salesops.wording import label, money, ratio, say
from salesops.wording.numbers import count, money_unit

BAR = 0.5
_OWNERS = 6
# Place of 24 hours on the curve.
CURVE_DAY = 8
NAMED = ("unnamed", "pool", "nobody", "another_team", "others")


def shown_name(value: str) -> str:
    """Give the word for a source, reason or owner that is none, else the name itself."""
    return label(f"who.{value}") if value in NAMED else value


def _short(text: str, most: int) -> str:
    """Cut a long name, counting a Chinese character as two."""
    width, kept = 0, ""
    for letter in text:
        width += 2 if ord(letter) > 0x2E80 else 1
        if width > most:
            return kept + "…"
        kept += letter
    return kept


def cohort_name(text: str) -> str:
    """Write a cohort on an axis: 24Q1, or 24-03."""
    return text[2:]


def cohorts(frame: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the share of each cohort that became a customer, its range, and the year before."""
    ax = theme.own_axes(ax, height=240)
    columns = frame[["high", "long_rate", "prior_rate"]].max().max()
    top = float(columns) * 1.15 if columns == columns and columns > 0 else 0.1
    for x, row in enumerate(frame.to_dict("records")):
        if not row["is_mature"]:
            ax.axvspan(x - 0.42, x + 0.42, color=BAND, alpha=0.55, lw=0, zorder=0)
        elif row["rate"] == row["rate"]:
            _cohort(ax, x, row)
        if row["prior_rate"] == row["prior_rate"]:
            ax.plot([x - 0.3, x + 0.3], [row["prior_rate"]] * 2, color=PRIOR, lw=px(2),
                    solid_capstyle="butt", zorder=4)  # fmt: skip
    young = [x for x, is_mature in enumerate(frame["is_mature"]) if not is_mature]
    if young:
        ax.annotate(label("label.too_young"), (sum(young) / len(young), top * 0.95), ha="center",
                    va="top", fontsize=px(11), color=QUIET)  # fmt: skip
    ax.set_xlim(-0.6, len(frame) - 0.4)
    ax.set_ylim(-0.05 * top, top)
    ax.grid(False, axis="x")
    ax.grid(True, axis="y")
    names = [f"{cohort_name(c)}\n{count(n)}" for c, n in zip(frame["cohort"], frame["n"],
                                                             strict=True)]  # fmt: skip
    ax.set_xticks(range(len(frame)), names)
    _share_axis(ax, top)
    return ax


def _cohort(ax: Axes, x: int, row: dict[Any, Any]) -> None:
    few = row["n"] < 30
    if not few:
        ax.bar(x, row["high"] - row["low"], 0.5, bottom=row["low"], color=BAND, zorder=1)
    if row["long_rate"] == row["long_rate"]:
        ax.plot([x], [row["long_rate"]], "D", ms=px(7), color=LATER, mec="white", mew=px(0.8),
                zorder=3)  # fmt: skip
    _dot(ax, x, row["rate"], ACTUAL, few=few)
    ax.annotate(ratio(row["rate"]), (x, row["rate"]), (px(7), 0), textcoords="offset points",
                fontsize=px(12), color=QUIET if few else INK, va="center_baseline",
                zorder=7)  # fmt: skip


def _dot(ax: Axes, x: float, y: float, colour: str, *, few: bool) -> None:
    ax.plot([x], [y], "o", ms=px(9), color="white" if few else colour,
            mec=QUIET if few else "white", mew=px(1.5 if few else 1), zorder=5,
            clip_on=False)  # fmt: skip


def _share_axis(ax: Axes, top: float) -> None:
    ax.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    ticks = [t for t in ax.get_yticks() if 0 <= t <= top]
    ax.set_yticks(ticks, [ratio(t) if t else "0" for t in ticks])
    ax.tick_params(axis="y", labelsize=px(11), labelcolor=QUIET)


def sources(
    frame: pd.DataFrame, *, ax: Axes | None = None, worst: str = "", most: int = 14
) -> Axes:
    """Draw the share of customers of each source with its range, the year before as a line."""
    ax = theme.own_axes(ax, height=240)
    theme.rows(ax, [_short(shown_name(s), most) for s in frame["source"]])
    marks = frame[["low", "high", "prior_rate"]].astype("float64")
    low, high = (float(v) if v == v else 0.0 for v in (marks.min().min(), marks.max().max()))
    for y, row in enumerate(frame.to_dict("records")):
        if row["rate"] != row["rate"]:
            continue
        few = row["n_accounts"] < 30
        if not few:
            ax.barh(y, row["high"] - row["low"], BAR, left=row["low"], color=BAND, zorder=1)
        theme.prior_mark(ax, row["prior_rate"], y)
        _dot(ax, row["rate"], y, BAD if row["source"] == worst else ACTUAL, few=few)
    # Shares as dots need not begin at nought where none is near it.
    spare = 0.12 * (high - low)
    ax.set_xlim(low - spare if low > high / 3 else -spare, high + spare if high > 0 else 0.1)
    ax.set_xticks([])
    return ax


def sources_figure(
    frame: pd.DataFrame, width: int, *, worst: str = "", deals: bool = False
) -> Figure:
    """Put the counts, the share of customers and the money beside each source."""
    shown = frame.head(7)
    body = 24 * max(len(shown), 1)
    fig = theme.figure(width, body + 34)
    valid = bool(shown["valid_rate"].notna().any())
    ax = theme.panel(fig, 160, 26, 72, body)
    sources(shown, ax=ax, worst=worst, most=13 if valid else 17)
    per = say("label.money_per", unit=money_unit())
    columns = [
        (-0.60 if valid else -0.12, label("label.deals_n" if deals else "label.leads_n"), "n"),
        *([(-0.06, label("label.valid"), "valid_rate")] if valid else []),
        (1.44, label("label.customers"), "n_signed"), (2.33, per, "money_per_lead"),
    ]  # fmt: skip
    theme.head(ax, label("label.won_share" if deals else "label.customer_share"))
    for x, text, column in columns:
        theme.head(ax, text, x=x, align="right")
        for y, row in enumerate(shown.to_dict("records")):
            few = row["n_accounts"] < 30
            ink = QUIET if few else BAD if row["source"] == worst else INK
            theme.column_text(ax, x, y, _cell(column, row[column]), color=ink)
    return fig


def _cell(column: str, value: float) -> str:
    """Write a number of the sources: a share, money per hundred, or a count."""
    if column == "money_per_lead":
        return money(100 * value, unit=False)
    return ratio(value) if column.endswith("rate") else count(value)


def curve(frame: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the share of leads answered by each hour, of working days and of days off."""
    ax = theme.own_axes(ax, height=240)
    places = list(range(len(frame)))
    ax.plot(places, frame["prior_share"], color=PRIOR, lw=px(2), zorder=2)
    _line(ax, places, frame["work_share"], ACTUAL, label("label.work_days"), up=True)
    _line(ax, places, frame["off_share"], LATER, label("label.days_off"), up=False)
    marks = [i for i, h in enumerate(frame["hours"]) if h in (0.25, 1.0, 4.0, 24.0, 72.0)]
    ax.set_xticks(marks, [_hours(frame["hours"].iloc[i]) for i in marks])
    ax.set_ylim(0, 1.02)
    ax.set_yticks([0, 0.5, 1], ["0", ratio(0.5), ratio(1.0)])
    ax.tick_params(axis="y", labelsize=px(11), labelcolor=QUIET)
    ax.set_xlim(0, len(frame) - 1)
    ax.grid(False, axis="x")
    ax.grid(True, axis="y")
    theme.head(ax, label("label.answered_by"))
    return ax


def _line(
    ax: Axes, places: list[int], values: pd.Series, colour: str, text: str, *, up: bool
) -> None:
    """Draw one line of answers, named at 24 hours."""
    if values.isna().all():
        return
    ax.plot(places, values, color=colour, lw=px(2), zorder=3)
    at = CURVE_DAY
    ax.annotate(
        f"{text} {ratio(values.iloc[at])}", (at, values.iloc[at]),
        (0, px(4)) if up else (px(4), px(-15)), textcoords="offset points", fontsize=px(11),
        ha="center" if up else "left", color=ACTUAL if up else QUIET, zorder=6,
    )  # fmt: skip


def _hours(hours: float) -> str:
    minutes = round(hours * 60)
    return say("label.minutes", n=minutes) if minutes < 60 else say("label.hours", n=round(hours))


def time_name(until: float, before: float) -> str:
    """Name a time of answer by its ends, in hours."""
    if until != until:
        return label("label.never")
    if math.isinf(until):
        return say("label.later_than", hours=_hours(before))
    return say("label.within", hours=_hours(until))


def times(frame: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the share that became a deal by time of answer, with its range."""
    ax = theme.own_axes(ax, height=240)
    known = frame[frame["until"].notna()]
    ends = known["until"].tolist()
    theme.rows(ax, [time_name(u, b) for u, b in zip(ends, [0.0, *ends], strict=False)])
    top = known["high"].max()
    top = float(top) * 1.1 if top == top and top > 0 else 0.1
    for y, row in enumerate(known.to_dict("records")):
        if row["rate"] != row["rate"]:
            continue
        few = row["n"] < 30
        if not few:
            ax.barh(y, row["high"] - row["low"], BAR, left=row["low"], color=BAND, zorder=1)
        _dot(ax, row["rate"], y, ACTUAL, few=few)
        theme.column_text(ax, 1.30, y, ratio(row["rate"]), color=QUIET if few else INK)
        theme.column_text(ax, 1.62, y, count(row["n"]), color=QUIET, size=11)
    ax.set_xlim(0, top)
    ticks = [t for t in MaxNLocator(3, steps=[1, 2, 5, 10]).tick_values(0, top) if 0 <= t <= top]
    ax.set_xticks(ticks, [ratio(t) if t else "0" for t in ticks])
    theme.head(ax, label("label.became_deal"))
    theme.head(ax, label("label.leads_n"), x=1.62, align="right")
    return ax


def response_figure(frame: pd.DataFrame, by_time: pd.DataFrame, width: int) -> Figure:
    """Put the curve of answers above what became of the leads by time of answer."""
    body = 17 * int(by_time["until"].notna().sum())
    fig = theme.figure(width, 134 + body + 18)
    curve(frame, ax=theme.panel(fig, 34, 20, width - 34 - 26, 72))
    times(by_time, ax=theme.panel(fig, 104, 134, 140, body))
    return fig


def bars(
    names: Sequence[str], values: Sequence[float], texts: Sequence[str], *,
    prior: Sequence[float] = (), norm: Sequence[float] = (), minor: Sequence[bool] = (),
    worst: int = -1, ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Draw one bar per name with a text at its end, the time before and the norm as marks."""
    ax = theme.own_axes(ax, height=240)
    theme.rows(ax, [_short(name, 16) for name in names])
    marks = [v for v in (*values, *prior, *norm) if v == v]
    for y, (value, text) in enumerate(zip(values, texts, strict=True)):
        pale = bool(minor) and minor[y]
        colour = BAD if y == worst else LATER if pale else ACTUAL
        ax.barh(y, value, BAR, color=colour, zorder=3)
        here = [value, *(s[y] for s in (prior, norm) if len(s))]
        if len(prior):
            theme.prior_mark(ax, prior[y], y, half=0.32)
        if len(norm):
            theme.plan_mark(ax, norm[y], y, reach=0.32)
        theme.label_end(ax, max(v for v in here if v == v), y, text,
                        color=BAD if y == worst else INK)  # fmt: skip
    ax.set_xlim(0, max([*marks, 0.0]) * 1.02 or 1)
    ax.xaxis.set_major_locator(MaxNLocator(3, integer=True, prune=None))
    return ax


def bars_figure(
    width: int, names: Sequence[str], values: Sequence[float], texts: Sequence[str], head: str,
    *, room: int = 92, left: int = 108, **marks: Any,
) -> Figure:  # fmt: skip
    """Draw bars at a column's width, with room for the texts at their ends."""
    body = 21 * max(len(names), 1)
    fig = theme.figure(width, body + 44)
    ax = theme.panel(fig, left, 24, width - left - room, body)
    bars(names, values, texts, ax=ax, **marks)
    theme.head(ax, head)
    return fig


def owners_shown(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Choose the owners that are drawn, pool and nobody always, and give the others apart."""
    apart = frame["owner_id"].isin(["pool", "nobody"])
    people, others = frame[~apart], frame[apart]
    top = people[people["n_untouched"] > 0].head(_OWNERS - len(others))
    return pd.concat([top, others]), people.drop(index=top.index)


def owners_figure(frame: pd.DataFrame, width: int, *, norm: float) -> Figure:
    """Draw the leads never contacted by owner; the norm of each is a triangle."""
    rows = list(zip(frame["n_untouched"], frame["n"], frame["untouched_share"], strict=True))
    texts = [say("label.k_of_n", k=int(k), n=int(n), share=share) for k, n, share in rows]
    return bars_figure(
        width, [shown_name(o) for o in frame["owner"]], [k for k, _n, _s in rows], texts,
        label("label.untouched"), norm=[n * norm for _k, n, _s in rows], room=116, left=92,
        minor=[n < 30 for _k, n, _s in rows],
    )  # fmt: skip


def reasons_figure(frame: pd.DataFrame, width: int, *, deals: bool = False) -> Figure:
    """Draw how often each reason is given, the time before as a line."""
    shown = frame.head(_OWNERS)
    pairs = zip(shown["n"], shown["share"], strict=True)
    return bars_figure(
        width, [shown_name(r) for r in shown["reason"]], shown["n"].tolist(),
        [say("label.n_share", n=int(n), share=share) for n, share in pairs],
        label("label.deals_n" if deals else "label.leads_n"), prior=shown["prior_n"].tolist(),
    )  # fmt: skip


def statuses_figure(frame: pd.DataFrame, width: int) -> Figure:
    """Draw how many leads stand at each status."""
    counts = frame.groupby("status")["n"].sum().sort_values(ascending=False).head(_OWNERS)
    total = frame["n"].sum()
    texts = [say("label.n_share", n=int(n), share=n / total) for n in counts]
    names = [shown_name(s) for s in counts.index]
    return bars_figure(width, names, counts.tolist(), texts, label("label.leads_n"))


def load_figure(frame: pd.DataFrame, width: int) -> Figure:
    """Draw how many leads each person has, and the status of most of them."""
    top = frame.groupby("owner")["n"].sum().sort_values(ascending=False).head(_OWNERS)
    texts = []
    for owner, n in top.items():
        own = frame[frame["owner"] == owner].groupby("status")["n"].sum()
        status = shown_name(str(own.idxmax()))
        texts.append(say("label.n_mostly", n=int(n), status=status, k=int(own.max())))
    names = [shown_name(str(o)) for o in top.index]
    return bars_figure(width, names, top.tolist(), texts, label("label.leads_n"), room=140, left=76)


def cohorts_figure(
    frame: pd.DataFrame, width: int, *, horizon: int, longer: int, deals: bool = False
) -> Figure:
    """Draw the cohorts at a width, the kinds of mark named above."""
    shown = frame if width >= theme.FULL else frame.tail(6).reset_index(drop=True)
    fig = theme.figure(width, 186)
    ax = cohorts(shown, ax=theme.panel(fig, 44, 24, width - 44 - 22, 120))
    name = label("label.deals_n" if deals else "label.companies")
    ax.annotate(name, (0, 0), (-px(44), -px(34)), xycoords="axes fraction",
                textcoords="offset points", fontsize=px(11), color=QUIET)  # fmt: skip
    within = "label.won_within" if deals else "label.signed_within"
    theme.head(ax, say(within, n=horizon, longer=longer))
    return fig
