"""Targets proposed from above and below: what the goal asks, what people and potential carry."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from salesops.book.book import Book
from salesops.methods.coherent import LOCKS, WISHES, coherent
from salesops.metrics.catalogue import metric
from salesops.metrics.fairness import last_months, potential_by_region
from salesops.metrics.outlook import Outlook, outlook
from salesops.metrics.pace import ENOUGH_SIGNINGS
from salesops.metrics.productivity import Past, past_of
from salesops.metrics.signed import signings
from salesops.model.calendar import Period
from salesops.model.errors import SalesopsError

Floats = npt.NDArray[np.float64]
METRICS = ("bookings", "new_customers", "collection")
# By which part each voice may be missed: the season, what people can carry, what regions hold.
TOLERANCE = {"season": 0.03, "people": 0.15, "potential": 0.30}
COLUMNS = ["month", "level", "key", "metric", "cents", "bottom_up", "top_down"]


@dataclass(eq=False, kw_only=True)
class NoProposal(SalesopsError, ValueError):
    """Targets can't be proposed."""

    reason: str
    mend: str

    def __str__(self) -> str:
        return (
            f"No targets can be proposed: {self.reason}.\n"
            "Expected: a book with people and at least a year of signings, and a period ahead.\n"
            f"{self.mend}"
        )


def baseline(book: Book) -> float:
    """Give what was signed in the last twelve whole months."""
    return float(signings(book, last_months(book.date))["amount"].sum())


def node_name(level: str, key: str) -> str:
    """Name a node as scopes are written: `company`, `region:North`, `team:North/1`, `user:u1`."""
    return "company" if level == "company" else f"{level}:{key}"


def proposed(
    book: Book, period: Period, goal: float, locks: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Propose targets for a period that add up in the tree and in time.

    Parameters
    ----------
    book
        The company, in no scope but its own.
    period
        Months ahead, such as a year.
    goal
        What the company is to sign in it, in company currency.
    locks
        `node` (as `node_name` writes it), `month` (`2027-03`, or `""` for all of the period),
        `cents`: bookings that have to be met.

    Returns
    -------
    pandas.DataFrame
        One row per month, node and metric: `month`, `level`, `key`, `metric` (`bookings`,
        `new_customers`, `collection`), `cents` (customers as whole numbers), and of bookings
        `bottom_up` (money that the people there will sign) and `top_down` (money of the goal by
        season and share of work).

    Raises
    ------
    NoProposal
        Too little is known of the past, or the book shows a part of the company.
    LocksContradict
        The locks can't all be met.

    Notes
    -----
    The goal stands. What people can carry, each region's potential and the season are wishes, of
    which the less exact give way: see `methods.coherent`. People's quotas sum to
    `over_assignment` times their team's.
    """
    past, ahead = _known(book, period)
    months = [str(m) for m in pd.period_range(period.start, period.end, freq="M")]
    nodes = _tree(ahead, book.settings.norms.over_assignment)
    up, down = _bottom_up(past, ahead, months), _top_down(past, ahead, months, goal)
    wanted = _wishes(book, ahead, nodes, months, goal, up)
    fixed = pd.DataFrame([("company", "", round(goal * 100))], columns=LOCKS)
    told = fixed if locks is None else pd.concat([fixed, locks[LOCKS]], ignore_index=True)
    own_year = (told["node"] == "company") & (told["month"] == "")
    told = told[~own_year | (told.index == told.index[own_year][-1])].reset_index(drop=True)
    cents = coherent(nodes, months, wanted, told)
    frame = cents.merge(nodes[["node", "level", "key"]], on="node")
    frame["bottom_up"] = frame.set_index(["node", "month"]).index.map(up)
    frame["top_down"] = frame.set_index(["node", "month"]).index.map(down)
    parts = [frame.assign(metric="bookings"), *_others(book, nodes, frame, months)]
    return pd.concat(parts, ignore_index=True)[COLUMNS]


def _known(book: Book, period: Period) -> tuple[Past, Outlook]:
    if book.limits.limits_people:
        raise NoProposal(reason="the book shows a part of the company",
                         mend="Open it without a scope.")  # fmt: skip
    past = past_of(book)
    ahead = outlook(book, period) if past is not None else None
    if past is None or ahead is None:
        reason = f"fewer than {ENOUGH_SIGNINGS} signings or less than a year of them are known"
        mend = "Import more of the past, with the people who signed."
        raise NoProposal(reason=reason, mend=mend)
    if period.end > dt.date(book.date.year + 2, 12, 31) or period.start <= book.date:
        raise NoProposal(reason=f"{period.text} does not lie ahead, within two years",
                         mend=f"Name a period that begins after {book.date}.")  # fmt: skip
    return past, ahead


def _tree(ahead: Outlook, over: float) -> pd.DataFrame:
    frame = ahead.nodes
    names = [node_name(level, key) for level, key in zip(frame["level"], frame["key"], strict=True)]
    above = [None if level == "company" else node_name(parent_level, parent)
             for level, parent_level, parent in
             frame[["level", "parent_level", "parent"]].itertuples(index=False)]  # fmt: skip
    times = np.where(frame["level"] == "team", over, 1.0)
    return pd.DataFrame({"node": names, "parent": above, "times": times,
                         "level": frame["level"], "key": frame["key"]})  # fmt: skip


def _work(past: Past, ahead: Outlook, months: list[str]) -> pd.DataFrame:
    """Give people by months: expected signings, each person's own rate, season and ramp in."""
    index = pd.PeriodIndex(months, freq="M")
    staffing = past.staffing(ahead.people, index) * past.season(index)
    own = past.rates.person.reindex(ahead.people["person"])
    rate = (own["shape"] / own["rate"]).fillna(1.0).to_numpy() * past.rates.base
    size = float(past.rates.sizes.mean()) * np.exp(own["size"].fillna(0.0).to_numpy())
    names = [node_name("user", person) for person in ahead.people["person"]]
    return pd.DataFrame(staffing * (rate * size)[:, None], index=names, columns=months)


def _bottom_up(past: Past, ahead: Outlook, months: list[str]) -> dict[tuple[str, str], float]:
    """Give what each node's people will sign by month, scaled to what was drawn for the node."""
    work = _work(past, ahead, months)
    found: dict[tuple[str, str], float] = {}
    people = ahead.people
    for row in ahead.nodes.itertuples():
        name = node_name(row.level, row.key)
        inside = {"company": people.index, "region": people.index[people["region"] == row.key],
                  "team": people.index[people["team"] == row.key],
                  "user": people.index[people["person"] == row.key]}[row.level]  # fmt: skip
        sums = work.iloc[inside].sum()
        whole = float(sums.sum())
        scale = float(row.middle) / whole if whole > 0 else 0.0
        found |= {(name, month): float(sums[month]) * scale for month in months}
    return found


def _top_down(
    past: Past, ahead: Outlook, months: list[str], goal: float
) -> dict[tuple[str, str], float]:
    """Share the goal by season, and by the work that each node holds."""
    index = pd.PeriodIndex(months, freq="M")
    season = past.season(index)
    season = season / season.sum()
    staff = past.staffing(ahead.people, index).mean(axis=1)
    people = ahead.people
    found: dict[tuple[str, str], float] = {}
    for row in ahead.nodes.itertuples():
        inside = {
            "company": np.ones(len(people), bool),
            "region": people["region"] == row.key,
            "team": people["team"] == row.key,
            "user": people["person"] == row.key,
        }
        part = float(staff[np.asarray(inside[row.level], dtype=bool)].sum() / staff.sum())
        name = node_name(row.level, row.key)
        found |= {(name, m): goal * part * float(s) for m, s in zip(months, season, strict=True)}
    return found


def _wishes(
    book: Book, ahead: Outlook, nodes: pd.DataFrame, months: list[str], goal: float,
    up: dict[tuple[str, str], float],
) -> pd.DataFrame:  # fmt: skip
    """Lay out what the season, the people and the potential of regions ask for."""
    rows = []
    company = sum(up["company", m] for m in months)
    scale = goal / company if company > 0 else 0.0
    rows += [("company", m, up["company", m] * scale * 100, TOLERANCE["season"]) for m in months]
    over = book.settings.norms.over_assignment
    for name, level in nodes[["node", "level"]].itertuples(index=False):
        if level in ("team", "user"):
            times = scale * (over if level == "user" else 1.0) * 100
            rows += [(name, m, up[name, m] * times, TOLERANCE["people"]) for m in months]
    carried = _potential(book, ahead)
    rows += [(node_name("region", region), "", share * goal * 100, TOLERANCE["potential"])
             for region, share in carried.items()]  # fmt: skip
    return pd.DataFrame(rows, columns=WISHES)


def _potential(book: Book, ahead: Outlook) -> "pd.Series[float]":
    """Give each region's share of what customers could buy."""
    sums = potential_by_region(book)
    known = ahead.nodes.loc[ahead.nodes["level"] == "region", "key"]
    sums = sums.reindex(known).dropna()
    return sums / sums.sum() if len(sums) and sums.sum() > 0 else pd.Series(dtype=float)


def _others(
    book: Book, nodes: pd.DataFrame, bookings: pd.DataFrame, months: list[str]
) -> list[pd.DataFrame]:
    """Give new customers and collection that go with the bookings, shared out as these are."""
    table = bookings.pivot(index="node", columns="month", values="cents").astype(float)
    flat = nodes.assign(times=1.0)
    found = []
    for name, whole, shape in _wholes(book, table.loc["company"]):
        if not whole > 0:
            continue
        share = table.div(table.loc["company"].sum())
        by_month = share.mul(shape / (table.loc["company"] / table.loc["company"].sum()), axis=1)
        over = nodes.set_index("node").loc[table.index, "level"].eq("user")
        by_month[over] /= book.settings.norms.over_assignment
        rows = [(node, m, float(by_month.loc[node, m] * whole), 0.1)
                for node in table.index for m in months]  # fmt: skip
        fixed = pd.DataFrame([("company", "", round(whole))], columns=LOCKS)
        cents = coherent(flat, months, pd.DataFrame(rows, columns=WISHES), fixed)
        found.append(cents.merge(nodes[["node", "level", "key"]], on="node").assign(metric=name))
    return found


def _wholes(book: Book, company: "pd.Series[float]") -> list[tuple[str, float, "pd.Series[float]"]]:
    """Give by metric the whole of the period, and its shape over months, from the past year's."""
    span = last_months(book.date)
    past = [str(m) for m in pd.period_range(span.start, span.end, freq="M")]
    signed = baseline(book)
    goal = float(company.sum()) / 100
    by_bookings = company / company.sum()
    customers = _of_year(book, "new_customers", past)
    received = _of_year(book, "received", past)
    months = [m[5:] for m in company.index]
    shape = pd.Series(received.to_numpy(), index=[m[5:] for m in past]).reindex(months)
    shape.index = company.index
    known = shape.notna().all() and shape.sum() > 0
    ratio = goal / signed if signed > 0 else float("nan")
    return [("new_customers", float(customers.sum()) * ratio, by_bookings),
            ("collection", float(received.sum()) * ratio * 100,
             shape / shape.sum() if known else by_bookings)]  # fmt: skip


def _of_year(book: Book, name: str, months: list[str]) -> "pd.Series[float]":
    values = [float(metric(book, name, period=m)[name].iloc[0]) for m in months]
    return pd.Series(values, index=months).fillna(0.0)
