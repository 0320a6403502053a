"""Targets by month and level, the last set one of each, laid beside what was signed."""

from collections.abc import Sequence

import ibis
import pandas as pd
import pyarrow as pa
from ibis import _

from salesops.book.book import Book
from salesops.metrics.kept import kept
from salesops.metrics.metric import Table
from salesops.model.calendar import Period, months_of

# Column of a grouping -> level of the targets that belong to it.
LEVELS = {"owner_id": "user", "team": "team", "region": "region"}
COLUMNS = ["id", "month", "level", "key", "owner_id", "team", "region", "plan_cents", "is_whole"]


def targets_of(
    book: Book, period: Period, metric: str = "bookings", by: Sequence[str] = ()
) -> pd.DataFrame:
    """Which targets belong to a period, at the level that a grouping asks for?

    Parameters
    ----------
    metric
        Whose target.
    by
        Grouping; `owner_id`, `team` or `region` take the targets of people, teams or regions.
        Without one of them it is the target of the book's scope.

    Returns
    -------
    pandas.DataFrame
        One row per month and key: `id`, `month`, `level`, `key`, `owner_id`, `team`, `region` (of
        whom; people in their present team), `plan_cents`, `is_whole` (whether the key's targets
        name every month of the period; of a person, every whole month between hiring and leaving).

    Notes
    -----
    Of a target that was set anew the last one holds. A company without a target of its own has
    the sum of its regions' or teams', never that of its people, whose quotas sum to more than the
    plan. Of teams within teams the smallest count, since results are theirs.
    """
    return at_level(book, all_targets(book, period, metric), by)


def all_targets(book: Book, period: Period, metric: str = "bookings") -> pd.DataFrame:
    """Give the targets of a period at every level; see `targets_of` for the columns."""
    if not book.has("targets.amount"):
        return pd.DataFrame(columns=COLUMNS).astype({"plan_cents": "int64", "is_whole": bool})
    name = f"targets of {metric} from {period.start} to {period.end}"
    return kept(name, book, lambda: _read_targets(book, period, metric))


def _read_targets(book: Book, period: Period, metric: str) -> pd.DataFrame:
    rows = book.targets.filter(_.metric == metric, _.period.isin(months_of(period)))
    rows = rows.filter(_.amount.notnull())
    rows = rows.select("level", "key", "set_at", month="period",
                       plan_cents=(_.amount * 100).cast("int64"))  # fmt: skip
    frame = rows.to_pandas()
    frame["key"] = frame["key"].fillna("")
    frame = frame.sort_values(["month", "level", "key", "set_at"], na_position="first")
    frame = frame.drop_duplicates(["month", "level", "key"], keep="last")
    people = book.users.select("id", "team", "region", "hired_on", "left_on").to_pandas()
    people = people.set_index("id")
    frame["is_whole"] = _whole(frame, period, people)
    return _named(frame, people)


def _whole(frame: pd.DataFrame, period: Period, people: pd.DataFrame) -> "pd.Series[bool]":
    """Say for each row whether its key's targets name all months that they should."""
    months = months_of(period)
    named = frame.groupby(["level", "key"])["month"].agg(set)
    found = {}
    for (level, key), present in named.items():
        due = set(months)
        if level == "user" and key in people.index:
            due = {m for m in months if _works(people.loc[key], m)}
        found[(level, key)] = due <= present
    keys = zip(frame["level"], frame["key"], strict=True)
    return pd.Series([found[k] for k in keys], index=frame.index, dtype=bool)


def _works(person: "pd.Series[object]", month: str) -> bool:
    """Say whether a person is employed for the whole of a month."""
    whole = Period.parse(month)
    hired, left = (pd.Timestamp(person[c]) for c in ("hired_on", "left_on"))
    begins = not pd.isna(hired) and hired.date() > whole.start
    return not begins and not (not pd.isna(left) and left.date() < whole.end)


def at_level(book: Book, frame: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Keep the targets of the level that a grouping, or else the scope, asks for."""
    limits = book.limits
    if not set(by) <= set(LEVELS):
        return frame.iloc[:0]
    if limits.segment != "all" or limits.product_line != "all":
        return frame.iloc[:0]
    for column, level in LEVELS.items():
        if column in by:
            rows = frame[frame["level"] == level]
            return _smallest(rows) if level == "team" else rows
    if limits.user != "all":
        return frame[(frame["level"] == "user") & (frame["key"] == limits.user)]
    if limits.team != "all":
        rows = frame[frame["level"] == "team"]
        own = rows[rows["key"] == limits.team]
        return own if len(own) else _smallest(rows[rows["key"].str.startswith(limits.team + "/")])
    if limits.region != "all":
        return frame[(frame["level"] == "region") & (frame["key"] == limits.region)]
    for level in ("company", "region", "team"):
        rows = frame[frame["level"] == level]
        if len(rows):
            return _smallest(rows) if level == "team" else rows
    return frame.iloc[:0]


def _smallest(rows: pd.DataFrame) -> pd.DataFrame:
    """Leave out teams that hold other teams with a target."""
    keys = set(rows["key"])
    holds = {k for k in keys if any(other.startswith(f"{k}/") for other in keys)}
    return rows[~rows["key"].isin(holds)]


def _named(frame: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    frame = frame.copy()
    keys = frame["key"]
    for column, level in LEVELS.items():
        own = keys.where(frame["level"] == level)
        if column != "owner_id":
            own = own.where(frame["level"] != "user", keys.map(people[column]))
        frame[column] = own.astype(object).where(own.notna(), None)
    frame["id"] = "target " + frame["month"] + " " + frame["level"] + " " + keys
    return frame.sort_values("id", ignore_index=True)[COLUMNS]


def as_table(frame: pd.DataFrame) -> Table:
    """Lay a frame of targets out for the engine, with `plan_cents` as whole cents."""
    text = {c: pa.array(frame[c].astype(object).where(frame[c].notna(), None), pa.string())
            for c in COLUMNS if c not in ("plan_cents", "is_whole")}  # fmt: skip
    cents = pa.array(frame["plan_cents"].astype("int64"), pa.int64())
    whole = pa.array(frame["is_whole"].astype(bool), pa.bool_())
    return ibis.memtable(pa.table({**text, "plan_cents": cents, "is_whole": whole}))
