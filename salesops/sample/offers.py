"""Quotes with their discounts, and results that two people share."""

import numpy as np
import pandas as pd

from salesops.sample.company import Company
from salesops.sample.deals import RENEWAL, WON
from salesops.sample.draws import NONE, Ints, lognormal
from salesops.sample.people import choose_rep
from salesops.sample.timeline import DAY

DISCOUNT, DISCOUNT_QUARTER_END, DISCOUNT_SIGMA = 12, 19, 0.45
SECOND_QUOTE, SHARED_RESULT = 0.25, 0.06


def quote(company: Company) -> None:
    """Make the frame `quotes`: one with the proposal, sometimes a second in negotiation."""
    deals, draws, line = company["deals"], company.draws("quotes"), company.timeline
    first = np.flatnonzero((deals.entered_proposal != NONE).to_numpy())
    again = np.flatnonzero(
        (deals.entered_negotiation != NONE).to_numpy() & draws.chance(SECOND_QUOTE, len(deals))
    )
    row = np.concatenate([first, again])
    is_second = np.arange(len(row)) >= len(first)
    begin = np.where(is_second, deals.entered_negotiation.to_numpy()[row],
                     deals.entered_proposal.to_numpy()[row])  # fmt: skip
    closed = deals.closed.to_numpy()[row]
    issued = np.minimum(begin + draws.whole(1, 40, len(row)) * 3600, closed - 1800)
    median = np.where(at_quarter_end(closed // DAY) & (deals.outcome.to_numpy()[row] == WON),
                      DISCOUNT_QUARTER_END, DISCOUNT)  # fmt: skip
    tenths = median * 10 * lognormal(1000, DISCOUNT_SIGMA)[draws.level(len(row))] // 1000
    won = deals.outcome.to_numpy()[row] == WON
    last = is_second | ~np.isin(row, again)
    company["quotes"] = pd.DataFrame(
        {
            "deal": row, "amount": deals.amount.to_numpy()[row],
            "issued": np.maximum(issued, begin),
            "discount": np.clip(tenths, 0, 450) / 1000,
            "accepted": np.where(won & last & (closed <= line.end_at), closed, NONE),
        }
    ).sort_values(["issued", "deal"], kind="stable", ignore_index=True)  # fmt: skip


def at_quarter_end(days: Ints) -> "np.ndarray":
    """Say which days lie in the last week of a quarter."""
    week_on = (days + 8).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return (
        week_on // 3 != days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) // 3
    )


def share_results(company: Company) -> None:
    """Make the frame `credits`: some won deals are shared 70 to 30 with a colleague."""
    deals, draws = company["deals"], company.draws("credits")
    won = ((deals.outcome == WON) & (deals["type"] != RENEWAL)).to_numpy()
    row = np.flatnonzero(won & draws.chance(SHARED_RESULT, len(deals)))
    days = deals.closed.to_numpy()[row] // DAY
    mate = choose_rep(draws, company["users"], deals.team.to_numpy()[row], days, fair=True)
    owner = deals.last_owner.to_numpy()[row]
    row, mate, owner = row[mate != owner], mate[mate != owner], owner[mate != owner]
    company["credits"] = pd.DataFrame(
        {
            "deal": np.repeat(row, 2),
            "user": np.stack([owner, mate], axis=1).ravel(),
            "share": np.tile([0.7, 0.3], len(row)),
        }
    )
