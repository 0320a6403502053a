"""Contracts and the money that comes in: lines, instalments, invoices, receipts."""

import numpy as np
import pandas as pd

from salesops.sample.company import Company
from salesops.sample.deals import PRODUCTS
from salesops.sample.draws import NONE, Draws, Ints, spread
from salesops.sample.options import scaled
from salesops.sample.silent import fill
from salesops.sample.timeline import DAY

SOFTWARE, DEVICES, SUBSCRIPTION, SERVICE = range(len(PRODUCTS))
RENEWAL_OF_MAINTENANCE = len(PRODUCTS)
LINE_KINDS = ("subscription", "maintenance", "licence", "hardware", "service")
# Lines of each product, per cent of the amount, in the order of LINE_KINDS.
LINES = {
    SOFTWARE: (0, 12, 73, 0, 15), DEVICES: (0, 8, 0, 80, 12), SUBSCRIPTION: (100, 0, 0, 0, 0),
    SERVICE: (0, 0, 0, 0, 100), RENEWAL_OF_MAINTENANCE: (0, 100, 0, 0, 0),
}  # fmt: skip
TRIGGERS = ("signing", "delivery", "acceptance", "retention")
# What is paid at each trigger, per cent.
TERMS = {
    SOFTWARE: (30, 0, 60, 10), DEVICES: (30, 30, 30, 10), SUBSCRIPTION: (100, 0, 0, 0),
    SERVICE: (30, 0, 60, 10), RENEWAL_OF_MAINTENANCE: (100, 0, 0, 0),
}  # fmt: skip
PREPAID_BELOW = 50_000 * 100
CREDIT_DAYS = {"signing": 12, "delivery": 15, "acceptance": 30, "retention": 365}
ON_TIME = 0.80
# Days late of what is late: of all the middle is 25 days and a fifth (4 % of what is due) beyond
# 180. State-owned customers and hospitals lie at 70, the others therefore a little below 25.
LATE = spread(((0, 1), (0.25, 8), (0.54, 25), (0.7, 75), (0.8, 180), (1, 520)))
LATE_STATE_OWNED = spread(((0, 6), (0.25, 32), (0.5, 70), (0.7, 130), (0.8, 180), (1, 520)))
SPLIT_SHARE, UNALLOCATED_SHARE, CANCELLED_SHARE = 0.08, 0.05, 0.015
OVERDUE_REASONS = ("客户资金紧张", "未验收", "发票未开", "走付款流程", "质量异议")
UNACCEPTED = 4_000_000 * 100
CANCEL_REASONS = ("客户项目终止", "预算取消", "产品不合用")


def sign(company: Company, wins: pd.DataFrame, stream: str = "contracts") -> pd.DataFrame:
    """Turn won deals into contracts, with their delivery and acceptance."""
    draws, line = company.draws(stream), company.timeline
    n = len(wins)
    product = wins["product"].to_numpy()
    signed = wins.closed.to_numpy() // DAY
    quick = (product == SUBSCRIPTION) | (product == RENEWAL_OF_MAINTENANCE)
    to_delivery = np.where(quick, draws.whole(1, 6, n), draws.whole(8, 35, n))
    to_acceptance = np.where(quick, 0, draws.whole(6, 28, n))
    delivered = line.work_day(line.work_index(signed) + to_delivery)
    accepted = line.work_day(line.work_index(delivered) + to_acceptance)
    recurring = np.isin(product, (SOFTWARE, DEVICES, SUBSCRIPTION, RENEWAL_OF_MAINTENANCE))
    starts = np.where(quick, delivered, accepted)
    cancelled = np.where(draws.chance(CANCELLED_SHARE, n), signed + draws.whole(20, 200, n), NONE)
    return wins.reset_index(drop=True).assign(
        signed=signed, delivered=delivered, accepted=accepted, starts=starts,
        ends=np.where(recurring, starts + 364, NONE), cancelled=cancelled,
        planned=accepted, cancel_reason=draws.whole(0, len(CANCEL_REASONS) - 1, n),
    )  # fmt: skip


def delay_acceptance(company: Company) -> None:
    """P15: what was delivered more than 60 days ago is not accepted."""
    wanted = round(scaled(0, UNACCEPTED, company.options.size("P15")))
    contracts, draws, line = company["contracts"], company.draws("P15"), company.timeline
    delivered = contracts.delivered.to_numpy()
    fit = (delivered <= line.end - 62) & (delivered >= line.end - 210)
    fit &= (contracts.cancelled == NONE).to_numpy()
    fit &= contracts["product"].isin((SOFTWARE, DEVICES, SERVICE)).to_numpy()
    fit &= (contracts.planned <= line.end).to_numpy() & (
        contracts.amount >= PREPAID_BELOW
    ).to_numpy()
    rows = np.flatnonzero(fit)
    rows = rows[draws.order(len(rows))]
    chosen = fill(rows, contracts.amount.to_numpy()[rows], wanted)
    total = int(contracts.amount.to_numpy()[chosen].sum())
    accepted = contracts.accepted.to_numpy().copy()
    accepted[chosen] = NONE
    contracts["accepted"] = accepted
    company.facts["P15"] = {"amount": total / 100}


def itemise(contracts: pd.DataFrame) -> pd.DataFrame:
    """Split each contract into its lines."""
    product, amount = contracts["product"].to_numpy(), contracts.amount.to_numpy()
    shares = np.array([LINES[p] for p in sorted(LINES)])[product]
    cents = _split(amount, shares)
    contract, kind = np.nonzero(cents)
    return pd.DataFrame(
        {
            "contract": contract,
            "kind": kind,
            "amount": cents[contract, kind],
            "months": np.where(kind < 2, 12.0, np.nan),
        }
    )


def _split(amount: Ints, shares: Ints) -> Ints:
    """Split cents by per cent; the rest goes to the largest share."""
    cents = amount[:, None] * shares // 100
    largest = shares.argmax(axis=1)
    cents[np.arange(len(amount)), largest] += amount - cents.sum(axis=1)
    return cents


def agree_instalments(company: Company, contracts: pd.DataFrame) -> pd.DataFrame:
    """Lay out what is to be paid when."""
    draws = company.draws("instalments")
    product, amount = contracts["product"].to_numpy(), contracts.amount.to_numpy()
    shares = np.array([TERMS[p] for p in sorted(TERMS)])[product]
    shares[amount < PREPAID_BELOW] = (100, 0, 0, 0)
    cents = _split(amount, shares)
    contract, trigger = np.nonzero(cents)
    events = np.stack(
        [contracts[c].to_numpy() for c in ("signed", "delivered", "accepted", "accepted")]
    )
    event = events[trigger, contract]
    credit = np.array([CREDIT_DAYS[t] for t in TRIGGERS])[trigger]
    # Nobody knows when that is due which waits for an acceptance.
    due = np.where(event == NONE, NONE, event + credit)
    n = len(contract)
    moved = np.where(draws.chance(0.03, n), draws.whole(15, 60, n), 0)
    rows = pd.DataFrame(
        {
            "contract": contract, "trigger": trigger, "amount": cents[contract, trigger],
            "event": event, "original_due": due, "moved": np.where(due == NONE, 0, moved),
            "due": np.where(due == NONE, NONE, due + moved),
        }
    )  # fmt: skip
    cancelled = contracts.cancelled.to_numpy()[contract]
    # What will be cancelled is still to be paid today.
    lives = (cancelled == NONE) | (cancelled > company.timeline.end) | (due <= cancelled)
    return rows[lives].reset_index(drop=True)


def collect(company: Company, contracts: pd.DataFrame, instalments: pd.DataFrame) -> pd.DataFrame:
    """Let the money come in, on time or late; `collected` days stand in the instalments too."""
    draws = company.draws("receipts")
    n = len(instalments)
    account = contracts.account.to_numpy()[instalments.contract.to_numpy()]
    state = company["accounts"].state_owned.to_numpy()[account]
    level = draws.level(n)
    late = np.where(state, LATE_STATE_OWNED[level], LATE[level])
    on_time = draws.chance(ON_TIME, n)
    early = draws.whole(0, 9, n)
    due = instalments.original_due.to_numpy()
    event = instalments.event.to_numpy()
    day = np.where(on_time, np.maximum(due - early, event), due + late)
    # Who has not accepted does not pay what falls due with acceptance.
    waits = due == NONE
    due = np.where(waits, company.timeline.last, due)
    day = np.where(waits, company.timeline.last, day)
    instalments["collected"] = day
    split = draws.chance(SPLIT_SHARE, n)
    first = np.where(
        split, instalments.amount.to_numpy() * draws.whole(3, 7, n) // 10, instalments.amount
    )
    row = np.concatenate([np.arange(n), np.flatnonzero(split)])
    second = np.arange(len(row)) >= n
    amount = np.where(second, instalments.amount.to_numpy()[row] - first[row], first[row])
    # Who pays on time has paid the first part before, who pays late pays the rest later still.
    apart = draws.whole(5, 40, len(row))
    ahead = np.where(split[row] & on_time[row] & ~second, apart, 0)
    behind = np.where(second & ~on_time[row], apart, 0)
    received = np.where(ahead > 0, np.maximum(day[row] - ahead, event[row]), day[row]) + behind
    # Money that is on the way on a holiday arrives on the working day before; late stays late.
    index = company.timeline.work_index(received)
    overdue = company.timeline.work_index(due[row]) + 1
    index = np.where(on_time[row], index, np.maximum(index, overdue))
    received = company.timeline.work_day(index)
    return pd.DataFrame(
        {
            "contract": instalments.contract.to_numpy()[row],
            "instalment": np.where(draws.chance(UNALLOCATED_SHARE, len(row)), NONE, row),
            "received": received,
            "amount": amount,
        }
    ).sort_values(["received", "contract"], kind="stable", ignore_index=True)


def invoice(draws: Draws, instalments: pd.DataFrame) -> pd.DataFrame:
    """Write an invoice for each instalment but retention money, around its trigger."""
    rows = instalments[instalments.trigger != TRIGGERS.index("retention")]
    issued = rows.event.to_numpy() + draws.whole(0, 9, len(rows))
    return pd.DataFrame({"contract": rows.contract, "issued": issued, "amount": rows.amount})
