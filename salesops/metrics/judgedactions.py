"""What became of the actions of the register, and what those that were done did."""

import datetime as dt
import math
from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd

from salesops.book.book import Book
from salesops.book.scope import Scope
from salesops.methods.effects import Effect, effect
from salesops.metrics.actions import state_of
from salesops.metrics.catalogue import CATALOGUE, find_metric
from salesops.metrics.outcomes import Side, month_number, monthly, reason_unfollowed

State = Literal["done", "late", "open", "dropped"]
STATES: tuple[State, ...] = ("late", "open", "done", "dropped")
LISTED = ["id", "kind", "note", "scope", "owner_id", "owner", "created_at", "due_on", "done_on",
          "state", "finding_id", "metric", "baseline", "expected_effect"]  # fmt: skip
# How a scope of one side is compared: by teams, by people within their team, or by deals.
SIDES: dict[str, Side] = {"company": "team", "team": "team", "region": "team", "user": "team",
                          "segment": "segment", "product_line": "product_line"}  # fmt: skip
# So many months before something was decided may be why it was, and in whom.
CHOSEN_BY = 3
# Three years before an action are enough to compare with, and more than most books hold.
BACK = 36


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What one thing that was tried did, in all teams that tried it.

    Attributes
    ----------
    ids, note, scopes, metric, expected
        Of its actions: their ids, text, scopes, and the change of which metric was hoped for.
    since
        First day on which one of them was done.
    found
        The effect; null where it could not be asked for.
    reason
        Code of why not, else null.
    """

    ids: tuple[str, ...]
    note: str
    scopes: tuple[str, ...]
    metric: str
    expected: float
    since: dt.date
    found: Effect | None = None
    reason: str | None = None
    needs: str = ""

    @property
    def of(self) -> str:
        """What is counted as treated and compared with: `people`, or `groups` of deals."""
        return "groups" if SIDES.get(_side_of(self.scopes[0]), "team") != "team" else "people"

    @property
    def verdict(self) -> str:
        """`worked`, `did_not` or `not_enough`."""
        return self.found.verdict if self.found is not None else "not_enough"


def listed(book: Book) -> pd.DataFrame:
    """List the register as it stood at the book's date: late ones first, then by due date.

    Returns
    -------
    pandas.DataFrame
        One row per action, snag or decision: its columns, `owner` (name) and `state`.
    """
    if not book.has("actions"):
        return pd.DataFrame(columns=LISTED)
    rows = book.actions.to_pandas()
    people = book.unscoped("users").select("id", "name").to_pandas().set_index("id")["name"]
    for column in ("due_on", "done_on"):
        rows[column] = pd.to_datetime(rows[column])
    rows["state"] = state_of(rows, book.date)
    rows["owner"] = rows["owner_id"].map(people).fillna(rows["owner_id"])
    order = rows["state"].map({state: nth for nth, state in enumerate(STATES)})
    rows = rows.assign(_order=order).sort_values(["_order", "due_on", "id"])
    return rows.reindex(columns=LISTED).reset_index(drop=True)


def judged(book: Book) -> tuple[Judged, ...]:
    """Judge what was tried: each thing once, in all teams or people that it was done in.

    Notes
    -----
    Actions of the same text and metric are one thing with several starts. A start counts from the
    first whole month after the day on which it was done; three months before it was written down
    are no baseline. What was done in a segment or product line is judged by its deals, against
    those of the others. Teams outside a scope are compared with, and never shown.
    """
    rows = listed(book)
    done = rows[(rows["state"] == "done") & (rows["kind"] != "snag")]
    found = []
    for (_note, metric), part in done.fillna({"metric": "", "note": ""}).groupby(
        ["note", "metric"], sort=False
    ):
        found.append(_judge(book, str(metric), part))
    return tuple(sorted(found, key=lambda one: (one.since, one.ids)))


def _judge(book: Book, metric: str, rows: pd.DataFrame) -> Judged:
    expected = rows["expected_effect"].dropna().astype(float)
    since = rows["done_on"].min().date()
    bare = Judged(
        ids=tuple(rows["id"]), note=str(rows["note"].iloc[0]), metric=metric,
        scopes=tuple(rows["scope"].fillna("company")), since=since,
        expected=float(expected.mean()) if len(expected) else math.nan,
    )  # fmt: skip
    if metric not in CATALOGUE:
        return replace(bare, reason="no_metric")
    if math.isnan(bare.expected) or bare.expected == 0:
        return replace(bare, reason="no_expectation")
    sides = {_side_of(scope) for scope in bare.scopes}
    kind = sides.pop()
    if sides or kind not in SIDES:
        return replace(bare, reason="no_group")
    whole = replace(book, limits=Scope())
    why = reason_unfollowed(whole, metric)
    if why is not None:
        code, _colon, needs = why.partition(":")
        return replace(bare, reason=code, needs=needs)
    first = (pd.Timestamp(since) - pd.DateOffset(months=BACK)).date()
    frame = monthly(whole, metric, first, SIDES[kind])
    starts = _starts(whole, frame, rows, kind)
    if not starts:
        return replace(bare, reason="nobody_there")
    by: Literal["team", "unit"] = "unit" if kind == "user" else "team"
    chosen_by = _chosen_by(book, rows)
    found = effect(frame, starts, worthwhile=bare.expected, by=by, chosen_by=chosen_by)
    return replace(bare, found=found)


def _chosen_by(book: Book, rows: pd.DataFrame) -> int:
    """Count the months just before a start that are no baseline, for the action with most of them.

    Those are the months before it was written down, and all from then until it began: also the one
    in the midst of which it was done, that is neither before nor after.
    """
    found = CHOSEN_BY + 1
    for row in rows.to_dict("records"):
        start = month_number(row["done_on"].date()) + 1
        if pd.notna(row["created_at"]):
            decided = month_number(book.calendar.local_date(row["created_at"].to_pydatetime()))
            found = max(found, start - min(decided, start - 1) + CHOSEN_BY)
    return found


def _side_of(scope: str) -> str:
    """Give the one side that a scope restricts; empty where it restricts several."""
    return "" if "," in scope else scope.partition(":")[0]


def _starts(book: Book, frame: pd.DataFrame, rows: pd.DataFrame, kind: str) -> dict[str, int]:
    """Give the first whole month after each action, by team or by person within a team."""
    found: dict[str, int] = {}
    regions = _regions(book) if kind == "region" else {}
    for row in rows.to_dict("records"):
        start = month_number(row["done_on"].date()) + 1
        wanted = str(row["scope"] or "company").partition(":")[2]
        for name in sorted(frame["unit" if kind == "user" else "team"].unique()):
            mine = {"company": True, "user": name.partition("|")[0] == wanted,
                    "team": name == wanted or name.startswith(wanted + "/"),
                    "region": regions.get(name) == wanted}.get(kind, name == wanted)  # fmt: skip
            if mine:
                found[name] = min(start, found.get(name, start))
    return found


def _regions(book: Book) -> dict[str, str]:
    """Give each team's region: that of most of its people."""
    people = book.unscoped("users").select("team", "region").to_pandas().dropna()
    return {str(team): str(part.mode().iloc[0]) for team, part in people.groupby("team")["region"]}


def unit_of(name: str) -> str:
    """Give the unit of a metric's change: `ratio`, `money`, `days` or another of the catalogue's.

    Examples
    --------
    >>> unit_of("win_rate"), unit_of("something else")
    ('ratio', 'count')
    """
    return find_metric(name).unit if name in CATALOGUE else "count"
