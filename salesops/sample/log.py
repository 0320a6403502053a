"""What the log of changes says about each deal, and the values that follow from it.

Every field with a history is a list of (row, instant, value). The log, the value at the start and
the value at the end are all read from that one list, so that they can't disagree.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesops.sample.company import Company
from salesops.sample.deals import BACK_SHARE, ENTERED, OPEN_STAGES, WON
from salesops.sample.draws import NONE, Draws, Ints
from salesops.sample.timeline import DAY, days_of

STAGES = (*OPEN_STAGES, "contract", "lost", "void")
CONTRACT = len(OPEN_STAGES)
CATEGORIES = ("pipeline", "best_case", "commit")
NEXT_STEPS = (
    "电话确认需求", "约现场调研", "整理需求清单", "安排产品演示", "发送方案", "组织技术交流",
    "报价沟通", "商务条款谈判", "等客户内部审批", "法务审核合同", "约定签约时间",
)  # fmt: skip
# Next steps that fit each stage, first and last position.
STEPS_OF_STAGE = ((0, 1), (1, 3), (3, 5), (6, 8), (9, 10))
# Longest life of an expected date before its owner looks at it again.
_SHIFT = 34


@dataclass(frozen=True, eq=False)
class History:
    """The values of one field of one table over time, in order of row and time.

    Attributes
    ----------
    entity, field
        Table and column.
    rows
        `row` (position), `at`, `value`, `by` (position of the user), `first` (known from birth).
    """

    entity: str
    field: str
    rows: pd.DataFrame

    def at_end(self, n: int, end: int) -> Ints:
        """Give the value of each of the n rows at the end."""
        found = np.full(n, NONE)
        known = self.rows[self.rows["at"] <= end]
        found[known.row.to_numpy()] = known.value.to_numpy()  # the last assignment stays
        return found

    def changes(self, start: int, end: int) -> pd.DataFrame:
        """Give the rows of the log between start and end, with the value before each."""
        old = self.rows.value.shift()
        same_row = self.rows.row == self.rows.row.shift()
        rows = self.rows.assign(old=old.where(same_row, NONE).astype(np.int64))
        inside = ~rows["first"] & (rows["at"] >= start) & (rows["at"] <= end)
        return rows[inside & (rows.old != rows.value)]


def history(entity: str, field: str, births: Ints, parts: list[pd.DataFrame]) -> History:
    """Put the values of one field in order; `births` are the instants at which rows begin."""
    rows = pd.concat(parts, ignore_index=True)
    rows = rows.sort_values(["row", "at", "rank"], kind="stable").reset_index(drop=True)
    first = ~rows.row.duplicated().to_numpy()
    rows["first"] = first & (rows["at"].to_numpy() <= births[rows.row.to_numpy()])
    return History(entity, field, rows)


def with_more(told: History, more: pd.DataFrame) -> History:
    """Add values to a history, each after the birth of its row."""
    rows = pd.concat([told.rows, more.assign(first=False)], ignore_index=True)
    rows = rows.sort_values(["row", "at", "rank"], kind="stable").reset_index(drop=True)
    return History(told.entity, told.field, rows)


def values(row: Ints, at: Ints, value: Ints, by: Ints | None = None, rank: int = 0) -> pd.DataFrame:
    """List values of a field; of those at one instant the higher rank comes later."""
    by = np.full(len(row), NONE) if by is None else by
    return pd.DataFrame({"row": row, "at": at, "value": value, "by": by, "rank": rank})


def deal_histories(company: Company) -> list[History]:
    """Tell the history of every tracked field of every deal."""
    deals = company["deals"]
    owners = _owners(company)
    born = deals.created.to_numpy()
    found = [owners]
    tellers = (
        ("stage", _stages), ("amount", _amounts), ("expected_close_on", _expected_dates),
        ("forecast_category", _categories), ("next_step", _next_steps),
    )  # fmt: skip
    for field, tell in tellers:
        parts = tell(company.draws(f"log {field}"), company)
        found.append(history("opportunities", field, born, parts))
    return found


def sign_edits(company: Company, found: list[History]) -> list[History]:
    """Add the days of the next steps, and say who made each change."""
    owners = found[0]
    whole = [*found, _due_dates(company, found[-1])]
    return [owners, *(_signed(told, owners) for told in whole[1:])]


def _owners(company: Company) -> History:
    deals, moves = company["deals"], company["handovers"]
    n = np.arange(len(deals))
    parts = [
        values(n, deals.created.to_numpy(), deals.owner.to_numpy()),
        values(moves.deal.to_numpy(), moves["at"].to_numpy(), moves.new.to_numpy()),
    ]
    told = history("opportunities", "owner_id", deals.created.to_numpy(), parts)
    lead = company["users"].manager.to_numpy()[told.rows.value]
    told.rows["by"] = lead
    return told


def owner_at(owners: History, row: Ints, at: Ints) -> Ints:
    """Say who owned each row at an instant."""
    keys = (owners.rows.row.to_numpy() << _SHIFT) + owners.rows["at"].to_numpy()
    found = np.searchsorted(keys, (row << _SHIFT) + at, side="right") - 1
    return owners.rows.value.to_numpy()[np.maximum(found, 0)]


def _signed(told: History, owners: History) -> History:
    """Fill in the owner at the time where nobody else made the change."""
    rows = told.rows
    own = owner_at(owners, rows.row.to_numpy(), rows["at"].to_numpy())
    rows["by"] = np.where(rows.by == NONE, own, rows.by)
    return told


def _stages(draws: Draws, company: Company) -> list[pd.DataFrame]:
    deals = company["deals"]
    parts = []
    for code, column in enumerate(ENTERED):
        here = np.flatnonzero(deals[column] != NONE)
        parts.append(values(here, deals[column].to_numpy()[here], np.full(len(here), code)))
    n = np.arange(len(deals))
    ends = CONTRACT + deals.outcome.to_numpy()
    parts.append(values(n, deals.closed.to_numpy(), ends, rank=9))
    return parts + _way_back(draws, deals)


def _way_back(draws: Draws, deals: pd.DataFrame) -> list[pd.DataFrame]:
    """Send a few deals from negotiation back to the needs or the proposal for a while."""
    begin = deals.entered_negotiation.to_numpy()
    after = deals.entered_legal_review.to_numpy()
    until = np.where(after == NONE, deals.closed.to_numpy(), after)
    goes = (begin != NONE) & draws.chance(BACK_SHARE / 0.55, len(deals)) & (until - begin > 6 * DAY)
    rows = np.flatnonzero(goes)
    third = (until - begin)[rows] // 3 // 60 * 60
    target = draws.whole(1, 2, len(rows))
    back = values(rows, begin[rows] + third, target)
    forth = values(rows, begin[rows] + 2 * third, np.full(len(rows), 3))
    return [back, forth]


def _amounts(draws: Draws, company: Company) -> list[pd.DataFrame]:
    """First guess, the amount of the proposal, the amount that is signed or lost."""
    deals = company["deals"]
    n = len(deals)
    final = deals.amount.to_numpy()
    proposed, agreed = deals.entered_proposal.to_numpy(), deals.entered_negotiation.to_numpy()
    has_proposal, has_agreed = proposed != NONE, agreed != NONE
    moves = ~deals.settled.to_numpy()
    quoted = _scaled(final, np.where(draws.chance(0.45, n) & moves, draws.whole(96, 118, n), 100))
    guess = _scaled(quoted, np.where(draws.chance(0.6, n) & moves, draws.whole(70, 135, n), 100))
    quoted = np.where(has_agreed, quoted, final)
    guess = np.where(has_proposal, guess, quoted)
    p, a = np.flatnonzero(has_proposal), np.flatnonzero(has_agreed)
    closed = deals.closed.to_numpy()
    room = (closed - agreed)[a] // 2
    return [
        values(np.arange(n), deals.created.to_numpy(), guess),
        values(p, proposed[p], quoted[p], rank=1),
        values(a, agreed[a] + room // 60 * 60, final[a], rank=2),
    ]


def _scaled(cents: Ints, per_cent: Ints) -> Ints:
    return np.maximum(cents // 100 * per_cent // 10_000, 50) * 10_000


def _expected_dates(draws: Draws, company: Company) -> list[pd.DataFrame]:
    """A first hope, then a later date each time the hoped-for day comes near."""
    deals = company["deals"]
    n = len(deals)
    created, closed = deals.created.to_numpy(), deals.closed.to_numpy()
    length = (closed - created) // DAY
    hope = length * draws.whole(55, 135, n) // 100 + draws.whole(5, 30, n)
    expected = created // DAY + np.maximum(hope, 7)
    hurry = deals["push_step"].to_numpy()
    expected = np.where(hurry > 0, created // DAY + np.maximum(hurry, 4), expected)
    parts = [values(np.arange(n), created, expected)]
    rows = np.arange(n)
    said = created.copy()
    for _ in range(30):
        looked = expected[rows] + draws.whole(-5, 4, len(rows))
        looked = company.timeline.at_work(draws, np.maximum(looked, said[rows] // DAY + 1))
        still = (expected[rows] * DAY < closed[rows]) & (looked < closed[rows])
        rows, looked = rows[still], looked[still]
        if not len(rows):
            break
        step = np.where(hurry[rows] > 0, hurry[rows], draws.whole(21, 60, len(rows)))
        later = np.maximum(expected[rows], looked // DAY) + step
        expected[rows], said[rows] = later, looked
        parts.append(values(rows, looked, later))
    # With the contract at legal the day is known.
    known = np.flatnonzero((deals.entered_legal_review != NONE) & (deals.outcome == WON))
    at = np.maximum(deals.entered_legal_review.to_numpy()[known], said[known] + 3600)
    day = closed[known] // DAY + draws.whole(0, 4, len(known))
    return [*parts, values(known, np.minimum(at, closed[known]), day, rank=3)]


def _categories(draws: Draws, company: Company) -> list[pd.DataFrame]:
    deals = company["deals"]
    n = len(deals)
    parts = [values(np.arange(n), deals.created.to_numpy(), np.zeros(n, np.int64))]
    for code, stage, share in ((1, "negotiation", 0.85), (2, "legal_review", 0.8)):
        at = deals[f"entered_{stage}"].to_numpy()
        rows = np.flatnonzero((at != NONE) & draws.chance(share, n))
        moment = np.minimum(
            at[rows] + draws.whole(0, DAY, len(rows)), deals.closed.to_numpy()[rows]
        )
        parts.append(values(rows, moment, np.full(len(rows), code), rank=4))
    return parts


def _next_steps(draws: Draws, company: Company) -> list[pd.DataFrame]:
    deals = company["deals"]
    parts = []
    for code, column in enumerate(ENTERED):
        share = 0.9 if code == 0 else 0.65
        at = deals[column].to_numpy()
        rows = np.flatnonzero((at != NONE) & draws.chance(share, len(deals)))
        low, high = STEPS_OF_STAGE[code]
        delay = 0 if code == 0 else draws.whole(0, 1200, len(rows))
        moment = np.minimum(at[rows] + delay, deals.closed.to_numpy()[rows])
        parts.append(values(rows, moment, draws.whole(low, high, len(rows)), rank=5))
    return parts


def _due_dates(company: Company, steps: History) -> History:
    """Each next step comes with a day."""
    draws = company.draws("log due")
    rows = steps.rows[["row", "at", "by", "rank"]].copy()
    index = company.timeline.work_index(days_of(rows["at"].to_numpy()))
    rows["value"] = company.timeline.work_day(index + draws.whole(2, 9, len(rows)))
    rows["rank"] = 6
    born = company["deals"].created.to_numpy()
    return history("opportunities", "next_step_due_on", born, [rows])


def account_histories(company: Company) -> list[History]:
    """Tell who looked after each account."""
    accounts, spells = company["accounts"], company["account_owners"]
    born = accounts.created.to_numpy()
    first = ~spells.account.duplicated().to_numpy()
    account = spells.account.to_numpy()
    at = np.where(first, born[account], spells["at"].to_numpy())
    lead = company["users"].manager.to_numpy()[spells.new.to_numpy()]
    return [
        history("accounts", "owner_id", born, [values(account, at, spells.new.to_numpy(), lead)])
    ]


def lead_histories(company: Company) -> list[History]:
    """Tell the status of each lead."""
    leads = company["leads"]
    steps = {
        0: "created",
        1: "assigned",
        2: "touched",
        3: "qualified",
        4: "converted",
        5: "refused",
    }
    parts = []
    for code, column in steps.items():
        at = leads[column].to_numpy()
        rows = np.flatnonzero(at != NONE)
        by = leads["sdr" if code in (1, 2, 5) else "owner"].to_numpy()[rows]
        parts.append(values(rows, at[rows], np.full(len(rows), code), by, rank=code))
    return [history("leads", "status", leads.created.to_numpy(), parts)]


def instalment_histories(company: Company) -> list[History]:
    """Tell when instalments are due, and since when it is another day."""
    rows, contracts = company["instalments"], company["contracts"]
    contract = rows.contract.to_numpy()
    signed = contracts.signed.to_numpy()[contract] * DAY + DAY - 1
    n = np.arange(len(rows))
    moved = np.flatnonzero(rows.moved.to_numpy() > 0)
    day = np.maximum(rows.original_due.to_numpy() - 6, signed // DAY + 1)
    said = day[moved] * DAY + 15 * 3600
    finance = int(company["users"].index[(company["users"].role == "finance")][0])
    parts = [
        values(n, signed, rows.original_due.to_numpy()),
        values(moved, said, rows.due.to_numpy()[moved], np.full(len(moved), finance)),
    ]
    return [history("instalments", "due_on", signed, parts)]
