"""Which open deals stand still, which will not move on, and whom to call this week?"""

import datetime as dt
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from salesops.analyses.explained import explain
from salesops.analyses.result import Lead, Setting
from salesops.analyses.scoredresult import ScoredResult, scored_of
from salesops.book.book import Book
from salesops.book.shared import shared
from salesops.charts import stall as pictures
from salesops.charts import stall_page as words
from salesops.charts.exhibit import Exhibit
from salesops.charts.parts import Shown
from salesops.charts.table import TableView
from salesops.checks.judged import examine
from salesops.checks.registry import checks_of
from salesops.methods.intervals import difference
from salesops.metrics.dealstates import left_out
from salesops.metrics.landmarks import known_since
from salesops.metrics.opendeals import has_touches, open_deals, with_silence
from salesops.metrics.stallreasons import as_told
from salesops.metrics.stalls import (
    LIST,
    Stalls,
    stalls,
    stalls_before,
    week_list,
    what_became,
)
from salesops.model.finding import Finding, Gap, Method

# Looked for by the diagnosis too, so that both say the same.
CHECKED = ("silent_deals", "dead_deals")
# Past chances within so much of 0.7 show what it means.
EXAMPLE, AROUND = 0.7, 0.05
# Weeks whose lists are compared with what was kept off them, each once its thirty days are over.
EFFECT_WEEKS = 8


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Stall(ScoredResult):
    """Which open deals stand still, and which will.

    Attributes
    ----------
    teams
        One row per team: `team`, `n` (open deals), `n_stalled`, `money` (stalled), `share` (of the
        open value), `prior_share` (a month before).
    week
        This week's list: `metrics.stalls.week_list`, with `owner` (name) and `because` (reasons as
        `(reason, value, norm)`).
    why
        One row per reason that is the weightiest of listed deals: `reason`, `n`, `money`.
    silent
        One row per stage: `stage`, `n`, `middle_days`, `most_days` (working days since the last
        two-way touch: half, and nine tenths, of the deals below), `touch_days` (norm).
    last
        Last week's list with `outcome`.
    effect
        Of listing, where deals were kept off lists by lot: `listed`, `held`, `n_listed`, `n_held`,
        `more`, `low`, `high`; empty otherwise.
    """

    teams: pd.DataFrame
    week: pd.DataFrame
    why: pd.DataFrame
    silent: pd.DataFrame
    last: pd.DataFrame
    effect: dict[str, float]

    @property
    def list_table(self) -> TableView | Shown:
        """The list of this week, of everybody."""
        return words.list_table(self.week, self.scored.kind)

    @property
    def last_table(self) -> TableView | Shown:
        """The list of the week before, with what happened."""
        return words.last_table(self.last)

    def plot_calibration(self, ax: Axes | None = None) -> Axes:
        """Draw what was said against what happened."""
        return pictures.calibration(self.scored.bins, ax=ax)


@shared
def stall(
    book: Book, *, period: str = "latest", holdout_share: float = 0.0, touch_cost: float = 300.0,
    saved_share: float = 0.02,
) -> Stall:  # fmt: skip
    """Which open deals stand still, which will not move on, and whom to call this week?

    Parameters
    ----------
    book
        The company, at its date and in its scope.
    period
        `2026-03`, `2026Q1`, `2026` or `latest`; a period that is over is seen from its end.
    holdout_share
        Share of the deals, 0-1, that a lot keeps off each week's list. It is the only way to learn
        what being on the list does; 0 keeps nothing off and claims nothing.
    touch_cost, saved_share
        For the cost curve: money that looking after a deal costs, and the share of the value of
        stalling deals that it is supposed to save.

    Returns
    -------
    Stall
        What stands still, this week's list and last week's, reasons, and how good the chances are.

    Raises
    ------
    BadPeriod
        The period is none of these.

    Notes
    -----
    Priority is value times the chance of not advancing within thirty days times the chance of
    being won once it advances. It says where most money lies, not what a call will do.

    Examples
    --------
    >>> from salesops.book.book import open_book
    >>> stall(open_book("tests/tiny_company")).scored.kind
    'base'
    """
    setting = Setting(book=book, period=book.period(period))
    stood = book if book.date <= setting.period.end else book.as_of(setting.period.end)
    checked = examine(stood, setting.period, checks_of(CHECKED))
    seen = _seen(stood, checked.findings, holdout_share, touch_cost, saved_share)
    exhibits = words.exhibits(seen, lambda name: explain(book, name, period=period))
    m = seen.numbers
    return Stall(
        report="stall", setting=setting, verdict=words.verdict(seen), metrics=m,
        exhibits=exhibits, findings=checked.findings, method=_method(stood, seen),
        gaps=(*_gaps(stood, exhibits, seen), *checked.gaps),
        lead=Lead(name="lead.stalled", kind="ratio", value=m["stalled_share"],
                  prior=m["prior_share"], better="down"),
        teams=seen.teams, week=seen.week, why=seen.why, silent=seen.silent, last=seen.last,
        scored=seen.scored, effect=seen.effect,
    )  # fmt: skip


def _seen(
    book: Book, findings: tuple[Finding, ...], holdout: float, cost: float, saved: float
) -> words.Seen:
    """Lay out the frames, each worked out once."""
    found = stalls(book)
    names = book.people().set_index("id")["name"]
    week = _with_reasons(week_list(book, holdout_share=holdout), found, names)
    before = book.as_of(book.date - dt.timedelta(days=7))
    last = _last_week(book, before, holdout, names)
    open_ = _open(book)
    then = _open(book.as_of(book.date - dt.timedelta(days=28)))
    teams = _by_team(open_, then)
    scored = scored_of("stall", found.judged, found.model, found.past, _example(found.judged),
                       cost=cost, saved=saved, most=LIST)  # fmt: skip
    numbers = {
        **{f"example_{name}": value for name, value in scored.example.items()},
        "n_open": float(len(open_)), "open_money": float(open_["money"].sum()),
        "n_stalled": float(open_["stalled"].sum()), "stalled_money": _stalled_money(open_),
        "stalled_share": _share(open_), "prior_share": _share(then), "n_listed": float(len(week)),
        "listed_money": float(week["money"].sum()) if len(week) else 0.0,
        "n_last": float(len(last)), "n_moved": _became(last, "moved"),
        "n_nothing": _became(last, "nothing"),
    }  # fmt: skip
    return words.Seen(
        settings=book.settings, findings=findings, teams=teams, week=week, why=_why(week),
        numbers={k: None if math.isnan(v) else v for k, v in numbers.items()},
        silent=_silent(book, open_), last=last, scored=scored,
        effect=_effect(book, holdout),
    )  # fmt: skip


def _became(last: pd.DataFrame, outcome: str) -> float:
    return float((last["outcome"] == outcome).sum()) if len(last) else math.nan


def _open(book: Book) -> pd.DataFrame:
    """Give the open deals with whether they stand still; null without touches."""
    rows = with_silence(book, open_deals(book)).select(
        "id", "stage", "team", "cents", "silent_days", "touch_days", "stalled")  # fmt: skip
    frame = rows.to_pandas()
    known = has_touches(book) is None
    stalled = frame["stalled"].eq(True) if known else False
    return frame.assign(money=frame["cents"].astype(float).fillna(0.0) / 100, stalled=stalled,
                        is_known=known)  # fmt: skip


def _stalled_money(frame: pd.DataFrame) -> float:
    return float(frame.loc[frame["stalled"].astype(bool), "money"].sum())


def _share(frame: pd.DataFrame) -> float:
    whole = float(frame["money"].sum())
    if not whole > 0 or not frame["is_known"].all():
        return math.nan
    return _stalled_money(frame) / whole


def _by_team(now: pd.DataFrame, then: pd.DataFrame) -> pd.DataFrame:
    columns = ["team", "n", "n_stalled", "money", "share", "prior_share"]
    if now.empty or not now["is_known"].all():
        return pd.DataFrame(columns=columns)
    prior = {team: _share(part) for team, part in then.groupby("team")}
    found = [
        (team, len(part), int(part["stalled"].sum()), _stalled_money(part), _share(part),
         prior.get(team, math.nan))
        for team, part in now.groupby("team")
    ]  # fmt: skip
    table = pd.DataFrame(found, columns=columns)
    return table.sort_values("money", ascending=False, ignore_index=True)


def _silent(book: Book, open_: pd.DataFrame) -> pd.DataFrame:
    known = open_[open_["silent_days"].notna() & open_["touch_days"].notna()]
    order = [s.id for s in book.settings.stages]
    found = [
        (stage, len(part), float(part["silent_days"].median()),
         float(part["silent_days"].quantile(0.9)), float(part["touch_days"].iloc[0]))
        for stage, part in known.groupby("stage")
    ]  # fmt: skip
    table = pd.DataFrame(found, columns=["stage", "n", "middle_days", "most_days", "touch_days"])
    return table.sort_values("stage", key=lambda s: s.map(order.index), ignore_index=True)


def _with_reasons(week: pd.DataFrame, found: Stalls, names: "pd.Series[str]") -> pd.DataFrame:
    because = as_told(found.reasons, week["id"])
    owner = week["owner_id"].map(names).fillna(week["owner_id"])
    return week.assign(owner=owner, because=because)


def _why(week: pd.DataFrame) -> pd.DataFrame:
    first = week.assign(reason=[told[0][0] if told else None for told in week["because"]])
    sums = first.dropna(subset=["reason"]).groupby("reason")["money"].agg(n="size", money="sum")
    return sums.reset_index().sort_values("money", ascending=False, ignore_index=True)


def _last_week(
    book: Book, then: Book, holdout: float, names: "pd.Series[str]"
) -> pd.DataFrame:  # fmt: skip
    """Give last week's list with what happened, and the sums by what happened for the page."""
    if known_since(book) is None or then.n("opportunities") == 0:
        return pd.DataFrame()
    stalls_before(then, book)
    listed = week_list(then, holdout_share=holdout)
    if listed.empty:
        return pd.DataFrame()
    listed = listed[~listed["is_held_out"]]
    found = what_became(book, listed, then)
    return found.assign(owner=found["owner_id"].map(names).fillna(found["owner_id"]))


def _effect(book: Book, holdout: float) -> dict[str, float]:
    """Compare deals that were listed with those that a lot kept off, over past weeks."""
    if not 0 < holdout < 1:
        return {}
    parts = []
    for k in range(EFFECT_WEEKS):
        then = book.as_of(book.date - dt.timedelta(days=30 + 7 * (k + 1)))
        listed = week_list(then, holdout_share=holdout)
        if len(listed):
            became = what_became(book.as_of(then.date + dt.timedelta(days=30)), listed, then)
            parts.append(became.assign(moved=became["outcome"] == "moved"))
    if not parts:
        return {}
    rows = pd.concat(parts, ignore_index=True)
    # A deal counts once, in the first week in which it came up.
    rows = rows[::-1].drop_duplicates("id")
    held = rows[rows["is_held_out"]]["moved"]
    seen = rows[~rows["is_held_out"]]["moved"]
    if not len(held) or not len(seen):
        return {}
    low, high = difference(float(seen.sum()), len(seen), float(held.sum()), len(held))
    return {"listed": float(seen.mean()), "held": float(held.mean()), "n_listed": len(seen),
            "n_held": len(held), "more": float(seen.mean() - held.mean()), "low": low,
            "high": high}  # fmt: skip


def _example(rows: pd.DataFrame) -> dict[str, float]:
    """Give what became of past deals to which about 0.7 was said."""
    if rows.empty:
        return {}
    near = rows[np.abs(rows["score"].astype(float) - EXAMPLE) <= AROUND]
    if near.empty:
        return {}
    share = near["became"].value_counts(normalize=True)
    return {"said": EXAMPLE, "n": len(near), "stood": float(share.get("stood", 0.0)),
            "ended": float(share.get("ended", 0.0)),
            "advanced": float(share.get("advanced", 0.0))}  # fmt: skip


def _gaps(book: Book, exhibits: dict[str, Exhibit], seen: words.Seen) -> list[Gap]:
    """Say which exhibits have nothing to show, and why."""
    found = []
    missing = has_touches(book)
    for key in ("stalled", "week", "why", "silent", "last"):
        if key in exhibits:
            continue
        if key in ("stalled", "silent") and missing is not None:
            found.append(Gap(what=f"what.{key}", reason="missing_column",
                             needs=missing.removeprefix("missing:")))  # fmt: skip
        elif key == "last" and known_since(book) is None:
            found.append(Gap(what="what.last", reason="no_history", needs="changes"))
        else:
            found.append(Gap(what=f"what.{key}", reason="no_rows", needs=""))
    found += [
        Gap(what="what.features", reason="features_left_out", needs=needs,
            evidence={"n": len(names)})
        for needs, names in left_out(book).items()
    ]  # fmt: skip
    if seen.scored.kind == "base":
        found.append(
            Gap(
                what="what.chances",
                reason="few_past" if seen.scored.measures.empty else "no_better",
                needs="",
                evidence={"n": seen.count("n_open")},
            )
        )
    return found


def _method(book: Book, seen: words.Seen) -> Method:
    n = {"open_deals": seen.count("n_open")}
    if len(seen.scored.measures):
        n["landmarks"] = int(seen.scored.measures["n"].iloc[0])
    return Method(source=("method.landmarks", "method.rolling_origin", "method.priority"),
                  assumptions=("method.reasons_no_cause",), n=n,
                  blind_spots=("blind.unlogged_touches",))  # fmt: skip
