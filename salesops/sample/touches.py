"""Activities: what people did with the customer, and how late they wrote it down."""

import numpy as np
import pandas as pd

from salesops.sample.company import Company
from salesops.sample.draws import NONE, Draws, Flags, Ints, counted, spread
from salesops.sample.log import History, owner_at
from salesops.sample.timeline import DAY

KINDS = ("call", "chat", "meeting", "visit", "email", "demo", "other")
KIND_WEIGHTS = (36, 30, 8, 9, 10, 5, 2)
DIRECTIONS = ("two_way", "outbound", "inbound")
DIRECTION_WEIGHTS = (66, 26, 8)
OUTCOMES = ("已沟通", "未接通", "约定下次", "已发资料", "客户考虑中", "确认需求")
OUTCOME_WEIGHTS = (34, 14, 18, 12, 14, 8)
MINUTES = {"call": 12, "chat": 8, "meeting": 60, "visit": 120, "email": 10, "demo": 90, "other": 20}
# Working days between two touches of a deal: most within three, hardly any beyond nine.
GAP = spread(((0, 0.6), (0.35, 1.8), (0.7, 3.9), (0.9, 6.6), (0.98, 9.8), (1, 13.4)))
# Minutes until it is logged: nine in ten the same day.
LAG = spread(((0, 5), (0.55, 90), (0.85, 600), (0.92, 1300), (0.97, 5000), (1, 14000)))


def touch_deals(company: Company, owners: History) -> pd.DataFrame:
    """Touch each deal again and again while it lives: frame with `deal, user, at`."""
    deals, line = company["deals"], company.timeline
    draws = company.draws("touches")
    begin = np.maximum(deals.created.to_numpy() // DAY, line.start - 30)
    until = np.minimum(deals.closed.to_numpy() // DAY, line.end)
    life = np.maximum(line.work_index(until) - line.work_index(begin), 0)
    # Enough draws to fill the life; those beyond its end are cut off.
    each = life * 10 // 18 + 4
    deal = np.repeat(np.arange(len(deals)), each)
    steps = draws.quantile(GAP, len(deal))
    ends = np.cumsum(steps)
    before = np.concatenate([[0], np.cumsum(np.bincount(deal, steps, len(deals)).astype(np.int64))])
    offset = ends - before[deal]
    fits = offset <= life[deal]
    deal, offset = deal[fits], offset[fits]
    day = line.work_day(line.work_index(begin[deal]) + offset)
    at = day * DAY + draws.whole(9 * 3600, 18 * 3600, len(deal))
    inside = (at > deals.created.to_numpy()[deal]) & (at < deals.closed.to_numpy()[deal])
    inside &= (at >= line.start * DAY) & (at <= line.end_at)
    inside &= _is_spoken_to(company, deal, at)
    deal, at = deal[inside], at[inside]
    return pd.DataFrame({"deal": deal, "user": owner_at(owners, deal, at), "at": at})


def _is_spoken_to(company: Company, deal: Ints, at: Ints) -> Flags:
    """Leave out what the planted silences and hand-overs leave out."""
    deals = company["deals"]
    silent = deals.silent_from.to_numpy()[deal]
    spoken = (silent == NONE) | (at < silent)
    planted = company.facts["P5"]
    if not planted["leavers"]:
        return spoken
    left = int(company["users"].left[planted["leavers"][0]]) * DAY + 18 * 3600
    gap = (at > left) & (at < left + planted["silent_days"] * DAY)
    return spoken & ~(gap & deals.left_behind.to_numpy()[deal])


def described(draws: Draws, touches: pd.DataFrame, outbound: bool = False) -> pd.DataFrame:
    """Say of each touch what it was, how long, with what result, and when it was logged."""
    n = len(touches)
    kind = draws.pick(counted(KIND_WEIGHTS), n)
    base = np.array([MINUTES[name] for name in KINDS])[kind]
    direction = np.ones(n, np.int64) if outbound else draws.pick(counted(DIRECTION_WEIGHTS), n)
    found = touches.assign(kind=kind, direction=direction)
    found["minutes"] = np.maximum(base * draws.whole(40, 190, n) // 100, 1)
    outcome = draws.pick(counted(OUTCOME_WEIGHTS), n)
    # A one-way touch reached nobody.
    found["outcome"] = np.where(direction == 1, draws.whole(0, 1, n) * 2 + 1, outcome)
    found["logged"] = found["at"] + found.minutes * 60 + draws.quantile(LAG, n) * 60
    return found


def contact_of(company: Company, draws: Draws, account: Ints, at: Ints) -> Ints:
    """Choose somebody at the account who is known by then."""
    contacts = company["contacts"]
    first = np.searchsorted(contacts.account.to_numpy(), account, side="left")
    after = np.searchsorted(contacts.account.to_numpy(), account, side="right")
    one = first + draws.whole(0, 999, len(account)) % np.maximum(after - first, 1)
    known = contacts.created.to_numpy()[one] <= at
    one = np.where(known, one, first)
    return np.where(contacts.created.to_numpy()[one] <= at, one, NONE)
