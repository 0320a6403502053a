"""Open deals that will not move on by themselves: chances, priorities, this week's list."""

import datetime as dt
import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from salesops.book.book import Book
from salesops.book.scope import Scope
from salesops.methods.chances import Model, Task
from salesops.methods.modelstore import learned
from salesops.methods.rolling import QUARTER, Rolled, quarters_before
from salesops.methods.survival import aalen_johansen
from salesops.metrics.dealstates import FEATURES
from salesops.metrics.kept import kept
from salesops.metrics.landmarks import ADVANCED, landmarks, landmarks_of, since_weeks, what_next
from salesops.metrics.opendeals import open_deals
from salesops.metrics.stallreasons import by_rule, reasons
from salesops.model.calendar import Period

Floats = npt.NDArray[np.float64]
LIST = 10
# From an advance on a deal is given so many days to be won.
DECIDED_AFTER = 270
# Advances that outweigh what stages have in common.
ALIKE = 20.0
BANDS = 10
# Under so many advances the days until half have moved on are not told.
FEW = 30


@dataclass(frozen=True, kw_only=True, eq=False)
class Stalls:
    """What is said of open deals, and how far it can be believed.

    Attributes
    ----------
    model
        Says the chance of not advancing within thirty days.
    rolled
        What was said at past origins.
    judged
        The rows of `rolled` with `at`, `id`, `owner_id`, `team`, `stage`, `money`, `became`.
    past
        The landmarks that were learnt from.
    now
        One row per open deal of the company at the book's date: its state, `stuck` (chance),
        `win_after` (chance of being won once it advances), `days` (until half of such deals have
        advanced; null where half never do), `priority` (money), `team`.
    reasons
        `metrics.stallreasons.reasons` of these.
    fingerprint
        Of the rows that were learnt from.
    """

    model: Model
    rolled: Rolled
    judged: pd.DataFrame
    past: pd.DataFrame
    now: pd.DataFrame
    reasons: pd.DataFrame
    fingerprint: str


def task_of(frame: pd.DataFrame) -> Task:
    """Say which columns of landmarks are features."""
    known = [f for f in FEATURES if f.id in frame.columns]
    words = tuple(f.id for f in known if f.unit == "word")
    return Task(numbers=tuple(f.id for f in known if f.unit != "word"), words=words,
                rule="age_days" if "age_days" in frame else known[-1].id)  # fmt: skip


def stalls(book: Book) -> Stalls:
    """Say how likely each open deal is to stand still for thirty days.

    It is learnt from all of the company, whatever the scope; deals of the whole company are in it.

    Notes
    -----
    A landmark model (van Houwelingen 2007, Scandinavian Journal of Statistics 34): weeks of open
    deals, each with what was known then. Weeks whose thirty days were not over at an origin teach
    it nothing there; so nothing is censored within the horizon.
    """
    whole = book.within(Scope()).without_renewals()
    return kept("stalls", whole, lambda: _stalls(whole, landmarks(whole)))


def stalls_before(book: Book, later: Book) -> Stalls:
    """Say the same at an earlier date, a whole number of weeks before, as it was said then."""
    whole, rest = (b.within(Scope()).without_renewals() for b in (book, later))
    return kept("stalls", whole, lambda: _stalls(whole, since_weeks(landmarks_of(rest), whole)))


def _stalls(book: Book, rows: pd.DataFrame) -> Stalls:
    task = task_of(rows)
    now = rows[rows["on"] == pd.Timestamp(book.date)].reset_index(drop=True)
    past = rows[rows["known_at"] <= pd.Timestamp(book.instant)].reset_index(drop=True)
    made = learned("stall", past, task, _origins(book, past))
    judged = made.rolled.rows
    keep = [c for c in ("id", "at", "owner_id", "team", "stage", "cents", "became", "became_ever",
                        "became_days") if c in past]  # fmt: skip
    judged = judged.join(past[keep], on="row")
    judged = judged.assign(money=judged["cents"].astype(float) / 100)
    if made.model.kind == "base":
        norms = pd.Series({s.id: s.touch_days for s in book.settings.stages}, dtype=float)
        why = by_rule(now, norms)
    else:
        why = reasons(now, past, made.model)
    now = _with_priority(book, now, past, judged, made.model)
    if made.model.kind == "base":
        # Without chances the silent and the overdue come first, by their money.
        now["priority"] = now["money"].where(now["id"].isin(set(why["id"])), 0.0)
    return Stalls(model=made.model, rolled=made.rolled, judged=judged, past=past, now=now,
                  reasons=why, fingerprint=made.card["fingerprint"])  # fmt: skip


def _origins(book: Book, past: pd.DataFrame) -> list[pd.Timestamp]:
    """Give the past instants at which it is judged; none before half of a year was known."""
    if past.empty:
        return []
    last = pd.Timestamp(book.instant) - pd.Timedelta(days=QUARTER)
    return quarters_before(last, past["at"].min() + pd.Timedelta(days=182))


def _with_priority(
    book: Book, now: pd.DataFrame, past: pd.DataFrame, judged: pd.DataFrame, model: Model
) -> pd.DataFrame:  # fmt: skip
    stuck = model.chance(now)
    wins = win_after_advance(book, past)
    stage = now["stage"] if "stage" in now else pd.Series("", index=now.index)
    after = stage.map(wins).fillna(wins.get("", np.nan)).to_numpy(float)
    money = now["cents"].astype(float).to_numpy() / 100
    team = now["team"] if "team" in now else pd.Series("", index=now.index)
    found = now.assign(stuck=stuck, win_after=after, money=money, team=team,
                       days=_days_to_half(stuck, judged))  # fmt: skip
    return found.assign(priority=money * stuck * after)


def win_after_advance(book: Book, past: pd.DataFrame) -> "pd.Series[float]":
    """Give the chance that a deal is won once it advances from a stage, by stage and `""` for all.

    Deals that advanced at least nine months ago count; those that are still open as not won. A
    stage with few is drawn to all.
    """
    if past.empty or "stage" not in past:
        return pd.Series({"": np.nan})
    moved = past[past["became"] == ADVANCED].drop_duplicates(["id", "stage"], keep="last")
    last = pd.Timestamp(book.instant) - pd.Timedelta(days=DECIDED_AFTER)
    moved = moved[moved["at"] <= last]
    deals = book.opportunities
    won = deals.filter(deals.outcome == "won").select("id").to_pandas()["id"]
    hits = moved["id"].isin(set(won))
    if not len(moved):
        return pd.Series({"": np.nan})
    base = float(hits.mean())
    by_stage = hits.groupby(moved["stage"]).agg(["sum", "size"])
    found = (by_stage["sum"] + ALIKE * base) / (by_stage["size"] + ALIKE)
    return pd.concat([found, pd.Series({"": base})])


def _days_to_half(stuck: Floats, judged: pd.DataFrame) -> Floats:
    """Give the days until half of deals of such a chance have advanced; null where they never do.

    Deals that end otherwise stay in the count: they never advance.
    """
    found = np.full(len(stuck), np.nan)
    if judged.empty or not len(stuck):
        return found
    edges = np.unique(judged["score"].quantile(np.linspace(0, 1, BANDS + 1)[1:-1]))
    band = np.searchsorted(edges, judged["score"].to_numpy(float), side="right")
    mine = np.searchsorted(edges, stuck, side="right")
    last = (judged["at"].max() - judged["at"]).dt.days.to_numpy(float) + 30
    for k in np.unique(mine):
        rows = judged[band == k]
        if (rows["became_ever"] == ADVANCED).sum() < FEW:
            continue
        days = rows["became_days"].to_numpy(float)
        ages = np.where(np.isnan(days), last[band == k], days)
        causes = np.where(np.isnan(days), "", rows["became_ever"].to_numpy(dtype=object))
        curve = aalen_johansen(ages, causes)
        half = np.flatnonzero(curve.by_cause.get(ADVANCED, np.empty(0)) >= 0.5)
        found[mine == k] = curve.ages[half[0]] if len(half) else np.nan
    return found


def held_out(ids: "pd.Series[str]", day: dt.date, share: float) -> "npt.NDArray[np.bool_]":
    """Say which deals are kept off the lists of a quarter, by a lot that anybody can draw again.

    A deal's lot holds for the quarter: one that is off this week's list and on the next one would
    tell nothing of either.

    Examples
    --------
    >>> held_out(pd.Series(["d1", "d2"]), dt.date(2026, 6, 15), 0.0).tolist()
    [False, False]
    """
    quarter = Period.running("quarter", on=day).text
    drawn = [hashlib.sha256(f"{name}|{quarter}".encode()).digest()[:6] for name in ids]
    lots = np.array([int.from_bytes(lot, "big") / 2**48 for lot in drawn], dtype=float)
    return np.asarray(lots < share, dtype=bool)


def week_list(book: Book, *, holdout_share: float = 0.0, most: int = LIST) -> pd.DataFrame:
    """Give this week's deals to look after: the first ten of each person in scope, by priority.

    Parameters
    ----------
    book
        The company, at its date and in its scope.
    holdout_share
        Share of deals that are kept off the lists by lot, so that touching can be judged.

    Returns
    -------
    pandas.DataFrame
        One row per deal: `id`, `name`, `owner_id`, `team`, `stage`, `money`, `stuck`, `days`,
        `win_after`, `priority`, `rank` (of its owner's), `is_held_out` (would be on the list, and
        is kept off), most priority first.
    """
    found = stalls(book)
    mine = open_deals(book).select("id", "name", "owner_id", "team", "silent_days").to_pandas()
    rows = found.now.drop(columns=["owner_id", "team", "silent_days"], errors="ignore")
    rows = rows.merge(mine, on="id")
    rows = rows[rows["priority"] > 0].sort_values(["priority", "id"], ascending=[False, True])
    out = held_out(rows["id"], book.date, holdout_share)
    rows = rows.assign(is_held_out=out, rank=rows.groupby("owner_id").cumcount() + 1)
    # Who is kept off leaves its place empty: the list must not be longer for it.
    rows = rows[rows["rank"] <= most]
    columns = ["id", "name", "owner_id", "team", "stage", "money", "stuck", "days", "win_after",
               "priority", "silent_days", "rank", "is_held_out"]  # fmt: skip
    return rows[[c for c in columns if c in rows]].reset_index(drop=True)


def what_became(book: Book, listed: pd.DataFrame, then: Book) -> pd.DataFrame:
    """Say what happened to the deals of an earlier list: `moved`, `ended`, `touched` or `nothing`.

    Parameters
    ----------
    book
        The company now.
    listed
        As `week_list` gave it for `then`.
    then
        The company at the date of the list.
    """
    asked = listed.assign(at=pd.Timestamp(then.instant))
    became, _days = what_next(book, asked)
    touched = set()
    if book.has("activities.opportunity_id") and book.has("activities.direction"):
        rows = book.unscoped("activities")
        rows = rows.filter(rows.direction == "two_way", rows.occurred_at > then.instant)
        touched = set(rows.select("opportunity_id").to_pandas()["opportunity_id"].dropna())
    spoken = np.where(listed["id"].isin(touched), "touched", "nothing")
    moved = np.where(became == ADVANCED, "moved", np.where(became == "ended", "ended", spoken))
    return listed.assign(outcome=moved)
