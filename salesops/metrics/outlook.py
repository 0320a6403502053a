"""How likely is it that company, regions, teams and people reach their targets?"""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from salesops.book.book import Book
from salesops.methods.attaining import drawn
from salesops.metrics.goals import goal
from salesops.metrics.kept import kept
from salesops.metrics.productivity import Past, past_of
from salesops.metrics.signed import signings
from salesops.metrics.targets import all_targets
from salesops.model.calendar import Period

Floats = npt.NDArray[np.float64]
DRAWS, SEED = 4_000, 20_260
# The bounds between which four of five draws lie.
LOW, HIGH = 0.1, 0.9


@dataclass(frozen=True, kw_only=True, eq=False)
class Outlook:
    """What is signed and what will be, in a period.

    Attributes
    ----------
    nodes
        One row per node: `level`, `key`, `parent` (key of the node above, of the level above),
        `parent_level`, `plan` (target of the period; null unless set for all of it), `signed` (so
        far), `middle`, `low`, `high` (by the end; 80 % range), `chance` (of reaching the plan;
        null without one), `n_people` (who sell there now).
    sums
        Nodes by draws: signed by the end of the period.
    people
        Who sells now: `person`, `team`, `region`.
    months
        One row per month of the period: `month`, `signed` (company), `middle` (still to come).
    """

    nodes: pd.DataFrame
    sums: npt.NDArray[np.float32]
    people: pd.DataFrame
    months: pd.DataFrame

    def of(self, level: str, key: str) -> Floats:
        """Give the draws of one node."""
        at = self.nodes.index[(self.nodes["level"] == level) & (self.nodes["key"] == key)]
        return np.asarray(self.sums[at[0]], dtype=float)


def outlook(book: Book, period: Period) -> Outlook | None:
    """Draw what each node will have signed by the end of a period; None without enough of a past.

    The first node is the book's scope: the company, a team, a region or a person.

    Notes
    -----
    What is signed stands; of the month in progress the part of its season that is left is drawn.
    Of people no leaving is allowed for, of teams and above it is: who left signs nothing more,
    and the others take a part of it. Nobody new is reckoned with.
    """
    return kept(f"outlook of {period.start} {period.end}", book, lambda: _outlook(book, period))


def _outlook(book: Book, period: Period) -> Outlook | None:
    past = past_of(book)
    if past is None:
        return None
    everybody = past.there(book.date)
    people = _people(book, everybody)
    months = pd.period_range(period.start, period.end, freq="M")
    season = left_of_season(past, months, book.date)
    if people.empty:
        return None
    # Whoever is in scope works in a whole team, whose hands count.
    staffing = past.staffing(everybody, months)
    inside = everybody["person"].isin(people["person"]).to_numpy()
    nodes, above = _nodes(people)
    at = {row: i for i, row in enumerate(zip(nodes["level"], nodes["key"], strict=True))}
    done = _signed(book, period, nodes)
    sums = np.empty((len(nodes), DRAWS), dtype=np.float32)
    whole = np.zeros(len(months))
    team_at = np.array([at["team", team] for team in people["team"]], dtype=int)
    user_at = np.array([at["user", person] for person in people["person"]], dtype=int)
    sums[:] = done[:, None]
    alone = book.limits.user != "all"
    for leaving, inner in ((0.0, False), (0.0 if alone else past.leaving, True)):
        for part, by_all in drawn(past.rates, everybody, staffing, season, leaving=leaving,
                                  draws=DRAWS, seed=SEED):  # fmt: skip
            signed = by_all[inside]
            if inner:
                _summed_up(sums[:, part], signed.sum(axis=1), team_at, above)
                whole += signed.sum(axis=0).sum(axis=1)
            else:
                sums[user_at, part] += signed.sum(axis=1)
    nodes = _told(nodes, sums, done, _plans(book, period, nodes))
    by_month = _months(book, period, months).assign(middle=whole / DRAWS)
    return Outlook(nodes=nodes, sums=sums, people=people, months=by_month)


def left_of_season(past: Past, months: "pd.PeriodIndex", today: dt.date) -> Floats:
    """Give the season that months still hold after a day; 0 for those that are over."""
    ahead = past.weights[past.weights.index > pd.Timestamp(today)]
    by_month = ahead.groupby(ahead.index.to_period("M")).sum()
    return np.asarray(by_month.reindex(months).fillna(0.0), dtype=float)


def _people(book: Book, here: pd.DataFrame) -> pd.DataFrame:
    """Give who of those who are there is in scope."""
    regions = book.users.select("id", "region").to_pandas().set_index("id")["region"]
    here = here[here["person"].isin(regions.index)].reset_index(drop=True)
    return here.assign(region=here["person"].map(regions))


def _nodes(people: pd.DataFrame) -> tuple[pd.DataFrame, dict[int, list[int]]]:
    """Lay out the nodes, and which ones lie above each team."""
    rows: list[tuple[str, str, str, str]] = [("company", "", "", "")]
    teams = people.drop_duplicates("team")[["team", "region"]].sort_values("team")
    regions = sorted({r for r in teams["region"] if isinstance(r, str) and r})
    rows += [("region", region, "company", "") for region in regions]
    for team, region in teams.itertuples(index=False):
        known = isinstance(region, str) and region in regions
        rows.append(("team", team, "region" if known else "company", region if known else ""))
    rows += [("user", p, "team", t) for p, t in people[["person", "team"]].itertuples(index=False)]
    frame = pd.DataFrame(rows, columns=["level", "key", "parent_level", "parent"])
    counts = people.groupby("team").size()
    frame["n_people"] = 1
    frame.loc[frame["level"] == "team", "n_people"] = frame["key"].map(counts)
    by_region = people.groupby("region").size()
    frame.loc[frame["level"] == "region", "n_people"] = frame["key"].map(by_region)
    frame.loc[0, "n_people"] = len(people)
    at = {row: i for i, row in enumerate(zip(frame["level"], frame["key"], strict=True))}
    above = {}
    for row in frame[frame["level"] == "team"].itertuples():
        chain = [at[row.parent_level, row.parent]]
        above[int(row.Index)] = [*chain, *([0] if chain != [0] else [])]
    return frame.astype({"n_people": "int64"}), above


def _summed_up(
    sums: npt.NDArray[np.float32], signed: npt.NDArray[np.float32],
    team_at: "npt.NDArray[np.int64]", above: dict[int, list[int]],
) -> None:  # fmt: skip
    """Add what people sign to their teams, and that to what lies above."""
    for team in np.unique(team_at):
        part = signed[team_at == team].sum(axis=0)
        sums[team] += part
        for node in above[int(team)]:
            sums[node] += part


def _signed(book: Book, period: Period, nodes: pd.DataFrame) -> Floats:
    """Give what each node has signed in the period so far, in the organisation of the signing."""
    rows = signings(book, period)
    rows = rows.assign(amount=rows["amount"].fillna(0.0))
    by = {"user": rows.groupby("owner_id")["amount"].sum(),
          "team": rows.groupby(rows["team"].fillna(""))["amount"].sum(),
          "region": rows.groupby("region")["amount"].sum()}  # fmt: skip
    found = np.zeros(len(nodes))
    for i, (level, key) in enumerate(zip(nodes["level"], nodes["key"], strict=True)):
        found[i] = rows["amount"].sum() if level == "company" else by[level].get(key, 0.0)
    return found


def _plans(book: Book, period: Period, nodes: pd.DataFrame) -> Floats:
    """Give each node's target of the period; null unless one is set for all of its months."""
    frame = all_targets(book, period)
    frame = frame[frame["is_whole"].astype(bool)]
    sums = frame.groupby(["level", "key"])["plan_cents"].sum().astype("float64") / 100
    keys = zip(nodes["level"], nodes["key"], strict=True)
    found = np.array([float(sums.get(key, np.nan)) for key in keys])
    found[0] = goal(book, period)
    return found


def _told(
    nodes: pd.DataFrame, sums: npt.NDArray[np.float32], done: Floats, plan: Floats
) -> pd.DataFrame:
    reached = (sums >= plan[:, None]).mean(axis=1)
    low, high = (np.quantile(sums, q, axis=1) for q in (LOW, HIGH))
    return nodes.assign(
        plan=plan, signed=done, middle=sums.mean(axis=1, dtype=float), low=low, high=high,
        chance=np.where(np.isfinite(plan), reached, np.nan),
    )  # fmt: skip


def _months(book: Book, period: Period, months: "pd.PeriodIndex") -> pd.DataFrame:
    rows = signings(book, period)
    sums = rows.groupby(rows["booked_on"].dt.to_period("M"))["amount"].sum()
    found = sums.reindex(months).fillna(0.0).to_numpy()
    return pd.DataFrame({"month": [str(m) for m in months], "signed": found})
