"""What is known of each open deal at given dates: the features of stall and of chances.

Every value is what the books showed at the end of that day: fields by their history, activities by
the instant at which they were logged, customers by what had been won until then. A missing table or
a field without history leaves its features out; the rest still stands.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.metrics.currency import with_cents
from salesops.metrics.tracks import DAY, Track, events_of, known_from, seconds

Floats = npt.NDArray[np.float64]
HORIZON = 30


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One thing that is known of an open deal.

    Attributes
    ----------
    id
        Its name in frames and in the wording.
    group
        `stage`, `age`, `dates`, `value`, `touch`, `people`, `customer`, `deal`, `calendar`.
    unit
        `days`, `count`, `money`, `ratio`, `flag` or `word`.
    needs
        Tables or `table.column`s without which it is left out.
    tracked
        The field of `opportunities` whose history it lies on; without one it is left out.
    """

    id: str
    group: str
    unit: str
    needs: tuple[str, ...] = ()
    tracked: str = ""


FEATURES = (
    Feature(id="stage", group="stage", unit="word", tracked="stage"),
    Feature(id="stage_days", group="age", unit="days", tracked="stage"),
    Feature(id="stage_times", group="age", unit="ratio", tracked="stage"),
    Feature(id="age_days", group="age", unit="days", needs=("opportunities.created_at",)),
    Feature(id="n_moves", group="age", unit="count", tracked="stage"),
    Feature(id="n_back", group="age", unit="count", tracked="stage"),
    Feature(id="n_skipped", group="age", unit="count", tracked="stage"),
    Feature(id="to_close_days", group="dates", unit="days", tracked="expected_close_on"),
    Feature(id="n_pushes", group="dates", unit="count", tracked="expected_close_on"),
    Feature(id="amount", group="value", unit="money", tracked="amount"),
    Feature(id="n_amounts", group="value", unit="count", tracked="amount"),
    Feature(id="silent_days", group="touch", unit="days",
            needs=("activities.opportunity_id", "activities.direction")),
    Feature(id="touches_14", group="touch", unit="count", needs=("activities.opportunity_id",)),
    Feature(id="touches_30", group="touch", unit="count", needs=("activities.opportunity_id",)),
    Feature(id="touches", group="touch", unit="count", needs=("activities.opportunity_id",)),
    Feature(id="next_step_days", group="touch", unit="days", tracked="next_step_due_on"),
    Feature(id="team", group="people", unit="word", needs=("users.team",)),
    Feature(id="owner_deals", group="people", unit="count", tracked="owner_id"),
    Feature(id="owner_days", group="people", unit="days", tracked="owner_id"),
    Feature(id="owner_tenure", group="people", unit="days", needs=("users.hired_on",)),
    Feature(id="segment", group="customer", unit="word", needs=("accounts.segment",)),
    Feature(id="won_before", group="customer", unit="count", needs=("opportunities.account_id",)),
    Feature(id="lost_before", group="customer", unit="count", needs=("opportunities.account_id",)),
    Feature(id="open_tickets", group="customer", unit="count", needs=("tickets.account_id",)),
    Feature(id="type", group="deal", unit="word", needs=("opportunities.type",)),
    Feature(id="source", group="deal", unit="word", needs=("opportunities.source",)),
    Feature(id="product_line", group="deal", unit="word", needs=("opportunities.product_line",)),
    Feature(id="work_days_ahead", group="calendar", unit="days"),
    Feature(id="month_ahead", group="calendar", unit="count"),
    Feature(id="quarter_left", group="calendar", unit="days"),
)  # fmt: skip


def usable(book: Book) -> tuple[Feature, ...]:
    """Give the features that the book's tables and histories allow."""
    return tuple(f for f in FEATURES if _lacking(book, f) is None)


def left_out(book: Book) -> dict[str, tuple[str, ...]]:
    """Give what is missing, and the features that are left out for it.

    A field without a history would show its past with what it says today, which may be the end.
    """
    found: dict[str, tuple[str, ...]] = {}
    for feature in FEATURES:
        lacking = _lacking(book, feature)
        if lacking is not None:
            found[lacking] = (*found.get(lacking, ()), feature.id)
    return found


def _lacking(book: Book, feature: Feature) -> str | None:
    """Name the table or column that a feature lacks, or the field whose history it does."""
    lacking = next((need for need in feature.needs if not book.has(need)), None)
    if lacking is None and feature.tracked:
        tracked = book.tracked.get("opportunities", {})
        lacking = None if feature.tracked in tracked else f"changes: {feature.tracked}"
    return lacking


def deal_states(book: Book, dates: Sequence[dt.date]) -> pd.DataFrame:
    """What was known of every open deal at each of the dates?

    Parameters
    ----------
    book
        The company.
    dates
        Days up to the book's; each is seen at its end, the book's own at its instant.

    Returns
    -------
    pandas.DataFrame
        One row per open deal but renewals and date: `id`, `on`, `owner_id`, `account_id`, `cents`,
        and the features that `usable` gives, words as text, all else as floats with null where
        not known.

    Raises
    ------
    BadDate
        A date lies after the book's.
    """
    chosen = {f.id: f for f in usable(book)}
    frame = _open_rows(book, dates)
    at = frame["at"]
    logged = {"dates": _of_dates, "value": _of_value, "people": _of_people}
    makers = {"stage": _of_stage, "touch": _of_touch, "customer": _of_customer,
              "calendar": _of_calendar}  # fmt: skip
    groups = {f.group for f in chosen.values()} | ({"stage"} if "stage" in chosen else set())
    for group, make in makers.items():
        if group in groups:
            frame = frame.assign(**make(book, frame, at))
    if groups & set(logged):
        changes = _changes(book, frame["id"])
        for group, count in logged.items():
            if group in groups:
                frame = frame.assign(**count(book, frame, at, changes))
    frame["age_days"] = _days(at, frame["created_at"])
    for name, feature in chosen.items():
        if feature.unit == "word":
            frame[name] = frame[name].astype("string").fillna("").astype("object")
        else:
            frame[name] = frame[name].astype(float)
    return frame[["id", "on", "at", "owner_id", "account_id", "cents", *chosen]]


def _open_rows(book: Book, dates: Sequence[dt.date]) -> pd.DataFrame:
    panel = with_cents(book, book.without_renewals().panel(list(dates)))
    panel = panel.filter(panel.outcome == "open")
    wanted = ["id", "on", "stage", "owner_id", "account_id", "type", "source", "product_line",
              "created_at", "stage_entered_at", "expected_close_on", "next_step_due_on",
              "cents"]  # fmt: skip
    frame = panel.select(*(c for c in wanted if c in panel.columns)).to_pandas()
    frame = frame.sort_values(["on", "id"], ignore_index=True)
    ends = {day: min(book.calendar.end_of(day), book.instant) for day in dates}
    frame["on"] = pd.to_datetime(frame["on"])
    frame["at"] = frame["on"].dt.date.map(ends).astype("datetime64[us]")
    for column in wanted:
        if column not in frame:
            frame[column] = None
    return frame


def _days(later: "pd.Series[pd.Timestamp]", earlier: "pd.Series[pd.Timestamp]") -> Floats:
    span = (later - pd.to_datetime(earlier)).dt.total_seconds().to_numpy(float)
    return np.asarray(span / DAY, dtype=float)


def _of_stage(book: Book, frame: pd.DataFrame, at: "pd.Series[pd.Timestamp]") -> dict[str, object]:
    ids = frame["id"]
    moves = moves_of(book, ids)
    every = Track.of(moves["id"], moves["changed_at"])
    back = moves[moves["step"] < 0]
    skip = moves[moves["step"] > 1]
    stay = {s.id: s.stay_days for s in book.settings.stages if s.stay_days}
    days = _days(at, frame["stage_entered_at"])
    norm = frame["stage"].map(stay).astype(float).to_numpy()
    return {
        "stage_days": days,
        "stage_times": days / norm,
        "n_moves": every.count(ids, at),
        "n_back": Track.of(back["id"], back["changed_at"]).count(ids, at),
        "n_skipped": Track.of(skip["id"], skip["changed_at"]).count(ids, at),
    }


def moves_of(book: Book, ids: "pd.Series[str]") -> pd.DataFrame:
    """Give the moves of deals between stages, with `step`: by how many stages forwards."""
    rank = {s.id: k for k, s in enumerate(s for s in book.settings.stages if s.kind == "open")}
    moves = events_of(ids, book.moves.select("id", "source", "target", "changed_at"), "id")
    return moves.assign(step=moves["target"].map(rank) - moves["source"].map(rank))


# Fields whose changes are counted.
LOGGED = ("expected_close_on", "amount", "owner_id")


def _changes(book: Book, ids: "pd.Series[str]") -> dict[str, pd.DataFrame]:
    """Give the changes of deals by field, from one pass over the log."""
    rows = book.changes.filter(_.entity == "opportunities", _.field.isin(LOGGED))
    rows = rows.select("entity_id", "field", "old_value", "new_value", "changed_at")
    frame = events_of(ids, rows, "entity_id", "field")
    return {field: frame[frame["field"] == field] for field in LOGGED}


def _of_dates(
    book: Book, frame: pd.DataFrame, at: "pd.Series[pd.Timestamp]", changes: dict[str, pd.DataFrame]
) -> dict[str, object]:
    rows = changes["expected_close_on"]
    later = rows[rows["old_value"].notna() & (rows["new_value"] > rows["old_value"])]
    close = pd.to_datetime(frame["expected_close_on"])
    return {
        "to_close_days": (close - frame["on"]).dt.days.to_numpy(float),
        "n_pushes": Track.of(later["entity_id"], later["changed_at"]).count(frame["id"], at),
    }


def _of_value(
    book: Book, frame: pd.DataFrame, at: "pd.Series[pd.Timestamp]", changes: dict[str, pd.DataFrame]
) -> dict[str, object]:
    rows = changes["amount"]
    changed = rows[rows["old_value"].notna()]
    return {
        "amount": frame["cents"].astype(float) / 100,
        "n_amounts": Track.of(changed["entity_id"], changed["changed_at"]).count(frame["id"], at),
    }


def _of_touch(book: Book, frame: pd.DataFrame, at: "pd.Series[pd.Timestamp]") -> dict[str, object]:
    due = pd.to_datetime(frame["next_step_due_on"])
    found: dict[str, object] = {"next_step_days": (due - frame["on"]).dt.days.to_numpy(float)}
    if not book.has("activities.opportunity_id"):
        return found
    rows = book.unscoped("activities").filter(_.opportunity_id.notnull())
    columns = [c for c in ("opportunity_id", "direction", "occurred_at", "logged_at")
               if c in rows.columns]  # fmt: skip
    words = [c for c in columns if c == "direction"]
    touches = events_of(frame["id"], rows.select(*columns), "opportunity_id", *words)
    touches["known"] = known_from(touches)
    every = Track.of(touches["opportunity_id"], touches["known"], touches["occurred_at"])
    ids = frame["id"]
    found |= {"touches_14": every.count(ids, at, 14), "touches_30": every.count(ids, at, 30),
              "touches": every.count(ids, at)}  # fmt: skip
    if "direction" in touches:
        two = touches[touches["direction"] == "two_way"]
        last = Track.of(two["opportunity_id"], two["known"], two["occurred_at"]).latest(ids, at)
        begun = seconds(frame["created_at"]).astype(float)
        found["silent_days"] = (seconds(at) - np.fmax(last, begun)) / DAY
    return found


def _of_people(
    book: Book, frame: pd.DataFrame, at: "pd.Series[pd.Timestamp]", changes: dict[str, pd.DataFrame]
) -> dict[str, object]:
    users = book.unscoped("users")
    users = users.select(*(c for c in ("id", "team", "hired_on") if c in users.columns))
    people = users.to_pandas().set_index("id")
    owner = frame["owner_id"]
    rows = changes["owner_id"]
    given = Track.of(rows["entity_id"], rows["changed_at"]).latest(frame["id"], at)
    begun = seconds(frame["created_at"]).astype(float)
    deals = frame.groupby(["on", "owner_id"])["id"].transform("size")
    found: dict[str, object] = {
        "owner_deals": deals,
        "owner_days": (seconds(at) - np.fmax(given, begun)) / DAY,
    }
    if "team" in people:
        found["team"] = owner.map(people["team"])
    if "hired_on" in people:
        hired = owner.map(pd.to_datetime(people["hired_on"]))
        found["owner_tenure"] = _days(at, hired)
    return found


def _of_customer(
    book: Book, frame: pd.DataFrame, at: "pd.Series[pd.Timestamp]"
) -> dict[str, object]:
    account = frame["account_id"]
    found: dict[str, object] = {}
    if book.has("accounts.segment"):
        accounts = book.unscoped("accounts").select("id", "segment").to_pandas()
        found["segment"] = account.map(accounts.set_index("id")["segment"])
    deals = book.unscoped("opportunities").filter(_.closed_at.notnull())
    deals = deals.select("account_id", "outcome", "closed_at")
    ended = events_of(account, deals, "account_id", "outcome")
    for name, outcome in (("won_before", "won"), ("lost_before", "lost")):
        rows = ended[ended["outcome"] == outcome]
        found[name] = Track.of(rows["account_id"], rows["closed_at"]).count(account, at)
    if book.has("tickets.account_id"):
        tickets = book.unscoped("tickets").select("account_id", "opened_at", "closed_at")
        rows = events_of(account, tickets, "account_id")
        opened = Track.of(rows["account_id"], rows["opened_at"]).count(account, at)
        found["open_tickets"] = opened - Track.of(rows["account_id"],
                                                  rows["closed_at"]).count(account, at)  # fmt: skip
    return found


def _of_calendar(
    book: Book, frame: pd.DataFrame, at: "pd.Series[pd.Timestamp]"
) -> dict[str, object]:
    days = frame["on"].drop_duplicates()
    ahead = {day: book.calendar.working_days(day.date(), (day + pd.Timedelta(days=HORIZON)).date())
             for day in days}  # fmt: skip
    middle = frame["on"] + pd.Timedelta(days=HORIZON // 2)
    ends = {day: (day.to_period("Q").end_time.normalize() - day).days for day in days}
    return {"work_days_ahead": frame["on"].map(ahead), "month_ahead": middle.dt.month,
            "quarter_left": frame["on"].map(ends)}  # fmt: skip
