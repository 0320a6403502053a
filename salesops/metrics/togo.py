"""Coverage of a running period: now, week by week, and against what earlier periods needed."""

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import ibis
import numpy as np
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.metrics.attainment import due_by_now
from salesops.metrics.coverage import (
    ENOUGH,
    earlier_periods,
    inverse,
    laid_out,
    offsets,
    past_shares,
    quantiles,
    with_won,
    won_by,
    won_deals,
)
from salesops.metrics.goals import goal
from salesops.metrics.leaks import elapsed
from salesops.metrics.opendeals import has_touches
from salesops.model.calendar import Period

Table: TypeAlias = ibis.Table
WEEKS = ["days", "week", "open", "won", "silent", "coverage", "awake", "prior", "need", "need_low",
         "need_high"]  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class Coverage:
    """How far open deals cover what is to go in a period; money in company currency.

    Attributes
    ----------
    weeks
        One row per point of the curve: `days` (of the period that are over), `week` (number),
        `open`, `won`, `silent` (part of `open`), `coverage`, `awake` (coverage without silent
        deals), `prior` (the period before), `need`, `need_low`, `need_high` (80 %; null where
        fewer than four earlier periods are known). Coverage is null once the target is met.
    target, won, open, silent, overdue
        Of the period so far; null where not known.
    silent_n
        Silent deals among those open and expected in the period.
    prior_won_share
        Part of the target that the period before had won by the same day.
    share
        Part of what was open at this day of earlier periods that was then won in them, with
        `share_low`, `share_high` (80 % of periods).
    later
        What earlier periods won after this day beyond that: deals that came or moved in later.
    likely_low, likely_high
        What the rest of the period brings in eight of ten periods.
    reach_p
        Chance that a further period like those before brings what is to go.
    due
        What of the target should be won by now, as the metric `pace` has it.
    n_periods, n_deals
        Earlier periods, and open deals in them at this day.
    """

    weeks: pd.DataFrame
    target: float
    won: float
    open: float
    silent: float
    overdue: float
    silent_n: int
    prior_won_share: float
    share: float
    share_low: float
    share_high: float
    later: float
    likely_low: float
    likely_high: float
    reach_p: float
    due: float
    n_periods: int
    n_deals: int

    @property
    def to_go(self) -> float:
        """What is still to be won, null without a target, never below 0."""
        return max(self.target - self.won, 0.0) if self.target == self.target else math.nan

    @property
    def now(self) -> float:
        """Coverage now; null without a target or once it is met."""
        return self.open / self.to_go if self.to_go > 0 else math.nan

    @property
    def need(self) -> float:
        """Coverage that earlier periods needed: one by what they won of what was open then.

        Deals that usually come in later are not part of it; `likely` counts them.
        """
        return 1 / self.share if self.to_go > 0 and self.share > 0 else math.nan

    def told(self) -> dict[str, float]:
        """Give the numbers of which a report speaks, null where not known."""
        to_go, by_now = self.to_go, self.due
        high = 1 / self.share_low if self.share_low > 0 and to_go > 0 else math.nan
        low = 1 / self.share_high if self.share_high > 0 and to_go > 0 else math.nan
        return {
            "target": self.target, "won_by_now": self.won, "to_go": to_go, "open_due": self.open,
            "silent_due": self.silent, "silent_due_n": float(self.silent_n),
            "overdue_due": self.overdue, "coverage": self.now,
            "awake_coverage": (self.open - self.silent) / to_go if to_go > 0 else math.nan,
            "need": self.need, "need_low": low, "need_high": high,
            "week_n_conversion": self.share, "usually_later": self.later,
            "from_open": self.open * self.share, "likely": self.likely,
            "likely_low": self.likely_low, "likely_high": self.likely_high,
            "gap": to_go - self.likely, "gap_low": to_go - self.likely_high,
            "gap_high": to_go - self.likely_low, "surplus": self.likely - to_go,
            "missed_by": self.target - self.won, "won_share": self.won / self.target,
            "prior_won_share": self.prior_won_share, "expected_by_now": by_now,
            "pace_rate": self.won / by_now if by_now > 0 else math.nan,
            "n_periods": float(self.n_periods), "n_then": float(self.n_deals),
        }  # fmt: skip

    @property
    def likely(self) -> float:
        """What the rest of the period will probably bring."""
        return self.open * self.share + self.later


def coverage_of(
    book: Book, period: Period, deals: pd.DataFrame, *, weekly: bool = True
) -> Coverage:
    """How far do the open deals of a period cover what is to go, and how far did they have to?

    Parameters
    ----------
    book
        At the end of a period that is over; see `opendeals.standing`.
    deals
        The open deals now: `open_deals` with silence, as a frame.
    weekly
        Whether to work out the curve by weeks too; without it `weeks` has the present day alone.
    """
    won, reach = won_deals(book), elapsed(book, period)
    due = _due(deals, period)
    now: dict[str, Any] = {
        "target": goal(book, period), "won": won_by(won, period, reach),
        "due": due_by_now(book, period),
        "open": _money(due), "silent": _money(due[due["silent"].eq(True)]),
        "overdue": _money(due[due["overdue"].eq(True)]),
        "silent_n": int(due["silent"].eq(True).sum()),
        "prior_won_share": won_by(won, period.prior(), reach) / goal(book, period.prior()),
    }  # fmt: skip
    days = offsets(book, period) if weekly else [reach] * (reach > 0)
    rows = laid_out(book, period, days) if days else None
    if rows is None:
        return Coverage(weeks=pd.DataFrame(columns=WEEKS).astype("float64"), **now, **_unknown())
    rows = with_won(rows, won)
    taken = _.cents.sum(where=_.is_won).fill_null(0)
    sums = rows.group_by("period", "days").agg(
        n=_.count(), cents=_.cents.sum().cast("float64"), won_cents=taken.cast("float64"),
        value=_.won_cents.sum(where=_.is_won).fill_null(0.0),
    )  # fmt: skip
    points = sums.to_pandas().fillna({"cents": 0.0})
    points["won_cents"] = points["won_cents"].astype("float64")
    shares = past_shares(points)
    later = _later(points, won, earlier_periods(book, period))
    usual = _usual(shares, later, reach, now)
    silent = _silent(book, rows) if weekly else pd.Series(dtype="float64")
    weeks = _weeks(book, period, points, shares, won, silent)
    return Coverage(weeks=weeks, **now, **usual)


def _due(deals: pd.DataFrame, period: Period) -> pd.DataFrame:
    expected = pd.to_datetime(deals["expected_close_on"])
    first, last = pd.Timestamp(period.start), pd.Timestamp(period.end)
    return deals[expected.between(first, last)]


def _money(deals: pd.DataFrame) -> float:
    """Sum values; null where there are deals and none has one."""
    if deals.empty:
        return 0.0
    return float(deals["cents"].astype("float64").sum(min_count=1) / 100)


def _unknown() -> dict[str, Any]:
    names = ("share", "share_low", "share_high", "later", "likely_low", "likely_high", "reach_p")
    return {**dict.fromkeys(names, math.nan), "n_periods": 0, "n_deals": 0}


def _later(
    points: pd.DataFrame, won: pd.DataFrame, earlier: list[Period]
) -> pd.DataFrame:  # fmt: skip
    """What each earlier period won after each day, beside what was open and due then.

    One row per period and day: `later`, `share` (won part of what was open; 0 where none was).
    """
    rows = []
    past = points[points["period"] > 0].set_index(["period", "days"])
    for k, days in past.index:
        here, period = past.loc[(k, days)], earlier[k - 1]
        by_now, whole = won_by(won, period, days), won_by(won, period, period.days)
        later = max(whole - by_now - float(here["value"]) / 100, 0.0)
        there = float(here["cents"])
        share = float(here["won_cents"]) / there if there > 0 else 0.0
        rows.append((k, days, later, share))
    return pd.DataFrame(rows, columns=["period", "days", "later", "share"])


def _usual(
    shares: pd.DataFrame, later: pd.DataFrame, reach: int, now: dict[str, float]
) -> dict[str, Any]:
    """What earlier periods made of what was open at this day, and what they won beside it."""
    if reach not in shares.index or math.isnan(shares.loc[reach, "share"]):
        return _unknown()
    row, here = shares.loc[reach], later[later["days"] == reach]
    sums = here["share"] * now["open"] + here["later"]
    usual = float(here["later"].median())
    likely = now["open"] * float(row["share"]) + usual
    low, high = quantiles(sums.tolist())
    return {
        "share": float(row["share"]), "share_low": float(row["low"]),
        "share_high": float(row["high"]), "later": usual,
        "likely_low": min(low, likely), "likely_high": max(high, likely),
        "reach_p": _chance_to_reach(sums, max(now["target"] - now["won"], 0.0)),
        "n_periods": int(row["n_periods"]), "n_deals": int(row["n"]),
    }  # fmt: skip


def _chance_to_reach(sums: "pd.Series[float]", to_go: float) -> float:
    """How probable is it that a further period like those before brings what is to go?

    A prediction by the t distribution from the sums of earlier periods (Geisser, Predictive
    Inference, 1993, §2.2.2).
    """
    n = len(sums)
    if n < ENOUGH or math.isnan(to_go):
        return math.nan
    from scipy.special import stdtr

    spread = float(sums.std(ddof=1)) * math.sqrt(1 + 1 / n)
    if spread == 0:
        return float(sums.mean() >= to_go)
    return float(stdtr(n - 1, (float(sums.mean()) - to_go) / spread))


def _weeks(
    book: Book, period: Period, points: pd.DataFrame, shares: pd.DataFrame, won: pd.DataFrame,
    silent: "pd.Series[float]",
) -> pd.DataFrame:  # fmt: skip
    now = _course(points, 0, period, goal(book, period), won)
    prior = _course(points, 1, period.prior(), goal(book, period.prior()), won)
    quiet, left = silent.reindex(now.index), now["left"]
    # Once the target is met nothing is needed.
    known = shares.reindex(now.index)
    needed = {name: inverse(known[name]).where(left > 0) for name in ("share", "low", "high")}
    found = pd.DataFrame({
        "week": np.ceil(now.index.to_numpy() / 7), "open": now["open"], "won": now["won"],
        "silent": quiet, "coverage": now["open"] / left, "awake": (now["open"] - quiet) / left,
        "prior": (prior["open"] / prior["left"]).reindex(now.index),
        "need": needed["share"], "need_low": needed["high"], "need_high": needed["low"],
    }, index=now.index)  # fmt: skip
    return found.reset_index(names="days")[WEEKS].astype("float64")


def _course(
    points: pd.DataFrame, k: int, period: Period, target: float, won: pd.DataFrame
) -> pd.DataFrame:
    """What was open, won and to go at each day of one period; to go is null once it is met."""
    mine = points[points["period"] == k].set_index("days").sort_index()
    by_then = pd.Series({d: won_by(won, period, d) for d in mine.index}, dtype="float64")
    left = target - by_then
    return pd.DataFrame({"open": mine["cents"] / 100, "won": by_then, "left": left.where(left > 0)})


def _silent(book: Book, rows: Table) -> "pd.Series[float]":
    """Sum, at each point of the period, the value of deals that were silent then."""
    if has_touches(book) is not None:
        return pd.Series(dtype="float64")
    rows = rows.filter(_.period == 0).select("days", "id", "stage", "cents", "at")
    # Whoever owns the deal today: its touches were known then to whoever owned it then.
    touches = book.unscoped("activities").filter(_.direction == "two_way")
    touches = touches.select("opportunity_id", "occurred_at",
                             known_at=ibis.coalesce(_.logged_at, _.occurred_at))  # fmt: skip
    born = book.store.tables["opportunities"].select(born_id="id", born_at="created_at")
    rows = rows.join(born, rows.id == born.born_id).drop("born_id")
    seen = rows.left_join(
        touches,
        [rows.id == touches.opportunity_id, touches.occurred_at <= rows.at,
         touches.known_at <= rows.at],
    )  # fmt: skip
    keys = ("days", "id", "stage", "cents", "at", "born_at")
    frame = seen.group_by(*keys).agg(last=_.occurred_at.max()).to_pandas()
    frame["last"] = frame["last"].fillna(frame["born_at"])
    norms = {s.id: s.touch_days for s in book.settings.stages if s.touch_days}
    counts, origin = book.calendar.working_day_counts()
    zone = book.settings.company.zone

    def worked(instants: pd.Series) -> pd.Series:
        days = (
            instants.dt.tz_localize("UTC").dt.tz_convert(zone).dt.tz_localize(None).dt.normalize()
        )
        return pd.Series(counts[(days - pd.Timestamp(origin)).dt.days], index=instants.index)

    frame = frame.dropna(subset=["last"])
    gap = worked(frame["at"]) - worked(frame["last"])
    limit = frame["stage"].map(norms).astype("float64") * book.settings.norms.silent_after
    quiet = frame["cents"].astype("float64").where(gap > limit, 0.0)
    return quiet.groupby(frame["days"]).sum() / 100
