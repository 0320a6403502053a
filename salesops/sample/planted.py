"""Problems that shape the deals: who wins less, who waits, who is pushed, who is a zombie.

Sizes are those of the defaults; multiples scale shares and rates on the odds scale, days, counts
and money linearly. A problem that costs deals turns wins into losses; nothing else moves.
"""

import numpy as np
import pandas as pd

from salesops.sample.company import Company
from salesops.sample.deals import (
    DECIDED,
    LOST,
    LOST_AT,
    SKIP_SHARE,
    STAGE_SHARES,
    VOID,
    WIN_RATE,
    WON,
    in_order,
)
from salesops.sample.draws import NONE, Draws, Flags, Ints
from salesops.sample.options import scaled, scaled_share
from salesops.sample.silent import fall_silent, leave_for_dead
from salesops.sample.timeline import DAY, date_of, day_number

SKIPPED, SKIPPED_WIN = 0.22, 0.14
PUSHED, PUSHED_WIN = 0.20, 0.09
# Pushes come every tenth of a long life, so the third after three tenths of it.
LONG_LIFE, PUSHES, PUSHED_FROM = 70, 10, 0.3
SANDBAGGERS, SANDBAGGED, SANDBAG_DAYS = 2, 0.30, 5
LEGAL_DAYS, LEGAL_BELOW = 11, 100_000 * 100
POOR_REGION, POOR_POTENTIAL = "西南", 0.60
TO_DEAL, REAL_MONTH, REAL_RATIO, NULL_DIP, BAD_DAYS = 0.10, 25, 1.25, 0.45, 92


def month_start(company: Company, month: int) -> int:
    """Give the first day of the n-th month of the company, counted from 1."""
    months = company.timeline.months()
    return day_number(months[min(month, len(months)) - 1].start)


def real_change_teams(company: Company) -> tuple[str, ...]:
    """Name the two teams that got the response service level."""
    return company.teams[2:4] if len(company.teams) >= 4 else company.teams[:1]


def add_deals_of_better_leads(company: Company) -> None:
    """P17: two teams answer leads better from month 25, so more leads become deals."""
    multiple = company.options.size("P17")
    deals, draws = company["deals"], company.draws("P17")
    since = month_start(company, REAL_MONTH) * DAY
    eligible = deals.team.isin(real_change_teams(company)) & (deals.source == 0)
    rows = deals[(eligible & (deals.created >= since)).to_numpy()]
    rate = scaled_share(TO_DEAL, TO_DEAL * REAL_RATIO, multiple)
    # Each added deal adds its lead too.
    extra = (rate - TO_DEAL) / (TO_DEAL * (1 - rate))
    full, part = divmod(round(extra * len(rows)), max(len(rows), 1))
    chosen = np.sort(draws.order(len(rows))[:part])
    more = rows.iloc[np.concatenate([*[np.arange(len(rows))] * full, chosen])].copy()
    # Each is a deal of its own: of another size, for another product.
    for column in ("amount", "product"):
        more[column] = rows[column].to_numpy()[draws.whole(0, max(len(rows) - 1, 0), len(more))]
    shift = draws.whole(-9, 9, len(more)) * DAY
    line = company.timeline
    more["created"] = line.at_work(draws, (more.created + shift).to_numpy() // DAY)
    length = (more.closed - rows.loc[more.index, "created"]).to_numpy() // DAY
    closed = more.created.to_numpy() // DAY + np.maximum(length, 2)
    more["closed"] = line.at_work(draws, closed)
    company["deals"] = in_order(pd.concat([deals, more], ignore_index=True))
    company.facts["P17"] = {
        "teams": list(real_change_teams(company)), "from": str(date_of(since // DAY)),
        "deals_added": len(more), "planted_rate": round(rate, 4),
    }  # fmt: skip


def make_poor_region_poor(company: Company) -> None:
    """P2: the south-west has 60 % of the potential of the east, in accounts and in deals."""
    # No region is without any potential, however large the multiple.
    ratio = max(round(scaled(1.0, POOR_POTENTIAL, company.options.size("P2")), 4), 0.1)
    poor = company["deals"].team.str.startswith(POOR_REGION).to_numpy()
    amount = company["deals"].amount.to_numpy().copy()
    hundreds = np.maximum(amount[poor] // 10_000 * round(ratio * 100) // 100, 50)
    amount[poor] = hundreds * 10_000
    company["deals"]["amount"] = amount
    company.facts["P2"] = {"region": POOR_REGION, "potential_ratio": ratio}


def lose(company: Company, draws: Draws, group: Flags, win_rate: float, to: str) -> int:
    """Turn wins of a group into losses to a problem until its win rate is `win_rate`; count them.

    What ended in the time that is shown and what did not each come to that rate.
    """
    deals, line = company["deals"], company.timeline
    closed, outcome = deals.closed.to_numpy(), deals.outcome.to_numpy().copy()
    shown = (closed >= line.start * DAY) & (closed <= line.end_at)
    turned = 0
    for part in (group & shown, group & ~shown):
        won = np.flatnonzero(part & (outcome == WON))
        decided = int((part & (outcome != VOID)).sum())
        goes = won[draws.order(len(won))][round(max(win_rate, 0.0) * decided) :]
        outcome[goes] = LOST
        deals.loc[goes, "lost_to"] = to
        turned += len(goes)
    deals["outcome"] = outcome
    return turned


def shape_deals(company: Company) -> None:
    """Plant the problems that change how deals run and end, and mark the deals."""
    deals = company["deals"]
    for column in ("zombie", "skips_needs", "sandbagged", "left_behind", "settled"):
        deals[column] = False
    deals["slow_legal"] = 0
    deals["lost_to"] = ""
    deals["silent_from"] = NONE
    for plant in (leave_for_dead, _skips, _pushes, _legal, fall_silent):
        plant(company)


def dip(company: Company) -> None:
    """P18: one team had three bad months before it was given a template; then it is as before.

    It is the team that looked worst anyway, so that it comes back by itself.
    """
    multiple, draws, deals = company.options.size("P18"), company.draws("P18"), company["deals"]
    since = month_start(company, REAL_MONTH) * DAY
    closed = deals.closed.to_numpy()
    bad = (closed >= since - BAD_DAYS * DAY) & (closed < since)
    usual = (closed >= since - 3 * 365 * DAY) & (closed < since - BAD_DAYS * DAY)
    before, base = _rates(deals[bad]), _rates(deals[usual])
    others = [t for t in company.teams if t not in real_change_teams(company)] or company.teams
    team = min(others, key=lambda t: before.get(t, 1.0))
    share, lost = before.get(team, WIN_RATE), 0
    if multiple:
        own = base.get(team, WIN_RATE)
        worse = min((rate for t, rate in before.items() if t != team), default=1.0) - 0.02
        share = min(scaled_share(own, own * (1 - NULL_DIP), multiple), max(worse, 0.0))
        lost = lose(company, draws, bad & (deals.team == team).to_numpy(), share, "P18")
    company.facts["P18"] = {
        "team": team, "from": str(date_of(since // DAY)), "effect": 0.0, "wins_lost_before": lost,
        "planted_win_rate_before": round(share, 4),
    }  # fmt: skip


def _rates(deals: pd.DataFrame) -> dict[str, float]:
    """Give the win rate of each team."""
    decided = deals[deals.outcome != VOID]
    return (decided.outcome == WON).groupby(decided.team).mean().to_dict()


def _skips(company: Company) -> None:
    """P7: deals go on without an analysis of the needs, and are won less."""
    multiple, draws = company.options.size("P7"), company.draws("P7")
    deals = company["deals"]
    natural = SKIP_SHARE / 3
    share = scaled_share(natural, SKIPPED, multiple)
    # The share is of the deals that get past the needs; those that skip them all do. Some do
    # anyway, and are won as often as what gets so far.
    won = DECIDED * WIN_RATE
    past = won + (1 - won) * sum(LOST_AT[2:]) / sum(LOST_AT)
    planted = (share - natural) / (1 - natural)
    usual = ~deals.zombie.to_numpy()
    ratio = past * _reach_proposal(company, skips=False) / _reach_proposal(company, skips=True)
    of_all = planted * ratio / (1 - planted * (1 - ratio)) / max(usual.mean(), 0.5)
    chosen = draws.chance(of_all, len(deals)) & usual
    deals["skips_needs"] = chosen
    win = scaled_share(WIN_RATE, SKIPPED_WIN, multiple)
    others = min(natural * (1 - planted) / share, 0.5)
    company.facts["P7"] = {
        "planted_share": share, "planted_win_rate": win,
        "wins_lost": lose(company, draws, chosen, (win - others * won / past) / (1 - others),
                          "P7"),
    }  # fmt: skip


def _reach_proposal(company: Company, *, skips: bool) -> float:
    """Count the deals that are known to be past the needs, were all to get there in time."""
    deals, line = company["deals"], company.timeline
    created, closed = deals.created.to_numpy(), deals.closed.to_numpy()
    known = (created >= line.start * DAY) & (created <= line.end_at)
    # By their shares of a deal's life; those who skip the needs go on sooner.
    before = STAGE_SHARES[0] if skips else sum(STAGE_SHARES[:2])
    whole = sum(STAGE_SHARES) - (STAGE_SHARES[1] if skips else 0)
    at = created + (closed - created) * before // whole
    return max(float((known & (at <= line.end_at)).sum()), 1.0)


def _pushes(company: Company) -> None:
    """P10: the expected date is moved again and again."""
    multiple, draws = company.options.size("P10"), company.draws("P10")
    deals = company["deals"]
    life = (deals.closed - deals.created).to_numpy() // DAY
    share = scaled_share(0.0, PUSHED, multiple)
    # Larger multiples need shorter deals too.
    long = (life >= LONG_LIFE / max(multiple, 1)) & ~(deals.zombie | deals.skips_needs).to_numpy()
    # Deals that are open on a day are met in proportion to their length.
    met = share * life.sum() / max(life[long].sum() * (1 - PUSHED_FROM), 1)
    chosen = draws.chance(min(met, 0.95), len(deals)) & long
    chosen = _of_the_open(company, draws, chosen, long, share)
    deals["push_step"] = np.where(chosen, life // PUSHES, 0)
    win = scaled_share(WIN_RATE, PUSHED_WIN, multiple)
    company.facts["P10"] = {
        "planted_share": share, "planted_win_rate": win,
        "wins_lost": lose(company, draws, chosen, win, "P10"),
    }  # fmt: skip


def _of_the_open(company: Company, draws: Draws, chosen: Flags, fit: Flags, share: float) -> Flags:
    """Choose anew among the deals that are open at the end, until the share of them is met."""
    deals, end = company["deals"], company.timeline.end_at
    created, closed = deals.created.to_numpy(), deals.closed.to_numpy()
    is_open = (created <= end) & (closed > end)
    age = end - created
    ripe = age >= (closed - created) * PUSHED_FROM + 8 * DAY
    chosen = chosen & ~(is_open & ~ripe & (age > (closed - created) * (PUSHED_FROM - 0.1)))
    able = np.flatnonzero(is_open & ripe & fit)
    wanted = round(share * int(is_open.sum()))
    chosen[able] = False
    chosen[able[draws.order(len(able))][:wanted]] = True
    return chosen


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


def sandbag(company: Company) -> None:
    """P11: deals are entered only when they are as good as won.

    Of the wins in the time that is shown so many that the share of their owners' wins is met.
    """
    multiple, draws, line = company.options.size("P11"), company.draws("P11"), company.timeline
    deals = company["deals"]
    reps = seasoned_reps(company, round(SANDBAGGERS * multiple)) if multiple else np.array([], int)
    share = scaled_share(0.0, SANDBAGGED, multiple)
    closed = deals.closed.to_numpy()
    wins = deals.last_owner.isin(reps).to_numpy() & (deals.outcome == WON).to_numpy()
    wins &= (closed >= line.start * DAY) & (closed <= line.end_at)
    fast = closed - deals.created.to_numpy() < SANDBAG_DAYS * DAY
    kept = deals.owner.to_numpy() == deals.last_owner.to_numpy()
    fit = np.flatnonzero(wins & ~fast & kept & ~deals.left_behind.to_numpy())
    wanted = max(round(share * int(wins.sum())) - int((wins & fast).sum()), 0)
    chosen = np.sort(fit[draws.order(len(fit))][:wanted])
    created = deals.created.to_numpy().copy()
    late = deals.closed.to_numpy()[chosen] - draws.whole(20 * 3600, 100 * 3600, len(chosen))
    # Entered within office hours.
    late = late // DAY * DAY + draws.whole(9 * 3600, 17 * 3600, len(chosen))
    late = np.minimum(late, deals.closed.to_numpy()[chosen] - 3600)
    created[chosen] = np.maximum(created[chosen], late)
    deals["created"] = created
    deals.loc[chosen, "sandbagged"] = True
    deals.loc[chosen, "push_step"] = 0
    deals.loc[chosen, "silent_from"] = NONE
    company.facts["P11"] = {"reps": [int(r) for r in reps], "share_of_wins": share}


def _legal(company: Company) -> None:
    """P8: legal review takes long where little is at stake."""
    multiple, deals = company.options.size("P8"), company["deals"]
    small = (deals.amount < LEGAL_BELOW).to_numpy() & (multiple > 0)
    days = round(scaled(5.0, LEGAL_DAYS, multiple))
    deals["slow_legal"] = np.where(small, days, 0)
    company.facts["P8"] = {"days": days if multiple else None, "below": LEGAL_BELOW / 100}
