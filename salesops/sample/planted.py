"""Problems that shape the deals: who wins less, who waits, who is pushed, who is a zombie.

Sizes are those of the defaults; multiples scale shares and rates on the odds scale, days, counts
and money linearly. A problem that costs deals turns wins into losses; nothing else moves.
"""

import datetime as dt

import numpy as np
import pandas as pd

from salesops.sample.company import Company
from salesops.sample.deals import DECIDED, LOST, LOST_AT, SKIP_SHARE, WIN_RATE, WON, in_order
from salesops.sample.draws import NONE, Draws, Flags, Ints
from salesops.sample.options import scaled, scaled_share
from salesops.sample.people import employed
from salesops.sample.timeline import DAY, date_of, day_number

SKIPPED, SKIPPED_WIN = 0.22, 0.14
PUSHED, PUSHED_WIN = 0.20, 0.09
# Pushes come every tenth of a long life, so the third after three tenths of it.
LONG_LIFE, PUSHES, PUSHED_FROM = 70, 10, 0.3
ZOMBIES, ZOMBIE_VALUE, ZOMBIE_FLOOR = 0.05, 0.20, 250_000 * 100
LEAVERS, LEFT_DEALS, LEFT_WIN, LEFT_DAYS = 2, 31, 0.13, 34
LEFT_BEFORE_END = 106
SANDBAGGERS, SANDBAGGED = 2, 0.30
LEGAL_DAYS, LEGAL_BELOW = 11, 100_000 * 100
POOR_REGION, POOR_POTENTIAL = "西南", 0.60
REAL_MONTH, REAL_RATIO, NULL_DIP = 25, 1.25, 0.45
# Days without a word before a deal ends; after three norms, about so many days, it counts.
SILENT_VALUE, SILENCE, SILENT_FROM = 0.18, (50, 84), 23


def month_start(company: Company, month: int) -> int:
    """Give the first day of the n-th month of the company, counted from 1."""
    months = company.timeline.months()
    return day_number(months[min(month, len(months)) - 1].start)


def real_change_teams(company: Company) -> tuple[str, ...]:
    """Name the two teams that got the response service level."""
    return company.teams[2:4] if len(company.teams) >= 4 else company.teams[:1]


def null_change_team(company: Company) -> str:
    """Name the team that looked worst and got the weekly template."""
    return company.teams[1] if len(company.teams) > 1 else company.teams[0]


def add_deals_of_better_leads(company: Company) -> None:
    """P17: two teams answer leads better from month 25, so more leads become deals."""
    multiple = company.options.size("P17")
    deals, draws = company["deals"], company.draws("P17")
    since = month_start(company, REAL_MONTH) * DAY
    eligible = deals.team.isin(real_change_teams(company)) & (deals.source == 0)
    rows = deals[(eligible & (deals.created >= since)).to_numpy()]
    extra = scaled_share(0.10, 0.10 * REAL_RATIO, multiple) / 0.10 - 1
    more = rows[draws.chance(min(extra, 1.0), len(rows))].copy()
    shift = draws.whole(-9, 9, len(more)) * DAY
    line = company.timeline
    more["created"] = line.at_work(draws, (more.created + shift).to_numpy() // DAY)
    length = (more.closed - rows.loc[more.index, "created"]).to_numpy() // DAY
    closed = more.created.to_numpy() // DAY + np.maximum(length, 2)
    more["closed"] = line.at_work(draws, closed)
    company["deals"] = in_order(pd.concat([deals, more], ignore_index=True))
    company.facts["P17"] = {
        "teams": list(real_change_teams(company)), "from": str(date_of(since // DAY)),
        "deals_added": len(more), "rate_ratio": round(1 + extra, 4),
    }  # fmt: skip


def make_poor_region_poor(company: Company) -> None:
    """P2: the south-west has 60 % of the potential of the east, in accounts and in deals."""
    ratio = scaled(1.0, POOR_POTENTIAL, company.options.size("P2"))
    poor = company["deals"].team.str.startswith(POOR_REGION).to_numpy()
    amount = company["deals"].amount.to_numpy().copy()
    hundreds = np.maximum(amount[poor] // 10_000 * int(max(ratio, 0.1) * 100) // 100, 50)
    amount[poor] = hundreds * 10_000
    company["deals"]["amount"] = amount
    company.facts["P2"] = {"region": POOR_REGION, "potential_ratio": ratio}


def lose(draws: Draws, deals: pd.DataFrame, group: Flags, win_rate: float) -> int:
    """Turn wins of a group into losses until its chance is `win_rate`; count them."""
    won = np.flatnonzero(group & (deals.outcome == WON).to_numpy())
    turned = won[draws.chance(max(1 - win_rate / WIN_RATE, 0.0), len(won))]
    outcome = deals.outcome.to_numpy().copy()
    outcome[turned] = LOST
    deals["outcome"] = outcome
    return len(turned)


def shape_deals(company: Company) -> None:
    """Plant the problems that change how deals run and end, and mark the deals."""
    deals = company["deals"]
    for column in ("zombie", "skips_needs", "sandbagged", "left_behind"):
        deals[column] = False
    deals["slow_legal"] = 0
    deals["silent_from"] = NONE
    for plant in (_dip, _zombies, _skips, _pushes, _sandbags, _legal, _silences):
        plant(company)


def _dip(company: Company) -> None:
    """P18: one team had three bad months before it was given a template; then it is as before."""
    multiple, draws = company.options.size("P18"), company.draws("P18")
    deals, team = company["deals"], null_change_team(company)
    since = month_start(company, REAL_MONTH) * DAY
    closed = deals.closed.to_numpy()
    bad = (deals.team == team).to_numpy() & (closed >= since - 92 * DAY) & (closed < since)
    share = scaled_share(WIN_RATE, WIN_RATE * (1 - NULL_DIP), multiple)
    lost = lose(draws, deals, bad, share)
    company.facts["P18"] = {
        "team": team, "from": str(date_of(since // DAY)), "effect": 0.0, "wins_lost_before": lost,
    }  # fmt: skip


def _zombies(company: Company) -> None:
    """P12: deals that are long dead stay open until somebody clears them out in January."""
    share = scaled_share(0.0, ZOMBIES, company.options.size("P12"))
    draws, deals = company.draws("P12"), company["deals"]
    fit = (deals.outcome == LOST) & (deals.amount >= ZOMBIE_FLOOR)
    of_fit = share * len(deals) / max(int(fit.sum()), 1)
    marked = fit.to_numpy() & draws.chance(min(of_fit, 0.9), len(deals))
    chosen = np.flatnonzero(_with_their_value(company, marked, fit.to_numpy()))
    days = deals.closed.to_numpy()[chosen] // DAY
    years = np.array([date_of(int(day)).year for day in days], dtype=np.int64)
    known = sorted({*years.tolist(), *(years + 1).tolist()})
    clearing = np.array([_clearing_day(company, year) for year in known], dtype=np.int64)
    this, following = (clearing[np.searchsorted(known, y)] for y in (years, years + 1))
    ends = np.where(days + 30 < this, this, following)
    closed = deals.closed.to_numpy().copy()
    silent = deals.silent_from.to_numpy().copy()
    silent[chosen] = closed[chosen]
    closed[chosen] = ends * DAY + draws.whole(14 * 3600, 15 * 3600, len(chosen))
    deals["closed"], deals["silent_from"] = closed, silent
    deals.loc[chosen, "zombie"] = True
    company.facts["P12"] = {"planted_share": share}


def _with_their_value(company: Company, marked: Flags, fit: Flags) -> Flags:
    """Exchange zombies of the last months for larger or smaller ones until their value is met."""
    deals, end = company["deals"], company.timeline.end_at
    share = scaled_share(0.0, ZOMBIE_VALUE, company.options.size("P12"))
    created, closed = deals.created.to_numpy(), deals.closed.to_numpy()
    amount = deals.amount.to_numpy()
    first = day_number(dt.date(date_of(company.timeline.end).year, 1, 1)) * DAY
    dead = fit & (closed >= first) & (closed <= end - 30 * DAY)
    others = amount[(created <= end) & (closed > end)].sum()
    wanted = int(others * share / (1 - share))
    marked = marked.copy()
    for _ in range(400):
        missing = wanted - int(amount[dead & marked].sum())
        inside, outside = np.flatnonzero(dead & marked), np.flatnonzero(dead & ~marked)
        if abs(missing) < wanted // 40 or not len(inside) or not len(outside):
            break
        order = inside[np.argsort(amount[inside], kind="stable")]
        leaves = order[0] if missing > 0 else order[-1]
        near = np.abs(amount[outside] - amount[leaves] - missing)
        comes = outside[int(near.argmin())]
        if (amount[comes] > amount[leaves]) != (missing > 0):
            break
        marked[leaves], marked[comes] = False, True
    return marked


def _clearing_day(company: Company, year: int) -> int:
    line = company.timeline
    first = day_number(dt.date(year, 1, 8))
    return int(line.work_day(line.work_index(np.array([first])))[0])


def _skips(company: Company) -> None:
    """P7: deals go on without an analysis of the needs, and are won less."""
    multiple, draws = company.options.size("P7"), company.draws("P7")
    deals = company["deals"]
    share = scaled_share(SKIP_SHARE / 3, SKIPPED, multiple) if multiple else 0.0
    # The share is of the deals that get past the needs; those that skip them all do.
    past = DECIDED * WIN_RATE + (1 - DECIDED * WIN_RATE) * sum(LOST_AT[2:]) / sum(LOST_AT)
    of_all = share * past / (1 - share * (1 - past))
    chosen = draws.chance(of_all, len(deals)) & ~deals.zombie.to_numpy()
    deals["skips_needs"] = chosen
    win = scaled_share(WIN_RATE, SKIPPED_WIN, multiple)
    company.facts["P7"] = {
        "planted_share": share, "planted_win_rate": win,
        "wins_lost": lose(draws, deals, chosen, win),
    }  # fmt: skip


def _pushes(company: Company) -> None:
    """P10: the expected date is moved again and again."""
    multiple, draws = company.options.size("P10"), company.draws("P10")
    deals = company["deals"]
    life = (deals.closed - deals.created).to_numpy() // DAY
    share = scaled_share(0.0, PUSHED, multiple)
    long = (life >= LONG_LIFE) & ~deals.zombie.to_numpy()
    # Deals that are open on a day are met in proportion to their length.
    met = share * life.sum() / max(life[long].sum() * (1 - PUSHED_FROM), 1)
    chosen = draws.chance(min(met, 0.95), len(deals)) & long
    deals["push_step"] = np.where(chosen, life // PUSHES, 0)
    win = scaled_share(WIN_RATE, PUSHED_WIN, multiple)
    company.facts["P10"] = {
        "planted_share": share, "planted_win_rate": win,
        "wins_lost": lose(draws, deals, chosen, win),
    }  # fmt: skip


def seasoned_reps(company: Company, n: int, skip: int = 0) -> Ints:
    """Pick reps who have been here for two years and stay, one team after the other."""
    users, line = company["users"], company.timeline
    long = (users.role == "rep") & (users.hired <= line.end - 720)
    stays = (users.left == NONE) | (users.left > line.end + 60)
    rows = users[(long & stays).to_numpy()]
    order = rows.groupby("team", sort=False).cumcount().to_numpy()
    found = rows.index.to_numpy()[np.argsort(order, kind="stable")]
    if not len(found):
        return found
    return found[np.unique((skip + np.arange(n)) % len(found))]


def _sandbags(company: Company) -> None:
    """P11: deals are entered only when they are as good as won."""
    multiple, draws = company.options.size("P11"), company.draws("P11")
    deals = company["deals"]
    reps = seasoned_reps(company, round(SANDBAGGERS * multiple)) if multiple else np.array([], int)
    share = SANDBAGGED
    own = deals.owner.isin(reps).to_numpy() & (deals.outcome == WON).to_numpy()
    wins = np.flatnonzero(own)
    chosen = np.sort(wins[draws.order(len(wins))][: round(share * len(wins))])
    created = deals.created.to_numpy().copy()
    late = deals.closed.to_numpy()[chosen] - draws.whole(20 * 3600, 100 * 3600, len(chosen))
    # Entered within office hours.
    late = late // DAY * DAY + draws.whole(9 * 3600, 17 * 3600, len(chosen))
    late = np.minimum(late, deals.closed.to_numpy()[chosen] - 3600)
    created[chosen] = np.maximum(created[chosen], late)
    deals["created"] = created
    deals.loc[chosen, "sandbagged"] = True
    company.facts["P11"] = {"reps": [int(r) for r in reps], "share_of_wins": share}


def _legal(company: Company) -> None:
    """P8: legal review takes long where little is at stake."""
    multiple, deals = company.options.size("P8"), company["deals"]
    small = (deals.amount < LEGAL_BELOW).to_numpy() & (multiple > 0)
    days = round(scaled(5.0, LEGAL_DAYS, multiple))
    deals["slow_legal"] = np.where(small, days, 0)
    company.facts["P8"] = {"days": days if multiple else None, "below": LEGAL_BELOW / 100}


def _silences(company: Company) -> None:
    """P4: nobody speaks with the customer for longer than three touch norms."""
    multiple, draws = company.options.size("P4"), company.draws("P4")
    deals = company["deals"]
    share = scaled_share(0.0, SILENT_VALUE, multiple)
    life = (deals.closed - deals.created).to_numpy() // DAY
    silence = np.minimum(draws.whole(*SILENCE, len(deals)), life * 3 // 4)
    fit = (silence > SILENT_FROM) & ~deals.zombie.to_numpy()
    # On any day a silent deal is met in proportion to how long it has counted as silent.
    amount = deals.amount.to_numpy() // 10_000
    counted = np.where(fit, amount * (silence - SILENT_FROM), 0).sum()
    met = share * (amount * life).sum() / max(counted, 1)
    chosen = np.flatnonzero(fit & draws.chance(min(met, 0.95), len(deals)))
    silent = deals.silent_from.to_numpy().copy()
    silent[chosen] = deals.closed.to_numpy()[chosen] - silence[chosen] * DAY
    deals["silent_from"] = silent
    company.facts["P4"] = {"planted_share": share}


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
        "wins_lost": lose(draws, deals, group, win),
    }  # fmt: skip


def _colleague(company: Company, who: int) -> int:
    users = company["users"]
    same = users[(users.team == users.team[who]) & (users.role == "rep") & (users.index != who)]
    fit = same[(same.hired < users.hired[who] + 400)]
    stays = fit[(fit.left == NONE) | (fit.left > users.left[who])]
    found = stays if len(stays) else same
    return int(found.index[0])
