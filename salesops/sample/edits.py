"""P9: people bring the CRM up to date in the last three days of the month."""

import dataclasses

import numpy as np
import pandas as pd

from salesops.sample.company import Company
from salesops.sample.draws import Draws, Flags, Ints
from salesops.sample.log import NEXT_STEPS, History, values, with_more
from salesops.sample.options import scaled_share
from salesops.sample.timeline import DAY, day_number

LAST_DAYS = 3
SHARE, WORST_SHARE = 0.45, 0.70
# People write at most so many further steps for each of their edits, however large the multiple.
MOST_ADDED = 4
CLEAN_SHARE = 0.13
# Steps of the process and hand-overs keep their own time.
FIXED = ("stage", "owner_id")


def worst_team(company: Company) -> str:
    """Name the team that does it most."""
    return company.teams[3] if len(company.teams) > 3 else company.teams[-1]


def bulk_edit(company: Company, told: list[History]) -> list[History]:
    """Move edits of deals to the last days of their month until the planted share is reached."""
    multiple = company.options.size("P9")
    company.facts["P9"] = {"team": worst_team(company) if multiple else None}
    if not multiple:
        return told
    deals, draws = company["deals"], company.draws("P9")
    is_worst = (deals.team == worst_team(company)).to_numpy()
    worst_share = scaled_share(CLEAN_SHARE, WORST_SHARE, multiple)
    share = scaled_share(CLEAN_SHARE, SHARE, multiple)
    told = _reach(company, draws, list(told), is_worst, worst_share)
    edits, ends, _able = _count(_views(company, told), is_worst)
    rest, _ends, _able = _count(_views(company, told), ~is_worst)
    # The others make up for the worst team, so that all together reach the share.
    wanted = (share * (edits + rest) - ends) / max(rest, 1)
    return _reach(company, draws, told, ~is_worst, max(wanted, CLEAN_SHARE))


def _reach(
    company: Company, draws: Draws, told: list[History], group: Flags, share: float
) -> list[History]:
    """Move edits of a group in three rounds, and add some where that is not enough."""
    for part in (0.5, 0.7, 1.0):
        # What is moved pushes later edits of its row along, so each round counts anew.
        views = _views(company, told)
        edits, ends, able = _count(views, group)
        chance = part * float(np.clip((share * edits - ends) / max(able, 1), 0.0, 1.0))
        for position, view in enumerate(views):
            mine = group[view.row]
            rows = _moved(draws, told[position].rows, view, mine, chance)
            told[position] = dataclasses.replace(told[position], rows=rows)
    steps = [h.field for h in told].index("next_step")
    more = _more_steps(company, draws, told, group, share)
    told[steps] = with_more(told[steps], more)
    return told


def _more_steps(
    company: Company, draws: Draws, told: list[History], group: Flags, share: float
) -> pd.DataFrame:
    """Where moving is not enough, let people write next steps at the end of the month."""
    deals, line = company["deals"], company.timeline
    edits, ends, _able = _count(_views(company, told), group)
    missing = min(max((share * edits - ends) / (1 - share), 0), MOST_ADDED * edits)
    parts = []
    for month in line.months():
        last = day_number(month.end)
        at = last * DAY + 19 * 3600
        lives = (deals.created < (last - 4) * DAY) & (deals.closed > at) & (at <= line.end_at)
        parts.append(pd.DataFrame({"row": np.flatnonzero(lives.to_numpy() & group), "last": last}))
    able = pd.concat(parts, ignore_index=True)
    chosen = able.iloc[draws.whole(0, len(able) - 1, round(missing / 2) if len(able) else 0)]
    day = chosen["last"].to_numpy() - draws.whole(0, LAST_DAYS - 1, len(chosen))
    at = day * DAY + draws.whole(9 * 3600, 19 * 3600, len(chosen))
    step = draws.whole(0, len(NEXT_STEPS) - 1, len(chosen))
    return values(chosen.row.to_numpy(), at, step, rank=5)


@dataclasses.dataclass(frozen=True, eq=False)
class _View:
    """What may be moved of one field's edits, and where to."""

    row: Ints
    is_edit: Flags
    is_end: Flags
    can_move: Flags
    month_end: Ints
    # With each next step its day is written too.
    weight: int

    @classmethod
    def of(cls, history: History, closed: Ints, start: int, end: int) -> "_View":
        rows = history.rows
        at, row = rows["at"].to_numpy(), rows.row.to_numpy()
        month = (at // DAY).astype("datetime64[D]").astype("datetime64[M]")
        last = (month + 1).astype("datetime64[D]").astype(np.int64)
        is_edit = ~rows["first"].to_numpy() & (at >= start) & (at <= end)
        is_end = at // DAY >= last - LAST_DAYS
        # A day later at the earliest, so that what is moved comes before the deal's end.
        fits = (last * DAY <= closed[row]) & (last * DAY <= end)
        can = is_edit & ~is_end & fits & (history.field not in FIXED)
        return cls(row, is_edit, is_end, can, last, 2 if history.field == "next_step" else 1)


def _views(company: Company, told: list[History]) -> "list[_View]":
    closed, line = company["deals"].closed.to_numpy(), company.timeline
    return [_View.of(h, closed, line.start * DAY, line.end_at) for h in told]


def _count(views: "list[_View]", group: Flags) -> tuple[int, int, int]:
    """Count the edits of a group, those at month ends, and those that can move there."""
    found = np.zeros(3, np.int64)
    for view in views:
        mine = group[view.row]
        late = view.is_edit & view.is_end
        found += [int((x & mine).sum()) * view.weight for x in (view.is_edit, late, view.can_move)]
    return int(found[0]), int(found[1]), int(found[2])


def _moved(
    draws: Draws, rows: pd.DataFrame, view: _View, mine: Flags, chance: float
) -> pd.DataFrame:
    n = len(rows)
    goes = view.can_move & mine & draws.chance(chance, n)
    day = view.month_end - 1 - draws.whole(0, LAST_DAYS - 1, n)
    late = day * DAY + draws.whole(9 * 3600, 19 * 3600, n)
    at = np.where(goes, late, rows["at"].to_numpy())
    # Later edits of the same row can't come before an earlier one.
    rows = rows.assign(at=at)
    return rows.assign(at=rows.groupby("row")["at"].cummax())
