"""P5: two people leave, and what they looked after lies untouched."""

import numpy as np
import pandas as pd

from salesops.sample.company import Company
from salesops.sample.deals import WIN_RATE
from salesops.sample.draws import NONE
from salesops.sample.options import scaled, scaled_share
from salesops.sample.people import employed
from salesops.sample.planted import lose, seasoned_reps
from salesops.sample.timeline import DAY, date_of

LEAVERS, LEFT_DEALS, LEFT_WIN, LEFT_DAYS = 2, 31, 0.13, 34
LEFT_BEFORE_END = 106


def make_people_leave(company: Company) -> None:
    """P5: reps leave on one day; somebody sits in their seats a month later."""
    multiple = company.options.size("P5")
    users, line = company["users"], company.timeline
    day = int(line.work_day(line.work_index(np.array([line.end - LEFT_BEFORE_END])))[0])
    wanted = round(LEAVERS * multiple)
    leavers = seasoned_reps(company, wanted, skip=3) if wanted else np.array([], np.int64)
    heirs = []
    for who in leavers:
        heir = users.loc[who].copy()
        heir["hired"], heir["left"] = day + 30, users.left[who]
        heir["name"] = users.name[who][0] + "思远"
        heirs.append(heir)
    users.loc[leavers, "left"] = day
    if heirs:
        users = pd.concat([users, pd.DataFrame(heirs)], ignore_index=True)
    company["users"] = users.astype(
        dict.fromkeys(("manager", "hired", "left", "seat", "talent"), np.int64)
    )
    company.facts["P5"] = {"leavers": [int(w) for w in leavers], "left_on": str(date_of(day))}


def leave_deals_behind(company: Company) -> None:
    """P5: so many open deals of those who leave lie untouched, and are won less."""
    multiple, draws = company.options.size("P5"), company.draws("P5 deals")
    leavers = company.facts["P5"]["leavers"]
    if not leavers:
        return
    deals, users = company["deals"], company["users"]
    left = int(users.left[leavers[0]])
    at = left * DAY + 18 * 3600
    wanted = round(LEFT_DEALS * multiple)
    is_open = ((deals.created < at - 20 * DAY) & (deals.closed > at + 2 * DAY)).to_numpy()
    usual = ~deals.zombie.to_numpy() & (deals.push_step == 0).to_numpy()
    own = np.flatnonzero(is_open & deals.owner.isin(leavers).to_numpy())
    teams = set(users.team[leavers])
    near = is_open & usual & deals.team.isin(teams).to_numpy()
    worked = employed(users, np.full(len(deals), leavers[0]), deals.created.to_numpy() // DAY)
    others = np.flatnonzero(near & worked & ~deals.owner.isin(leavers).to_numpy())
    others = others[draws.order(len(others))][: max(wanted - len(own), 0)]
    owner = deals.owner.to_numpy().copy()
    for who in leavers:
        mine = others[(deals.team.to_numpy()[others] == users.team[who])]
        owner[mine] = who
    surplus = own[wanted:]
    deals["owner"] = owner
    # What is too many goes to the team's first seasoned colleague from the start.
    for who in leavers:
        rows = surplus[owner[surplus] == who]
        colleague = _colleague(company, who)
        owner[rows] = colleague
    # What they have begun of late or will have ended in days is a colleague's too.
    lives = ((deals.created < at) & (deals.closed > at)).to_numpy() & ~is_open
    for who in leavers:
        owner[lives & (owner == who)] = _colleague(company, who)
    deals["owner"] = owner
    group = is_open & np.isin(owner, leavers)
    deals["left_behind"] = group
    silence = round(scaled(0, LEFT_DAYS, multiple))
    until = at + (silence + 2) * DAY
    closed = deals.closed.to_numpy()
    line = company.timeline
    late = np.flatnonzero(group & (closed < until))
    days = until // DAY + draws.whole(1, 25, len(late))
    moved = closed.copy()
    moved[late] = line.at_work(draws, days)
    deals["closed"] = moved
    win = scaled_share(WIN_RATE, LEFT_WIN, multiple)
    company.facts["P5"] |= {
        "open_deals": int(group.sum()), "silent_days": silence, "planted_win_rate": win,
        "wins_lost": lose(company, draws, group, win, "P5"),
    }  # fmt: skip


def _colleague(company: Company, who: int) -> int:
    users = company["users"]
    same = users[(users.team == users.team[who]) & (users.role == "rep") & (users.index != who)]
    stays = same[(same.left == NONE) | (same.left > users.left[who])]
    found = stays if len(stays) else same
    return int(found.hired.idxmin())
