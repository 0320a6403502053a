"""Call-backs: who looks after customers calls them after delivery, and before a contract ends."""

import numpy as np
import pandas as pd

from salesops.sample.company import Company
from salesops.sample.draws import NONE, Draws, Ints
from salesops.sample.touches import KINDS, contact_of, described

# Of all call-backs so many are made at all, and of those so many in time.
MADE, IN_TIME = 0.93, 0.93
VISITS = 0.2
REACHED = 0.85
# Working days after delivery, and calendar days before the end of a contract.
AFTER, AFTER_LATE = (1, 8), (14, 30)
BEFORE, BEFORE_LATE = (32, 88), (1, 25)


def call_back(company: Company) -> pd.DataFrame:
    """Call customers back: frame of touches, with `account`, that belong to no deal or lead."""
    draws, line = company.draws("call_backs"), company.timeline
    contracts = company["contracts"]
    delivered, ends = contracts.delivered.to_numpy(), contracts.ends.to_numpy()
    account = contracts.account.to_numpy()
    came = np.flatnonzero((delivered >= line.start) & (delivered <= line.end))
    goes = np.flatnonzero((ends != NONE) & (ends - BEFORE[1] >= line.start))
    after = line.work_index(delivered[came]) + _days(draws, AFTER, AFTER_LATE, len(came))
    before = ends[goes] - _days(draws, BEFORE, BEFORE_LATE, len(goes))
    day = np.concatenate([line.work_day(after), line.work_day(line.work_index(before))])
    of = np.concatenate([came, goes])
    cancelled = contracts.cancelled.to_numpy()[of]
    made = draws.chance(MADE, len(of)) & ((cancelled == NONE) | (cancelled > day))
    made &= (day <= line.end) & (day >= line.start)
    day, whom = day[made], account[of[made]]
    rows = pd.DataFrame({"account": whom, "at": line.at_work(draws, day)})
    carers = np.flatnonzero((company["users"].role == "cs").to_numpy())
    rows["user"] = carers[whom % len(carers)]
    rows = described(draws, rows.assign(deal=NONE, lead=NONE))
    rows["kind"] = np.where(draws.chance(VISITS, len(rows)), KINDS.index("visit"),
                            KINDS.index("call"))  # fmt: skip
    rows["direction"] = np.where(draws.chance(REACHED, len(rows)), 0, 1)
    rows["contact"] = contact_of(company, draws, whom, rows["at"].to_numpy())
    return rows.sort_values(["at", "account"], kind="stable", ignore_index=True)


def _days(draws: Draws, soon: tuple[int, int], late: tuple[int, int], n: int) -> Ints:
    in_time = draws.chance(IN_TIME, n)
    return np.where(in_time, draws.whole(*soon, n), draws.whole(*late, n))
