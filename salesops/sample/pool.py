"""The public pool 公海: accounts nobody works on go there, and are claimed from it."""

import numpy as np
import pandas as pd

from salesops.sample.accounts import spells_in_order
from salesops.sample.company import Company
from salesops.sample.deals import WON
from salesops.sample.draws import NONE, Ints
from salesops.sample.options import scaled
from salesops.sample.planted import seasoned_reps
from salesops.sample.timeline import DAY, day_number

# Accounts that never bought go back so many days after their last deal ended.
RETURN_DAYS, RETURN_SHARE = 120, 0.55
CLAIMS, CLAIMERS, CLAIM_MONTHS = 40, 2, 12
ACCOUNTS_LEFT, BEFORE_LEAVING = 64, 60


def return_to_pool(company: Company) -> None:
    """Send accounts that did not buy back to the pool: further rows of `account_owners`."""
    deals, draws, spells = company["deals"], company.draws("pool"), company["account_owners"]
    n = len(company["accounts"])
    last_end = np.zeros(n, np.int64)
    np.maximum.at(last_end, deals.account.to_numpy(), deals.closed.to_numpy())
    bought = np.zeros(n, bool)
    bought[deals.account.to_numpy()[(deals.outcome == WON).to_numpy()]] = True
    bought |= company["accounts"].bought.to_numpy() != NONE
    chosen = np.flatnonzero(~bought & draws.chance(RETURN_SHARE, n) & (last_end > 0))
    day = last_end[chosen] // DAY + RETURN_DAYS + draws.whole(0, 30, len(chosen))
    at = company.timeline.at_work(draws, day)
    # Nobody hands on what is in the pool, so later spells of a returned account are dropped.
    returned = np.full(n, 2**62)
    returned[chosen] = at
    spells = spells[spells["at"].to_numpy() < returned[spells.account.to_numpy()]]
    back = pd.DataFrame({"account": chosen, "at": at, "new": pool_of(company)})
    company["account_owners"] = spells_in_order(pd.concat([spells, back], ignore_index=True))
    company.facts["pool"] = {"returned": dict(zip(chosen.tolist(), at.tolist(), strict=True))}


def pool_of(company: Company) -> int:
    """Give the position of the pool among the people."""
    users = company["users"]
    return int(users.index[users.role == "pool"][0])


def claim_and_return(company: Company) -> None:
    """P14: reps claim accounts from the pool and give them back without a touch."""
    multiple, line = company.options.size("P14"), company.timeline
    returned = company.facts.pop("pool")["returned"]
    if not multiple:
        company.facts["P14"] = {"reps": []}
        return
    draws = company.draws("P14")
    reps = seasoned_reps(company, CLAIMERS, skip=12)
    # So many a month together.
    a_month = round(scaled(0, CLAIMS, multiple))
    each = [
        a_month // max(len(reps), 1) + (n < a_month % max(len(reps), 1)) for n in range(len(reps))
    ]
    free_from = np.array(list(returned.values()), np.int64)
    accounts = np.array(list(returned), np.int64)
    parts, pool = [], pool_of(company)
    for month in line.months()[-CLAIM_MONTHS:]:
        first = day_number(month.start)
        for rep, wanted in zip(reps.tolist(), each, strict=True):
            ready = np.flatnonzero(free_from < (first - 2) * DAY)
            taken = ready[draws.order(len(ready))][:wanted]
            claim = line.at_work(draws, first + draws.whole(0, 5, len(taken)))
            back = line.at_work(draws, claim // DAY + draws.whole(5, 11, len(taken)))
            free_from[taken] = back + 20 * DAY
            parts += [_moves(accounts[taken], claim, rep), _moves(accounts[taken], back, pool)]
    spells = pd.concat([company["account_owners"], *parts], ignore_index=True)
    company["account_owners"] = spells_in_order(spells)
    company.facts["P14"] = {"reps": reps.tolist(), "claims_a_month": a_month}
    claimed = [moves.account.to_numpy() for moves in parts]
    company.facts["claimed"] = {"accounts": np.unique(np.concatenate([[], *claimed]))}


def _moves(account: Ints, at: Ints, new: Ints | int) -> pd.DataFrame:
    return pd.DataFrame({"account": account, "at": at, "new": new})


def leave_accounts_behind(company: Company) -> None:
    """P5: those who leave look after so many accounts on their last day."""
    leavers = company.facts["P5"]["leavers"]
    if not leavers:
        return
    draws, users = company.draws("P5 accounts"), company["users"]
    spells, deals = company["account_owners"], company["deals"]
    left = int(users.left[leavers[0]])
    before = spells[spells["at"] < left * DAY]
    current = before.groupby("account")["new"].last()
    own = current.index.to_numpy()[current.isin(leavers).to_numpy()]
    busy = np.isin(own, deals.account.to_numpy()[deals.left_behind.to_numpy()])
    # What came on the last day stays, and what is claimed from the pool later: what is given away
    # has no later owners.
    began = before.groupby("account")["at"].last()[own].to_numpy()
    busy |= began + 3600 >= left * DAY
    busy |= np.isin(own, company.facts.get("claimed", {}).get("accounts", []))
    rank = np.where(busy, 0, 1 + draws.order(len(own)))
    wanted = round(scaled(0, ACCOUNTS_LEFT, company.options.size("P5")))
    given = own[np.argsort(rank, kind="stable")][wanted:]
    parts = []
    for who in leavers:
        rows = given[current[given].to_numpy() == who]
        heirs = _colleagues(users, who, left, company.timeline.end)
        if not len(heirs):
            continue
        at = (left - BEFORE_LEAVING) * DAY + draws.whole(9 * 3600, 18 * 3600, len(rows))
        # An account that came later stays: it can't be given away before it was there.
        began = before.groupby("account")["at"].last()[rows].to_numpy()
        heir = heirs[draws.whole(0, 999, len(rows)) % max(len(heirs), 1)]
        parts.append(_moves(rows, np.maximum(at, began + 3600), heir))
    spells = spells[~((spells["at"] // DAY >= left) & spells.account.isin(given))]
    company["account_owners"] = spells_in_order(pd.concat([spells, *parts], ignore_index=True))
    company.facts["P5"]["accounts"] = int(len(own) - len(given))


def _colleagues(users: pd.DataFrame, who: int, left: int, end: int) -> Ints:
    """List the reps who stay: the seasoned ones of the team, or else whoever is there."""
    there = (users.role == "rep") & ((users.left < 0) | (users.left > end))
    seasoned = users.hired < left - 200
    for fit in (there & seasoned & (users.team == users.team[who]), there & seasoned):
        if fit.any():
            break
    return users.index.to_numpy()[fit.to_numpy()]
