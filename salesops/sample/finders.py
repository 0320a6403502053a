"""Find the rows of each problem in the finished tables, with plain pandas."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from salesops.sample.company import Company
from salesops.sample.deals import RENEWAL
from salesops.sample.draws import NONE
from salesops.sample.edits import LAST_DAYS
from salesops.sample.goals import OVER_ASSIGNMENT
from salesops.sample.log import History
from salesops.sample.planted import BAD_DAYS, LEGAL_BELOW
from salesops.sample.silent import SILENT_FROM
from salesops.sample.tables import ids
from salesops.sample.timeline import DAY, UTC_LAG, date_of

# Working days between two touches that the sample's settings call normal, by stage.
TOUCH_DAYS = {
    "acquisition": 5, "needs": 7, "proposal": 5, "negotiation": 5, "legal_review": 5,
}  # fmt: skip
SILENT_NORMS, DEAD_DAYS, UNACCEPTED_DAYS = 3, 90, 60


@dataclass(frozen=True, eq=False)
class Facts:
    """What the finders look at."""

    company: Company
    tables: Mapping[str, pd.DataFrame]
    deals: pd.DataFrame
    told: Mapping[str, History]

    @property
    def end(self) -> int:
        """Give the last day."""
        return self.company.timeline.end

    @property
    def is_open(self) -> "pd.Series":
        """Say which deals have not ended."""
        return self.deals["closed_at"].isna()

    @property
    def open_deals(self) -> pd.DataFrame:
        """The open pipeline: renewals are apart."""
        return self.deals[self.is_open & (self.deals["type"] != "renewal")]


Found = tuple[dict[str, Any], dict[str, Sequence[str]]]


def _people(facts: Facts, who: Sequence[int]) -> list[str]:
    position = facts.company["users"]["position"].to_numpy()[np.array(who, np.int64)]
    return [str(x) for x in ids("users", position, facts.company.block).to_pylist()]


def _no_target(facts: Facts) -> Found:
    """Reps without a target in a month that they worked in full, and months that do not add up."""
    planted = dict(facts.company.facts["P1"])
    planted["reps"] = _people(facts, planted["reps"])
    targets, line = facts.tables["targets"], facts.company.timeline
    targets = targets[targets["metric"] == "bookings"]
    users = facts.tables["users"][facts.tables["users"]["role"] == "rep"]
    hired, left = (pd.to_datetime(users[c]) for c in ("hired_on", "left_on"))
    own = targets[targets["level"] == "user"]
    has = set(zip(own["period"], own["key"], strict=True))
    months = [m.text for m in line.months()]
    missing = []
    for month in months:
        first = pd.Timestamp(month)
        here = users["id"][
            (hired <= first) & (left.isna() | (left > first + pd.Timedelta(days=30)))
        ]
        missing += [f"{month}/user/{who}" for who in here if (month, who) not in has]
    off = _months_that_differ(targets, own, users.set_index("id")["team"])
    return planted, {
        "users": sorted({key.split("/", 2)[2] for key in missing}), "targets": [*missing, *off],
    }  # fmt: skip


def _months_that_differ(targets: pd.DataFrame, own: pd.DataFrame, team: "pd.Series") -> list[str]:
    people = own["amount"].astype(float).groupby([own["period"], own["key"].map(team)]).sum()
    stated = targets[targets["level"] == "team"].set_index(["period", "key"])["amount"]
    people.index.names = stated.index.names
    both = pd.concat(
        [people.rename("people"), stated.astype(float).rename("team")], axis=1
    ).dropna()
    off = both[(both["people"] / OVER_ASSIGNMENT - both["team"]).abs() > 1]
    return [f"{period}/team/{key}" for period, key in off.index]


def _unfair(facts: Facts) -> Found:
    accounts, planted = facts.tables["accounts"], facts.company.facts["P2"]
    potential = accounts["potential"].astype(float)
    by_region = potential.groupby(accounts["region"]).mean()
    users = facts.tables["users"]
    here = (
        (users["role"] == "rep") & (users["region"] == planted["region"]) & users["left_on"].isna()
    )
    # Nobody has an unfair quota by nature: seats get equal ones, and regions equal potential.
    reps = users["id"][here].tolist() if planted["potential_ratio"] < 1 else []
    return {**planted, "potential": by_region.round().to_dict()}, {"users": reps}


def _untouched(facts: Facts) -> Found:
    leads = facts.tables["leads"]
    old = leads[leads["created_at"] < pd.Timestamp(date_of(facts.end - 7))]
    cold = old[old["first_touched_at"].isna()]
    hours = (old["first_touched_at"] - old["created_at"]).dt.total_seconds() / 3600
    weekend = (old["created_at"] + pd.Timedelta(hours=8)).dt.dayofweek >= 5
    return {
        "untouched_share": _share(len(cold), len(old)),
        "weekend_hours": _median(hours[weekend]), "weekday_hours": _median(hours[~weekend]),
    }, {"leads": cold["id"].tolist()}  # fmt: skip


def _last_two_way(facts: Facts) -> "pd.Series":
    """Give each open deal's day of the last two-way touch, or of its creation."""
    touches = facts.tables["activities"]
    both = touches[touches["direction"] == "two_way"]
    last = both.groupby("opportunity_id")["occurred_at"].max()
    deals = facts.open_deals.set_index("id")
    at = last.reindex(deals.index).fillna(deals["created_at"])
    local = (at + pd.Timedelta(hours=8)).to_numpy().astype("datetime64[D]").astype(np.int64)
    return pd.Series(local, index=deals.index)


def _silent(facts: Facts) -> Found:
    line = facts.company.timeline
    last = _last_two_way(facts)
    waited = int(line.work_index(np.array([line.end]))[0]) - line.work_index(last.to_numpy())
    deals = facts.deals.set_index("id").loc[last.index]
    norm = deals["stage"].map(TOUCH_DAYS).to_numpy()
    dead = deals.index.isin(_dead(facts))
    silent = (waited > SILENT_NORMS * norm) & ~dead
    amount = deals["amount"].astype(float)
    return {
        "share_of_open_value": _share(amount[silent].sum(), amount.sum()),
        "value": float(amount[silent].sum()),
    }, {"opportunities": deals.index[silent].tolist()}  # fmt: skip


def _left(facts: Facts) -> Found:
    company = facts.company
    planted = dict(company.facts["P5"])
    leavers = planted.pop("leavers")
    if not leavers:
        return planted, {}
    behind = np.flatnonzero(company["deals"].left_behind.to_numpy())
    left = int(company["users"].left[leavers[0]])
    spells = company["account_owners"]
    before = spells[spells["at"] < left * DAY].groupby("account")["new"].last()
    own = before.index.to_numpy()[before.isin(leavers).to_numpy()]
    names = ids("opportunities", behind, company.block).to_pylist()
    planted["win_rate"] = _win_rate(facts.deals[facts.deals["id"].isin(names)])
    keyed = {
        "opportunities": names,
        "accounts": ids("accounts", own, company.block).to_pylist(),
    }
    return {**planted, "leavers": _people(facts, leavers), "accounts": len(own)}, keyed


def _doubles(facts: Facts) -> Found:
    pairs = facts.company.facts["P6"]["pairs"]
    real = [p for p in pairs if p["duplicate"]]
    other = ids("accounts", np.array([p["other"] for p in real], np.int64), facts.company.block)
    n = len(facts.tables["accounts"])
    two = sum(p["two_owners"] for p in real)
    return {
        "share": _share(len(real), n - len(real)), "two_owners": _share(two, len(real)),
    }, {"accounts": other.to_pylist()}  # fmt: skip


def _ended(deals: pd.DataFrame) -> pd.DataFrame:
    return deals[deals["is_won"].notna()]


def _win_rate(deals: pd.DataFrame) -> float | None:
    ended = _ended(deals)
    return _share((ended["is_won"] == True).sum(), len(ended))  # noqa: E712


def _skipped(facts: Facts) -> Found:
    company = facts.company
    source = company["deals"]
    seen = source.created.to_numpy() <= company.timeline.end_at
    known = source.created.to_numpy() >= company.timeline.start * DAY
    beyond = np.zeros(len(source), bool)
    for stage in ("proposal", "negotiation", "legal_review"):
        at = source[f"entered_{stage}"].to_numpy()
        beyond |= (at != NONE) & (at <= company.timeline.end_at)
    # Renewals follow a shorter way of their own.
    known &= (source["type"] != RENEWAL).to_numpy()
    skipped = seen & known & beyond & (source.entered_needs.to_numpy() == NONE)
    rows = ids("opportunities", np.flatnonzero(skipped), company.block).to_pylist()
    deals = facts.deals[facts.deals["id"].isin(rows)]
    reached = int((seen & known & beyond).sum())
    return {
        "share": _share(len(rows), reached), "win_rate": _win_rate(deals),
    }, {"opportunities": rows}  # fmt: skip


def _legal(facts: Facts) -> Found:
    company = facts.company
    deals = company["deals"]
    begin = deals.entered_legal_review.to_numpy()
    over = (begin != NONE) & (deals.closed.to_numpy() <= company.timeline.end_at)
    small = over & (deals.amount.to_numpy() < LEGAL_BELOW)
    days = pd.Series((deals.closed.to_numpy() - begin) / DAY)
    rows = ids("opportunities", np.flatnonzero(small), company.block).to_pylist()
    return {
        "median_days": _median(days[small]), "median_days_above": _median(days[over & ~small]),
        **company.facts["P8"],
    }, {"opportunities": rows}  # fmt: skip


def _month_ends(facts: Facts) -> Found:
    company, line = facts.company, facts.company.timeline
    parts = []
    for history in facts.told.values():
        changes = history.changes(line.start * DAY, line.end_at)
        parts.append(pd.DataFrame({"row": changes.row, "day": changes["at"] // DAY}))
    edits = pd.concat(parts, ignore_index=True)
    day = edits.day.to_numpy()
    month = day.astype("datetime64[D]").astype("datetime64[M]")
    last = (month + 1).astype("datetime64[D]").astype(np.int64)
    late = pd.Series(day >= last - LAST_DAYS)
    team = company["deals"].team.to_numpy()[edits.row.to_numpy()]
    by_team = {str(k): round(float(v), 4) for k, v in late.groupby(team).mean().items()}
    return {**company.facts["P9"], "share": _share(late.sum(), len(late)), "by_team": by_team}, {}


def _pushed(facts: Facts) -> Found:
    line = facts.company.timeline
    changes = facts.told["expected_close_on"].changes(0, line.end_at)
    later = changes[(changes.value > changes.old) & (changes.old != NONE)]
    count = later.groupby("row").size()
    often = count.index.to_numpy()[(count >= 3).to_numpy()]
    names = set(ids("opportunities", often, facts.company.block).to_pylist())
    mine = facts.deals["id"].isin(names)
    renewal = facts.deals["type"] == "renewal"
    mine &= ~renewal
    rows = facts.deals[mine & facts.is_open]["id"].tolist()
    return {
        "share_of_open": _share(len(rows), int((facts.is_open & ~renewal).sum())),
        "win_rate": _win_rate(facts.deals[mine]), **facts.company.facts["P10"],
    }, {"opportunities": rows}  # fmt: skip


def _sandbagged(facts: Facts) -> Found:
    reps = _people(facts, facts.company.facts["P11"]["reps"])
    won = facts.deals[(facts.deals["is_won"] == True) & (facts.deals["type"] != "renewal")]  # noqa: E712
    fast = won[(won["closed_at"] - won["created_at"]) < pd.Timedelta(days=5)]
    own = won["owner_id"].isin(reps)
    return {
        "reps": reps, "share_of_wins": _share(fast["owner_id"].isin(reps).sum(), own.sum()),
    }, {"opportunities": fast["id"].tolist()}  # fmt: skip


def _dead(facts: Facts) -> list[str]:
    """List the open deals that nobody has spoken about for long, or that are planted as dead."""
    last = _last_two_way(facts)
    silent = facts.end - last.to_numpy()
    flagged = np.flatnonzero(facts.company["deals"].zombie.to_numpy())
    planted = set(ids("opportunities", flagged, facts.company.block).to_pylist())
    marked = last.index.isin(planted) & (silent >= SILENT_FROM)
    return list(last.index[marked | (silent > DEAD_DAYS)])


def _zombies(facts: Facts) -> Found:
    deals = facts.open_deals.set_index("id")
    dead = deals.index.isin(_dead(facts))
    amount = deals["amount"].astype(float)
    begun = facts.company["deals"]
    begun = begun[(begun["type"] != RENEWAL) & (begun.created <= facts.company.timeline.end_at)]
    flagged = begun.zombie.to_numpy()
    return {
        "share_of_deals": _share(flagged.sum(), len(flagged)),
        "share_of_open_value": _share(amount[dead].sum(), amount.sum()),
        "value": float(amount[dead].sum()),
    }, {"opportunities": deals.index[dead].tolist()}  # fmt: skip


def _cliffs(facts: Facts) -> Found:
    planted = facts.company.facts["P13"]
    moved = [
        {"user": _people(facts, [m["who"]])[0], "quarter": f"{1970 + m['quarter'] // 4}"
         f"Q{m['quarter'] % 4 + 1}", "cliff": m["cliff"]}
        for m in planted["moved"]
    ]  # fmt: skip
    return {**planted, "moved": moved}, {}


def _claims(facts: Facts) -> Found:
    """Accounts that went from the pool to a rep and back without a touch between."""
    company, tables = facts.company, facts.tables
    planted = dict(company.facts["P14"])
    planted["reps"] = _people(facts, planted["reps"])
    spells = company["account_owners"]
    spells = spells[spells["at"] <= company.timeline.end_at].reset_index(drop=True)
    same = spells.groupby("account")
    pool = (company["users"].role == "pool").to_numpy()
    before, after = same["new"].shift(fill_value=-1), same["new"].shift(-1, fill_value=-1)
    taken = (before >= 0) & pool[before] & (after >= 0) & pool[after]
    back = same["at"].shift(-1)[taken].astype("int64") - UTC_LAG
    rows = spells[taken].assign(back=pd.to_datetime(back, unit="s"))
    rows["id"] = ids("accounts", rows.account.to_numpy(), company.block).to_pylist()
    rows["since"] = pd.to_datetime(rows["at"] - UTC_LAG, unit="s")
    touches = tables["activities"][["account_id", "occurred_at"]].dropna()
    near = rows.reset_index().merge(touches, left_on="id", right_on="account_id")
    touched = near["index"][near["occurred_at"].between(near["since"], near["back"])]
    cold = rows[~rows.index.isin(touched)]
    return {**planted, "claims": len(cold)}, {"accounts": sorted(set(cold["id"]))}


def _unaccepted(facts: Facts) -> Found:
    contracts = facts.tables["contracts"]
    day = pd.to_datetime(contracts["delivered_on"])
    late = day < pd.Timestamp(date_of(facts.end - UNACCEPTED_DAYS))
    rows = contracts[late & contracts["accepted_on"].isna() & contracts["cancelled_on"].isna()]
    return {"amount": float(rows["amount"].astype(float).sum())}, {"contracts": rows["id"].tolist()}


def _source(facts: Facts) -> Found:
    leads = facts.tables["leads"]
    weak = leads[leads["source"] == "搜索推广"]
    won = set(facts.deals.loc[facts.deals["is_won"] == True, "id"])  # noqa: E712
    customers = leads[leads["opportunity_id"].isin(won)]
    return {
        "source": "搜索推广", "share_of_leads": _share(len(weak), len(leads)),
        "share_of_customers": _share((customers["source"] == "搜索推广").sum(), len(customers)),
    }, {}  # fmt: skip


def _real(facts: Facts) -> Found:
    planted = dict(facts.company.facts["P17"])
    leads, team = facts.tables["leads"], facts.tables["users"].set_index("id")["team"]
    theirs = leads[leads["owner_id"].map(team).isin(planted["teams"])]
    # The last weeks' leads have not had their time.
    theirs = theirs[theirs["created_at"] < pd.Timestamp(date_of(facts.end - 25))]
    later = theirs["created_at"] + pd.Timedelta(hours=8) >= pd.Timestamp(planted["from"])
    became = theirs["opportunity_id"].notna()
    return {
        **planted, "rate_before": _share(became[~later].sum(), (~later).sum()),
        "rate_after": _share(became[later].sum(), later.sum()),
    }, {}  # fmt: skip


def _null(facts: Facts) -> Found:
    planted = dict(facts.company.facts["P18"])
    team = facts.tables["users"].set_index("id")["team"]
    deals = facts.deals[facts.deals["type"] != "renewal"]
    closed = deals["closed_at"] + pd.Timedelta(hours=8)
    since = pd.Timestamp(planted["from"])
    own = deals["owner_id"].map(team) == planted["team"]
    bad = closed.between(since - pd.Timedelta(days=BAD_DAYS), since, inclusive="left")
    return {
        **planted, "win_rate_before": _win_rate(deals[own & bad]),
        "others_before": _win_rate(deals[~own & bad]),
        "win_rate_after": _win_rate(deals[own & (closed >= since)]),
        "others_after": _win_rate(deals[~own & (closed >= since)]),
    }, {}  # fmt: skip


def _share(part: float, whole: float) -> float | None:
    return round(float(part) / float(whole), 4) if whole else None


def _median(values: "pd.Series") -> float | None:
    return round(float(values.median()), 2) if values.notna().any() else None


FINDERS: dict[str, Callable[[Facts], Found]] = {
    "P1": _no_target, "P2": _unfair, "P3": _untouched, "P4": _silent, "P5": _left, "P6": _doubles,
    "P7": _skipped, "P8": _legal, "P9": _month_ends, "P10": _pushed, "P11": _sandbagged,
    "P12": _zombies, "P13": _cliffs, "P14": _claims, "P15": _unaccepted, "P16": _source,
    "P17": _real, "P18": _null,
}  # fmt: skip
