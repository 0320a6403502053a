"""Who carries how much: open deals and leads per person by team, how leads are given out."""

import datetime as dt
import math
from collections import deque
from collections.abc import Callable
from typing import TypeAlias

import ibis
import numpy as np
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.metrics.opendeals import open_deals
from salesops.metrics.response import lead_answers
from salesops.metrics.workdays import local_day
from salesops.model.calendar import Period

YEAR = 365
# Fewer people than this are not compared with each other.
LEAST_PEOPLE = 5
# Up to half as many again as an even share is still normal.
TOLERATED = 1.5
LEAST_EVEN = 10
# Of those without an answer, nobody thinks any more after so many days.
GIVEN_UP = pd.Timedelta(days=7)
NO_TEAM = ""


def last_year(book: Book, back: int = 0) -> Period:
    """Give the 365 days up to the book's date, or those so many years before."""
    end = book.date - dt.timedelta(days=YEAR * back)
    return Period(end - dt.timedelta(days=YEAR - 1), end, "")


def sellers(book: Book) -> pd.DataFrame:
    """Give who sells: `person`, `team`, `hired_on`, `left_on`; also those who have left.

    Notes
    -----
    Where no roles are known everybody who is in the table counts but the public pool.
    """
    users = book.users.filter((_.role == "rep") | _.role.isnull())
    frame = users.select("team", "hired_on", "left_on", person="id").order_by("person").to_pandas()
    for column in ("hired_on", "left_on"):
        frame[column] = pd.to_datetime(frame[column])
    return frame.assign(team=frame["team"].fillna(NO_TEAM))


def routed_leads(book: Book) -> pd.DataFrame:
    """Give the leads of the last year that a person has: one row each.

    Returns
    -------
    pandas.DataFrame
        `id`, `person`, `created_at`, `day` (of the assignment), `assign_hours`, `accept_hours`
        (nights and weekends counted; null where not known), `answered_at`.
    """
    leads = book.leads
    inside = book.calendar.contains(last_year(book), leads.created_at)
    leads = leads.filter(leads.owner_id.notnull(), inside)
    begun = ibis.coalesce(leads.assigned_at, leads.created_at)
    rows = leads.select("id", "created_at", "assigned_at", "accepted_at", person="owner_id",
                        day=local_day(book, begun))  # fmt: skip
    answers = lead_answers(book).select("answered_at", answer_id="id")
    rows = rows.left_join(answers, rows.id == answers.answer_id).drop("answer_id")
    frame = rows.order_by("created_at", "id").to_pandas()
    for column in ("created_at", "assigned_at", "accepted_at", "answered_at", "day"):
        frame[column] = pd.to_datetime(frame[column])
    given, taken = frame["assigned_at"], frame["accepted_at"]
    return frame.assign(assign_hours=_hours(frame["created_at"], given),
                        accept_hours=_hours(given, taken))  # fmt: skip


def no_leads() -> pd.DataFrame:
    """Give the frame of `routed_leads` where no leads are known."""
    at = ("created_at", "assigned_at", "accepted_at", "day", "answered_at")
    kinds = {"id": "object", "person": "object"} | dict.fromkeys(at, "datetime64[us]")
    kinds |= dict.fromkeys(("assign_hours", "accept_hours"), "float64")
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})


def _hours(first: "pd.Series[pd.Timestamp]", last: "pd.Series[pd.Timestamp]") -> "pd.Series[float]":
    return (last - first).dt.total_seconds() / 3_600


def middle(values: "pd.Series[float]") -> float:
    """Give the median of what is known, null where nothing is."""
    known = values.dropna()
    return float(known.median()) if len(known) else math.nan


def even_shares(leads: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """How many leads did each person get, and how many would an even share have been?

    Returns
    -------
    pandas.DataFrame
        One row per person who was there: `person`, `team`, `n`, `expected`, `times` (n to
        expected). Each lead of a team counts in equal parts for those who were there that day.

    Examples
    --------
    >>> day = pd.Timestamp("2026-03-02")
    >>> leads = pd.DataFrame({"person": ["a", "a", "a", "b"], "day": [day] * 4})
    >>> people = pd.DataFrame({"person": ["a", "b"], "team": ["N", "N"],
    ...                        "hired_on": [pd.NaT] * 2, "left_on": [pd.NaT] * 2})
    >>> even_shares(leads, people)[["person", "n", "expected"]].values.tolist()
    [['a', 3, 2.0], ['b', 1, 2.0]]
    """
    parts = []
    known = leads.merge(people[["person", "team"]], on="person")
    for team, group in known.groupby("team", sort=True):
        members = people[people["team"] == team]
        days = np.sort(group["day"].unique())
        there = _there(members, days)
        n_there = there.sum(axis=0)
        arrived = group.groupby("day").size().reindex(days).to_numpy(dtype=float)
        each = np.divide(arrived, n_there, out=np.zeros_like(arrived), where=n_there > 0)
        got = group.groupby("person").size().reindex(members["person"], fill_value=0)
        parts.append(pd.DataFrame({
            "person": members["person"].to_numpy(), "team": team, "n": got.to_numpy(),
            "expected": there @ each,
        }))  # fmt: skip
    columns = {"person": "object", "team": "object", "n": "int64", "expected": "float64"}
    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(columns))
    frame = frame[(frame["expected"] > 0) | (frame["n"] > 0)].astype(columns)
    times = frame["n"] / frame["expected"].where(frame["expected"] > 0)
    return frame.assign(times=times).reset_index(drop=True)


def _there(members: pd.DataFrame, days: "np.ndarray") -> "np.ndarray":
    """Say who of a team was there on which day: one row per person."""
    hired = members["hired_on"].fillna(pd.Timestamp("1900-01-01")).to_numpy()[:, None]
    left = members["left_on"].fillna(pd.Timestamp("2262-01-01")).to_numpy()[:, None]
    there: np.ndarray = ((hired <= days[None, :]) & (left >= days[None, :])).astype(float)
    return there


def beyond_even(shares: pd.DataFrame) -> pd.DataFrame:
    """How likely is it that the busiest person of each team got so many leads by chance?

    Returns
    -------
    pandas.DataFrame
        One row per team of at least five people: `team`, `people`, `n_leads`, `most_times`
        (leads of the busiest to an even share), `most`, `even` (that person's leads, and an even
        share), `p` (of so many beyond half as many again as an even share).

    Notes
    -----
    A binomial tail for the busiest of so many people, times their number (Bonferroni).
    """
    from scipy.stats import binom

    rows = []
    # Who was there only for some days has no even share to speak of.
    for team, group in shares[shares["expected"] >= LEAST_EVEN].groupby("team", sort=True):
        if len(group) < LEAST_PEOPLE:
            continue
        n = int(group["n"].sum())
        limit = np.clip(TOLERATED * group["expected"] / n, 0, 1)
        tail = float(binom.sf(group["n"] - 1, n, limit).min()) * len(group)
        top = group.loc[group["times"].idxmax()]
        rows.append((team, len(group), n, float(top["times"]), int(top["n"]),
                     float(top["expected"]), min(tail, 1.0)))  # fmt: skip
    columns = ["team", "people", "n_leads", "most_times", "most", "even", "p"]
    return pd.DataFrame(rows, columns=columns)


def load_by_team(book: Book, leads: pd.DataFrame, shares: pd.DataFrame) -> pd.DataFrame:
    """How is work spread within each team?

    Returns
    -------
    pandas.DataFrame
        One row per team with sellers, largest first: `team`, `people` (now), `n_open` (open
        deals), `open_each` (median per person), `open_most`, `leads_each` (per person and month of
        the last year), `assign_hours`, `accept_hours` (medians), `most_times` (busiest to an even
        share). Where fewer than five people would be compared that is null.
    """
    people = sellers(book)
    now = people[people["left_on"].isna() | (people["left_on"] > pd.Timestamp(book.date))]
    held = open_deals(book).group_by(person="owner_id").agg(n=_.count()).to_pandas()
    each = now.merge(held, on="person", how="left").fillna({"n": 0})
    teams = leads.merge(people[["person", "team"]], on="person")
    spread = beyond_even(shares).set_index("team")["most_times"]
    rows = []
    for team, group in each.groupby("team", sort=True):
        mine, whole = teams[teams["team"] == team], shares[shares["team"] == team]
        compared = len(group) >= LEAST_PEOPLE
        # An even share of the year is what somebody gets who is there all along.
        monthly = whole["expected"].max() / 12 if len(whole) else math.nan
        rows.append((
            team, len(group), int(group["n"].sum()), float(group["n"].median()),
            float(group["n"].max()) if compared else math.nan, monthly,
            middle(mine["assign_hours"]), middle(mine["accept_hours"]),
            float(spread.get(team, math.nan)),
        ))  # fmt: skip
    columns = ["team", "people", "n_open", "open_each", "open_most", "leads_each", "assign_hours",
               "accept_hours", "most_times"]  # fmt: skip
    frame = pd.DataFrame(rows, columns=columns)
    return frame.sort_values(["people", "team"], ascending=[False, True], ignore_index=True)


Queues: TypeAlias = dict[str, "deque[pd.Timestamp]"]
Rule: TypeAlias = Callable[[list[str], dict[str, int], Queues], str]


def _in_turn(there: list[str], last: dict[str, int], _waiting: Queues) -> str:
    return min(there, key=lambda who: (last[who], who))


def _least_waiting(there: list[str], last: dict[str, int], waiting: Queues) -> str:
    return min(there, key=lambda who: (len(waiting[who]), last[who], who))


RULES: dict[str, Rule] = {"in_turn": _in_turn, "least_waiting": _least_waiting}


def replayed(leads: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """How would leads have been spread, had another rule given them out?

    Returns
    -------
    pandas.DataFrame
        One row per rule (`as_was`, `in_turn`, `least_waiting`): `rule`, `n` (leads), `moved_share`
        (leads that would have gone to somebody else), `ahead` (leads that waited with the person
        when a new one came, mean), `crowded_share` (leads that found two or more waiting).

    Notes
    -----
    Arrivals are replayed one by one within their team, among those who were there. Each lead waits
    as long for its answer as it really did, at most seven days: what a shorter queue does to
    the answer itself is left out.
    """
    known = leads.merge(people[["person", "team"]], on="person").sort_values(
        ["created_at", "id"], kind="stable")  # fmt: skip
    wait = (known["answered_at"] - known["created_at"]).fillna(GIVEN_UP)
    known = known.assign(until=known["created_at"] + wait.clip(pd.Timedelta(0), GIVEN_UP))
    rows = [("as_was", *_queue(known, people, None))]
    rows += [(name, *_queue(known, people, rule)) for name, rule in RULES.items()]
    return pd.DataFrame(rows, columns=["rule", "n", "moved_share", "ahead", "crowded_share"])


def _queue(
    leads: pd.DataFrame, people: pd.DataFrame, rule: Rule | None
) -> tuple[int, float, float, float]:
    """Give out the leads by a rule; without one as they were."""
    n = moved = ahead = crowded = 0
    for team, group in leads.groupby("team", sort=True):
        members = people[people["team"] == team]
        days = np.sort(group["day"].unique())
        names, there = members["person"].tolist(), _there(members, days)
        present = {day: [names[i] for i in np.flatnonzero(there[:, j])]
                   for j, day in enumerate(days)}  # fmt: skip
        # When each got the last one, as the number of the lead.
        last = dict.fromkeys(names, -1)
        waiting: Queues = {name: deque() for name in names}
        columns = ("person", "created_at", "until", "day")
        for owner, at, until, day in zip(*(group[c].to_numpy() for c in columns), strict=True):
            on_duty = present[day]
            if owner not in on_duty:
                continue
            for who in on_duty:
                waiting[who] = deque(end for end in waiting[who] if end > at)
            chosen = owner if rule is None else rule(on_duty, last, waiting)
            n, moved = n + 1, moved + (chosen != owner)
            ahead, crowded = ahead + len(waiting[chosen]), crowded + (len(waiting[chosen]) >= 2)
            last[chosen] = n
            waiting[chosen].append(until)
    if not n:
        return (0, math.nan, math.nan, math.nan)
    return (n, moved / n, ahead / n, crowded / n)
